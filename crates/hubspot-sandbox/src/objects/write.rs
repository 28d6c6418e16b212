//! Applies planned writes, and archives and restores records. Nothing here can fail halfway.

use crate::associations::links::Pair;
use crate::context::{Ctx, SourceKey};
use crate::objects::plan::{Draft, NewLink};
use crate::objects::record::{Cell, Record};
use crate::objects::types::TypeKey;
use crate::properties::definition::PropKey;
use crate::state::{CALCULATED, State};
use crate::time::Millis;
use crate::webhooks::changes::What;

/// Brings a planned record into being.
pub(crate) fn create(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    id: u64,
    draft: &Draft,
    links: &[NewLink],
) {
    let record = Record::new(id, ctx.now, ctx.source);
    state.ty_mut(key).records.insert(record);
    state.changes.push_by(What::Created(key, id), ctx.source, ctx.now);
    update(state, ctx, key, id, draft);
    state.ty_mut(key).records.change(id, Record::shrink);
    for link in links {
        if let Some(link_type) = state.link_types.get(link.key) {
            let pair = Pair { from: (key, id), to: (link_type.to, link.to) };
            state.links.add(&state.link_types, pair, link.key, ctx.now);
        }
    }
}

/// Writes planned values to a record that exists.
pub(crate) fn update(state: &mut State, ctx: &Ctx<'_>, key: TypeKey, id: u64, draft: &Draft) {
    let cell = |source: SourceKey| {
        move |(prop, text): &(PropKey, Box<str>)| Cell {
            prop: *prop,
            source,
            at: ctx.now,
            text: text.clone(),
        }
    };
    let cells = draft.values.iter().map(cell(ctx.source)).chain(draft.computed.iter().map(cell(CALCULATED)));
    set_all(state, key, id, cells, ctx);
}

/// Sets values that were not planned, and moves what they claim in the unique index.
pub(crate) fn set_all(
    state: &mut State,
    key: TypeKey,
    id: u64,
    cells: impl Iterator<Item = Cell>,
    ctx: &Ctx<'_>,
) {
    let listening = state.changes.is_on();
    let mut set: Vec<(PropKey, SourceKey, Box<str>)> = Vec::new();
    let ty = state.ty_mut(key);
    let (kept, horizon) = (ty.revisions_kept(), ctx.now.saturating_sub(ctx.lag));
    // Few properties are unique, so few texts are copied here.
    let mut taken: Vec<(PropKey, String)> = Vec::new();
    let mut replaced: Vec<(PropKey, Box<str>)> = Vec::new();
    let cells: Vec<Cell> = cells
        .inspect(|cell| {
            let claims = ty.claims(cell.prop, &cell.text);
            taken.extend(claims.into_iter().map(|(index, text)| (index, text.to_owned())));
        })
        .collect();
    ty.records.change(id, |record| {
        for cell in cells {
            let prop = cell.prop;
            if listening && record.value(prop).unwrap_or_default() != &*cell.text {
                set.push((prop, cell.source, cell.text.clone()));
            }
            if let Some(old) = record.set(cell, kept, horizon) {
                replaced.push((prop, old));
            }
        }
    });
    let freed: Vec<(PropKey, String)> = replaced
        .iter()
        .flat_map(|(prop, old)| ty.claims(*prop, old))
        .map(|(index, text)| (index, text.to_owned()))
        .collect();
    for (index, text) in freed {
        ty.records.release(index, &text, id);
    }
    for (index, text) in taken {
        ty.records.claim(index, &text, id);
    }
    for (prop, source, text) in set {
        state.changes.push_by(What::Set(key, id, prop, text), source, ctx.now);
    }
}

/// Moves a record to the bin: its unique values are free again and its links rest with it.
pub(crate) fn archive(state: &mut State, key: TypeKey, id: u64, now: Millis) -> bool {
    if state.ty(key).records.live(id).is_none() {
        return false;
    }
    state.ty_mut(key).index_unique(id, false);
    state.ty_mut(key).records.change(id, |record| record.archived_at = Some(now));
    state.links.park((key, id));
    state.changes.push(What::Deleted(key, id), now);
    true
}

/// Brings a record back from the bin, with those of its links whose other end is alive. Unique values that somebody
/// else has taken meanwhile stay with them.
pub(crate) fn restore(state: &mut State, key: TypeKey, id: u64, now: Millis) -> bool {
    let archived = state.ty(key).records.get(id).is_some_and(|record| !record.is_live());
    if !archived || state.ty(key).records.resolve(id) != id {
        return false;
    }
    let lost: Vec<u32> = {
        let ty = state.ty(key);
        let cells = ty.records.get(id).map(Record::cells).unwrap_or_default();
        let taken = |cell: &&Cell| {
            ty.claims(cell.prop, &cell.text)
                .iter()
                .any(|(index, text)| ty.records.holder(*index, text).is_some())
        };
        cells.iter().filter(taken).map(|cell| cell.prop).collect()
    };
    state.ty_mut(key).records.change(id, |record| {
        record.archived_at = None;
        record.restored_at = Some(now);
    });
    for prop in lost {
        let ty = state.ty_mut(key);
        let kept = ty.revisions_kept();
        let cell = Cell { prop, source: CALCULATED, at: now, text: Box::from("") };
        ty.records.change(id, |record| record.set(cell, kept, now));
    }
    state.ty_mut(key).index_unique(id, true);
    let State { types, links, .. } = state;
    links.unpark((key, id), |(other, other_id)| {
        types.get(other.0 as usize).is_some_and(|ty| ty.records.live(other_id).is_some())
    });
    state.changes.push(What::Restored(key, id), now);
    true
}

/// Removes a record for good, with everything that points at it.
pub(crate) fn purge(state: &mut State, key: TypeKey, id: u64) {
    state.ty_mut(key).index_unique(id, false);
    state.ty_mut(key).records.remove(id);
    state.links.forget((key, id));
}
