//! Search: a lagging index over live records, with HubSpot's filters, caps and paging.

mod filter;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::{Answer, Ctx, Text};
use crate::error::ApiError;
use crate::objects::record::Record;
use crate::objects::types::{ObjectType, TypeKey};
use crate::objects::view::{Selection, View};
use crate::properties::definition::PropertyType;
use crate::state::State;
use crate::time::Millis;

use filter::{FilterInput, Matcher, Sortable, sort_value};

/// HubSpot docs: caps of one query.
const MAX_GROUPS: usize = 5;
const MAX_FILTERS_PER_GROUP: usize = 6;
const MAX_FILTERS: usize = 18;
const MAX_PAGE: usize = 200;
const WINDOW: usize = 10_000;
/// The guide caps the whole body, the specification only the `query`; the stricter of both is enforced.
const MAX_BODY: usize = 3_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchInput {
    #[serde(default)]
    filter_groups: Vec<GroupInput>,
    /// Shorthand for one group.
    #[serde(default)]
    filters: Vec<FilterInput>,
    #[serde(default)]
    sorts: Vec<SortInput>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default)]
    after: Option<Text>,
}

#[derive(Deserialize)]
struct GroupInput {
    #[serde(default)]
    filters: Vec<FilterInput>,
}

/// `{propertyName, direction}`, or the property's name alone, with `-` before it for descending.
#[derive(Deserialize)]
#[serde(untagged)]
enum SortInput {
    Full {
        #[serde(rename = "propertyName")]
        property_name: String,
        #[serde(default)]
        direction: Option<String>,
    },
    Name(String),
}

#[derive(Serialize)]
struct Body<'s> {
    total: usize,
    results: Vec<View<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<Value>,
}

/// What the index shows is the portal as it was `ctx.lag` ago.
pub(crate) fn search(state: &State, ctx: &Ctx<'_>, key: TypeKey) -> Result<Answer, ApiError> {
    if ctx.body.len() > MAX_BODY {
        return Err(ApiError::validation(format!(
            "The request body of a search may have at most {MAX_BODY} characters, but had {}",
            ctx.body.len()
        )));
    }
    let input: SearchInput = ctx.json()?;
    let ty = state.ty(key);
    let as_of = ctx.now.saturating_sub(ctx.lag);
    let (from, limit) = page(&input)?;
    let groups = groups(state, ctx, key, &input)?;
    let sort = sort(ty, &input)?;
    let words: Vec<String> =
        input.query.iter().flat_map(|query| query.split_whitespace()).map(str::to_lowercase).collect();

    let matches = |record: &&Record| {
        record.was_live_at(as_of)
            && (groups.is_empty()
                || groups.iter().any(|group| group.iter().all(|one| one.matches(state, key, record, as_of))))
            && found_by_query(ty, record, as_of, &words)
    };
    let mut hits: Vec<(Sortable, &Record)> = candidates(ty, &groups)
        .filter(matches)
        .map(|record| {
            let value = match &sort {
                Some((prop, _)) => sort_value(ty, record, *prop, as_of),
                None => Sortable::Number(rust_decimal::Decimal::from(record.created_at)),
            };
            (value, record)
        })
        .collect();
    let descending = sort.is_some_and(|(_, descending)| descending);
    hits.sort_by(|(a, left), (b, right)| {
        let by_value = if descending { b.cmp(a) } else { a.cmp(b) };
        by_value.then(left.id.cmp(&right.id))
    });

    let selection = Selection::named(ty, input.properties.iter().map(String::as_str), []);
    let total = hits.len();
    let results: Vec<View<'_>> = hits
        .iter()
        .skip(from)
        .take(limit)
        .map(|(_, record)| View::at(state, key, record, &selection, as_of))
        .collect();
    let end = from + results.len();
    let paging = (end < total).then(|| serde_json::json!({"next": {"after": end.to_string()}}));
    Ok(Answer::json(200, &Body { total, results, paging }))
}

/// Offset and size of the page; `after` is an offset here, not an id.
fn page(input: &SearchInput) -> Result<(usize, usize), ApiError> {
    let limit = input.limit.unwrap_or(10);
    if limit == 0 || limit > MAX_PAGE {
        return Err(ApiError::validation(format!("limit must be between 1 and {MAX_PAGE}, but was {limit}")));
    }
    let from: usize = match &input.after {
        Some(Text(after)) if !after.is_empty() => {
            after.parse().map_err(|_| ApiError::validation(format!("Invalid paging token: {after}")))?
        }
        _ => 0,
    };
    if from.saturating_add(limit) > WINDOW {
        return Err(ApiError::validation(format!(
            "The maximum number of results is {WINDOW}: paging past it is not possible (after {from}, limit {limit})"
        )));
    }
    Ok((from, limit))
}

fn groups(
    state: &State,
    ctx: &Ctx<'_>,
    key: TypeKey,
    input: &SearchInput,
) -> Result<Vec<Vec<Matcher>>, ApiError> {
    let mut given: Vec<&[FilterInput]> =
        input.filter_groups.iter().map(|group| group.filters.as_slice()).collect();
    if !input.filters.is_empty() {
        given.push(&input.filters);
    }
    if given.len() > MAX_GROUPS {
        return Err(ApiError::validation(format!("A search may have at most {MAX_GROUPS} filterGroups")));
    }
    if given.iter().any(|filters| filters.len() > MAX_FILTERS_PER_GROUP) {
        return Err(ApiError::validation(format!(
            "A filterGroup may have at most {MAX_FILTERS_PER_GROUP} filters"
        )));
    }
    if given.iter().map(|filters| filters.len()).sum::<usize>() > MAX_FILTERS {
        return Err(ApiError::validation(format!("A search may have at most {MAX_FILTERS} filters")));
    }
    given
        .into_iter()
        .filter(|filters| !filters.is_empty())
        .map(|filters| filters.iter().map(|filter| Matcher::new(state, ctx, key, filter)).collect())
        .collect()
}

fn sort(ty: &ObjectType, input: &SearchInput) -> Result<Option<(u32, bool)>, ApiError> {
    if input.sorts.len() > 1 {
        return Err(ApiError::validation("A search may have at most one sort"));
    }
    let Some(first) = input.sorts.first() else { return Ok(None) };
    let (name, descending) = match first {
        SortInput::Full { property_name, direction } => (
            property_name.as_str(),
            direction.as_deref().is_some_and(|to| to.eq_ignore_ascii_case("DESCENDING")),
        ),
        SortInput::Name(name) => match name.strip_prefix('-') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        },
    };
    let (prop, _) = ty.props.find_active(name).ok_or_else(|| filter::unknown_property(name))?;
    Ok(Some((prop, descending)))
}

/// The records worth testing. Where every group bounds the modification time or the id from below, or names unique
/// values, an index yields few of them; the test itself stays the same.
fn candidates<'s>(ty: &'s ObjectType, groups: &[Vec<Matcher>]) -> Box<dyn Iterator<Item = &'s Record> + 's> {
    if let [group] = groups {
        if let Some(ids) = group.iter().find_map(|matcher| matcher.exact_holders(ty)) {
            return Box::new(ids.into_iter().filter_map(|id| ty.records.get(id)));
        }
        // A record's time only grows, so one whose past time is above the bound is above it now.
        if let Some(from) = group.iter().find_map(|matcher| matcher.modified_from(ty)) {
            return Box::new(ty.records.modified_since(from));
        }
        if let Some(from) = group.iter().find_map(|matcher| matcher.id_from(ty)) {
            return Box::new(ty.records.range_from(from));
        }
    }
    Box::new(ty.records.iter())
}

/// Every word must begin some word of the searchable properties.
fn found_by_query(ty: &ObjectType, record: &Record, as_of: Millis, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let text: Vec<String> = ty
        .searchable
        .iter()
        .filter_map(|name| ty.props.find_active(name))
        .filter_map(|(prop, property)| {
            let value = ty.value_at(record, prop, as_of)?.to_lowercase();
            // Phones are found by their digits, however they were typed.
            let phone = property.field_type == "phonenumber" || property.kind == PropertyType::PhoneNumber;
            Some(if phone { value.chars().filter(char::is_ascii_digit).collect() } else { value })
        })
        .collect();
    words.iter().all(|word| {
        let digits: String = word.chars().filter(char::is_ascii_digit).collect();
        text.iter()
            .any(|text| text.contains(word.as_str()) || (digits.len() >= 7 && text.contains(digits.as_str())))
    })
}
