//! Every way in which a schema can move, one by one, and what it does.

use mapping_engine::{Schemas, check};

use super::*;

const MAPPING: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
match = ["email"]
scope = { field = "active", equals = "yes" }
fields = [
  { from = "mail", to = "email", transform = ["email"], required = true },
  { from = "city", to = "city" },
  { from = "group", to = "tier", transform = [{ picklist = "tier" }] },
]
associations = [{ name = "boss", to = "people", key = "boss_id" }]

[picklists.tier]
ignore_case = true
map = { A = "gold", B = "silver" }
"#;

fn schema(name: &str, properties: &[(&str, PropertyKind)]) -> Schema {
    let properties = properties.iter().map(|(name, kind)| Property::new(*name, *kind)).collect();
    Schema { name: name.to_owned(), properties }
}

fn sides() -> (Schema, Schema) {
    use PropertyKind::{Option, Text};
    let mut source = schema(
        "people",
        &[
            ("mail", Text),
            ("city", Text),
            ("group", Option),
            ("active", Text),
            ("boss_id", Text),
            ("shoe", Text),
        ],
    );
    source.properties[2].options = vec!["A".into(), "b".into()];
    let mut hubspot = schema(
        "contacts",
        &[("acme_key", Text), ("email", Text), ("city", Text), ("tier", Option), ("fax", Text)],
    );
    hubspot.properties[0].unique = true;
    hubspot.properties[3].options = vec!["gold".into(), "silver".into(), "iron".into()];
    (source, hubspot)
}

fn property<'s>(schema: &'s mut Schema, name: &str) -> &'s mut Property {
    schema.properties.iter_mut().find(|property| property.name.as_str() == name).unwrap()
}

/// The drift after a change, as `effect side.property`.
fn after(change: impl FnOnce(&mut Schema, &mut Schema)) -> Vec<Change> {
    let (mut source, mut hubspot) = sides();
    let schemas = Schemas { source: Some(&[source.clone()]), hubspot: Some(&[hubspot.clone()]) };
    let mapping = check("mapping.toml", MAPPING, schemas).unwrap_or_else(|problems| panic!("{problems}"));
    let pinned = Contract::now(&mapping, &[source.clone()], &[hubspot.clone()]);
    change(&mut source, &mut hubspot);
    let now = Contract::now(&mapping, &[source], &[hubspot]);
    drift(&pinned, &now, &mapping)
}

fn remove(schema: &mut Schema, name: &str) {
    schema.properties.retain(|property| property.name.as_str() != name);
}

#[test]
fn nothing_moved_is_no_drift() {
    assert_eq!(after(|_, _| {}), []);
}

#[test]
fn each_difference_has_its_class() {
    use Effect::{Degrades, Halts, Safe};
    type Move = fn(&mut Schema, &mut Schema);
    let cases: &[(&str, Move, Effect)] = &[
        ("a vital column is gone", |source, _| remove(source, "mail"), Halts),
        ("a column of the scope is gone", |source, _| remove(source, "active"), Halts),
        ("another column is gone", |source, _| remove(source, "city"), Degrades),
        ("a key of an association is gone", |source, _| remove(source, "boss_id"), Degrades),
        ("a column that nobody reads is gone", |source, _| remove(source, "shoe"), Safe),
        (
            "a column is new",
            |source, _| source.properties.push(Property::new("hat", PropertyKind::Text)),
            Safe,
        ),
        (
            "a column is of another kind",
            |source, _| property(source, "city").kind = PropertyKind::Number,
            Degrades,
        ),
        ("a word is new", |source, _| property(source, "group").options.push("C".into()), Degrades),
        (
            "a word that the table knows is new",
            |source, _| property(source, "group").options.push("B".into()),
            Safe,
        ),
        ("a word is gone", |source, _| property(source, "group").options.truncate(1), Safe),
        ("the sync key is gone", |_, hubspot| remove(hubspot, "acme_key"), Halts),
        ("the sync key is not unique", |_, hubspot| property(hubspot, "acme_key").unique = false, Halts),
        ("the sync key is read-only", |_, hubspot| property(hubspot, "acme_key").read_only = true, Halts),
        ("a property is gone", |_, hubspot| remove(hubspot, "city"), Degrades),
        ("a property that nobody writes is gone", |_, hubspot| remove(hubspot, "fax"), Safe),
        ("a property is read-only", |_, hubspot| property(hubspot, "city").read_only = true, Degrades),
        (
            "a property is of another kind",
            |_, hubspot| property(hubspot, "city").kind = PropertyKind::Number,
            Degrades,
        ),
        ("a property is shorter", |_, hubspot| property(hubspot, "city").length_max = Some(10), Degrades),
        ("a property has to be unique", |_, hubspot| property(hubspot, "city").unique = true, Degrades),
        ("a mapped property is required", |_, hubspot| property(hubspot, "city").required = true, Degrades),
        ("a required field is required", |_, hubspot| property(hubspot, "email").required = true, Safe),
        ("another property is required", |_, hubspot| property(hubspot, "fax").required = true, Halts),
        (
            "an option that is given is gone",
            |_, hubspot| property(hubspot, "tier").options.retain(|o| o != "gold"),
            Degrades,
        ),
        (
            "an option that is never given is gone",
            |_, hubspot| property(hubspot, "tier").options.retain(|o| o != "iron"),
            Safe,
        ),
        ("an option is new", |_, hubspot| property(hubspot, "tier").options.push("lead".into()), Safe),
        ("the collection is gone", |source, _| source.name = "persons".into(), Halts),
        ("the object type is gone", |_, hubspot| hubspot.name = "others".into(), Halts),
    ];
    for (what, change, effect) in cases {
        let changes = after(change);
        assert_eq!(changes.len(), 1, "{what}: {changes:?}");
        assert_eq!(changes[0].effect, *effect, "{what}: {}", changes[0]);
        let told = changes[0].to_string();
        assert_eq!(told.contains("what to do"), *effect > Safe, "{what}: {told}");
    }
}

#[test]
fn the_worst_comes_first() {
    let changes = after(|source, hubspot| {
        remove(source, "shoe");
        remove(source, "city");
        remove(hubspot, "acme_key");
    });
    let effects: Vec<&str> = changes.iter().map(|change| change.effect.as_str()).collect();
    assert_eq!(effects, ["halts", "degrades", "safe"]);
}

#[test]
fn a_contract_file_is_read_as_it_was_written_and_a_later_one_refused() {
    let (source, hubspot) = sides();
    let mapping = check("mapping.toml", MAPPING, Schemas::default()).unwrap();
    let contract = Contract::now(&mapping, &[source], &[hubspot]);
    let text = contract.to_json();
    assert_eq!(Contract::from_json(&text).unwrap(), contract);
    assert!(Contract::from_json(&text.replacen("\"version\": 1", "\"version\": 9", 1)).is_err());
    assert!(Contract::from_json("{}").is_err());
}

#[test]
fn whatever_reads_a_column_or_property_minds_that_it_is_gone() {
    let mapping = r#"
        [mapping]
        name = "acme"
        [[links]]
        name = "people"
        collection = "people"
        object = "contact"
        direction = "both"
        sync_key = "acme_key"
        match = [{ property = "fax", evidence = "weak" }]
        scope = "record[\"odd name\"] == 'x'"
        hubspot_scope = "tier == 'gold'"
        fields = [
          { from = "phone", to = "phone", transform = { phone = { region_field = "land" } } },
          { expression = "record[\"full name\"]", to = "city" },
          { from = "fax", to = "fax", direction = "to-hubspot", transform = { coalesce = ["fax2"] } },
        ]
        associations = [
          { name = "boss", to = "people", key = "boss", transform = { coalesce = ["chief"] }, direction = "to-hubspot" },
        ]
        [environments.live]
        portal = 7
        properties."0-1" = { city = "town" }
        "#;
    let check = mapping_engine::Check::new("mapping.toml", mapping).environment("live");
    let mapping = check.run().unwrap_or_else(|problems| panic!("{problems}"));
    let columns = ["odd name", "phone", "land", "full name", "fax", "fax2", "boss", "chief"];
    let properties = ["acme_key", "phone", "town", "fax", "tier"];
    let side = |name: &str, names: &[&str]| {
        let all: Vec<_> = names.iter().map(|name| (*name, PropertyKind::Text)).collect();
        [schema(name, &all)]
    };
    let contract = |columns: &[&str], properties: &[&str]| {
        Contract::now(&mapping, &side("people", columns), &side("contacts", properties))
    };
    let pinned = contract(&columns, &properties);
    for gone in columns {
        let left: Vec<&str> = columns.into_iter().filter(|name| *name != gone).collect();
        let changes = drift(&pinned, &contract(&left, &properties), &mapping);
        assert!(changes[0].effect > Effect::Safe, "{gone}: {changes:?}");
    }
    for gone in properties {
        let left: Vec<&str> = properties.into_iter().filter(|name| *name != gone).collect();
        let changes = drift(&pinned, &contract(&columns, &left), &mapping);
        assert!(changes[0].effect > Effect::Safe, "{gone}: {changes:?}");
    }
}
