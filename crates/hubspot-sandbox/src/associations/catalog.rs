//! HubSpot's own association types among the standard types that the portal serves.
//!
//! Type ids are directional, so every row names both directions (HubSpot docs: associations guide).

/// What a type means for the links that carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Without a label.
    Plain,
    /// The one primary company of the other record.
    Primary,
    /// With labels, one for each direction.
    Label(&'static str, &'static str),
}

/// From, to, id, id of the opposite direction, meaning.
pub(crate) type Row = (&'static str, &'static str, u32, u32, RowKind);

use RowKind::{Label, Plain, Primary};

pub(crate) const ROWS: &[Row] = &[
    ("contact", "contact", 449, 449, Plain),
    ("contact", "company", 279, 280, Plain),
    ("contact", "company", 1, 2, Primary),
    ("contact", "company", 931, 930, Label("Billing contact", "Billing contact")),
    ("contact", "deal", 4, 3, Plain),
    ("contact", "ticket", 15, 16, Plain),
    ("company", "company", 450, 450, Plain),
    ("company", "company", 13, 14, Label("Parent Company", "Child Company")),
    ("deal", "company", 341, 342, Plain),
    ("deal", "company", 5, 6, Primary),
    ("ticket", "company", 339, 340, Plain),
    ("ticket", "company", 26, 25, Primary),
    ("deal", "deal", 451, 451, Plain),
    ("deal", "ticket", 27, 28, Plain),
    ("deal", "line_item", 19, 20, Plain),
    ("ticket", "ticket", 452, 452, Plain),
    ("call", "contact", 194, 193, Plain),
    ("call", "company", 182, 181, Plain),
    ("call", "deal", 206, 205, Plain),
    ("call", "ticket", 220, 219, Plain),
    ("email", "contact", 198, 197, Plain),
    ("email", "company", 186, 185, Plain),
    ("email", "deal", 210, 209, Plain),
    ("email", "ticket", 224, 223, Plain),
    ("meeting", "contact", 200, 199, Plain),
    ("meeting", "company", 188, 187, Plain),
    ("meeting", "deal", 212, 211, Plain),
    ("meeting", "ticket", 226, 225, Plain),
    ("note", "contact", 202, 201, Plain),
    ("note", "company", 190, 189, Plain),
    ("note", "deal", 214, 213, Plain),
    ("note", "ticket", 228, 227, Plain),
    ("task", "contact", 204, 203, Plain),
    ("task", "company", 192, 191, Plain),
    ("task", "deal", 216, 215, Plain),
    ("task", "ticket", 230, 229, Plain),
];
