//! Descriptions of well-known APIs, to begin with: as they are, or copied and changed.
//!
//! Each was made from the public documentation of its service and is tried against answers recorded in that form; its head
//! says what it leaves out. None was tried against the live service.

/// A description that comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it describes, for a person.
    pub title: &'static str,
    /// The description, as TOML.
    pub text: &'static str,
}

/// All of them, in alphabetical order.
pub const PRESETS: [Preset; 6] = [
    Preset {
        name: "business-central",
        title: "Microsoft Dynamics 365 Business Central: customers, contacts, invoices",
        text: include_str!("../../presets/business-central.toml"),
    },
    Preset {
        name: "salesforce",
        title: "Salesforce: contacts, accounts",
        text: include_str!("../../presets/salesforce.toml"),
    },
    Preset {
        name: "shopify",
        title: "Shopify: customers, orders, products",
        text: include_str!("../../presets/shopify.toml"),
    },
    Preset {
        name: "stripe",
        title: "Stripe, read only: customers, subscriptions, invoices, products",
        text: include_str!("../../presets/stripe.toml"),
    },
    Preset {
        name: "woocommerce",
        title: "WooCommerce: customers, orders, products",
        text: include_str!("../../presets/woocommerce.toml"),
    },
    Preset { name: "xero", title: "Xero: contacts, invoices", text: include_str!("../../presets/xero.toml") },
];

/// The preset of this name.
#[must_use]
pub fn preset(name: &str) -> Option<Preset> {
    PRESETS.into_iter().find(|preset| preset.name == name)
}
