//! What HubSpot brings along: the standard object types and the properties that mappings write, by heart.
//!
//! For a first mapping before there is a portal to ask. A selection, from HubSpot's documentation of its standard
//! properties; a portal's own answer is always better.

mod properties;

use sync_types::{Property, PropertyKind, Schema};

pub use properties::Meaning;

/// A standard object type.
#[derive(Debug)]
pub struct StandardObject {
    /// Its name in mappings.
    pub name: &'static str,
    /// What collections of such records are called, in English; other languages' words are translated first.
    pub called: &'static [&'static str],
    /// Its properties.
    pub properties: &'static [StandardProperty],
    /// A property that recognises a record, for `match`.
    pub recognised_by: Option<&'static str>,
}

/// A standard property.
#[derive(Debug)]
pub struct StandardProperty {
    /// Internal name.
    pub name: &'static str,
    /// What its values are.
    pub kind: PropertyKind,
    /// Label that people see.
    pub label: &'static str,
    /// Other names for the same thing, each of one or several words.
    pub called: &'static [&'static str],
    /// What its values mean, where that has a form of its own.
    pub meaning: Meaning,
    /// The options: value and label.
    pub options: &'static [(&'static str, &'static str)],
}

/// The standard object types, in the order in which they are tried.
pub const OBJECTS: &[StandardObject] = &[
    StandardObject {
        name: "contacts",
        called: &[
            "contact",
            "person",
            "customer",
            "lead",
            "user",
            "subscriber",
            "employee",
            "passenger",
            "student",
            "patient",
            "guest",
            "attendee",
        ],
        properties: properties::CONTACT,
        recognised_by: Some("email"),
    },
    StandardObject {
        name: "companies",
        called: &["company", "account", "customer", "supplier", "vendor", "partner"],
        properties: properties::COMPANY,
        recognised_by: Some("domain"),
    },
    StandardObject {
        name: "deals",
        called: &["deal", "order", "opportunity", "sale", "invoice", "contract", "booking"],
        properties: properties::DEAL,
        recognised_by: None,
    },
    StandardObject {
        name: "tickets",
        called: &["ticket", "case", "issue", "request", "complaint", "incident"],
        properties: properties::TICKET,
        recognised_by: None,
    },
    StandardObject {
        name: "products",
        called: &["product", "item", "service", "good", "catalog"],
        properties: properties::PRODUCT,
        recognised_by: None,
    },
    StandardObject {
        name: "line_items",
        called: &["line item", "line", "order line", "order item", "invoice line", "order detail"],
        properties: properties::LINE_ITEM,
        recognised_by: None,
    },
];

/// A standard object type by its name.
#[must_use]
pub fn object(name: &str) -> Option<&'static StandardObject> {
    OBJECTS.iter().find(|object| object.name == name)
}

impl StandardObject {
    /// A property by its name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static StandardProperty> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The object type as the checker takes it.
    #[must_use]
    pub fn schema(&self) -> Schema {
        let properties = self.properties.iter().map(|known| Property {
            options: known.options.iter().map(|(value, _)| (*value).to_owned()).collect(),
            unique: self.name == "contacts" && known.name == "email",
            ..Property::new(known.name, known.kind)
        });
        Schema { name: self.name.to_owned(), properties: properties.collect() }
    }
}

/// All standard object types as the checker takes them.
#[must_use]
pub fn schemas() -> Vec<Schema> {
    OBJECTS.iter().map(StandardObject::schema).collect()
}
