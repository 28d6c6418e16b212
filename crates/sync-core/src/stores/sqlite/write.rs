//! Writing a transition: everything of it in one transaction.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use sync_types::Transition;

use super::codec::{Ident, change_number, edge_number, encode_bases, pair_state_number, verb_number};
use super::writings;

/// Writes a transition in one transaction; dropped without commit, SQLite rolls it back.
pub(super) fn write(connection: &mut Connection, t: &Transition) -> rusqlite::Result<()> {
    let tx = connection.transaction()?;
    {
        let mut pair = tx.prepare_cached(
            "INSERT INTO pair (link, external, record, generation, state, row, bases, since)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (link, external) DO UPDATE SET record = excluded.record,
                 generation = excluded.generation, state = excluded.state, row = excluded.row,
                 bases = excluded.bases, since = excluded.since",
        )?;
        let mut number = tx.prepare_cached("SELECT id FROM pair WHERE link = ?1 AND external = ?2")?;
        let mut want = tx.prepare_cached(
            "INSERT INTO edge (rule, pair, far, state) VALUES (?1, ?2, ?3, 0)
             ON CONFLICT (pair, rule, far) DO UPDATE SET state = 0 WHERE state = 2",
        )?;
        // A wanted edge may have been made without our knowing: it is removed all the same, which may be repeated.
        let mut unwant =
            tx.prepare_cached("UPDATE edge SET state = 2 WHERE rule = ?1 AND pair = ?2 AND far = ?3")?;
        let mut renew =
            tx.prepare_cached("UPDATE edge SET state = 0 WHERE pair = ?1 AND state IN (1, 3, 4)")?;
        let mut renew_far = tx.prepare_cached(
            "UPDATE edge SET state = 0 WHERE rule = ?1 AND far = ?2 AND state IN (1, 3, 4)",
        )?;
        for write in &t.pairs {
            pair.execute(params![
                write.link.0,
                Ident(write.external.as_str()),
                write.record.as_ref().map(|record| Ident(record.as_str())),
                write.generation,
                pair_state_number(write.state),
                write.row.0.cast_signed(),
                encode_bases(&write.bases),
                write.since.map(Timestamp::as_millisecond),
            ])?;
            if write.renew_edges.is_none() && write.want.is_empty() && write.unwant.is_empty() {
                continue;
            }
            let id: i64 =
                number.query_row(params![write.link.0, Ident(write.external.as_str())], |row| row.get(0))?;
            if let Some(rules) = &write.renew_edges {
                renew.execute([id])?;
                for rule in rules {
                    renew_far.execute(params![rule.0, Ident(write.external.as_str())])?;
                }
            }
            for (rule, far) in &write.want {
                want.execute(params![rule.0, id, Ident(far.as_str())])?;
            }
            for (rule, far) in &write.unwant {
                unwant.execute(params![rule.0, id, Ident(far.as_str())])?;
            }
        }
        let mut row = tx.prepare_cached("UPDATE pair SET row = ?2 WHERE id = ?1")?;
        for (id, print) in &t.rows {
            row.execute(params![id.0.cast_signed(), print.0.cast_signed()])?;
        }
        let mut forget = tx.prepare_cached("DELETE FROM edge WHERE rule = ?1 AND pair = ?2 AND far = ?3")?;
        let mut place =
            tx.prepare_cached("UPDATE edge SET state = ?4 WHERE rule = ?1 AND pair = ?2 AND far = ?3")?;
        for (rule, at, state) in &t.edges {
            let (from, to) = (at.from.0.cast_signed(), Ident(at.to.as_str()));
            match state {
                None => forget.execute(params![rule.0, from, to])?,
                Some(state) => place.execute(params![rule.0, from, to, edge_number(*state)])?,
            };
        }
        let mut open = tx.prepare_cached("INSERT OR REPLACE INTO intent VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for intent in &t.open {
            let rows = serde_json::to_string(&intent.rows)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            open.execute(params![
                intent.op.0.cast_signed(),
                verb_number(intent.verb),
                intent.subject.0,
                intent.sent_at.as_millisecond(),
                rows
            ])?;
        }
        let mut close = tx.prepare_cached("DELETE FROM intent WHERE op = ?1")?;
        for op in &t.close {
            close.execute([op.0.cast_signed()])?;
        }
        write_letters(&tx, t)?;
        write_conflicts(&tx, t)?;
        write_sightings(&tx, t)?;
        let mut clean = tx.prepare_cached("DELETE FROM dirty WHERE link = ?1 AND external = ?2")?;
        for (link, id) in &t.clean {
            clean.execute(params![link.0, Ident(id.as_str())])?;
        }
        let mut dirty = tx.prepare_cached("INSERT OR IGNORE INTO dirty (link, external) VALUES (?1, ?2)")?;
        for (link, id) in &t.dirty {
            dirty.execute(params![link.0, Ident(id.as_str())])?;
        }
        let mut cursor = tx.prepare_cached("INSERT OR REPLACE INTO cursor VALUES (?1, ?2)")?;
        for (name, position) in &t.cursors {
            cursor.execute(params![name, position])?;
        }
        let mut ledger = tx.prepare_cached(
            "INSERT INTO ledger (run, op, verb, subject, written, rejected, unknown, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        for line in &t.ledger {
            ledger.execute(params![
                line.run.cast_signed(),
                line.op.0.cast_signed(),
                verb_number(line.verb),
                line.subject.0,
                line.written,
                line.rejected,
                line.unknown,
                line.at.as_millisecond()
            ])?;
        }
        writings::write(&tx, t)?;
        if let Some(run) = &t.run {
            tx.execute(
                "INSERT OR REPLACE INTO run VALUES (?1, ?2, ?3, ?4)",
                params![
                    run.run.cast_signed(),
                    run.started.as_millisecond(),
                    run.ended.map(Timestamp::as_millisecond),
                    run.report
                ],
            )?;
        }
    }
    tx.commit()
}

fn write_letters(tx: &Transaction<'_>, t: &Transition) -> rusqlite::Result<()> {
    let mut park = tx.prepare_cached(
        "INSERT INTO dead_letter VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (link, external) DO UPDATE SET is_place = excluded.is_place, cause = excluded.cause,
             detail = excluded.detail, remedy = excluded.remedy, row = excluded.row,
             last_run = excluded.last_run, tries = dead_letter.tries + excluded.tries",
    )?;
    for letter in &t.park {
        park.execute(params![
            letter.link.0,
            Ident(letter.external.as_str()),
            letter.is_place,
            letter.cause,
            letter.detail,
            letter.remedy,
            letter.row.0.cast_signed(),
            letter.first_run.cast_signed(),
            letter.last_run.cast_signed(),
            letter.tries
        ])?;
    }
    let mut unpark = tx.prepare_cached("DELETE FROM dead_letter WHERE link = ?1 AND external = ?2")?;
    for (link, id) in &t.unpark {
        unpark.execute(params![link.0, Ident(id.as_str())])?;
    }
    for (link, run) in &t.forget_places {
        tx.execute(
            "DELETE FROM dead_letter WHERE link = ?1 AND is_place AND last_run < ?2",
            params![link.0, run.cast_signed()],
        )?;
    }
    Ok(())
}

fn write_conflicts(tx: &Transaction<'_>, t: &Transition) -> rusqlite::Result<()> {
    let mut release = tx.prepare_cached(
        "DELETE FROM conflict WHERE link = ?1 AND external = ?2 AND property = ?3 AND settled = ''",
    )?;
    for (link, external, property) in &t.release {
        release.execute(params![link.0, Ident(external.as_str()), property.0])?;
    }
    let mut hold = tx.prepare_cached(
        "INSERT OR REPLACE INTO conflict VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for held in &t.hold {
        hold.execute(params![
            held.link.0,
            Ident(held.external.as_str()),
            held.property.0,
            Ident(held.record.as_str()),
            held.cause,
            held.opponent,
            held.left.0.cast_signed(),
            held.right.0.cast_signed(),
            held.run.cast_signed(),
            held.decision,
            if held.is_settled {
                format!("{} {} {} {}", held.run, held.cause, held.left, held.right)
            } else {
                String::new()
            }
        ])?;
    }
    Ok(())
}

/// First what was looked at, then what was told since: a sighting in the same transition is a new one.
fn write_sightings(tx: &Transaction<'_>, t: &Transition) -> rusqlite::Result<()> {
    let mut done = tx.prepare_cached("DELETE FROM sighting WHERE link = ?1 AND record = ?2")?;
    for (link, record) in &t.sighted {
        done.execute(params![link.0, Ident(record.as_str())])?;
    }
    let mut sight = tx.prepare_cached(
        "INSERT INTO sighting (link, record, kind, into_record) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (link, record, kind) DO UPDATE SET into_record = excluded.into_record",
    )?;
    for (link, sighting) in &t.sight {
        let (kind, into) = change_number(&sighting.kind);
        sight.execute(params![link.0, Ident(sighting.record.as_str()), kind, into.map(Ident)])?;
    }
    // Whoever had become part of the old record is part of the new one now: chains stay one step long.
    let mut forward =
        tx.prepare_cached("UPDATE merged SET into_record = ?3 WHERE link = ?1 AND into_record = ?2")?;
    let mut merged = tx.prepare_cached("INSERT OR REPLACE INTO merged VALUES (?1, ?2, ?3)")?;
    let mut cycle = tx.prepare_cached("DELETE FROM merged WHERE link = ?1 AND record = ?2")?;
    for (link, old, new) in &t.merged {
        let (old, new) = (Ident(old.as_str()), Ident(new.as_str()));
        forward.execute(params![link.0, old, new])?;
        cycle.execute(params![link.0, new])?;
        merged.execute(params![link.0, old, new])?;
    }
    Ok(())
}
