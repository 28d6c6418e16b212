//! Identifiers that must not be swapped, each its own type.

use std::fmt;
use std::sync::Arc;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the identifier's text.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The identifier's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id!(
    /// A record's id in the customer's system: the left side.
    ExternalId
);
text_id!(
    /// A record's id in HubSpot: the right side. Unique within its object type only.
    RecordId
);
text_id!(
    /// An object type in HubSpot, by name (`contacts`, `p_machines`) or type id (`0-1`).
    ObjectType
);
text_id!(
    /// A collection of a source: a table, a file, an endpoint.
    Collection
);
text_id!(
    /// A property's internal name.
    PropertyName
);
text_id!(
    /// The value of the unique property by which a record is found again: one per (engagement, link, external
    /// id, generation), derived, so that a repeated create can never make a second record.
    SyncKey
);

/// An object link's place in the mapping: which collection goes with which object type. Stable within one
/// mapping; [`Link::name`](crate::Link::name) is stable across mappings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LinkId(pub u16);

/// An association rule's place in the mapping.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EdgeRuleId(pub u16);

/// A pair of records, one on either side, as the state store numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct PairId(pub u64);

/// One operation that was or will be sent; unique within a state store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OpId(pub u64);

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op-{}", self.0)
    }
}
