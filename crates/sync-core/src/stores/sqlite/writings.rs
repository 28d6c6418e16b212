//! What was about to be written, packed: a batch a row, about 15 bytes for a new record and 20 for a changed value.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use sync_types::{Act, FieldWrite, Fingerprint, NameId, OpId, PairId, Transition, Writing, WrittenRow};

use super::codec::{verb_number, verb_of};

const MAKE: u8 = 0;
const CHANGE: u8 = 1;
const DELETE: u8 = 2;
const EDGE: u8 = 3;

/// The top bit of a property's number: what was there before follows.
const HAS_BEFORE: u16 = 0x8000;

pub(super) fn write(tx: &Transaction<'_>, t: &Transition) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached("INSERT OR REPLACE INTO writing VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for writing in &t.writings {
        insert.execute(params![
            writing.op.0.cast_signed(),
            writing.run.cast_signed(),
            verb_number(writing.verb),
            writing.subject.0,
            writing.at.as_millisecond(),
            pack(&writing.rows)
        ])?;
    }
    if let Some(before) = t.forget_writings {
        tx.execute("DELETE FROM writing WHERE at < ?1", [before.as_millisecond()])?;
    }
    Ok(())
}

/// A row of `op, run, verb, subject, at, rows`; `None`: it makes no sense.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Writing>> {
    let (Some(verb), Some(rows)) = (verb_of(row.get(2)?), unpack(row.get_ref(5)?.as_blob()?)) else {
        return Ok(None);
    };
    Ok(Some(Writing {
        op: OpId(row.get::<_, i64>(0)?.cast_unsigned()),
        run: row.get::<_, i64>(1)?.cast_unsigned(),
        verb,
        subject: NameId(row.get(3)?),
        at: Timestamp::from_millisecond(row.get(4)?).unwrap_or(Timestamp::UNIX_EPOCH),
        rows,
    }))
}

fn pack(rows: &[WrittenRow]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * 16);
    for row in rows {
        match row {
            WrittenRow::Record { id, act, fields } => {
                bytes.push(match act {
                    Act::Make => MAKE,
                    Act::Change => CHANGE,
                    Act::Delete => DELETE,
                });
                put_text(&mut bytes, id.as_str());
                put_number(&mut bytes, fields.len() as u64);
                for field in fields {
                    let tag = if field.before.is_some() { HAS_BEFORE } else { 0 } | field.property.0;
                    bytes.extend_from_slice(&tag.to_le_bytes());
                    bytes.extend_from_slice(&field.after.0.to_le_bytes());
                    if let Some(before) = field.before {
                        bytes.extend_from_slice(&before.0.to_le_bytes());
                    }
                }
            }
            WrittenRow::Edge { from, to } => {
                bytes.push(EDGE);
                put_number(&mut bytes, from.0);
                put_text(&mut bytes, to.as_str());
            }
        }
    }
    bytes
}

fn unpack(mut bytes: &[u8]) -> Option<Vec<WrittenRow>> {
    let mut rows = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        bytes = rest;
        let act = match *tag {
            MAKE => Act::Make,
            CHANGE => Act::Change,
            DELETE => Act::Delete,
            EDGE => {
                let from = PairId(take_number(&mut bytes)?);
                rows.push(WrittenRow::Edge { from, to: take_text(&mut bytes)?.into() });
                continue;
            }
            _ => return None,
        };
        let id = take_text(&mut bytes)?.into();
        let count = take_number(&mut bytes)?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let (tag, rest) = bytes.split_first_chunk::<2>()?;
            bytes = rest;
            let tag = u16::from_le_bytes(*tag);
            let after = take_print(&mut bytes)?;
            let before = if tag & HAS_BEFORE == 0 { None } else { Some(take_print(&mut bytes)?) };
            fields.push(FieldWrite { property: NameId(tag & !HAS_BEFORE), before, after });
        }
        rows.push(WrittenRow::Record { id, act, fields });
    }
    Some(rows)
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_print(bytes: &mut &[u8]) -> Option<Fingerprint> {
    let (print, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(Fingerprint(u64::from_le_bytes(*print)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row() -> impl Strategy<Value = WrittenRow> {
        let field = (0_u16..0x8000, proptest::option::of(any::<u64>()), any::<u64>()).prop_map(
            |(property, before, after)| FieldWrite {
                property: NameId(property),
                before: before.map(Fingerprint),
                after: Fingerprint(after),
            },
        );
        let act = prop_oneof![Just(Act::Make), Just(Act::Change), Just(Act::Delete)];
        let fields = proptest::collection::vec(field, 0..40);
        let record = (".{0,200}", act, fields).prop_map(|(id, act, fields)| WrittenRow::Record {
            id: id.into(),
            act,
            fields,
        });
        let edge = (any::<u64>(), ".{0,9}")
            .prop_map(|(from, to)| WrittenRow::Edge { from: PairId(from), to: to.into() });
        prop_oneof![record, edge]
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(rows in proptest::collection::vec(row(), 0..20)) {
            prop_assert_eq!(unpack(&pack(&rows)), Some(rows));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_new_record_takes_few_bytes() {
        let made = WrittenRow::Record { id: "P-0000042".into(), act: Act::Make, fields: Vec::new() };
        assert!(pack(&vec![made; 100]).len() <= 1_200);
    }
}
