//! The names of HubSpot's own object types: each may be written as type id, in the singular or in the plural.

/// Type id, singular and plural. HubSpot docs: object type ids.
const STANDARD: [(&str, &str, &str); 24] = [
    ("0-1", "contact", "contacts"),
    ("0-2", "company", "companies"),
    ("0-3", "deal", "deals"),
    ("0-5", "ticket", "tickets"),
    ("0-7", "product", "products"),
    ("0-8", "line_item", "line_items"),
    ("0-14", "quote", "quotes"),
    ("0-18", "communication", "communications"),
    ("0-19", "feedback_submission", "feedback_submissions"),
    ("0-27", "task", "tasks"),
    ("0-46", "note", "notes"),
    ("0-47", "meeting", "meetings"),
    ("0-48", "call", "calls"),
    ("0-49", "email", "emails"),
    ("0-53", "invoice", "invoices"),
    ("0-101", "commerce_payment", "commerce_payments"),
    ("0-116", "postal_mail", "postal_mail"),
    ("0-123", "order", "orders"),
    ("0-136", "lead", "leads"),
    ("0-142", "cart", "carts"),
    ("0-162", "service", "services"),
    ("0-410", "course", "courses"),
    ("0-420", "listing", "listings"),
    ("0-421", "appointment", "appointments"),
];

/// The one name by which a mapping knows an object type: the plural of HubSpot's own types, whether it was written as
/// type id, in the singular or in capitals, and any other name as it is.
#[must_use]
pub fn object_name(written: &str) -> &str {
    let is = |name: &str| name.eq_ignore_ascii_case(written);
    let found = STANDARD.iter().find(|(id, singular, plural)| *id == written || is(singular) || is(plural));
    found.map_or(written, |(_, _, plural)| plural)
}
