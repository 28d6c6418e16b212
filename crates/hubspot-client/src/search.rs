//! Search requests in HubSpot's words, checked against its documented limits.

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Error;
use crate::record::Record;
use crate::wire::Paging;

/// The most results of one page (HubSpot docs: search).
pub(crate) const PAGE_MAX: u32 = 200;
const GROUPS_MAX: usize = 5;
const FILTERS_PER_GROUP_MAX: usize = 6;
const FILTERS_MAX: usize = 18;

/// A search. Groups are joined by OR, filters of a group by AND.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchRequest {
    /// At most 5 groups of at most 6 filters, 18 in all; none means every record.
    pub filter_groups: Vec<FilterGroup>,
    /// At most one rule; creation date, oldest first, when empty.
    pub sorts: Vec<Sort>,
    /// Text to look for in the type's default searchable properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Properties to answer, besides the type's defaults.
    pub properties: Vec<String>,
    /// Results per page, at most 200.
    pub limit: u32,
    /// Where to begin: an offset, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Filters that must all hold.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FilterGroup {
    /// The filters.
    pub filters: Vec<Filter>,
}

/// One condition. `Debug` shows no value.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    property_name: String,
    operator: Operator,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high_value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Operator {
    /// Equal, ignoring case except for enumerations.
    Eq,
    /// Not equal.
    Neq,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Between two values, both included.
    Between,
    /// One of a list; strings in lower case.
    In,
    /// None of a list; strings in lower case.
    NotIn,
    /// Has a value.
    HasProperty,
    /// Has no value.
    NotHasProperty,
    /// Has a word, with `*` as wildcard.
    ContainsToken,
    /// Lacks a word.
    NotContainsToken,
}

/// A sort rule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sort {
    property_name: String,
    direction: &'static str,
}

/// One page of search results.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchPage {
    /// How many records match at the moment, more than 10,000 included. It moves while paging.
    pub total: u64,
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub after: Option<Box<str>>,
}

impl<'de> Deserialize<'de> for SearchPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default)]
            total: u64,
            #[serde(default = "Vec::new")]
            results: Vec<Record>,
            #[serde(default)]
            paging: Option<Paging>,
        }
        let body = Body::deserialize(deserializer)?;
        Ok(Self { total: body.total, records: body.results, after: Paging::after(body.paging) })
    }
}

impl Filter {
    /// A condition on one value.
    #[must_use]
    pub fn new(property: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::bare(property, operator) }
    }

    /// Equal to a value.
    #[must_use]
    pub fn eq(property: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(property, Operator::Eq, value)
    }

    /// One of a list of values.
    #[must_use]
    pub fn is_in(property: impl Into<String>, values: Vec<String>) -> Self {
        Self { values, ..Self::bare(property, Operator::In) }
    }

    /// Between two values, both included.
    #[must_use]
    pub fn between(property: impl Into<String>, low: impl Into<String>, high: impl Into<String>) -> Self {
        Self {
            value: Some(low.into()),
            high_value: Some(high.into()),
            ..Self::bare(property, Operator::Between)
        }
    }

    /// Has a value, whatever it is.
    #[must_use]
    pub fn has(property: impl Into<String>) -> Self {
        Self::bare(property, Operator::HasProperty)
    }

    /// Has no value.
    #[must_use]
    pub fn lacks(property: impl Into<String>) -> Self {
        Self::bare(property, Operator::NotHasProperty)
    }

    fn bare(property: impl Into<String>, operator: Operator) -> Self {
        Self { property_name: property.into(), operator, value: None, high_value: None, values: Vec::new() }
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Filter({} {:?} …)", self.property_name, self.operator)
    }
}

impl Sort {
    /// Smallest first.
    #[must_use]
    pub fn ascending(property: impl Into<String>) -> Self {
        Self { property_name: property.into(), direction: "ASCENDING" }
    }

    /// Largest first.
    #[must_use]
    pub fn descending(property: impl Into<String>) -> Self {
        Self { property_name: property.into(), direction: "DESCENDING" }
    }
}

impl SearchRequest {
    /// Records that fulfil all of `filters`, 200 to a page.
    #[must_use]
    pub fn all_of(filters: Vec<Filter>) -> Self {
        let filter_groups = if filters.is_empty() { Vec::new() } else { vec![FilterGroup { filters }] };
        Self { filter_groups, limit: PAGE_MAX, ..Self::default() }
    }

    /// Refuses what HubSpot would refuse, before a call is spent on it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let filters = self.filter_groups.iter().map(|group| group.filters.len());
        let problem = if self.filter_groups.len() > GROUPS_MAX {
            "a search has at most 5 filter groups"
        } else if filters.clone().any(|count| count > FILTERS_PER_GROUP_MAX) {
            "a filter group has at most 6 filters"
        } else if filters.sum::<usize>() > FILTERS_MAX {
            "a search has at most 18 filters"
        } else if self.limit > PAGE_MAX {
            "a page of search results has at most 200 records"
        } else if self.sorts.len() > 1 {
            "a search has at most one sort rule"
        } else {
            return Ok(());
        };
        Err(Error::invalid_request(problem))
    }
}
