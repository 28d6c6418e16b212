//! Names of object types and ids of records, checked once.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::wire;

/// An object type as it stands in a path: a standard name (`contacts`), a type id (`0-1`, `2-123456`) or a custom type's
/// fully qualified name (`p{portalId}_{name}`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType(Cow<'static, str>);

/// The text names no object type: it is empty, or has a character other than letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no object type: use a name such as `contacts`, a type id such as `2-123456`, or `p123_name`"
)]
pub struct InvalidObjectType(pub String);

macro_rules! standard_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: ObjectType = ObjectType(Cow::Borrowed($text));)*
    };
}

impl ObjectType {
    standard_types! {
        /// People.
        CONTACTS = "contacts";
        /// Organisations.
        COMPANIES = "companies";
        /// Sales opportunities.
        DEALS = "deals";
        /// Service requests.
        TICKETS = "tickets";
        /// The product library.
        PRODUCTS = "products";
        /// Products within one deal, quote or order.
        LINE_ITEMS = "line_items";
        /// Notes.
        NOTES = "notes";
        /// Tasks.
        TASKS = "tasks";
        /// Calls.
        CALLS = "calls";
        /// E-mails.
        EMAILS = "emails";
        /// Meetings.
        MEETINGS = "meetings";
    }

    /// Checks a name or id.
    ///
    /// # Errors
    /// [`InvalidObjectType`] when it could not stand in a path.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidObjectType> {
        let name = name.into();
        let harmless = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if name.is_empty() || !name.bytes().all(harmless) {
            return Err(InvalidObjectType(name));
        }
        Ok(Self(Cow::Owned(name)))
    }

    /// The name as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The property that holds the time of the last change. HubSpot's contacts name it differently from all other types.
    #[must_use]
    pub fn modified_property(&self) -> &'static str {
        let contacts = ["contacts", "contact", "0-1"];
        if contacts.iter().any(|name| self.0.eq_ignore_ascii_case(name)) {
            "lastmodifieddate"
        } else {
            "hs_lastmodifieddate"
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for ObjectType {
    type Err = InvalidObjectType;

    fn from_str(text: &str) -> Result<Self, InvalidObjectType> {
        Self::new(text)
    }
}

/// A record's id: unique within its type only, and longer than 32 bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RecordId(Box<str>);

impl RecordId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RecordId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl From<String> for RecordId {
    fn from(id: String) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    /// HubSpot prints some ids as numbers and some as strings.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::text(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_path_are_refused() {
        for name in ["", "a/b", "a b", "..", "contacts?x", "é"] {
            assert!(ObjectType::new(name).is_err(), "{name}");
        }
        for name in ["contacts", "2-123456", "p123_order"] {
            assert_eq!(ObjectType::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn contacts_have_their_own_modified_property() {
        for (name, expected) in
            [("Contact", "lastmodifieddate"), ("0-1", "lastmodifieddate"), ("deals", "hs_lastmodifieddate")]
        {
            assert_eq!(ObjectType::new(name).unwrap().modified_property(), expected);
        }
    }
}
