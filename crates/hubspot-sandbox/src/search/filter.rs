//! One filter of a search, and the values it compares.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::context::{Ctx, Text};
use crate::error::ApiError;
use crate::objects::record::Record;
use crate::objects::types::{ObjectType, TypeKey};
use crate::properties::definition::{PropKey, Property, PropertyType, Role};
use crate::state::State;
use crate::time::{Millis, parse_instant};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterInput {
    property_name: String,
    operator: String,
    #[serde(default)]
    value: Option<Text>,
    #[serde(default)]
    high_value: Option<Text>,
    #[serde(default)]
    values: Vec<Text>,
}

/// A value in the order of its type: numbers and instants by size, text without regard to case, nothing first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sortable {
    Nothing,
    Number(Decimal),
    Text(String),
}

enum Test {
    Equal(Sortable),
    NotEqual(Sortable),
    Below(Sortable, bool),
    Above(Sortable, bool),
    Between(Sortable, Sortable),
    In(Vec<Sortable>),
    NotIn(Vec<Sortable>),
    Known,
    Unknown,
    Token(String),
    NotToken(String),
    /// Associated with this record of that type.
    Linked(TypeKey, u64),
}

/// A checked filter.
pub(super) struct Matcher {
    prop: PropKey,
    kind: Kind,
    test: Test,
}

/// How the values of a property compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Instant,
    /// Enumerations match exactly.
    Exact,
    Folded,
}

impl Kind {
    fn of(property: &Property) -> Kind {
        match property.kind {
            PropertyType::Number => Kind::Number,
            PropertyType::Date | PropertyType::DateTime => Kind::Instant,
            PropertyType::Enumeration | PropertyType::Bool => Kind::Exact,
            PropertyType::String | PropertyType::PhoneNumber => Kind::Folded,
        }
    }

    fn read(self, text: &str) -> Option<Sortable> {
        Some(match self {
            Kind::Number => Sortable::Number(text.trim().parse().ok()?),
            Kind::Instant => Sortable::Number(Decimal::from(parse_instant(text.trim())?)),
            Kind::Exact => Sortable::Text(text.to_owned()),
            Kind::Folded => Sortable::Text(text.to_lowercase()),
        })
    }
}

pub(super) fn unknown_property(name: &str) -> ApiError {
    ApiError::validation(format!("There was a problem with the request: Property {name} does not exist"))
}

impl Matcher {
    pub(super) fn new(
        state: &State,
        ctx: &Ctx<'_>,
        key: TypeKey,
        filter: &FilterInput,
    ) -> Result<Matcher, ApiError> {
        if let Some(name) = filter.property_name.strip_prefix("associations.") {
            return associated(state, key, filter, name);
        }
        let name = filter.property_name.as_str();
        let (prop, property) = state.ty(key).props.find_active(name).ok_or_else(|| unknown_property(name))?;
        let kind = Kind::of(property);
        let read = |text: &Text| {
            kind.read(&text.0).ok_or_else(|| {
                let what = if kind == Kind::Instant { "date" } else { "number" };
                ApiError::validation(format!("{} is not a valid {what} for property {name}", text.0))
            })
        };
        let missing = |what: &str| {
            ApiError::validation(format!("operator {} requires {what} on property {name}", filter.operator))
        };
        let value = || filter.value.as_ref().ok_or_else(|| missing("a value")).and_then(read);
        let values = || {
            if filter.values.is_empty() {
                return Err(missing("values"));
            }
            // HubSpot docs: on text these operators want lower-case values; they are compared as sent.
            filter
                .values
                .iter()
                .map(
                    |text| if kind == Kind::Folded { Ok(Sortable::Text(text.0.clone())) } else { read(text) },
                )
                .collect::<Result<Vec<_>, _>>()
        };
        let token = || {
            let text = filter.value.as_ref().ok_or_else(|| missing("a value"))?;
            Ok::<String, ApiError>(text.0.to_lowercase())
        };
        let test = match filter.operator.as_str() {
            "EQ" => Test::Equal(value()?),
            "NEQ" => Test::NotEqual(value()?),
            "LT" => Test::Below(value()?, false),
            "LTE" => Test::Below(value()?, true),
            "GT" => Test::Above(value()?, false),
            "GTE" => Test::Above(value()?, true),
            "BETWEEN" => {
                let high = filter.high_value.as_ref().ok_or_else(|| missing("a highValue")).and_then(read)?;
                Test::Between(value()?, high)
            }
            "IN" => Test::In(values()?),
            "NOT_IN" => Test::NotIn(values()?),
            "HAS_PROPERTY" => Test::Known,
            "NOT_HAS_PROPERTY" => Test::Unknown,
            "CONTAINS_TOKEN" => Test::Token(token()?),
            "NOT_CONTAINS_TOKEN" => Test::NotToken(token()?),
            other => {
                return Err(ApiError::validation(format!("Invalid operator {other} (path {})", ctx.path)));
            }
        };
        Ok(Matcher { prop, kind, test })
    }

    pub(super) fn matches(&self, state: &State, key: TypeKey, record: &Record, as_of: Millis) -> bool {
        if let Test::Linked(other, id) = self.test {
            // A link is indexed as late as a value; that it went is seen at once here.
            let pair = crate::associations::links::Pair { from: (key, record.id), to: (other, id) };
            return state.links.held(pair).iter().any(|held| held.at <= as_of);
        }
        let ty = state.ty(key);
        let Some(text) = text(ty, record, self.prop, as_of) else {
            // A value that is not there equals nothing and differs from everything.
            return matches!(
                self.test,
                Test::Unknown | Test::NotEqual(_) | Test::NotIn(_) | Test::NotToken(_)
            );
        };
        match &self.test {
            Test::Known => return true,
            Test::Unknown | Test::Linked(..) => return false,
            Test::Token(pattern) => return has_token(&text, pattern),
            Test::NotToken(pattern) => return !has_token(&text, pattern),
            _ => {}
        }
        let parts = self.parts(ty, &text);
        let any = |test: &dyn Fn(&Sortable) -> bool| parts.iter().any(test);
        match &self.test {
            Test::Equal(wanted) => any(&|part| part == wanted),
            Test::NotEqual(wanted) => !any(&|part| part == wanted),
            Test::In(wanted) => any(&|part| wanted.contains(part)),
            Test::NotIn(wanted) => !any(&|part| wanted.contains(part)),
            Test::Below(bound, inclusive) => any(&|part| part < bound || (*inclusive && part == bound)),
            Test::Above(bound, inclusive) => any(&|part| part > bound || (*inclusive && part == bound)),
            Test::Between(low, high) => any(&|part| part >= low && part <= high),
            Test::Known | Test::Unknown | Test::Token(_) | Test::NotToken(_) | Test::Linked(..) => false,
        }
    }

    /// The comparable value, or each of the options that a multi-checkbox holds.
    fn parts(&self, ty: &ObjectType, text: &str) -> Vec<Sortable> {
        let multi = ty.props.get(self.prop).is_some_and(Property::is_multi);
        if multi {
            return text.split(';').filter_map(|part| self.kind.read(part)).collect();
        }
        self.kind.read(text).into_iter().collect()
    }

    /// Who holds the exact values this filter names, if the property is unique and the index is current for it.
    pub(super) fn exact_holders(&self, ty: &ObjectType) -> Option<Vec<u64>> {
        let wanted: &[Sortable] = match &self.test {
            Test::Equal(one) => std::slice::from_ref(one),
            Test::In(many) => many,
            _ => return None,
        };
        let property = ty.props.get(self.prop)?;
        if property.role == Role::RecordId {
            let id = |value: &Sortable| match value {
                Sortable::Number(number) => u64::try_from(*number).ok(),
                _ => None,
            };
            let mut ids: Vec<u64> = wanted.iter().filter_map(id).collect();
            ids.sort_unstable();
            ids.dedup();
            return Some(ids);
        }
        None
    }

    /// The earliest modification time that can match.
    pub(super) fn modified_from(&self, ty: &ObjectType) -> Option<Millis> {
        self.lower_bound(ty, Role::ModifiedAt).and_then(|bound| Millis::try_from(bound).ok())
    }

    /// The lowest record id that can match.
    pub(super) fn id_from(&self, ty: &ObjectType) -> Option<u64> {
        self.lower_bound(ty, Role::RecordId).and_then(|bound| u64::try_from(bound).ok())
    }

    fn lower_bound(&self, ty: &ObjectType, role: Role) -> Option<Decimal> {
        if ty.props.get(self.prop)?.role != role {
            return None;
        }
        match &self.test {
            Test::Above(Sortable::Number(bound), _)
            | Test::Between(Sortable::Number(bound), _)
            | Test::Equal(Sortable::Number(bound)) => Some(bound.floor()),
            _ => None,
        }
    }
}

/// HubSpot docs: `associations.{type}` with EQ, not for custom objects.
fn associated(state: &State, key: TypeKey, filter: &FilterInput, name: &str) -> Result<Matcher, ApiError> {
    let other = state.find_type(name)?;
    if filter.operator != "EQ" || state.ty(other).custom.is_some() || state.ty(key).custom.is_some() {
        return Err(ApiError::validation(format!(
            "associations.{name} cannot be searched by {}",
            filter.operator
        )));
    }
    let id = filter.value.as_ref().and_then(|text| text.0.parse().ok());
    let id =
        id.ok_or_else(|| ApiError::validation(format!("associations.{name} requires a record id as value")))?;
    Ok(Matcher { prop: 0, kind: Kind::Exact, test: Test::Linked(other, id) })
}

fn text<'s>(ty: &ObjectType, record: &'s Record, prop: PropKey, as_of: Millis) -> Option<Cow<'s, str>> {
    ty.value_at(record, prop, as_of)
}

pub(super) fn sort_value(ty: &ObjectType, record: &Record, prop: PropKey, as_of: Millis) -> Sortable {
    let Some(property) = ty.props.get(prop) else { return Sortable::Nothing };
    // The ids and times that most searches sort by need no text.
    match property.role {
        Role::RecordId => return Sortable::Number(Decimal::from(record.id)),
        Role::CreatedAt => return Sortable::Number(Decimal::from(record.created_at)),
        Role::ModifiedAt => return Sortable::Number(Decimal::from(record.updated_at(as_of))),
        _ => {}
    }
    let value = text(ty, record, prop, as_of).and_then(|text| Kind::of(property).read(&text));
    value.unwrap_or(Sortable::Nothing)
}

/// A word of the text equals the pattern, which may hold `*`; a pattern over several words is matched on the whole.
fn has_token(text: &str, pattern: &str) -> bool {
    let text = text.to_lowercase();
    if glob(&text, pattern) {
        return true;
    }
    let separators = |c: char| !(c.is_alphanumeric() || c == '_');
    if pattern.contains('*') {
        return text.split_whitespace().any(|word| glob(word, pattern))
            || text.split(separators).any(|word| glob(word, pattern));
    }
    // Without a wildcard every word of the pattern must be a word of the text.
    let words: Vec<&str> = text.split(separators).filter(|word| !word.is_empty()).collect();
    let mut wanted = pattern.split(separators).filter(|word| !word.is_empty()).peekable();
    wanted.peek().is_some() && wanted.all(|word| words.contains(&word))
}

/// `*` stands for any run of characters.
fn glob(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}
