//! First mappings from several beginnings, each judged by the checker.

use super::*;

fn suggest_csv(name: &str, text: &str) -> Suggestion {
    let table = Table::of_csv(name, text).unwrap();
    suggest(Request { name: "acme", tables: &[table], hubspot: None, region: None, zone: None }).unwrap()
}

fn pairs(suggestion: &Suggestion) -> Vec<(&str, &str)> {
    let mapped =
        suggestion.fields.iter().filter_map(|field| Some((field.from.as_str(), field.to.as_deref()?)));
    mapped.collect()
}

const KUNDEN: &str = "\
Kunden-Nr.;Vorname;Nachname;E-Mail;Telefon;Straße;PLZ;Ort;Geburtsdatum;Newsletter;Umsatz;Gruppe;Passwort
1001;Ada;Lovelace;ada@example.com;030/1234567;Hauptstr. 1;01099;Dresden;10.12.1815;ja;1.234,50 €;Gold;x1
1002;Grace; Hopper;grace@example.com;+1 555 0100 200;Elm  St. 2;80331;München;09.12.1906;nein;99,00 €;Silber;x2
1003;Alan;Turing;alan@example.com;0161 555 1234;Oak Rd 3;10115;Berlin;23.06.1912;ja;0,50 €;Gold;x3
1004;Emmy;Noether;emmy@example.com;09131 55512;Weg 4;91052;Erlangen;23.03.1882;nein;12,00 €;Gold;x4
1005;Carl;Gauß;carl@example.com;0551 555 77;Weg 5;37073;Göttingen;30.04.1777;ja;7,00 €;Silber;x5
1006;Sophie;Germain;sophie@example.com;+33 1 5550 1234;Rue 6;75001;Paris;01.04.1776;ja;8,00 €;Gold;x6
1007;Leonhard;Euler;leonhard@example.com;061 555 88 99;Gasse 7;4001;Basel;15.04.1707;nein;1,00 €;Silber;x7
1008;Maria;Agnesi;maria@example.com;+39 02 555 1234;Via 8;20121;Milano;16.05.1718;ja;2,00 €;Gold;x8
";

#[test]
fn a_german_csv_header_with_rows_becomes_contacts() {
    let suggestion = suggest_csv("Kunden", KUNDEN);
    insta::assert_snapshot!(suggestion.text);
    assert_eq!(suggestion.keys, [("Kunden".to_owned(), Some("Kunden-Nr.".to_owned()))]);
    assert!(!suggestion.text.contains("Lovelace") && !suggestion.text.contains("x1"), "no value is written");
}

#[test]
fn what_the_source_says_itself_is_no_hint_for_the_settings() {
    let mut table = Table::of_csv("Kunden", KUNDEN).unwrap();
    table.is_keyed = true;
    let request = Request { name: "acme", tables: &[table], hubspot: None, region: None, zone: None };
    let suggestion = suggest(request).unwrap();
    assert_eq!(suggestion.keys, []);
    assert!(!suggestion.text.contains("source.collections"), "{}", suggestion.text);
}

#[test]
fn a_header_alone_is_enough_to_begin_with() {
    let suggestion = suggest_csv("people", "PersonId,FirstName,LastName,Email,Phone,City,ShoeSize\n");
    let expected = [
        ("FirstName", "firstname"),
        ("LastName", "lastname"),
        ("Email", "email"),
        ("Phone", "phone"),
        ("City", "city"),
        ("ShoeSize", "shoe_size"),
    ];
    assert_eq!(pairs(&suggestion), expected);
}

#[test]
fn tables_that_name_each_other_are_associated() {
    let companies =
        Table::of_csv("companies", "company_id,name,website\n1,Acme,acme.com\n2,Beta,beta.de\n").unwrap();
    let people =
        Table::of_csv("people", "person_id,company_id,first_name,email\n7,1,Ada,a@b.de\n8,2,Bob,b@b.de\n")
            .unwrap();
    let orders = Table::of_csv(
        "orders",
        "order_no,person_id,total,ordered_on\n55,7,12.50,2024-02-29\n56,8,7,2024-03-01\n",
    )
    .unwrap();
    let tables = [companies, people, orders];
    let request =
        Request { name: "acme", tables: &tables, hubspot: None, region: Some("DE"), zone: Some("UTC") };
    let suggestion = suggest(request).unwrap();
    let outline = crate::outline::Outline::read(&suggestion.text).unwrap();
    let edges: Vec<(&str, &str, &str)> = outline
        .links
        .iter()
        .flat_map(|link| {
            link.associations.iter().map(|edge| (link.object.as_str(), edge.to.as_str(), edge.key.as_str()))
        })
        .collect();
    assert_eq!(edges, [("contacts", "companies", "company_id"), ("deals", "people", "person_id")]);
    assert!(pairs(&suggestion).contains(&("total", "amount")), "{:?}", pairs(&suggestion));
    assert!(pairs(&suggestion).contains(&("ordered_on", "closedate")), "{:?}", pairs(&suggestion));
}

#[test]
fn a_json_sample_is_taken_apart() {
    let json: Json = serde_json::from_str(
        r#"[{"id": 1, "name": "Pump", "price": 12.5, "dimensions": {"width": 3}, "tags": ["a"], "parts": [{"id": 2}]},
            {"id": 2, "name": "Hose", "price": 3, "dimensions": {"width": 4}, "tags": ["b"], "parts": []}]"#,
    )
    .unwrap();
    let tables = Table::of_json("products", &json).unwrap();
    let request = Request { name: "acme", tables: &tables, hubspot: None, region: None, zone: None };
    let suggestion = suggest(request).unwrap();
    let found = pairs(&suggestion);
    for wanted in [("name", "name"), ("price", "price"), ("dimensions.width", "dimensions_width")] {
        assert!(found.contains(&wanted), "{wanted:?} in {found:?}");
    }
}

#[test]
fn a_data_dictionary_gives_types_labels_and_options() {
    let text = "Table,Column,Type,Label,Values,PK\n\
                Ticket,TicketNo,integer,Number,,yes\n\
                Ticket,Prio,enum,Priority,low;medium;high,\n\
                Ticket,Betreff,varchar(200),Subject,,\n\
                Ticket,Machine,enum,Machine type,X100;X200,\n";
    let tables = Table::of_dictionary("dictionary", text).unwrap();
    let request = Request { name: "acme", tables: &tables, hubspot: None, region: None, zone: None };
    let suggestion = suggest(request).unwrap();
    let found = pairs(&suggestion);
    for wanted in [("Prio", "hs_ticket_priority"), ("Betreff", "subject"), ("Machine", "machine")] {
        assert!(found.contains(&wanted), "{wanted:?} in {found:?}");
    }
    assert!(suggestion.text.contains("low = \"LOW\""), "{}", suggestion.text);
    assert_eq!(suggestion.keys, [("Ticket".to_owned(), Some("TicketNo".to_owned()))]);
}

#[test]
fn what_resembles_nothing_becomes_an_object_of_its_own() {
    let suggestion = suggest_csv("kettles", "serial,litres,steel\nk1,1.5,yes\nk2,1.7,no\nk3,2.0,yes\n");
    assert!(suggestion.text.contains("[[objects]]"), "{}", suggestion.text);
    assert!(suggestion.questions.iter().any(|question| question.contains("custom object")));
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever a customer calls things, what comes out passes the checker and holds TOML of every name.
        #[test]
        fn every_suggestion_passes_the_checker(
            name in "[a-zA-Zäß _.-]{1,20}",
            header in prop::collection::vec("[a-zA-Zäöüß0-9 _.#\"'-]{1,24}", 1..8),
            cells in prop::collection::vec(prop::collection::vec("[a-z0-9@., /:;+-]{0,16}", 1..8), 0..12),
        ) {
            let mut table = Table { name, ..Table::default() };
            for column in header {
                if !table.columns.iter().any(|known| known.path == column) {
                    table.columns.push(Column::named(column));
                }
            }
            for row in cells {
                for (column, cell) in table.columns.iter_mut().zip(row) {
                    column.samples.push(sync_types::Value::text(cell));
                }
            }
            let tables = [table];
            let request = Request { name: "acme", tables: &tables, hubspot: None, region: None, zone: None };
            if let Err(why) = suggest(request) {
                // Nothing but a key, blanks and what is nobody's business.
                prop_assert_eq!(why, "no column can be mapped");
            }
        }
    }
}

/// The rows of a shop for bicycles with what such tables have: bad addresses, days that are none, rows that name nobody.
fn rental() -> Suggestion {
    let customers = "Kunden-Nr;Vorname;Nachname;E-Mail;Telefon;Geburtsdatum;Land\n\
        10001;Anna;Gruber;Anna@Example.AT;0664 123 45 67;12.03.1985;Österreich\n\
        10002;Jürgen;Müller;jm@example.de;+49 89 1234567;01.01.1970;DE\n\
        10003;Zoë;van den Berg;zoe@example.nl;020 123 4567;;NL\n\
        10004;Max;Huber;max.huber(at)example.at;0664 1234567;31.02.1990;AT\n";
    let bikes = "Rad-Nr;Marke;Neupreis\nR-7;KTM;3.499,00\nR-8;Specialized;5.199,00\nR-9;Scott;799,00\n";
    let rentals = "Miet-Nr;Kunde;Rad;Preis\nM-1;10001;R-7;120,00\nM-2;10002;R-8;45,50\nM-3;99999;R-7;30\nM-4;10003;;1.030,00\n";
    let tables = [("kunden", customers), ("raeder", bikes), ("mieten", rentals)]
        .map(|(name, text)| Table::of_csv(name, text).unwrap());
    let request = Request {
        name: "velo",
        tables: &tables,
        hubspot: None,
        region: Some("AT"),
        zone: Some("Europe/Vienna"),
    };
    suggest(request).unwrap()
}

#[test]
fn a_column_of_addresses_is_one_even_where_some_are_bad() {
    let text = rental().text;
    assert!(
        text.contains("from = \"E-Mail\"\nto = \"email\"\ntransform = [\"email\"]\non_bad = \"leave\""),
        "{text}"
    );
}

#[test]
fn days_that_some_rows_get_wrong_are_no_numbers() {
    let text = rental().text;
    let day = "from = \"Geburtsdatum\"\nto = \"date_of_birth\"\ntransform = [{ date = [\"%d.%m.%Y\"] }, { format_date = \"%Y-%m-%d\" }]\non_bad = \"leave\"";
    assert!(text.contains(day), "{text}");
}

#[test]
fn rows_of_another_table_are_recognised_by_its_name_or_by_their_keys() {
    let text = rental().text;
    for (key, to) in [("Kunde", "kunden"), ("Rad", "raeder")] {
        assert!(text.contains(&format!("to = \"{to}\"\nkey = \"{key}\"")), "{key}: {text}");
    }
}

#[test]
fn numbers_are_of_the_country_that_their_row_names() {
    let suggestion = rental();
    assert!(
        suggestion.text.contains("transform = [{ phone = { region_field = \"Land\" } }]"),
        "{}",
        suggestion.text
    );
    assert!(!suggestion.questions.iter().any(|question| question.contains("telephone")));
}

#[test]
fn how_a_file_separates_its_columns_is_told() {
    let suggestion = rental();
    assert_eq!(suggestion.delimiter, Some(';'));
    assert!(suggestion.text.contains("#   [source]\n#   delimiter = \";\"\n"), "{}", suggestion.text);
    assert_eq!(suggest_csv("people", "PersonId,Email\n").delimiter, None, "a comma is what is expected");
}
