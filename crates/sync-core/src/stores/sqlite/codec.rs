//! How the vocabulary stands in SQLite's columns.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{ToSql, ToSqlOutput, Value as SqlValue, ValueRef};
use sync_types::{
    ChangeKind, DeadLetter, EdgeState, FieldBase, Fingerprint, HeldConflict, NameId, Pair, PairId, PairState,
    Sighting, Verb,
};

use crate::mutation::{self, Bug};

pub(super) const PAIR: &str = "id, external, record, generation, state, row, bases, since";

/// An identifier: a canonical decimal number as an integer, anything else as text. One text has one form, so
/// equal identifiers stay equal.
pub(super) struct Ident<'a>(pub(super) &'a str);

impl ToSql for Ident<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = self.0;
        let canonical = matches!(text.as_bytes().first(), Some(b'1'..=b'9')) || text == "0";
        Ok(match text.parse::<i64>() {
            Ok(number) if canonical => ToSqlOutput::Owned(SqlValue::Integer(number)),
            _ => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

pub(super) fn ident(row: &Row<'_>, index: usize) -> rusqlite::Result<String> {
    match row.get_ref(index)? {
        ValueRef::Integer(number) => Ok(number.to_string()),
        other => Ok(other.as_str()?.to_owned()),
    }
}

pub(super) fn pair_id(row: &Row<'_>, index: usize) -> rusqlite::Result<PairId> {
    Ok(PairId(row.get::<_, i64>(index)?.cast_unsigned()))
}

pub(super) fn read_pair(row: &Row<'_>) -> rusqlite::Result<Pair> {
    Ok(Pair {
        id: pair_id(row, 0)?,
        external: ident(row, 1)?.into(),
        record: match row.get_ref(2)? {
            ValueRef::Null => None,
            _ => Some(ident(row, 2)?.into()),
        },
        generation: if mutation::is(Bug::GenerationUnkept) { 0 } else { row.get(3)? },
        state: pair_state(row.get(4)?),
        since: moment(row, 7)?,
        row: Fingerprint(row.get::<_, i64>(5)?.cast_unsigned()),
        bases: decode_bases(row.get_ref(6)?.as_blob()?),
    })
}

pub(super) const LETTER: &str =
    "link, external, is_place, cause, detail, remedy, row, first_run, last_run, tries";

pub(super) fn read_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        link: NameId(row.get(0)?),
        external: ident(row, 1)?.into(),
        is_place: row.get(2)?,
        cause: row.get(3)?,
        detail: row.get(4)?,
        remedy: row.get(5)?,
        row: Fingerprint(row.get::<_, i64>(6)?.cast_unsigned()),
        first_run: row.get::<_, i64>(7)?.cast_unsigned(),
        last_run: row.get::<_, i64>(8)?.cast_unsigned(),
        tries: row.get(9)?,
    })
}

/// Bases as bytes: property (2), left (8), and right (8) only where it differs, told by the property's top bit.
pub(super) fn encode_bases(bases: &[FieldBase]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bases.len() * 11);
    for base in bases {
        let same = base.left == base.right;
        let tag = if same { base.property.0 } else { base.property.0 | 0x8000 };
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&base.left.0.to_le_bytes());
        if !same {
            bytes.extend_from_slice(&base.right.0.to_le_bytes());
        }
    }
    bytes
}

fn decode_bases(mut bytes: &[u8]) -> Vec<FieldBase> {
    let mut bases = Vec::with_capacity(bytes.len() / 10);
    while let Some((tag, rest)) = bytes.split_first_chunk::<2>() {
        let tag = u16::from_le_bytes(*tag);
        let Some((left, rest)) = rest.split_first_chunk::<8>() else { break };
        let left = Fingerprint(u64::from_le_bytes(*left));
        let (right, rest) = if tag & 0x8000 == 0 {
            (left, rest)
        } else {
            let Some((right, rest)) = rest.split_first_chunk::<8>() else { break };
            (Fingerprint(u64::from_le_bytes(*right)), rest)
        };
        bases.push(FieldBase { property: NameId(tag & 0x7fff), left, right });
        bytes = rest;
    }
    bases
}

/// Every state, in the order of its number in the store.
const STATES: [PairState; 8] = [
    PairState::Linked,
    PairState::Detached,
    PairState::LeftMissing,
    PairState::RightMissing,
    PairState::LeftGone,
    PairState::RightGone,
    PairState::Collided,
    PairState::Erased,
];

pub(super) fn pair_state_number(state: PairState) -> i64 {
    let place = STATES.iter().position(|known| *known == state).unwrap_or_default();
    i64::try_from(place).unwrap_or_default()
}

/// The state with this number; one that nobody gave out takes no part in the sync.
fn pair_state(number: i64) -> PairState {
    let place = usize::try_from(number).ok();
    place.and_then(|place| STATES.get(place)).copied().unwrap_or(PairState::Detached)
}

/// A moment in milliseconds, if there is one.
pub(super) fn moment(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    let millis: Option<i64> = row.get(index)?;
    Ok(millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()))
}

pub(super) fn edge_number(state: EdgeState) -> i64 {
    match state {
        EdgeState::Wanted => 0,
        EdgeState::There => 1,
        EdgeState::Unwanted => 2,
        EdgeState::Refused => 3,
        EdgeState::TakenBack => 4,
    }
}

pub(super) fn edge_state(row: &Row<'_>, index: usize) -> rusqlite::Result<EdgeState> {
    Ok(match row.get::<_, i64>(index)? {
        0 => EdgeState::Wanted,
        1 => EdgeState::There,
        2 => EdgeState::Unwanted,
        4 => EdgeState::TakenBack,
        _ => EdgeState::Refused,
    })
}

pub(super) fn verb_number(verb: Verb) -> i64 {
    match verb {
        Verb::Upsert => 0,
        Verb::Update => 1,
        Verb::Associate => 2,
        Verb::Dissociate => 3,
        Verb::Archive => 4,
        Verb::WriteLeft => 5,
    }
}

pub(super) fn verb_of(number: i64) -> Option<Verb> {
    let all = [Verb::Upsert, Verb::Update, Verb::Associate, Verb::Dissociate, Verb::Archive, Verb::WriteLeft];
    all.into_iter().find(|verb| verb_number(*verb) == number)
}

pub(super) const CONFLICT: &str =
    "link, external, record, property, cause, opponent, left, right, run, decision, settled";

pub(super) fn read_conflict(row: &Row<'_>) -> rusqlite::Result<HeldConflict> {
    Ok(HeldConflict {
        link: NameId(row.get(0)?),
        external: ident(row, 1)?.into(),
        record: ident(row, 2)?.into(),
        property: NameId(row.get(3)?),
        cause: row.get(4)?,
        opponent: row.get(5)?,
        left: Fingerprint(row.get::<_, i64>(6)?.cast_unsigned()),
        right: Fingerprint(row.get::<_, i64>(7)?.cast_unsigned()),
        run: row.get::<_, i64>(8)?.cast_unsigned(),
        decision: row.get(9)?,
        is_settled: !row.get_ref(10)?.as_str()?.is_empty(),
    })
}

/// A kind's number, and the record that a merge names.
pub(super) fn change_number(kind: &ChangeKind) -> (i64, Option<&str>) {
    match kind {
        ChangeKind::Changed => (0, None),
        ChangeKind::Deleted => (1, None),
        ChangeKind::MergedInto(record) => (2, Some(record.as_str())),
        ChangeKind::Erased => (3, None),
        ChangeKind::Edges => (4, None),
    }
}

/// A row of `record, kind, into_record`.
pub(super) fn read_sighting(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    let kind = match row.get::<_, i64>(1)? {
        1 => ChangeKind::Deleted,
        2 => ChangeKind::MergedInto(ident(row, 2)?.into()),
        3 => ChangeKind::Erased,
        4 => ChangeKind::Edges,
        _ => ChangeKind::Changed,
    };
    Ok(Sighting { record: ident(row, 0)?.into(), kind })
}
