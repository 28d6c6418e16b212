//! Which records of HubSpot belong to a link.

use std::collections::HashSet;

use sync_types::Value;

use crate::expr::Expression;
use crate::format::Test;
use crate::step::scalar_text;

/// `hubspot_scope`, compiled: over the canonical values of a link's properties, then of those that are read beside.
#[derive(Debug, Default)]
pub(crate) struct RightScope {
    pub(crate) conditions: Vec<(usize, Test)>,
    /// With the places of what it reads, in the order of [`Expression::reads`].
    pub(crate) expression: Option<(Expression, Vec<usize>)>,
}

/// What a record does not show.
static NOTHING: Value = Value::Null;

impl RightScope {
    /// Whether a record with these values belongs to the link. A value that is not there is empty; a record that an
    /// expression cannot judge does not belong, because it would be sent to the source.
    pub(crate) fn holds(&self, shown: &[Value]) -> bool {
        let value = |place: usize| shown.get(place).unwrap_or(&NOTHING);
        let fits = self.conditions.iter().all(|(place, test)| test.holds(value(*place)));
        let Some((expression, places)) = &self.expression else { return fits };
        fits && expression
            .eval_bool(&|read| places.get(read).map_or(&NOTHING, |place| value(*place)))
            .unwrap_or(false)
    }
}

impl Test {
    /// Whether the condition holds for a value; for a list, whether it holds for one of its items.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        let among = |words: &HashSet<String>| match value {
            Value::List(items) => items.iter().any(|item| is_one_of(item, words)),
            value => is_one_of(value, words),
        };
        match self {
            Test::Present(wanted) => value.is_null() != *wanted,
            Test::In(words) => among(words),
            Test::NotIn(words) => !among(words),
        }
    }
}

fn is_one_of(value: &Value, words: &HashSet<String>) -> bool {
    scalar_text(value).is_some_and(|text| words.contains(&*text))
}
