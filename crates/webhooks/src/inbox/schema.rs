//! The inbox's tables, one migration a version.

/// Marks a file as an inbox of this kit.
pub(super) const APPLICATION_ID: i32 = 0x4853_4957;

/// Applied in order; the file's `user_version` says how many it has. Never change one that was released.
pub(super) const MIGRATIONS: &[&str] = &["
-- An event's name sorts by its time, so inserts go to the end and expiry takes from the beginning.
CREATE TABLE event (
    id       BLOB PRIMARY KEY,
    portal   INTEGER NOT NULL,
    received INTEGER NOT NULL,  -- epoch ms
    done     INTEGER,           -- epoch ms; NULL while it waits
    body     TEXT NOT NULL      -- JSON, without values of records
) WITHOUT ROWID;
CREATE INDEX waiting ON event (portal, id) WHERE done IS NULL;

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
