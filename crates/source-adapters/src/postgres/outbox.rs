//! A table that triggers fill with what has changed: SQL to be run once by the database's owner.

use super::rows::quoted;

/// The table of changes.
pub(super) const CHANGES: &str = "kit_changes";

/// The SQL that has a table's changes noted for [`Changes::Outbox`](super::Changes::Outbox), to be run once by the
/// table's owner; it may be run again. `collection` is the collection's name in the settings, `key` its key column.
///
/// Each row that is made, changed or deleted adds one small row to `kit_changes`, in the transaction that does it. The
/// program's user needs `SELECT` there. Delete old rows from time to time, and none younger than `keep_days`.
#[must_use]
pub fn outbox_sql(schema: &str, table: &str, key: &str, collection: &str) -> String {
    let changes = format!("{}.{CHANGES}", quoted(schema));
    let function = format!("{}.kit_note_change", quoted(schema));
    let table = format!("{}.{}", quoted(schema), quoted(table));
    let path = quoted(schema);
    let (collection, key) = (literal(collection), literal(key));
    format!(
        "CREATE TABLE IF NOT EXISTS {changes} (
    collection text NOT NULL,
    -- The transaction, by which a reader knows what may still be on its way.
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    n bigint GENERATED ALWAYS AS IDENTITY,
    -- Null: the whole table was emptied.
    key text,
    deleted boolean NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (collection, xid, n)
);
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {path}, pg_temp AS $$
DECLARE
    before text; after text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        INSERT INTO {CHANGES} (collection, key, deleted) VALUES (TG_ARGV[0], NULL, true);
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD) ->> TG_ARGV[1]; END IF;
    IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW) ->> TG_ARGV[1]; END IF;
    IF before IS NOT NULL AND before IS DISTINCT FROM after THEN
        INSERT INTO {CHANGES} (collection, key, deleted) VALUES (TG_ARGV[0], before, true);
    END IF;
    IF after IS NOT NULL THEN
        INSERT INTO {CHANGES} (collection, key, deleted) VALUES (TG_ARGV[0], after, false);
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS kit_note_rows ON {table};
CREATE TRIGGER kit_note_rows AFTER INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {function}({collection}, {key});
DROP TRIGGER IF EXISTS kit_note_all ON {table};
CREATE TRIGGER kit_note_all AFTER TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {function}({collection}, {key});
"
    )
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
