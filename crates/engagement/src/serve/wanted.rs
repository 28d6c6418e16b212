//! What a mapping needs to hear of: the subscriptions that an app should have.

use std::collections::BTreeMap;

use sync_types::{Link, ObjectType, OnDelete};
use webhooks::Wanted;

/// Derives subscriptions from the links that look at HubSpot; of one object type, one. `ids` are the type ids of the
/// mapping's object types.
pub(crate) fn wanted<'l>(
    links: impl IntoIterator<Item = &'l Link>,
    ids: &BTreeMap<ObjectType, ObjectType>,
) -> Vec<Wanted> {
    let mut all: BTreeMap<ObjectType, Wanted> = BTreeMap::new();
    for link in links {
        let Some(id) = ids.get(&link.object).filter(|_| listens(link)) else { continue };
        let wanted = all
            .entry(id.clone())
            .or_insert_with(|| Wanted { creations: false, ..Wanted::lifecycle(id.clone()) });
        wanted.creations |= link.creates_left;
        let back = link.properties.iter().filter(|property| property.direction.to_left());
        wanted.properties.extend(back.map(|property| property.name.clone()));
        wanted.properties.extend(link.right_reads.iter().cloned());
    }
    all.into_values().collect()
}

/// Whether what happens in HubSpot means anything to the link.
pub(crate) fn listens(link: &Link) -> bool {
    link.direction.to_left()
        || link.on_left_delete != OnDelete::Keep
        || link.on_right_delete != OnDelete::Keep
}

#[cfg(test)]
mod tests {
    use sync_types::{Collection, Direction, MappedProperty, PropertyKind};

    use super::*;

    fn link(name: &str, object: &str, direction: Direction, properties: &[(&str, Direction)]) -> Link {
        let mut link = Link::to_right(name, Collection::new(name), ObjectType::new(object), "key".into());
        link.direction = direction;
        for (name, direction) in properties {
            let mut property = MappedProperty::to_right(*name, PropertyKind::Text);
            property.direction = *direction;
            link.properties.push(property);
        }
        link
    }

    #[test]
    fn only_what_travels_back_is_heard_and_a_type_once() {
        let (right, both) = (Direction::ToRight, Direction::Both);
        let mut people = link("people", "contacts", both, &[("city", both), ("phone", right)]);
        people.creates_left = true;
        let leads = link("leads", "contacts", both, &[("email", both)]);
        let orders = link("orders", "deals", right, &[("amount", right)]);
        let ids = BTreeMap::from([("contacts".into(), "0-1".into()), ("deals".into(), "0-3".into())]);
        let found = wanted([&people, &leads, &orders], &ids);
        let expected = Wanted::lifecycle("0-1").with_properties(["city", "email"]);
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_link_that_only_deletes_hears_of_deletions() {
        let mut orders = link("orders", "deals", Direction::ToRight, &[("amount", Direction::ToRight)]);
        orders.on_right_delete = OnDelete::Delete;
        let ids = BTreeMap::from([("deals".into(), ObjectType::new("0-3"))]);
        let found = wanted([&orders], &ids);
        assert_eq!(found.len(), 1);
        assert!(!found[0].creations && found[0].deletions && found[0].properties.is_empty());
    }
}
