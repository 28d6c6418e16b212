//! What HubSpot shows is brought to the form that mapping gives, so that its own writing is no difference.

use proptest::prelude::*;
use sync_types::{LinkId, Mapper, Value};

use super::support::{checked, map, number, people};

/// One field of every kind; the column and the property have the kind's name.
fn all_kinds() -> String {
    people(
        "fields = [
           { from = 'text', to = 'text' },
           { from = 'email', to = 'email' },
           { from = 'number', to = 'number', transform = 'number' },
           { from = 'bool', to = 'bool', transform = 'boolean' },
           { from = 'date', to = 'date', transform = 'date' },
           { from = 'time', to = 'time', transform = 'date_time' },
           { from = 'option', to = 'option', kind = 'option' },
           { from = 'options', to = 'options', transform = 'split', kind = 'options' },
         ]
         [[links]]
         name = 'firms'
         collection = 'firms'
         object = 'companies'
         sync_key = 'k'
         fields = [{ from = 'domain', to = 'domain' }]",
    )
}

#[test]
fn hubspots_writing_is_no_difference() {
    let mapping = checked(&all_kinds());
    // What the source says, and what HubSpot may show for it.
    let table = [
        ("text", " As is ", " As is "),
        ("email", "Ada@Example.com", "ada@example.com"),
        ("number", "1500.00", "1500"),
        ("number", "-0.50", "-.5"),
        ("number", "0", "-0"),
        ("number", "15000000", "1.5E7"),
        ("bool", "yes", "true"),
        ("bool", "0", "false"),
        ("date", "2026-03-29", "2026-03-29"),
        ("date", "2026-03-29", "1774742400000"),
        ("time", "2026-03-29T03:30:00.1234Z", "2026-03-29T03:30:00.123Z"),
        ("time", "2026-07-01T12:00:00", "1782900000000"),
        ("option", "A b", "A b"),
        ("options", "b; a;b", "a;b"),
        ("options", "b", "b"),
        ("text", "", ""),
        ("options", "", ""),
    ];
    for (name, source, shown) in table {
        let place = mapping.links()[0].properties.iter().position(|p| p.name.as_str() == name).unwrap();
        let wanted = map(&mapping, &[(name, source.into())]).unwrap().values[place].clone().unwrap();
        let seen = mapping.canonical(LinkId(0), place, Value::Text(shown.into()));
        assert_eq!(wanted.reveal().to_string(), seen.reveal().to_string(), "{name}: {source} {shown}");
        assert_eq!(wanted, seen, "{name}: {source} {shown}");
    }
    let bare = mapping.canonical(LinkId(1), 0, "https://www.Example.com/".into());
    assert_eq!(bare, Value::text("example.com"));
}

#[test]
fn what_does_not_have_the_form_stays_and_differs() {
    let mapping = checked(&all_kinds());
    for place in 2..6 {
        let odd = Value::text("odd");
        assert_eq!(mapping.canonical(LinkId(0), place, odd.clone()), odd);
    }
    assert_eq!(mapping.canonical(LinkId(9), 0, number("1")), number("1"), "no such link");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_is_idempotent_and_mapped_values_are_canonical(shown in "\\PC{0,12}|[0-9.;,@a-c -]{0,12}") {
        let mapping = checked(&all_kinds());
        let columns: Vec<(&str, Value)> = ["text", "email", "option", "options"]
            .map(|name| (name, Value::text(shown.as_str()))).to_vec();
        let mapped = map(&mapping, &columns).unwrap();
        for (place, value) in mapped.values.into_iter().enumerate() {
            let once = mapping.canonical(LinkId(0), place, Value::text(shown.as_str()));
            prop_assert_eq!(mapping.canonical(LinkId(0), place, once.clone()), once);
            if let Some(value) = value {
                prop_assert_eq!(mapping.canonical(LinkId(0), place, value.clone()), value);
            }
        }
    }
}
