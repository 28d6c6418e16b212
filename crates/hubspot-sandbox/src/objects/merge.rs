//! Merging two records and deleting a person for good.

use serde::Deserialize;

use crate::context::{Answer, Ctx, Text};
use crate::error::ApiError;
use crate::objects::read::key_lookup;
use crate::objects::record::{Cell, Record};
use crate::objects::types::TypeKey;
use crate::objects::view::{Selection, View};
use crate::objects::write;
use crate::properties::definition::{PropKey, Semantics};
use crate::state::{MERGE, State};
use crate::webhooks::changes::What;

/// Observed: more merges into one record are refused with 414.
const MAX_MERGES: usize = 250;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergeInput {
    primary_object_id: Text,
    object_id_to_merge: Text,
}

pub(crate) fn merge(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    let input: MergeInput = ctx.json()?;
    let (Ok(primary), Ok(other)) =
        (input.primary_object_id.0.parse::<u64>(), input.object_id_to_merge.0.parse::<u64>())
    else {
        return Err(ApiError::object_not_found());
    };
    let survivor = unite(state, ctx, key, primary, other)?;
    let ty = state.ty(key);
    let selection = Selection::named(ty, ["hs_merged_object_ids"].into_iter().chain(names(&ty.defaults)), []);
    let record = ty.records.get(survivor).ok_or_else(ApiError::object_not_found)?;
    Ok(Answer::json(200, &View::now(state, key, record, &selection)))
}

/// Contacts keep the primary's id. Other types get a new record, whose id HubSpot's merge event calls
/// `newObjectId`; both old ids lead to it on single calls. Answers with the survivor.
pub(crate) fn unite(
    state: &mut State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    primary: u64,
    other: u64,
) -> Result<u64, ApiError> {
    let records = &state.ty(key).records;
    let live = |id: u64| records.live(records.resolve(id)).map(|record| record.id);
    let (Some(primary), Some(other)) = (live(primary), live(other)) else {
        return Err(ApiError::object_not_found());
    };
    if primary == other {
        return Err(ApiError::validation("Cannot merge an object with itself"));
    }
    if records.merged_into(primary) + records.merged_into(other) >= MAX_MERGES {
        return Err(ApiError::new(
            414,
            "VALIDATION_ERROR",
            "Cannot have more than 250 identities on a profile",
        ));
    }
    let values = merged_values(state, key, primary, other);
    let survivor = if state.ty(key).is_contact() { primary } else { successor(state, ctx, key) };
    for loser in [primary, other].into_iter().filter(|id| *id != survivor) {
        state.links.hand_over(&state.link_types, (key, loser), (key, survivor));
        let ty = state.ty_mut(key);
        ty.index_unique(loser, false);
        ty.records.change(loser, |record| record.archived_at = Some(ctx.now));
        ty.records.forward(loser, survivor);
    }
    let moved = values.len();
    state.changes.push_by(What::Merged { key, survivor, primary, other, moved }, ctx.source, ctx.now);
    for loser in [primary, other].into_iter().filter(|id| *id != survivor) {
        state.changes.push_by(What::Deleted(key, loser), ctx.source, ctx.now);
    }
    let cells = values.into_iter().map(|(prop, text)| Cell { prop, source: MERGE, at: ctx.now, text });
    write::set_all(state, key, survivor, cells, ctx);
    Ok(survivor)
}

fn names(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

fn successor(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> u64 {
    let State { types, rng, .. } = state;
    let Some(ty) = types.get_mut(key.0 as usize) else { return 0 };
    let id = ty.records.next_id(rng);
    ty.records.insert(Record::new(id, ctx.now, ctx.source));
    id
}

/// The survivor's values: the primary's, gaps filled from the other, both lineages, and on contacts the other's
/// addresses as additional ones.
fn merged_values(state: &State, key: TypeKey, primary: u64, other: u64) -> Vec<(PropKey, Box<str>)> {
    let ty = state.ty(key);
    let (Some(first), Some(second)) = (ty.records.get(primary), ty.records.get(other)) else {
        return Vec::new();
    };
    let keeps_id = ty.is_contact();
    let lineage = ty.props.find("hs_merged_object_ids").map(|(prop, _)| prop);
    let additional = ty.props.with_semantics(Semantics::AdditionalEmails);
    let email = ty.props.with_semantics(Semantics::Email);
    let special = |prop: PropKey| Some(prop) == lineage || Some(prop) == additional;
    let mut values: Vec<(PropKey, Box<str>)> = Vec::new();
    for cell in second.cells() {
        if !special(cell.prop) && first.value(cell.prop).is_none() && !cell.text.is_empty() {
            values.push((cell.prop, cell.text.clone()));
        }
    }
    if !keeps_id {
        let own = first.cells().iter().filter(|cell| !special(cell.prop) && !cell.text.is_empty());
        values.extend(own.map(|cell| (cell.prop, cell.text.clone())));
    }
    if let Some(prop) = lineage {
        let mut ids: Vec<String> = Vec::new();
        for record in [first, second] {
            let earlier = record.value(prop).unwrap_or_default().split(';').filter(|id| !id.is_empty());
            ids.extend(earlier.map(str::to_owned));
            ids.push(record.id.to_string());
        }
        values.push((prop, ids.join(";").into_boxed_str()));
    }
    if let (Some(prop), Some(email)) = (additional, email) {
        let kept = first.value(email).or_else(|| second.value(email));
        let mut addresses: Vec<&str> = Vec::new();
        for text in [first.value(prop), second.value(prop), second.value(email)].into_iter().flatten() {
            for address in text.split(';').filter(|address| !address.is_empty() && Some(*address) != kept) {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        if !addresses.is_empty() {
            values.push((prop, addresses.join(";").into_boxed_str()));
        }
    }
    values
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GdprInput {
    object_id: Text,
    #[serde(default)]
    id_property: Option<String>,
}

/// Contacts only. The addresses go on a block list; one that nobody holds is blocked as well.
pub(crate) fn gdpr_delete(state: &mut State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    if !state.ty(key).is_contact() {
        return Err(ApiError::html_not_found());
    }
    let input: GdprInput = ctx.json()?;
    let target = match &input.id_property {
        Some(name) => key_lookup(state, key, name, &input.object_id.0)?,
        None => input.object_id.0.parse().ok(),
    };
    if input.id_property.as_deref() == Some("email") {
        let address = input.object_id.0.trim().to_lowercase();
        state.ty_mut(key).blocked_emails.insert(address);
    }
    let Some(id) = target.filter(|id| state.ty(key).records.get(*id).is_some()) else {
        // By address there is nothing to find for the call to have done its work.
        return if input.id_property.is_some() {
            Ok(Answer::no_content())
        } else {
            Err(ApiError::object_not_found())
        };
    };
    let ty = state.ty(key);
    let addresses: Vec<String> = [Semantics::Email, Semantics::AdditionalEmails]
        .into_iter()
        .filter_map(|semantics| ty.records.get(id)?.value(ty.props.with_semantics(semantics)?))
        .flat_map(|text| text.split(';'))
        .map(str::to_owned)
        .collect();
    state.ty_mut(key).blocked_emails.extend(addresses);
    write::purge(state, key, id);
    // HubSpot docs: a privacy deletion is told as a deletion too.
    state.changes.push_by(What::Erased(key, id), ctx.source, ctx.now);
    state.changes.push_by(What::Deleted(key, id), ctx.source, ctx.now);
    Ok(Answer::no_content())
}
