//! Which files are picked up and when, what becomes of their rows, and what is refused.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use proptest::prelude::*;
use sync_types::{Clock, ReadRequest, Seen, Source, SourceError, SourceErrorKind, Value};

use super::pickup::{Due, Listed, Looked, due, is_ready, matches, natural};
use super::{Files, FilesConfig, Order, Ready};

/// A clock that a test moves.
#[derive(Debug)]
struct Hand(std::sync::Mutex<Timestamp>);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    fn monotonic(&self) -> Duration {
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).unwrap()
    }
    async fn sleep(&self, _: Duration) {}
}

/// A place with its settings.
struct Drop {
    folder: tempfile::TempDir,
    clock: Arc<Hand>,
    settings: String,
}

impl Drop {
    /// `settings` stand below those of place and staging file.
    fn new(settings: &str) -> Drop {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inbox")).unwrap();
        // Long after whatever time the files of a test get.
        let clock = Arc::new(Hand(std::sync::Mutex::new("2100-01-01T00:00:00Z".parse().unwrap())));
        Drop { folder, clock, settings: settings.to_owned() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path("inbox").join(name), content).unwrap();
    }

    fn files(&self) -> Files {
        self.try_files().unwrap()
    }

    fn try_files(&self) -> Result<Files, SourceError> {
        let text = format!(
            "staging = {:?}\n{}\n[place]\nfolder = {:?}\narchive = {:?}\n",
            self.path("staging.db"),
            self.settings,
            self.path("inbox"),
            self.path("archive")
        );
        Files::open(FilesConfig::from_toml(&text)?, self.clock.clone())
    }

    /// What a scan shows: `key:value,value`, bad rows as `!code place`.
    async fn scan(&self) -> Result<Vec<String>, SourceError> {
        scan(&self.files(), "t", 3).await
    }

    fn inbox(&self) -> Vec<String> {
        names(&self.path("inbox"))
    }

    fn archive(&self) -> Vec<String> {
        names(&self.path("archive"))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn scan(source: &dyn Source, collection: &str, max: usize) -> Result<Vec<String>, SourceError> {
    let mut request = ReadRequest { collection: collection.into(), after: None, max };
    let mut all = Vec::new();
    loop {
        let page = source.read_page(&request).await?;
        for record in page.records {
            all.push(match record {
                Ok(record) => {
                    let values: Vec<String> =
                        record.values().iter().map(|value| value.reveal().to_string()).collect();
                    format!("{}:{}", record.id(), values.join(","))
                }
                Err(bad) => {
                    assert!(!bad.reason.is_empty() && !bad.remedy.is_empty());
                    format!("!{} {}", bad.code, bad.place)
                }
            });
        }
        match page.next {
            Some(token) => request.after = Some(token),
            None => return Ok(all),
        }
    }
}

fn listed(name: &str, changed: i64) -> Listed {
    let changed = Timestamp::from_second(changed).unwrap();
    Listed { name: name.to_owned(), bytes: 1, stamp: changed.to_string(), changed }
}

const EVERYTHING: &str =
    "ready = { rule = \"named\" }\n[collections.t]\nfiles = \"t*.csv\"\nkey = \"id\"\nholds = \"everything\"";
const CHANGES: &str = "ready = { rule = \"named\" }\n[collections.t]\nfiles = \"t*.csv\"\nkey = \"id\"";

#[test]
fn patterns_match_whole_names() {
    for (pattern, name, is) in [
        ("a.csv", "a.csv", true),
        ("a.csv", "b/a.csv", false),
        ("a*.csv", "a.csv", true),
        ("a*.csv", "a-1.csv", true),
        ("a*.csv", "a/1.csv", false),
        ("*/a.csv", "b/a.csv", true),
        ("*a*b*", "xaxxb", true),
        ("*a*b*", "xb", false),
        ("ab*ba", "aba", false),
        ("*", "", true),
        ("a*.csv", "a.csv.done", false),
    ] {
        assert_eq!(matches(pattern, name), is, "{pattern} {name}");
    }
}

#[test]
fn names_are_ordered_as_people_count() {
    let mut names = ["t-10", "t-9", "t-9a", "t-09", "u", "t", "t-2026-11-02", "t-2026-2-1", "10", "9"];
    names.sort_by(|one, other| natural(one, other));
    assert_eq!(names, ["9", "10", "t", "t-09", "t-9", "t-9a", "t-10", "t-2026-2-1", "t-2026-11-02", "u"]);
}

proptest! {
    #[test]
    fn the_order_of_names_is_one(a in "[a0-9-]{0,6}", b in "[a0-9-]{0,6}", c in "[a0-9-]{0,6}") {
        prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
        prop_assert_eq!(natural(&a, &b).is_eq(), a == b);
        if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
            prop_assert!(natural(&a, &c).is_le());
        }
    }
}

#[test]
fn a_file_is_ready_when_its_writer_is_done() {
    let file = listed("t.csv", 1_000);
    let at = |second| Timestamp::from_second(second).unwrap();
    let settled = Ready::Settled { seconds: 30 };
    let looked = |stamp: &str, since| Looked { bytes: 1, stamp: stamp.to_owned(), since: at(since) };
    for (now, seen, is) in [
        (1_029, None, false),
        (1_030, None, true),
        // The place's clock is ahead of ours: what we saw ourselves counts.
        (900, Some(looked(&file.stamp, 880)), false),
        (900, Some(looked(&file.stamp, 870)), true),
        (900, Some(looked("another", 800)), false),
    ] {
        assert_eq!(is_ready(&file, &settled, |_| false, seen.as_ref(), at(now)), is, "{now} {seen:?}");
    }
    let marker = Ready::Marker { suffix: ".done".to_owned() };
    assert!(is_ready(&file, &marker, |name| name == "t.csv.done", None, at(0)));
    assert!(!is_ready(&file, &marker, |_| false, None, at(9_999)));
    assert!(is_ready(&file, &Ready::Named, |_| false, None, at(0)));
}

#[test]
fn changes_wait_for_what_comes_before_and_everything_for_nobody() {
    let files = [listed("t-10", 3), listed("t-9", 2), listed("t-8", 1)];
    let shown = |newest_only, not_ready: &[&str], last: Option<&str>| -> Vec<String> {
        let last = last.map(|name| (name.to_owned(), Timestamp::UNIX_EPOCH));
        let ready = |file: &Listed| !not_ready.contains(&file.name.as_str());
        let steps = due(&files, ready, Order::Name, newest_only, last.as_ref());
        let show = |step: &Due| match step {
            Due::Take(file) => format!("take {}", file.name),
            Due::PassOver(file) => format!("pass {}", file.name),
            Due::TooLate(file) => format!("late {}", file.name),
        };
        steps.iter().map(show).collect()
    };
    assert_eq!(shown(false, &[], None), ["take t-8", "take t-9", "take t-10"]);
    assert_eq!(shown(false, &["t-9"], None), ["take t-8"]);
    assert_eq!(shown(false, &[], Some("t-8")), ["take t-8", "take t-9", "take t-10"], "written anew");
    assert_eq!(shown(false, &[], Some("t-9")), ["late t-8", "take t-9", "take t-10"]);
    assert_eq!(shown(true, &[], None), ["pass t-8", "pass t-9", "take t-10"]);
    assert_eq!(shown(true, &["t-10"], None), ["pass t-8", "take t-9"]);
    assert_eq!(shown(true, &["t-8"], Some("t-9")), ["pass t-9", "take t-10"]);
    assert_eq!(shown(true, &[], Some("t-11")), ["pass t-8", "pass t-9", "pass t-10"]);
}

#[tokio::test]
async fn the_newest_of_everything_counts_and_the_rest_is_put_away() {
    let drop = Drop::new(EVERYTHING);
    let nothing = drop.scan().await.unwrap_err();
    assert_eq!(nothing.kind, SourceErrorKind::Unavailable, "no file is not an empty one");
    drop.write("t-1.csv", "id,x\n1,a\n2,b\n");
    drop.write("t-2.csv", "id,x\n2,c\n3,d\n");
    assert_eq!(drop.scan().await.unwrap(), ["2:2,c", "3:3,d"]);
    assert_eq!((drop.inbox(), drop.archive()), (vec![], vec!["t-1.csv".to_owned(), "t-2.csv".to_owned()]));
    assert_eq!(drop.scan().await.unwrap(), ["2:2,c", "3:3,d"], "what was taken in stays");
    // What was overtaken is not taken in, and one of the same name writes over nothing in the archive.
    drop.write("t-1.csv", "id,x\n9,z\n");
    drop.write("t-2.csv", "id,x\n2,c\n");
    assert_eq!(drop.scan().await.unwrap(), ["2:2,c"]);
    assert_eq!(drop.archive(), ["t-1.csv", "t-1.csv.2", "t-2.csv", "t-2.csv.2"]);
}

#[tokio::test]
async fn changes_add_up_in_their_order_and_delete_nothing() {
    let drop = Drop::new(CHANGES);
    drop.write("t-1.csv", "id,x,y\n1,a,p\n2,b,q\n");
    drop.write("t-2.csv", "id,x\n2,c\n3,d\n2,e\n");
    let expected = ["1:1,a,p", "2:2,e,q", "3:3,d"];
    assert_eq!(
        drop.scan().await.unwrap(),
        expected,
        "the last row of a key, and what it does not tell stays"
    );
    let files = drop.files();
    let read = files.read(&"t".into(), &["3".into(), "4".into()]).await.unwrap();
    assert_eq!(read[0].as_ref().unwrap().get("y"), Seen::NotFetched, "nobody told");
    assert_eq!(read[1], None);
    assert!(!files.abilities(&"t".into()).scan.proves_absence());

    drop.write("t-1b.csv", "id,x\n1,late\n");
    let late = drop.scan().await.unwrap_err();
    assert_eq!(late.kind, SourceErrorKind::Structure);
    assert!(late.message.contains("t-1b.csv") && late.message.contains("t-2.csv"), "{late}");
    fs::remove_file(drop.path("inbox/t-1b.csv")).unwrap();
    assert_eq!(drop.scan().await.unwrap(), expected);
}

#[tokio::test]
async fn a_file_is_taken_in_once_also_without_an_archive_and_after_a_crash() {
    let drop = Drop::new(CHANGES);
    drop.write("t-1.csv", "id,x\n1,a\n");
    let text = format!(
        "staging = {:?}\n{CHANGES}\n[place]\nfolder = {:?}\n",
        drop.path("staging.db"),
        drop.path("inbox")
    );
    let open = || Files::open(FilesConfig::from_toml(&text).unwrap(), drop.clock.clone()).unwrap();
    assert_eq!(scan(&open(), "t", 9).await.unwrap(), ["1:1,a"]);
    assert_eq!(drop.inbox(), ["t-1.csv"]);
    let loads = || {
        super::staging::Staging::open(&drop.path("staging.db")).unwrap().known("t").unwrap().unwrap().loads
    };
    assert_eq!(scan(&open(), "t", 9).await.unwrap(), ["1:1,a"]);
    assert_eq!(loads(), 1);
    // As after a crash between taking in and putting away: it is put away, and not taken in again.
    assert_eq!(drop.scan().await.unwrap(), ["1:1,a"]);
    assert_eq!((loads(), drop.inbox().len(), drop.archive().len()), (1, 0, 1));
}

#[tokio::test]
async fn half_of_a_file_is_never_taken_in() {
    let settings = |rule: &str| format!("ready = {rule}\n{}", CHANGES.split_once('\n').unwrap().1);
    // By a marker.
    let drop = Drop::new(&settings("{ rule = \"marker\", suffix = \".done\" }").replace("t*.csv", "t*"));
    drop.write("t-1.csv", "id,x\n1,a\n");
    assert_eq!(drop.scan().await.unwrap_err().kind, SourceErrorKind::Unavailable);
    drop.write("t-1.csv.done", "");
    assert_eq!(drop.scan().await.unwrap(), ["1:1,a"]);
    assert_eq!(drop.archive(), ["t-1.csv", "t-1.csv.done"], "the marker goes with it");
    // By rest.
    let drop = Drop::new(&settings("{ rule = \"settled\", seconds = 60 }"));
    drop.write("t-1.csv", "id,x\n1,a\n");
    let changed = fs::metadata(drop.path("inbox/t-1.csv")).unwrap().modified().unwrap();
    let changed = Timestamp::try_from(changed).unwrap();
    *drop.clock.0.lock().unwrap() = changed + Duration::from_secs(59);
    assert_eq!(drop.scan().await.unwrap_err().kind, SourceErrorKind::Unavailable);
    *drop.clock.0.lock().unwrap() = changed + Duration::from_secs(61);
    assert_eq!(drop.scan().await.unwrap(), ["1:1,a"]);
    // By its name.
    let drop = Drop::new(CHANGES);
    drop.write("t-1.csv.part", "id,x\n1,a\n");
    assert_eq!(drop.scan().await.unwrap_err().kind, SourceErrorKind::Unavailable);
    fs::rename(drop.path("inbox/t-1.csv.part"), drop.path("inbox/t-1.csv")).unwrap();
    assert_eq!(drop.scan().await.unwrap(), ["1:1,a"]);
}

#[tokio::test]
async fn bad_rows_are_told_and_keep_what_is_known_of_their_records() {
    let drop = Drop::new(EVERYTHING);
    drop.write("t-1.csv", "id,x\n1,a\n2,b\n3,c\n");
    drop.scan().await.unwrap();
    // Whose the broken row is nobody knows: it may be that of 1, so nothing is gone.
    drop.write("t-2.csv", b"id,x\nbroken\n2,\xff\n3,d\n3,e\n");
    let told = [
        "!wrong-field-count t-2.csv line 2",
        "!bad-encoding t-2.csv line 3",
        "!repeated-key t-2.csv line 5",
        "1:1,a",
    ];
    assert_eq!(drop.scan().await.unwrap(), told);
    assert_eq!(scan(&drop.files(), "t", 1).await.unwrap(), told, "in pages of one too");
    assert!(drop.files().read(&"t".into(), &["2".into()]).await.unwrap()[0].is_some(), "it is there still");
    drop.write("t-3.csv", "id,x\n2,b\n");
    assert_eq!(drop.scan().await.unwrap(), ["2:2,b"], "a good file ends what was told of the one before");

    let drop = Drop::new(CHANGES);
    drop.write("t-1.csv", b"id,x\n1,\xff\n,b\n");
    let told = ["!bad-encoding t-1.csv line 2", "!missing-key t-1.csv line 3"];
    assert_eq!(drop.scan().await.unwrap(), told);
    drop.write("t-2.csv", "id,x\n1,a\n");
    assert_eq!(
        drop.scan().await.unwrap(),
        ["!missing-key t-1.csv line 3", "1:1,a"],
        "told until it is put right"
    );
    *drop.clock.0.lock().unwrap() = "2100-02-15T00:00:00Z".parse().unwrap();
    drop.write("t-3.csv", "id,x\n1,b\n");
    assert_eq!(drop.scan().await.unwrap(), ["1:1,b"], "or a month has passed");
}

#[tokio::test]
async fn what_would_empty_everything_is_refused_and_nothing_of_it_taken_in() {
    let few = format!("{EVERYTHING}\n[limits]\nbad_rows_max = 2\nfile_bytes_max = 300\ncolumns_max = 3");
    let drop = Drop::new(&few);
    drop.write("t-1.csv", "id,x\n1,a\n2,b\n");
    let before = drop.scan().await.unwrap();
    for (content, says) in [
        ("id,x\n".to_owned(), "it holds nothing"),
        (String::new(), "no header row"),
        ("id,y\n1,a\n".to_owned(), "the column `x` of earlier files is gone"),
        ("nr,x\n1,a\n".to_owned(), "no column `id`"),
        ("id,x,x\n".to_owned(), "column 3 of its header"),
        ("id,x,y,z\n".to_owned(), "4 columns"),
        ("id,x\n5,e\na\nb\nc\n".to_owned(), "more than 2 of its rows"),
        (format!("id,x\n{}", "1,a\n".repeat(100)), "bytes; look what it is"),
    ] {
        drop.write("t-2.csv", &content);
        let refused = drop.scan().await.unwrap_err();
        assert_eq!(refused.kind, SourceErrorKind::Structure, "{refused}");
        assert!(
            refused.message.contains("t-2.csv was not taken in") && refused.message.contains(says),
            "{refused}"
        );
        assert_eq!(drop.inbox(), ["t-2.csv"], "it stays for whoever looks at it");
        fs::remove_file(drop.path("inbox/t-2.csv")).unwrap();
        assert_eq!(drop.scan().await.unwrap(), before);
    }
    drop.write("t-1.csv.csv", "id,x\n");
    let drop = Drop { settings: few.replace("[limits]", "may_be_empty = true\n[limits]"), ..drop };
    assert_eq!(drop.scan().await.unwrap(), Vec::<String>::new(), "unless it is meant");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One file of `name` in a collection with these settings.
async fn one(name: &str, content: &[u8], settings: &str) -> Result<Vec<String>, SourceError> {
    let drop = Drop::new(&format!(
        "ready = {{ rule = \"named\" }}\n[collections.t]\nfiles = {name:?}\nkey = \"id\"\nholds = \"everything\"\n{settings}"
    ));
    drop.write(name, content);
    drop.scan().await
}

#[tokio::test]
async fn every_format_gives_its_rows() {
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let table: &[(&str, Vec<u8>, &str, &[&str])] = &[
        ("t.csv", b"\xef\xbb\xbfid;x\r\n1;\"a;\"\"b\"\"\"\r\n".to_vec(), "delimiter = \";\"", &["1:1,a;\"b\""]),
        ("t.tsv", b"id\tx\n1\t'a\tb'\n2\t\"c\n".to_vec(), "delimiter = \"\\t\"\nquote = \"'\"", &["1:1,a\tb", "2:2,\"c"]),
        ("t.txt", b"id,x\n1,a\"b\n".to_vec(), "quote = \"\"", &["1:1,a\"b"]),
        ("t.csv", b"export of today\n\n1,M\xfcller\n".to_vec(), "skip = 2\nencoding = \"latin-1\"\ncolumns = [{ name = \"id\" }, { name = \"x\" }]", &["1:1,Müller"]),
        ("t.csv", utf16("id,x\r\n1,日本 🦀\r\n", true), "", &["1:1,日本 🦀"]),
        ("t.csv", utf16("id,x\n1,ü\n", false), "encoding = \"windows-1252\"", &["1:1,ü"]),
        ("t.csv.gz", gzip(b"id,x\n1,a\n"), "", &["1:1,a"]),
        (
            "t.jsonl",
            b"{\"id\":1,\"x\":{\"y\":\"a\",\"z\":[1,2.50]}}\n\n{\"id\":\"2\",\"x\":null,\"ok\":true,\"n\":12345678901234567890.12}\n".to_vec(),
            "",
            &["1:1,a,1;2.5,(empty),(empty),(empty)", "2:2,(empty),(empty),12345678901234567890.12,true,(empty)"],
        ),
        ("t.ndjson", b"{\"id\":1}\n[1]\n{\"id\":".to_vec(), "", &["!bad-row t.ndjson line 2", "!bad-row t.ndjson line 3", "1:1"]),
        (
            "t.dat",
            "001Ada Lovelace  12\r\n002Zoë\n003Grace Hopper  99x\n".into(),
            "format = \"fixed-width\"\ncolumns = [{ name = \"id\", width = 3 }, { name = \"name\", width = 14 }, { name = \"n\", width = 2 }]",
            &["!wrong-width t.dat line 3", "001:001,Ada Lovelace,12", "002:002,Zoë,(empty)"],
        ),
    ];
    for (name, content, settings, expected) in table {
        let found = one(name, content, settings).await;
        assert_eq!(
            found.as_ref().map_err(ToString::to_string),
            Ok(&expected.iter().map(|row| (*row).to_owned()).collect()),
            "{name} {settings}"
        );
    }
}

#[tokio::test]
async fn bombs_and_broken_files_are_refused_with_the_reason() {
    let zeros = gzip(&[b"id,x\n1,".as_slice(), &vec![b'0'; 40 << 20]].concat());
    let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    let long = format!("{{\"id\":\"{}\"}}\n{{\"id\":2}}\n", "x".repeat(2_000));
    let cut = gzip(b"id,x\n1,a\n");
    for (name, content, settings, says) in [
        (
            "t.csv.gz",
            zeros.clone(),
            "[limits]\nratio_max = 50\nrow_bytes_max = 100000000",
            "`limits.ratio_max`",
        ),
        ("t.csv.gz", zeros, "[limits]\nunpacked_bytes_max = 1000", "`limits.unpacked_bytes_max`"),
        ("t.csv.gz", cut[..cut.len() - 6].to_vec(), "", "was not taken in"),
        ("t.csv.gz", b"no gzip".to_vec(), "", "was not taken in"),
        ("t.dat", b"x".to_vec(), "", "does not tell how it is written"),
        ("t.dat", b"x".to_vec(), "format = \"fixed-width\"", "widths"),
        ("t.csv", b"\xff\xfei\x00\x00\xd8x\x00".to_vec(), "", "no UTF-16"),
        ("t.csv", b"id,x\n".to_vec(), "delimiter = \"\\\"\"", "two different ASCII characters"),
    ] {
        let refused = one(name, &content, settings).await.unwrap_err();
        assert!(refused.to_string().contains(says), "{name} {settings}: {refused}");
    }
    let lists = format!("{{\"id\":1,\"l\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    for deep in [deep, lists] {
        let rows = one("t.jsonl", deep.as_bytes(), "").await.unwrap();
        assert_eq!(rows, ["!bad-row t.jsonl line 1"]);
    }
    let text = "{\"id\":1,\"x\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"{\"}";
    assert!(one("t.jsonl", text.as_bytes(), "").await.unwrap()[0].starts_with("1:1,[["));
    let rows = one("t.jsonl", long.as_bytes(), "[limits]\nrow_bytes_max = 1000").await.unwrap();
    assert_eq!(rows, ["!row-too-long t.jsonl line 1", "2:2"]);
}

/// Every row of a file, good or bad, until its end or a fault.
fn walk(name: &str, content: &[u8], settings: &str) -> usize {
    let text = format!("files = \"t\"\nkey = \"id\"\n{settings}");
    let collection: super::FileCollection = toml::from_str(&text).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let Ok(mut rows) = super::format::open(name, file, &collection, &super::Limits::default()) else {
        return 0;
    };
    let mut count = 0;
    while let Ok(Some(_)) = rows.next() {
        count += 1;
    }
    count
}

proptest! {
    #[test]
    fn no_bytes_bring_a_reader_down(
        which in 0_usize..7, at in any::<prop::sample::Index>(), piece in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let packed = gzip(b"id,x\n1,a\n2,\"b\nb\"\n");
        let fixed = "format = \"fixed-width\"\ncolumns = [{ name = \"id\", width = 2 }, { name = \"x\", width = 3 }]";
        let seeds: [(&str, &[u8], &str); 7] = [
            ("t.csv", b"id,x\n1,a\n2,\"b\"\"\nb\"\n", ""),
            ("t.csv", b"id;x\n1;'a'\n2;b\n", "delimiter = \";\"\nquote = \"'\"\nskip = 0"),
            ("t.csv", b"\xff\xfei\x00d\x00\n\x001\x00\n\x00=\xd8\x80\xdd\n\x00", ""),
            ("t.csv.gz", &packed, ""),
            ("t.jsonl", b"{\"id\":1,\"x\":{\"y\":[1,{}]}}\n{\"id\":\"\\u00e9\"}\n", ""),
            ("t.dat", "01abc\n02é\n".as_bytes(), fixed),
            ("t.dat", b"01abc\r\n02\xe9\n", &format!("{fixed}\nencoding = \"latin-1\"")),
        ];
        let (name, seed, settings) = seeds[which];
        prop_assert!(walk(name, seed, settings) > 0, "{name} is a file as it is");
        let at = at.index(seed.len() + 1);
        let changed = [&seed[..at], &piece, &seed[at..]].concat();
        let end = (at + piece.len()).min(seed.len());
        let over = [&seed[..at], &piece, &seed[end..]].concat();
        for content in [changed.as_slice(), &over, &seed[..at], &piece] {
            walk(name, content, settings);
        }
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    for (settings, says) in [
        ("ready = { rule = \"marker\", suffix = \"\" }\n[collections]", "`ready.suffix`"),
        ("[collections.t]\nfiles = \"\"\nkey = \"id\"", "collection `t`"),
        ("[collections.t]\nfiles = \"t\"\nkey = \"id\"\nkeys = 1", "keys"),
        ("[limits]\nrow_bytes_max = 1\n[collections]", "`limits.row_bytes_max`"),
    ] {
        let refused = Drop::new(settings).try_files().unwrap_err();
        assert!(refused.to_string().contains(says), "{settings}: {refused}");
    }
    let two = format!("{CHANGES}\n[collections.u]\nfiles = \"*-1.csv\"\nkey = \"id\"");
    let drop = Drop::new(&two);
    drop.write("t-1.csv", "id,x\n1,a\n");
    assert!(drop.scan().await.unwrap_err().message.contains("of the collections t and u"));
}

#[tokio::test]
async fn values_are_typed_as_they_were_written_and_shown_to_nobody() {
    let drop = Drop::new(&CHANGES.replace("t*.csv", "t*.jsonl"));
    drop.write("t.jsonl", "{\"id\":1,\"n\":1e3,\"secret\":\"canary\",\"b\":false,\"l\":[{\"c\":\"d\"}]}\n");
    let files = drop.files();
    let page = files.read_page(&ReadRequest { collection: "t".into(), after: None, max: 9 }).await.unwrap();
    let record = page.records[0].as_ref().unwrap();
    assert_eq!(record.get("n"), Seen::Value(&Value::Number(1_000.into())));
    assert_eq!(record.get("b"), Seen::Value(&Value::Bool(false)));
    assert!(
        matches!(record.get("l"), Seen::Value(Value::List(items)) if matches!(items[0], Value::Object(_)))
    );
    assert!(!format!("{files:?} {page:?}").contains("canary"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_not_followed_and_the_staging_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let drop = Drop::new(CHANGES);
    fs::write(drop.path("outside.csv"), "id,x\n9,z\n").unwrap();
    std::os::unix::fs::symlink(drop.path("outside.csv"), drop.path("inbox/t-9.csv")).unwrap();
    drop.write("t-1.csv", "id,x\n1,a\n");
    assert_eq!(drop.scan().await.unwrap(), ["1:1,a"]);
    // While it is open there are files beside it, with the same values.
    let open = drop.files();
    for name in names(drop.folder.path()).iter().filter(|name| name.starts_with("staging.db")) {
        let mode = fs::metadata(drop.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    assert!(!open.read(&"t".into(), &["1".into()]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_of_settings_is_read_from_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("files.toml");
    fs::create_dir(folder.path().join("inbox")).unwrap();
    fs::write(
        &path,
        format!("staging = \"staging.db\"\n{CHANGES}\n[place]\nfolder = \"inbox\"\narchive = \"done\""),
    )
    .unwrap();
    fs::write(folder.path().join("inbox/t-1.csv"), "id,x\n1,a\n").unwrap();
    let clock = Arc::new(Hand(std::sync::Mutex::new(Timestamp::UNIX_EPOCH)));
    let files = Files::open(FilesConfig::from_file(&path).unwrap(), clock).unwrap();
    assert_eq!(scan(&files, "t", 9).await.unwrap(), ["1:1,a"]);
    let found = names(folder.path());
    assert!(
        ["done", "files.toml", "inbox", "staging.db"].iter().all(|name| found.contains(&(*name).to_owned())),
        "{found:?}"
    );
    let gone = FilesConfig::from_file(&folder.path().join("gone.toml")).unwrap_err();
    assert!(gone.message.contains("gone.toml"), "{gone}");
}

/// A workbook with a sheet of these cells, as XML, and another one.
#[cfg(feature = "xlsx")]
fn workbook(cells: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let sheet =
        |cells: &str| format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{cells}</sheetData></worksheet>");
    let parts = [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Notes\" sheetId=\"1\" r:id=\"r1\"/><sheet name=\"People\" sheetId=\"2\" r:id=\"r2\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet2.xml\"/><Relationship Id=\"r3\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><cellXfs count=\"3\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", sheet("")),
        ("xl/worksheets/sheet2.xml", sheet(cells)),
    ];
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[cfg(feature = "xlsx")]
fn cell(place: &str, kind: &str, value: &str) -> String {
    match kind {
        "text" => format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"),
        "day" => format!("<c r=\"{place}\" s=\"1\"><v>{value}</v></c>"),
        "time" => format!("<c r=\"{place}\" s=\"2\"><v>{value}</v></c>"),
        kind => format!("<c r=\"{place}\" t=\"{kind}\"><v>{value}</v></c>"),
    }
}

#[cfg(feature = "xlsx")]
#[tokio::test]
async fn a_sheet_gives_its_rows_as_excel_shows_them() {
    let row = |number: u32, cells: &[(&str, &str, &str)]| {
        let cells: String = cells
            .iter()
            .map(|(column, kind, value)| cell(&format!("{column}{number}"), kind, value))
            .collect();
        format!("<row r=\"{number}\">{cells}</row>")
    };
    let rows = [
        row(1, &[("A", "text", "Export of today")]),
        row(3, &[("A", "text", "id"), ("B", "text", "x"), ("D", "text", " day "), ("E", "text", "ok")]),
        row(4, &[("A", "n", "1001"), ("B", "text", "a"), ("D", "day", "45943"), ("E", "b", "1")]),
        row(6, &[("A", "n", "1002"), ("B", "n", "0.30000000000000004"), ("D", "time", "45943.5")]),
        row(7, &[("A", "n", "1003"), ("B", "e", "#N/A")]),
        row(8, &[("B", "text", "nobody")]),
        row(9, &[("A", "n", "1004"), ("G", "text", "far")]),
    ];
    let settings = "sheet = \"People\"\nskip = 2";
    let found = one("t.xlsx", &workbook(&rows.concat()), settings).await.unwrap();
    assert_eq!(
        found,
        [
            "!bad-cell t.xlsx line 7",
            "!missing-key t.xlsx line 8",
            "!wrong-field-count t.xlsx line 9",
            "1001:1001,a,2025-10-13,true",
            "1002:1002,0.3,2025-10-13T12:00:00,(empty)",
        ]
    );
    for (content, settings, says) in [
        (workbook(&rows.concat()), "sheet = \"Nobody\"", "no sheet of that name"),
        (workbook(&rows.concat()), "", "no header row"),
        (workbook(&rows.concat()), "sheet = \"People\"\nskip = 3", "no column `id`"),
        (b"PK no workbook".to_vec(), "", "no XLSX workbook"),
        (workbook(&row(1, &[("XFD", "text", "id")])), "sheet = \"People\"", "`limits.columns_max`"),
        (
            workbook(&rows.concat()),
            "sheet = \"People\"\n[limits]\nworkbook_bytes_max = 500",
            "`limits.workbook_bytes_max`",
        ),
        (workbook(&rows.concat()), "sheet = \"People\"\n[limits]\nsheets_max = 1", "2 sheets"),
        (workbook(&format!("{}<row r=\"9\"><c", rows[1])), settings, "no XLSX workbook"),
    ] {
        let refused = one("t.xlsx", &content, settings).await.unwrap_err();
        assert!(refused.to_string().contains(says), "{settings}: {refused}");
    }
}
