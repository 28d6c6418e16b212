-- A small club: sqlite3 club.sqlite < club.sql
CREATE TABLE member (
    number     INTEGER PRIMARY KEY,
    email      TEXT UNIQUE,
    first_name TEXT,
    last_name  TEXT NOT NULL,
    town       TEXT,
    phone      TEXT,
    job        TEXT,
    points     INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0)
);
INSERT INTO member (number, email, first_name, last_name, town, phone, job, points) VALUES
    (101, 'ada@example.com',   'Ada',   'Lovelace', 'London',    '+44 20 7946 0101', 'mathematician', 12),
    (102, 'grace@example.com', 'Grace', 'Hopper',   'Arlington', '+1 703 555 0102',  'admiral',       40),
    (103, 'alan@example.com',  'Alan',  'Turing',   'Wilmslow',  NULL,               'runner',        7);
