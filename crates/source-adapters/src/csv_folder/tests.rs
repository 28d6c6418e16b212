//! CSV folders: rows good and bad, encodings, paging, files that change, settings; and the laws of the row reader.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sync_types::{
    BadRecord, Collection, ExternalId, PageToken, ReadRequest, Record, Seen, Source, SourceErrorKind, Value,
};

use super::row::{Fields, Row};
use super::scan::{Found, Scan};
use super::{CsvConfig, CsvFolder, Encoding};

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn open(folder: &Path) -> CsvFolder {
    CsvFolder::open(CsvConfig::new(folder)).unwrap()
}

async fn scan(source: &CsvFolder, collection: &str, max: usize) -> Vec<Result<Record, BadRecord>> {
    let mut request = ReadRequest { collection: collection.into(), after: None, max };
    let mut all = Vec::new();
    loop {
        let page = source.read_page(&request).await.unwrap();
        assert!(page.records.len() <= max);
        all.extend(page.records);
        match page.next {
            Some(token) => request.after = Some(token),
            None => return all,
        }
    }
}

/// Records as `id:value,value`, bad ones as `!code place`.
fn shown(records: &[Result<Record, BadRecord>]) -> Vec<String> {
    let show = |record: &Result<Record, BadRecord>| match record {
        Ok(record) => {
            let values: Vec<_> = record.values().iter().map(|value| value.reveal().to_string()).collect();
            format!("{}:{}", record.id(), values.join(","))
        }
        Err(bad) => {
            assert!(!bad.reason.is_empty() && !bad.remedy.is_empty());
            format!("!{} {}", bad.code, bad.place)
        }
    };
    records.iter().map(show).collect()
}

async fn read(content: &[u8]) -> Vec<String> {
    let folder = folder(&[("t.csv", content)]);
    shown(&scan(&open(folder.path()), "t", 100).await)
}

#[tokio::test]
async fn rows_become_records_of_text() {
    let content = b"\xef\xbb\xbfid, name ,note\r\n1,Ada,\"a, \"\"b\"\"\nc\"\r\n\r\n2,,\"\"\n3,\xc3\xa9 ,last";
    let folder = folder(&[("t.csv", content)]);
    let records = scan(&open(folder.path()), "t", 100).await;
    assert_eq!(shown(&records), ["1:1,Ada,a, \"b\"\nc", "2:2,(empty),(empty)", "3:3,é ,last"]);
    let second = records[1].as_ref().unwrap();
    assert_eq!(second.get("name"), Seen::Value(&Value::Null));
    assert_eq!(second.get("other"), Seen::NotFetched);
}

#[tokio::test]
async fn a_bad_row_is_told_with_its_line_and_the_others_go_on() {
    let table: [(&[u8], &[&str]); 9] = [
        (b"1,a\n2,b,c\n3,c\n", &["1:1,a", "!wrong-field-count t.csv line 3", "3:3,c"]),
        (b"1\n2,b\n", &["!wrong-field-count t.csv line 2", "2:2,b"]),
        (b",a\n2,b\n", &["!missing-key t.csv line 2", "2:2,b"]),
        (b"\"\",a\n2,b\n", &["!missing-key t.csv line 2", "2:2,b"]),
        (b"1,a\"b\n2,b\n", &["!bad-quote t.csv line 2", "2:2,b"]),
        (b"1,\"a\"b\n2,b\n", &["!bad-quote t.csv line 2", "2:2,b"]),
        // A quote that is never closed costs its own row, not those behind it.
        (b"1,\"a\n2,\"b\"\n3,c\n", &["!bad-quote t.csv line 2", "2:2,b", "3:3,c"]),
        (b"1,a\n2,\"b\n3,c\n", &["1:1,a", "!bad-quote t.csv line 3", "3:3,c"]),
        (b"1,\"x\ny\"\n2,\xff\n3,c", &["1:1,x\ny", "!bad-encoding t.csv line 4", "3:3,c"]),
    ];
    for (rows, wanted) in table {
        let content = [b"id,x\n".as_slice(), rows].concat();
        assert_eq!(read(&content).await, wanted, "{:?}", String::from_utf8_lossy(rows));
    }
}

#[tokio::test]
async fn a_row_beyond_the_bound_is_bad_and_memory_stays_bounded() {
    let long = "x".repeat(1000);
    let rows = format!("id,x\n1,a\n2,{long}\n3,\"{long}\n{long}\"\n4,d\n");
    let folder = folder(&[("t.csv", rows.as_bytes())]);
    let mut config = CsvConfig::new(folder.path());
    config.row_bytes_max = 300;
    let source = CsvFolder::open(config).unwrap();
    let records = shown(&scan(&source, "t", 100).await);
    // The second line of the long quoted row is a row with a misplaced quote of its own.
    assert_eq!(
        records,
        [
            "1:1,a",
            "!row-too-long t.csv line 3",
            "!row-too-long t.csv line 4",
            "!bad-quote t.csv line 5",
            "4:4,d"
        ]
    );
}

#[tokio::test]
async fn older_encodings_and_delimiters_are_read_as_configured() {
    let folder =
        folder(&[("t.csv", b"nr;n\xe4me\n1;M\xfcller \x80\n2;\x81\n"), ("u.csv", b"\xff\xfei\0d\0")]);
    for (encoding, wanted) in [
        (Encoding::Windows1252, vec!["1:1,Müller €", "!bad-encoding t.csv line 3"]),
        (Encoding::Latin1, vec!["1:1,Müller \u{80}", "2:2,\u{81}"]),
    ] {
        let mut config = CsvConfig::new(folder.path()).with_key("t", "nr");
        config.delimiter = ';';
        config.encoding = encoding;
        let source = CsvFolder::open(config).unwrap();
        let records = scan(&source, "t", 100).await;
        assert_eq!(shown(&records), wanted);
        assert!(matches!(records[0].as_ref().unwrap().get("näme"), Seen::Value(_)));
    }
    let request = ReadRequest { collection: "u".into(), after: None, max: 1 };
    let fault = open(folder.path()).read_page(&request).await.unwrap_err();
    assert!(fault.message.contains("UTF-16"), "{fault}");
}

#[tokio::test]
async fn every_page_size_and_a_new_process_give_the_same_scan() {
    let content = b"id,x\n1,a\n2,\"b\nb\"\n\n3,c,c\n4,d\n5,\"e\n6,f\n7,g";
    let folder = folder(&[("t.csv", content)]);
    let whole = shown(&scan(&open(folder.path()), "t", 100).await);
    assert_eq!(whole.len(), 7);
    for max in 1..9 {
        assert_eq!(shown(&scan(&open(folder.path()), "t", max).await), whole, "pages of {max}");
        // Every page from an adapter that knows nothing of the pages before.
        let mut request = ReadRequest { collection: "t".into(), after: None, max };
        let mut all = Vec::new();
        loop {
            let page = open(folder.path()).read_page(&request).await.unwrap();
            all.extend(shown(&page.records));
            let Some(token) = page.next else { break };
            request.after = Some(token);
        }
        assert_eq!(all, whole, "pages of {max} from new readers");
    }
}

#[tokio::test]
async fn a_token_may_be_used_twice_and_scans_do_not_disturb_each_other() {
    let folder = folder(&[("t.csv", b"id\n1\n2\n3\n4\n")]);
    let source = open(folder.path());
    let request = ReadRequest { collection: "t".into(), after: None, max: 2 };
    let first = source.read_page(&request).await.unwrap();
    let again = source.read_page(&request).await.unwrap();
    assert_eq!(shown(&first.records), shown(&again.records));
    let next = ReadRequest { after: first.next, ..request };
    for _ in 0..3 {
        let page = source.read_page(&next).await.unwrap();
        assert_eq!(shown(&page.records), ["3:3", "4:4"]);
        let end = ReadRequest { after: page.next, ..next.clone() };
        let page = source.read_page(&end).await.unwrap();
        assert!(page.records.is_empty() && page.next.is_none());
    }
}

#[tokio::test]
async fn a_file_that_changes_during_a_scan_ends_it() {
    let folder = folder(&[("t.csv", b"id\n1\n2\n3\n")]);
    let source = open(folder.path());
    let mut request = ReadRequest { collection: "t".into(), after: None, max: 1 };
    request.after = source.read_page(&request).await.unwrap().next;
    fs::write(folder.path().join("t.csv"), b"id\n1\n2\n3\n4\n").unwrap();
    assert_eq!(source.read_page(&request).await.unwrap_err().kind, SourceErrorKind::StaleToken);
    request.after = None;
    assert_eq!(source.read_page(&request).await.unwrap().records.len(), 1, "a new scan starts");
    for token in ["", "x", "1:2:3", "1:2:3:4:5", "-1:0:0:0"] {
        request.after = Some(PageToken(token.to_owned()));
        assert_eq!(
            source.read_page(&request).await.unwrap_err().kind,
            SourceErrorKind::StaleToken,
            "{token}"
        );
    }
}

#[tokio::test]
async fn debug_shows_no_value() {
    let folder = folder(&[("t.csv", b"id,x\n1,secret\n2,\"other \"\"secret\"\n3,c\n")]);
    let source = open(folder.path());
    let page = source.read_page(&ReadRequest { collection: "t".into(), after: None, max: 2 }).await.unwrap();
    let shown = format!("{source:?} {page:?}");
    let bytes = format!("{:?}", b"secret").replace(['[', ']'], "");
    assert!(!shown.contains("secret") && !shown.contains(&bytes), "{shown}");
}

#[tokio::test]
async fn records_are_read_by_id_in_the_order_asked() {
    let folder = folder(&[("t.csv", b"id,x\n1,a\nbad\n2,b\n3,c\n")]);
    let asked: Vec<ExternalId> = ["3", "9", "1", "3"].map(ExternalId::from).to_vec();
    let found = open(folder.path()).read(&Collection::from("t"), &asked).await.unwrap();
    let found: Vec<_> =
        found.iter().map(|record| record.as_ref().map(|record| record.id().as_str())).collect();
    assert_eq!(found, [Some("3"), None, Some("1"), Some("3")]);
    assert!(open(folder.path()).read(&Collection::from("t"), &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn collections_are_the_files_of_the_folder() {
    let files: [(&str, &[u8]); 3] = [("b.csv", b"id,x,\n"), ("Export 1.csv", b"nr\n"), ("notes.txt", b"no")];
    let folder = folder(&files);
    let mut config = CsvConfig::new(folder.path()).with_key("a", "nr");
    config.collections.get_mut("a").unwrap().file = Some(String::from("Export 1.csv"));
    let source = CsvFolder::open(config).unwrap();
    let schemas = source.describe().await.unwrap();
    let found: Vec<_> = schemas.iter().map(|s| (s.name.as_str(), s.properties.len())).collect();
    assert_eq!(found, [("a", 1), ("b", 2)]);
    assert!(schemas[0].properties[0].unique);
    assert!(scan(&source, "a", 10).await.is_empty(), "a header alone is an empty collection");
}

#[tokio::test]
async fn faults_name_their_place_and_remedy() {
    let files: [(&str, &[u8]); 5] = [
        ("empty.csv", b""),
        ("keyless.csv", b"nr,name\n1,a\n"),
        ("twice.csv", b"id,x,x\n"),
        ("quote.csv", b"id,\"x\n"),
        ("bytes.csv", b"id,\xff\n"),
    ];
    let folder = folder(&files);
    let source = open(folder.path());
    for (collection, kind, word) in [
        ("empty", SourceErrorKind::Structure, "first row"),
        ("keyless", SourceErrorKind::Structure, "`nr`, `name`"),
        ("twice", SourceErrorKind::Structure, "rename"),
        ("quote", SourceErrorKind::Structure, "line 1"),
        ("bytes", SourceErrorKind::Structure, "`encoding`"),
        ("none", SourceErrorKind::NoSuchCollection, "none.csv"),
        ("../x", SourceErrorKind::NoSuchCollection, "folder"),
        ("/etc/x", SourceErrorKind::NoSuchCollection, "folder"),
        ("", SourceErrorKind::NoSuchCollection, "folder"),
    ] {
        let request = ReadRequest { collection: collection.into(), after: None, max: 10 };
        let fault = source.read_page(&request).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{collection}: {fault}");
        assert!(fault.message.contains(word), "{collection}: {fault}");
    }
    assert_eq!(source.describe().await.unwrap_err().kind, SourceErrorKind::Structure);
    let mut config = CsvConfig::new(folder.path());
    config.delimiter = '→';
    assert!(CsvFolder::open(config).unwrap_err().message.contains("`delimiter`"));
    let mut config = CsvConfig::new(folder.path());
    config.row_bytes_max = 0;
    assert!(CsvFolder::open(config).unwrap_err().message.contains("`row_bytes_max`"));
    assert!(
        CsvFolder::open(CsvConfig::new(folder.path().join("gone"))).unwrap_err().message.contains("gone")
    );
    assert!(CsvFolder::open(CsvConfig::new(folder.path().join("empty.csv"))).is_err());
}

#[test]
fn settings_are_read_and_unknown_keys_refused() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let config: CsvConfig = toml::from_str(example).unwrap();
    assert_eq!((config.delimiter, config.encoding), (';', Encoding::Windows1252));
    assert_eq!(config.key_of("people"), "person_id");
    assert_eq!(config.key_of("orders"), "id");
    assert_eq!(toml::from_str::<CsvConfig>("folder = 'x'").unwrap(), CsvConfig::new("x"));
    for wrong in ["folder = 'x'\nsep = ';'", "folder = 'x'\n[collections.a]\nkeys = 'b'", "delimiter = ','"] {
        assert!(toml::from_str::<CsvConfig>(wrong).is_err(), "{wrong}");
    }
}

/// Writes fields as RFC 4180 wants them; `quote` asks for quotes where they are not needed.
fn write_rows(rows: &[Vec<(String, bool)>], end: &str) -> String {
    let mut text = String::new();
    for row in rows {
        for (place, (field, quote)) in row.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            let needed = field.contains([',', '"', '\n', '\r']) || (row.len() == 1 && field.is_empty());
            if *quote || needed {
                text.push_str(&format!("\"{}\"", field.replace('"', "\"\"")));
            } else {
                text.push_str(field);
            }
        }
        text.push_str(end);
    }
    text
}

/// A reader that gives its bytes in pieces of these sizes, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()].min(room.len()).min(self.bytes.len());
        self.turn += 1;
        room[..size].copy_from_slice(&self.bytes[..size]);
        self.bytes = &self.bytes[size..];
        Ok(size)
    }
}

/// Everything a scan finds: line and fields of a row, or the line of a bad one.
fn walk(bytes: &[u8], sizes: Vec<usize>) -> Vec<(u64, Option<Vec<Vec<u8>>>)> {
    let mut scan = Scan::new(Pieces { bytes, sizes, turn: 0 }, b',', 1 << 20);
    let mut found = Vec::new();
    loop {
        match scan.next().unwrap() {
            Found::Row { line } => {
                found.push((line, Some(scan.fields.iter(scan.row()).map(<[u8]>::to_vec).collect())));
            }
            Found::Bad { line, .. } => found.push((line, None)),
            Found::End => return found,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::vec(prop::collection::vec(("[a-c,\"\\r\\n é]{0,6}", any::<bool>()), 1..5), 0..8),
        crlf in any::<bool>(),
    ) {
        let text = write_rows(&rows, if crlf { "\r\n" } else { "\n" });
        let found: Vec<_> = walk(text.as_bytes(), vec![7, 1, 3]).into_iter().map(|(_, fields)| fields).collect();
        let wanted: Vec<_> = rows
            .iter()
            .map(|row| Some(row.iter().map(|(field, _)| field.as_bytes().to_vec()).collect::<Vec<_>>()))
            .collect();
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn pieces_do_not_matter_and_nothing_panics(
        text in "[a,\"\\r\\n]{0,60}",
        sizes in prop::collection::vec(1usize..9, 1..4),
    ) {
        let whole = walk(text.as_bytes(), vec![1 << 20]);
        prop_assert_eq!(walk(text.as_bytes(), sizes), whole);
    }

    #[test]
    fn a_row_never_reaches_beyond_its_bytes(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n".to_vec()), 0..40)) {
        let mut fields = Fields::default();
        if let Row::Whole { bytes: length, lines } = fields.read(&bytes, b',', true) {
            prop_assert!(length <= bytes.len());
            let ends = bytes[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
            prop_assert_eq!(lines, ends);
        }
    }
}
