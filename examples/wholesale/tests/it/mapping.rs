//! The mapping against the files: every sound row maps, and what is parked is parked for the reason planted in it.

use std::collections::BTreeMap;
use std::path::Path;

use mapping_engine::{CheckedMapping, Schemas, check};
use source_adapters::csv_folder::{CsvConfig, CsvFolder};
use sync_types::{LinkId, Mapper, ReadRequest, Source};
use wholesale::business::{Business, Flaw, TABLES};

const MAPPING: &str = include_str!("../../mapping.toml");
const KEYS: [(&str, &str); 6] = [
    ("customers", "customer_id"),
    ("people", "person_id"),
    ("products", "sku"),
    ("orders", "order_no"),
    ("order_lines", "line_id"),
    ("machines", "serial_no"),
];

fn source(folder: &Path) -> CsvFolder {
    let config = KEYS
        .iter()
        .fold(CsvConfig::new(folder), |config, (collection, column)| config.with_key(*collection, *column));
    CsvFolder::open(config).unwrap()
}

/// Rows of each link that map, and those that do not, by link and `property code`.
async fn outcomes(business: &Business) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let folder = tempfile::tempdir().unwrap();
    business.write(folder.path()).unwrap();
    let source = source(folder.path());
    let schemas = source.describe().await.unwrap();
    assert_eq!(schemas.len(), TABLES.len());
    let mapping: CheckedMapping =
        check("mapping.toml", MAPPING, Schemas { source: Some(&schemas), hubspot: None })
            .unwrap_or_else(|problems| panic!("{problems}"));
    assert!(mapping.warnings().list().is_empty(), "{}", mapping.warnings());
    let (mut good, mut bad) = (BTreeMap::new(), BTreeMap::new());
    for (place, link) in mapping.links().iter().enumerate() {
        let mut after = None;
        loop {
            let request = ReadRequest { collection: link.collection.clone(), after, max: 500 };
            let page = source.read_page(&request).await.unwrap();
            for record in page.records {
                let problem = match &record {
                    Err(bad) => Some(format!("{} {}", link.name, bad.code)),
                    Ok(record) => {
                        let mapped = mapping.map(LinkId(u16::try_from(place).unwrap()), record);
                        mapped.err().map(|error| {
                            let first = &error.problems[0];
                            format!("{} {} {}", link.name, first.property, first.code)
                        })
                    }
                };
                match problem {
                    None => *good.entry(link.name.clone()).or_insert(0) += 1,
                    Some(problem) => *bad.entry(problem).or_insert(0) += 1,
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    (good, bad)
}

#[tokio::test]
async fn sound_files_map_without_a_single_problem() {
    let business = Business { mess: false, ..Business::new(500) };
    let (good, bad) = outcomes(&business).await;
    assert_eq!(bad, BTreeMap::new());
    assert_eq!(good["people"], 500);
    assert_eq!(good["orders"], 1000);
}

#[tokio::test]
async fn flawed_rows_are_refused_for_their_flaw_and_no_others() {
    let business = Business::new(1000);
    let (good, bad) = outcomes(&business).await;
    let count = |flaw: Flaw| (0..1000).filter(|row| business.flaw(*row) == Some(flaw)).count();
    let unknown_status = (0..business.orders()).filter(|row| row % 89 == 13).count();
    let expected = BTreeMap::from([
        ("people email bad-email".to_owned(), count(Flaw::BadEmail)),
        ("people first_order_on bad-date".to_owned(), count(Flaw::BadDate)),
        ("people purchase_role unknown-option".to_owned(), count(Flaw::UnknownRole)),
        ("people wrong-field-count".to_owned(), count(Flaw::BrokenRow)),
        ("orders dealstage unknown-option".to_owned(), unknown_status),
    ]);
    assert_eq!(bad, expected);
    // Taken e-mails and unknown customers are for HubSpot and the engine to find.
    assert_eq!(good["people"], 1000 - 20 * 3);
}
