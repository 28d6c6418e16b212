//! The SQLite store's tables, as numbered migrations.

/// Marks a file as ours in SQLite's header: "KIT1".
pub(super) const APPLICATION_ID: i32 = 0x4B49_5431;

/// Migrations in order; a store's `user_version` counts those it has had. Never edited once released: a change is
/// a new entry.
pub(super) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE binding (
    engagement TEXT NOT NULL,
    portal TEXT NOT NULL,
    key BLOB NOT NULL
) STRICT;
CREATE TABLE name (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (kind, name)
) STRICT;
-- Identifiers stand without a declared type: a decimal number is kept as an integer, which halves its size.
CREATE TABLE pair (
    id INTEGER PRIMARY KEY,
    link INTEGER NOT NULL,
    external ANY NOT NULL,
    record ANY,
    generation INTEGER NOT NULL,
    state INTEGER NOT NULL,
    row INTEGER NOT NULL,
    bases BLOB NOT NULL,
    UNIQUE (link, external)
) STRICT;
CREATE UNIQUE INDEX pair_record ON pair (link, record) WHERE record IS NOT NULL;
CREATE TABLE edge (
    rule INTEGER NOT NULL,
    pair INTEGER NOT NULL,
    far ANY NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (pair, rule, far)
) STRICT, WITHOUT ROWID;
-- Only what is still to be done: small in a converged world.
CREATE INDEX edge_open ON edge (rule, state, pair, far) WHERE state <> 1;
CREATE INDEX edge_far ON edge (rule, far);
CREATE TABLE intent (
    op INTEGER PRIMARY KEY,
    verb INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    rows TEXT NOT NULL
) STRICT;
CREATE TABLE dead_letter (
    link INTEGER NOT NULL,
    external ANY NOT NULL,
    is_place INTEGER NOT NULL,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL,
    remedy TEXT NOT NULL,
    row INTEGER NOT NULL,
    first_run INTEGER NOT NULL,
    last_run INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (link, external)
) STRICT, WITHOUT ROWID;
CREATE TABLE dirty (
    seq INTEGER PRIMARY KEY,
    link INTEGER NOT NULL,
    external ANY NOT NULL,
    UNIQUE (link, external)
) STRICT;
CREATE TABLE cursor (
    name TEXT PRIMARY KEY,
    position TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    op INTEGER NOT NULL,
    verb INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    written INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    unknown INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE run (
    run INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    ended INTEGER,
    report TEXT NOT NULL
) STRICT;
",
    "
ALTER TABLE pair ADD COLUMN since INTEGER;
CREATE TABLE conflict (
    link INTEGER NOT NULL,
    external ANY NOT NULL,
    property INTEGER NOT NULL,
    record ANY NOT NULL,
    cause TEXT NOT NULL,
    opponent TEXT,
    left INTEGER NOT NULL,
    right INTEGER NOT NULL,
    run INTEGER NOT NULL,
    decision TEXT,
    -- Which run settled it by policy, and how; empty: it waits for a person.
    settled TEXT NOT NULL,
    PRIMARY KEY (link, external, property, settled)
) STRICT, WITHOUT ROWID;
CREATE TABLE sighting (
    seq INTEGER PRIMARY KEY,
    link INTEGER NOT NULL,
    record ANY NOT NULL,
    kind INTEGER NOT NULL,
    into_record ANY,
    UNIQUE (link, record, kind)
) STRICT;
CREATE TABLE merged (
    link INTEGER NOT NULL,
    record ANY NOT NULL,
    into_record ANY NOT NULL,
    PRIMARY KEY (link, record)
) STRICT, WITHOUT ROWID;
",
    "
-- What each operation was about to write, a batch a row: record ids, properties and fingerprints, packed.
CREATE TABLE writing (
    op INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    verb INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    at INTEGER NOT NULL,
    rows BLOB NOT NULL
) STRICT;
",
];
