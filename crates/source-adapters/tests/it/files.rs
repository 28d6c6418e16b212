//! Files that another program drops: the whole of a table whenever a row changes, in every format that says who is gone.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http_transport::TokioClock;
use source_adapters::files::{Files, FilesConfig};
use sync_testkit::conformance::{self, Workbench};
use sync_types::{Collection, ExternalId, Source};

/// How rows become a file.
type Written = fn(&BTreeMap<u32, [String; 2]>) -> Vec<u8>;

struct Dropped {
    folder: tempfile::TempDir,
    settings: &'static str,
    ending: &'static str,
    write: Written,
    rows: Mutex<BTreeMap<u32, [String; 2]>>,
    /// Drops so far: each file has a name of its own.
    drops: Mutex<u32>,
}

impl Dropped {
    fn new(ending: &'static str, settings: &'static str, write: Written) -> Dropped {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inbox")).unwrap();
        Dropped { folder, settings, ending, write, rows: Mutex::default(), drops: Mutex::default() }
    }

    fn edit(&self, edit: impl FnOnce(&mut BTreeMap<u32, [String; 2]>)) {
        let mut rows = self.rows.lock().unwrap();
        edit(&mut rows);
        let mut drops = self.drops.lock().unwrap();
        *drops += 1;
        let inbox = self.folder.path().join("inbox");
        let beside = inbox.join("people.part");
        fs::write(&beside, (self.write)(&rows)).unwrap();
        fs::rename(beside, inbox.join(format!("people-{drops}.{}", self.ending))).unwrap();
    }
}

#[async_trait]
impl Workbench for Dropped {
    async fn open(&self) -> Arc<dyn Source> {
        let path = |name: &str| self.folder.path().join(name);
        let text = format!(
            "staging = {:?}\nready = {{ rule = \"named\" }}\n[place]\nfolder = {:?}\narchive = {:?}\n[collections.people]\n\
             files = \"people-*.{}\"\nkey = \"id\"\nholds = \"everything\"\nmay_be_empty = true\n{}",
            path("staging.db"),
            path("inbox"),
            path("archive"),
            self.ending,
            self.settings
        );
        let config = FilesConfig::from_toml(&text).unwrap();
        Arc::new(Files::open(config, Arc::new(TokioClock::start())).unwrap())
    }
    fn collection(&self) -> Collection {
        "people".into()
    }
    fn fields(&self) -> [&'static str; 2] {
        ["name", "city"]
    }
    async fn put(&self, number: u32, texts: [&str; 2]) -> ExternalId {
        self.edit(|rows| drop(rows.insert(number, texts.map(str::to_owned))));
        number.to_string().into()
    }
    async fn remove(&self, number: u32) {
        self.edit(|rows| drop(rows.remove(&number)));
    }
}

fn csv(rows: &BTreeMap<u32, [String; 2]>) -> Vec<u8> {
    let mut text = String::from("id,name,city\n");
    for (number, texts) in rows {
        let [name, city] = texts.each_ref().map(|text| text.replace('"', "\"\""));
        text.push_str(&format!("{number},\"{name}\",\"{city}\"\n"));
    }
    text.into_bytes()
}

fn json_lines(rows: &BTreeMap<u32, [String; 2]>) -> Vec<u8> {
    let line = |(number, [name, city]): (&u32, &[String; 2])| {
        format!("{}\n", serde_json::json!({ "id": number, "name": name, "city": city }))
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

#[tokio::test]
async fn dropped_csv_files_keep_what_they_declare() {
    conformance::adapter(&Dropped::new("csv", "", csv)).await;
}

#[tokio::test]
async fn dropped_json_lines_keep_what_they_declare() {
    conformance::adapter(&Dropped::new("jsonl", "", json_lines)).await;
}

#[tokio::test]
async fn changes_in_dropped_files_keep_what_they_declare() {
    /// Each drop holds the rows that changed, so that the last one of a record counts; nothing is ever gone.
    struct Changes(Dropped);

    #[async_trait]
    impl Workbench for Changes {
        async fn open(&self) -> Arc<dyn Source> {
            self.0.open().await
        }
        fn collection(&self) -> Collection {
            self.0.collection()
        }
        fn fields(&self) -> [&'static str; 2] {
            self.0.fields()
        }
        async fn put(&self, number: u32, texts: [&str; 2]) -> ExternalId {
            self.0.rows.lock().unwrap().clear();
            self.0.put(number, texts).await
        }
        async fn remove(&self, _: u32) {}
    }
    let changes = Changes(Dropped::new("csv", "", csv));
    for number in 0..5 {
        changes.put(number, [&format!("first {number}"), "second"]).await;
    }
    let text = "holds = \"changes\"";
    let bench = Dropped { settings: text, ..changes.0 };
    let source = {
        let path = |name: &str| bench.folder.path().join(name);
        let text = format!(
            "staging = {:?}\nready = {{ rule = \"named\" }}\n[place]\nfolder = {:?}\n[collections.people]\n\
             files = \"people-*.csv\"\nkey = \"id\"\n{text}",
            path("staging.db"),
            path("inbox"),
        );
        Files::open(FilesConfig::from_toml(&text).unwrap(), Arc::new(TokioClock::start())).unwrap()
    };
    conformance::source(&source, &bench.collection()).await;
}
