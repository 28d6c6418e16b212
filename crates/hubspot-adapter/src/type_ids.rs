//! Object types by id: what events are about is named so, whatever a mapping calls it.

use std::collections::BTreeMap;

use hubspot_client::Client;
use sync_types::ObjectType;

/// HubSpot's own types that have names (HubSpot docs: object type ids), each in singular and plural.
const STANDARD: &[(&str, &str, &str)] = &[
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

/// The type ids of these object types, by the name that was given. One that the portal does not have is left out.
///
/// # Errors
/// When a custom type is among them and the portal's schemas cannot be read.
pub async fn type_ids(
    client: &Client,
    objects: impl IntoIterator<Item = &ObjectType>,
) -> Result<BTreeMap<ObjectType, ObjectType>, hubspot_client::Error> {
    let mut found = BTreeMap::new();
    let mut customs = Vec::new();
    for object in objects {
        match known(object.as_str()) {
            Some(id) => {
                found.insert(object.clone(), ObjectType::new(id));
            }
            None => customs.push(object),
        }
    }
    if customs.is_empty() {
        return Ok(found);
    }
    for schema in client.schemas().list().await? {
        let Some(id) = schema.object_type() else { continue };
        for name in customs.iter().filter(|object| {
            let name = object.as_str();
            name == schema.name || name == schema.fully_qualified_name
        }) {
            found.insert((*name).clone(), ObjectType::new(id.as_str()));
        }
    }
    Ok(found)
}

/// The id of one of HubSpot's own types, or the name itself where it is an id.
fn known(name: &str) -> Option<&str> {
    let is_id = name.split_once('-').is_some_and(|(class, number)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits(class) && digits(number)
    });
    if is_id {
        return Some(name);
    }
    let is_named = |text: &str| text.eq_ignore_ascii_case(name);
    STANDARD.iter().find(|(_, one, many)| is_named(one) || is_named(many)).map(|(id, _, _)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_ids_come_to_the_same_id() {
        for (name, id) in [
            ("contacts", Some("0-1")),
            ("Contact", Some("0-1")),
            ("0-1", Some("0-1")),
            ("2-4711", Some("2-4711")),
            ("line_items", Some("0-8")),
            ("machine", None),
            ("p123_machine", None),
            ("0-", None),
        ] {
            assert_eq!(known(name), id, "{name}");
        }
    }
}
