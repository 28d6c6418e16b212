//! The inbox's tables, one migration a version.

/// Marks a file as an inbox of this kit.
pub(super) const APPLICATION_ID: i32 = 0x4853_4957;

/// Applied in order; the file's `user_version` says how many it has. Never change one that was released.
pub(super) const MIGRATIONS: &[&str] = &["
-- What is received goes to the end of its portal's part of one tree, and to no index: a commit writes few pages.
CREATE TABLE waiting (
    portal   INTEGER NOT NULL,
    id       BLOB NOT NULL,     -- an event's name, which sorts by its time
    received INTEGER NOT NULL,  -- epoch ms
    body     TEXT NOT NULL,     -- JSON, without values of records
    PRIMARY KEY (portal, id)
) WITHOUT ROWID;

-- What is done is remembered, so that it counts once and can be replayed.
CREATE TABLE done (
    id       BLOB PRIMARY KEY,
    portal   INTEGER NOT NULL,
    received INTEGER NOT NULL,  -- epoch ms
    at       INTEGER NOT NULL,  -- epoch ms
    body     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE position (
    journal   TEXT PRIMARY KEY,
    offset    TEXT,
    published INTEGER,          -- epoch ms
    checked   INTEGER NOT NULL  -- epoch ms
) WITHOUT ROWID;

CREATE TABLE gap (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    journal TEXT NOT NULL,
    since   INTEGER NOT NULL,   -- epoch ms
    until   INTEGER NOT NULL,   -- epoch ms
    cause   TEXT NOT NULL
);
"];
