//! A folder of CSV files, of which another program writes one anew whenever a row changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use source_adapters::csv_folder::{CsvConfig, CsvFolder};
use sync_testkit::conformance::{self, Workbench};
use sync_types::{Collection, ExternalId, Source};

struct Folder {
    folder: tempfile::TempDir,
    rows: Mutex<BTreeMap<u32, [String; 2]>>,
}

impl Folder {
    fn path(&self) -> PathBuf {
        self.folder.path().join("people.csv")
    }

    fn edit(&self, edit: impl FnOnce(&mut BTreeMap<u32, [String; 2]>)) {
        let mut rows = self.rows.lock().unwrap();
        edit(&mut rows);
        let mut text = String::from("id,name,city\n");
        for (number, texts) in &*rows {
            let [name, city] = texts.each_ref().map(|text| text.replace('"', "\"\""));
            text.push_str(&format!("{number},\"{name}\",\"{city}\"\n"));
        }
        let beside = self.folder.path().join("people.new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, self.path()).unwrap();
    }
}

#[async_trait]
impl Workbench for Folder {
    async fn open(&self) -> Arc<dyn Source> {
        Arc::new(CsvFolder::open(CsvConfig::new(self.folder.path())).unwrap())
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

#[tokio::test]
async fn a_csv_folder_keeps_what_it_declares() {
    conformance::adapter(&Folder { folder: tempfile::tempdir().unwrap(), rows: Mutex::default() }).await;
}
