//! What `cargo metadata` says of this workspace, reduced to what the checks ask.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The workspace: its folder, where Cargo builds, and its packages.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One member.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, relative to the root, with `/` between parts.
    pub(crate) folder: String,
    /// Registries it may be pushed to; `None` is any of them, empty is none.
    pub(crate) publish: Option<Vec<String>>,
    /// Members it imports.
    pub(crate) imports: Vec<Import>,
    /// Names of its integration test binaries.
    pub(crate) test_targets: Vec<String>,
}

/// One member's dependency on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Workspace {
    /// Asks Cargo; needs neither network nor a build.
    pub(crate) fn load() -> Result<Self, String> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .map_err(|error| format!("cannot start cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        let metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("cargo metadata is not JSON: {error}"))?;
        Self::parse(&metadata).ok_or_else(|| "cargo metadata lacks a field this program reads".to_owned())
    }

    /// `None` where a field is missing: Cargo promises them all in format 1.
    fn parse(metadata: &Value) -> Option<Self> {
        let root = PathBuf::from(metadata["workspace_root"].as_str()?);
        let listed = metadata["packages"].as_array()?;
        let names: Vec<&str> = listed.iter().filter_map(|package| package["name"].as_str()).collect();
        let packages =
            listed.iter().map(|package| Package::parse(package, &root, &names)).collect::<Option<_>>()?;
        Some(Self { target: PathBuf::from(metadata["target_directory"].as_str()?), root, packages })
    }
}

impl Package {
    fn parse(package: &Value, root: &Path, members: &[&str]) -> Option<Self> {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?.strip_prefix(root).ok()?;
        let imports = package["dependencies"].as_array()?.iter().filter_map(|dependency| {
            let name = dependency["name"].as_str()?;
            let kind = match dependency["kind"].as_str() {
                Some("dev") => Kind::Dev,
                Some("build") => Kind::Build,
                _ => Kind::Normal,
            };
            members.contains(&name).then(|| Import { name: name.to_owned(), kind })
        });
        let test_targets = package["targets"].as_array()?.iter().filter_map(|target| {
            let is_test = target["kind"].as_array()?.iter().any(|kind| kind == "test");
            is_test.then(|| target["name"].as_str().map(str::to_owned))?
        });
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            folder: folder.to_str()?.replace('\\', "/"),
            publish: package["publish"].as_array().map(|registries| {
                registries.iter().filter_map(|registry| registry.as_str().map(str::to_owned)).collect()
            }),
            imports: imports.collect(),
            test_targets: test_targets.collect(),
        })
    }
}
