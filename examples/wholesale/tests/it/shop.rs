//! A small business in a folder, a portal on a free port, and the built binary to run between the two.

use std::path::{Path, PathBuf};
use std::process::Command;

use hubspot_sandbox::{Limits, Portal, PortalConfig, Server};
use serde_json::Value;
use wholesale::business::Business;

pub(crate) const TOKEN: &str = "pat-test-0001";

/// What a run of the binary left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The answer, for commands with `--json`.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Checks that the command failed with this place or reason and this remedy, and did not panic.
    pub(crate) fn fails_with(&self, place: &str, remedy: &str) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.err.contains(place), "no `{place}` in:\n{}", self.err);
        assert!(self.err.contains(remedy), "no `{remedy}` in:\n{}", self.err);
        self.is_calm();
    }

    pub(crate) fn is_calm(&self) {
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

/// A business and where it lives.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    server: Option<Server>,
}

impl Shop {
    /// A shop of so many people, with a portal that has custom objects and no call limits.
    pub(crate) async fn open(business: &Business) -> Shop {
        let config = PortalConfig { limits: Limits::Off, ..PortalConfig::new(TOKEN) };
        Shop::with_portal(business, config).await
    }

    pub(crate) async fn with_portal(business: &Business, config: PortalConfig) -> Shop {
        let server = Server::start("127.0.0.1:0".parse().unwrap(), Portal::new(config)).await.unwrap();
        let shop = Shop { server: Some(server), ..Shop::without_portal() };
        business.write(&shop.path("data")).unwrap();
        shop
    }

    pub(crate) fn without_portal() -> Shop {
        Shop { folder: tempfile::tempdir().unwrap(), server: None }
    }

    /// Where the portal is.
    pub(crate) fn portal_url(&self) -> String {
        self.server.as_ref().map(Server::url).unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary with these arguments, not started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wholesale"));
        command.current_dir(self.folder.path()).args(arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KIT_") {
                command.env_remove(name);
            }
        }
        if let Some(server) = &self.server {
            command.env("KIT_HUBSPOT_URL", server.url());
            command.env("KIT_HUBSPOT_TOKEN", TOKEN).env("KIT_HUBSPOT_LIMITS", "off");
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Runs and checks the exit code.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        ran.is_calm();
        ran
    }

    /// Changes a file's text.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(String) -> String) {
        let path = self.path(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = change(text.clone());
        assert_ne!(text, changed, "{name} is as it was");
        std::fs::write(path, changed).unwrap();
    }

    /// Changes one field of one row of a CSV file.
    pub(crate) fn set_field(&self, file: &str, row: usize, column: &str, value: &str) {
        self.edit(file, |text| {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let header = reader.headers().unwrap().clone();
            let place = header.iter().position(|name| name == column).unwrap();
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&header).unwrap();
            for (number, record) in reader.records().enumerate() {
                let record = record.unwrap();
                let fields = record.iter().enumerate();
                let changed =
                    fields.map(|(at, field)| if (number, at) == (row, place) { value } else { field });
                writer.write_record(changed).unwrap();
            }
            String::from_utf8(writer.into_inner().unwrap()).unwrap()
        });
    }
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Writes a settings file that names a mapping of the test's own.
pub(crate) fn with_mapping(shop: &Shop, mapping: &str) {
    std::fs::write(shop.path("mapping.toml"), mapping).unwrap();
    std::fs::write(shop.path("settings.toml"), "[mapping]\nfile = \"mapping.toml\"\n").unwrap();
}

/// The example's own mapping.
pub(crate) fn own_mapping() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping.toml")).unwrap()
}
