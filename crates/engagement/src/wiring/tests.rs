//! A mapping with everything that may belong to it, from the program or from a folder.

use mapping_engine::{Functions, Refusal, ValueKind};
use sync_types::{ExternalId, LinkId, Mapper, Record, Shape, Value};

use crate::engagement::Engagement;
use crate::settings::{Settings, Sources};

const MAPPING: &str = "include = 'parts/areas.toml'\n[mapping]\nname = 'acme'\n[[links]]\nname = 'people'\n\
    collection = 'people'\nobject = 'contacts'\nsync_key = 'acme_key'\nfields = [\n\
    { from = 'zip', to = 'area', transform = ['shop_number', { lookup = 'areas' }] },\n]\n";
const AREAS: &str = "[lookups.areas]\nfile = 'areas.csv'\nkey = 'zip'\nvalue = 'area'\n";
const FILES: [(&str, &str); 2] =
    [("parts/areas.toml", AREAS), ("parts/areas.csv", "zip,area\n20095,North\n")];

/// The last digit of a shop's number is a check digit.
fn functions() -> Functions {
    Functions::new().with("shop_number", ValueKind::Text, ValueKind::Text, |value| {
        let text = value.as_text().and_then(|text| text.get(..5));
        text.map(Value::text)
            .ok_or_else(|| Refusal::new("too short for a shop number", "correct it in the shop"))
    })
}

fn settings(assignments: &[String]) -> Settings {
    let built_in = "[source]\nkind = 'csv'\nfolder = 'data'\n";
    Settings::load(&Sources { built_in, assignments, ..Sources::default() }).unwrap()
}

/// What the mapping gives for one person.
fn area(engagement: &Engagement, settings: &Settings) -> Result<Value, String> {
    let mapping = super::mapping(engagement, settings, None, None).map_err(|failure| failure.to_string())?;
    let record = Record::new(ExternalId::new("1"), Shape::new(["zip"]), vec!["200957".into()]);
    let mapped = mapping.map(LinkId(0), &record).map_err(|error| error.to_string())?;
    Ok(mapped.values.into_iter().flatten().next().unwrap_or(Value::Null))
}

#[test]
fn a_mapping_that_is_built_in_has_its_files_and_functions_built_in() {
    let whole = Engagement::new("acme", MAPPING, "").with_mapping_files(&FILES).with_functions(functions);
    assert_eq!(area(&whole, &settings(&[])), Ok("North".into()));
    let alone = Engagement::new("acme", MAPPING, "").with_functions(functions);
    let told = area(&alone, &settings(&[])).unwrap_err();
    assert!(told.contains("parts/areas.toml") && told.contains("with_mapping_files"), "{told}");
}

#[test]
fn a_mapping_in_a_folder_has_its_files_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("parts")).unwrap();
    for (path, text) in FILES.into_iter().chain([("mapping.toml", MAPPING)]) {
        std::fs::write(folder.path().join(path), text).unwrap();
    }
    let engagement = Engagement::new("acme", "", "").with_functions(functions);
    let file = folder.path().join("mapping.toml");
    assert_eq!(
        area(&engagement, &settings(&[format!("mapping.file={}", file.display())])),
        Ok("North".into())
    );
}

#[tokio::test]
async fn dropped_files_are_a_source_by_their_description() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("files.toml");
    std::fs::create_dir(folder.path().join("inbox")).unwrap();
    std::fs::write(folder.path().join("inbox/people-1.csv"), "no;name\n1;Ada\n").unwrap();
    let description = "staging = 'files.db'\nready = { rule = 'named' }\n[place]\nfolder = 'inbox'\narchive = 'done'\n\
        [collections.people]\nfiles = 'people-*.csv'\nkey = 'no'\ndelimiter = ';'\n";
    std::fs::write(&file, description).unwrap();
    let settings = settings(&["source.kind=files".to_owned(), format!("source.file={}", file.display())]);
    let source = super::source(&Engagement::new("acme", MAPPING, ""), &settings).unwrap();
    let schemas = source.describe().await.unwrap();
    assert_eq!(schemas[0].name, "people");
    assert_eq!(schemas[0].properties.len(), 2);
    assert!(folder.path().join("done/people-1.csv").exists());
}
