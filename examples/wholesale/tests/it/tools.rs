//! What people do with the mapping on the command line: preview, golden cases, drift, first mappings, the book.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use wholesale::business::Business;

use crate::shop::{Shop, TOKEN};

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

impl Shop {
    /// Asks the portal to delete something.
    fn delete(&self, path: &str) {
        let address = self.portal_url().trim_start_matches("http://").to_owned();
        let mut socket = std::net::TcpStream::connect(&address).unwrap();
        let call = format!(
            "DELETE {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        );
        socket.write_all(call.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_golden_cases_are_as_expected() {
    let cases = beside("mapping.cases.toml");
    let ran = Shop::without_portal().run(&["mapping", "test", "--cases", text(&cases)]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_case_that_differs_is_shown_and_blessed() {
    let shop = Shop::without_portal();
    let cases = shop.path("mapping.cases.toml");
    let good = fs::read_to_string(beside("mapping.cases.toml")).unwrap();
    assert!(good.contains("+491711234567"));
    fs::write(&cases, good.replace("+491711234567", "+490000000000")).unwrap();
    let ran = shop.expect(1, &["mapping", "test"]);
    assert!(ran.out.contains("- +490000000000") && ran.out.contains("+ +491711234567"), "{}", ran.out);
    shop.expect(0, &["mapping", "test", "--bless"]);
    assert_eq!(shop.expect(0, &["mapping", "test", "--json"]).json()["failed"], 0);
    assert!(fs::read_to_string(&cases).unwrap().starts_with("# Golden cases"), "comments stay");
}

#[test]
fn the_mapping_book_is_that_of_the_mapping() {
    let shop = Shop::without_portal();
    for name in ["mapping-book.md", "mapping-book.html"] {
        let fresh = shop.path(name);
        shop.expect(0, &["mapping", "doc", "--out", text(&fresh)]);
        let kept = fs::read_to_string(beside("docs").join(name)).unwrap_or_default();
        assert!(
            kept == fs::read_to_string(&fresh).unwrap(),
            "docs/{name} is not that of mapping.toml: run `wholesale mapping doc --out docs/{name}`"
        );
    }
}

#[test]
fn a_preview_shows_a_record_of_the_source_and_of_a_file() {
    let shop = Shop::without_portal();
    Business::new(20).write(&shop.path("data")).unwrap();
    let seen = shop.expect(0, &["mapping", "preview", "P-0000003", "--json"]).json();
    assert_eq!(seen["previews"][0]["link"], "people", "{seen}");
    assert_eq!(seen["previews"].as_array().unwrap().len(), 1);
    // Without a record: one of each link.
    let each = shop.expect(0, &["mapping", "preview", "--json"]).json();
    assert_eq!(each["previews"].as_array().unwrap().len(), 6);
    let file = shop.path("people.json");
    fs::write(&file, r#"{ "email": " Ada@Example.com", "customer_id": "C-1", "billing_for": "" }"#).unwrap();
    let ran = shop.expect(0, &["mapping", "preview", text(&file)]);
    assert!(ran.out.contains("ada@example.com") && ran.out.contains("association works_at"), "{}", ran.out);
    shop.run(&["mapping", "preview", "nobody"]).fails_with("has a record `nobody`", "key column");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_classified_before_anything_is_written() {
    let shop = Shop::open(&Business::new(20)).await;
    shop.run(&["mapping", "drift"]).fails_with("there is no contract", "mapping drift --pin");
    shop.expect(0, &["init", "--yes"]);
    shop.expect(0, &["mapping", "drift", "--pin"]);
    assert_eq!(shop.expect(0, &["mapping", "drift", "--json"]).json()["worst"], "safe");
    shop.delete("/crm/v3/pipelines/deals/default/stages/contractsent");
    let told = shop.expect(2, &["mapping", "drift"]).out;
    assert!(
        told.contains("HubSpot deals.dealstage: no longer has `contractsent`; `orders.dealstage`"),
        "{told}"
    );
    shop.expect(0, &["mapping", "drift", "--pin"]);
    let file = shop.path("data/customers.csv");
    let renamed = fs::read_to_string(&file).unwrap().replacen("segment", "branch", 1);
    fs::write(&file, renamed).unwrap();
    let found = shop.expect(2, &["mapping", "drift", "--json"]).json();
    assert_eq!(found["worst"], "degrades");
    let told = shop.expect(2, &["mapping", "drift"]).out;
    assert!(
        told.contains("source customers.segment: is gone; `customers.customer_segment` reads it"),
        "{told}"
    );
}

#[test]
fn a_first_mapping_is_one_that_the_checker_accepts() {
    let shop = Shop::without_portal();
    Business::new(60).write(&shop.path("data")).unwrap();
    let out = shop.path("first.toml");
    shop.expect(0, &["mapping", "suggest", "--name", "first", "--region", "DE", "--out", text(&out)]);
    let setting = format!("mapping.file={}", out.display());
    let checked = shop.expect(0, &["check", "--json", "--set", &setting]).json();
    assert_eq!(checked["sound"], true, "{checked}");
    let first = fs::read_to_string(&out).unwrap();
    for wanted in [
        "object = \"companies\"",
        "object = \"contacts\"",
        "object = \"line_items\"",
        "key = \"customer_id\"",
    ] {
        assert!(first.contains(wanted), "{wanted} in\n{first}");
    }
    shop.run(&["mapping", "suggest", "--out", text(&out)]).fails_with("is already there", "--force");
}

#[test]
fn a_description_that_comes_along_is_listed_and_written() {
    let shop = Shop::without_portal();
    let all = shop.expect(0, &["adapter", "preset", "--json"]).json();
    let names: Vec<&str> = all.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"stripe") && names.contains(&"salesforce"), "{names:?}");
    let out = shop.path("stripe.toml");
    shop.expect(0, &["adapter", "preset", "stripe", "--out", text(&out)]);
    assert!(fs::read_to_string(&out).unwrap().contains("name = \"Stripe\""));
    shop.run(&["adapter", "preset", "stripe", "--out", text(&out)]).fails_with("is already there", "--force");
    shop.run(&["adapter", "preset", "strype"]).fails_with("no preset `strype`", "stripe");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_mapping_uses_what_the_portal_has_already() {
    let shop = Shop::open(&Business::new(60)).await;
    shop.expect(0, &["init", "--yes"]);
    let fields = |portal: &[&str]| {
        let answer = shop.expect(0, &[&["mapping", "suggest", "--json"], portal].concat()).json();
        let fields = answer["fields"].as_array().unwrap().clone();
        let of = fields.into_iter().find(|field| field["link"] == "customers" && field["from"] == "segment");
        of.unwrap()["to"].clone()
    };
    assert_eq!(fields(&[]), "segment");
    assert_eq!(fields(&["--portal"]), "customer_segment");
}

#[test]
fn a_sheet_becomes_a_mapping_and_says_what_it_did_not_understand() {
    let shop = Shop::without_portal();
    let sheet = shop.path("sheet.csv");
    fs::write(
        &sheet,
        "Source table,Source field,HubSpot object,HubSpot property,Transformation\n\
         people,email,Contact,Email,lower\n\
         people,first_name,,First name,ask Maja\n",
    )
    .unwrap();
    let out = shop.path("sheet.toml");
    let ran = shop.expect(0, &["mapping", "import", text(&sheet), "--name", "first", "--out", text(&out)]);
    assert!(ran.out.contains("E3 `ask Maja`"), "{}", ran.out);
    assert!(fs::read_to_string(&out).unwrap().contains("to = \"firstname\""));
}

#[test]
fn a_code_is_explained_and_a_wrong_one_corrected() {
    let shop = Shop::without_portal();
    let ran = shop.expect(0, &["check", "--explain", "unknown-column"]);
    assert!(ran.out.contains("no column of this name"), "{}", ran.out);
    shop.run(&["check", "--explain", "unknown-colum"]).fails_with("no problem code", "`unknown-column`");
}

#[test]
fn a_mapping_that_is_refused_says_so_to_a_machine() {
    let shop = Shop::without_portal();
    Business::new(20).write(&shop.path("data")).unwrap();
    let mapping = fs::read_to_string(beside("mapping.toml")).unwrap().replace("\"website\"", "\"websiet\"");
    let file = shop.path("wrong.toml");
    fs::write(&file, mapping).unwrap();
    let setting = format!("mapping.file={}", file.display());
    let told = shop.expect(1, &["check", "--json", "--set", &setting]).json();
    assert_eq!(
        (&told["sound"], &told["problems"]["problems"][0]["code"]),
        (&false.into(), &"unknown-column".into())
    );
}
