//! What every manifest must say, so that versions, lints and registries stand in one place.

use std::fs;

use toml::{Table, Value};

use crate::workspace::{Package, Workspace};

/// The one registry that a crate may be pushed to.
const REGISTRY: &str = "partner";

pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>, String> {
    let root = read(workspace, "Cargo.toml")?;
    let mut problems = root_problems(&root);
    for package in &workspace.packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest = read(workspace, &path)?;
        let own = if package.folder.starts_with("examples/") {
            template_problems(&manifest)
        } else {
            member_problems(&manifest, package)
        };
        let found = own.into_iter().chain(package_problems(package));
        problems.extend(found.map(|problem| format!("{path}: {problem}")));
    }
    Ok(problems)
}

fn read(workspace: &Workspace, path: &str) -> Result<Table, String> {
    let text = fs::read_to_string(workspace.root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    text.parse().map_err(|error| format!("{path}: {error}"))
}

fn root_problems(root: &Table) -> Vec<String> {
    let dependencies = root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    let dependencies = dependencies.and_then(Value::as_table).into_iter().flatten();
    let found = dependencies.filter_map(|(name, value)| incomplete(name, value));
    found.map(|problem| format!("Cargo.toml: {problem}")).collect()
}

/// Our own crates carry the registry, or a packaged manifest would ask crates.io for a stranger's crate of that name.
fn incomplete(name: &str, value: &Value) -> Option<String> {
    value.get("path")?;
    let registry = value.get("registry").and_then(Value::as_str);
    let complete = registry == Some(REGISTRY) && value.get("version").is_some();
    (!complete).then(|| format!("{name} needs `version` and `registry = \"{REGISTRY}\"` beside its path"))
}

/// An example is copied out of the workspace, so it inherits nothing and states everything itself.
fn template_problems(manifest: &Table) -> Vec<String> {
    let mut problems = Vec::new();
    let lint =
        manifest.get("lints").and_then(|lints| lints.get("rust")).and_then(|lints| lints.get("unsafe_code"));
    if lint.and_then(Value::as_str) != Some("forbid") {
        problems.push("must say `[lints.rust] unsafe_code = \"forbid\"`".to_owned());
    }
    for (kind, name, value) in dependencies(manifest) {
        if inherits(Some(value)) {
            problems.push(format!("[{kind}] {name} is inherited, which a copy of this folder cannot"));
        }
        problems.extend(incomplete(name, value));
    }
    problems
}

/// Every dependency with the table it stands in, those of one platform included.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&'static str, &String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = std::iter::once(manifest).chain(targets.filter_map(|(_, target)| target.as_table()));
    tables.flat_map(|table| {
        ["dependencies", "dev-dependencies", "build-dependencies"].into_iter().flat_map(move |kind| {
            let dependencies = table.get(kind).and_then(Value::as_table).into_iter().flatten();
            dependencies.map(move |(name, value)| (kind, name, value))
        })
    })
}

/// Lints are inherited, and versions stand in the root only.
fn member_problems(manifest: &Table, package: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    if !inherits(manifest.get("lints")) {
        problems.push("must say `[lints] workspace = true`".to_owned());
    }
    // What is never published may name a neighbour by its folder alone: that is no version.
    let private = package.publish.as_ref().is_some_and(Vec::is_empty);
    let neighbour = |value: &Value| private && value.get("path").is_some() && value.get("version").is_none();
    let stated = dependencies(manifest).filter(|(_, _, value)| !inherits(Some(value)) && !neighbour(value));
    for (kind, name, value) in stated {
        problems
            .push(format!("[{kind}] {name} = {value}: write `workspace = true`, the version in the root"));
    }
    problems
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn package_problems(package: &Package) -> Vec<String> {
    let mut problems = Vec::new();
    let registries = package.publish.as_deref();
    let safe = registries.is_some_and(|names| names.iter().all(|name| name == REGISTRY));
    if !safe {
        problems.push("must say `publish.workspace = true` or `publish = false`".to_owned());
    }
    let name = package.folder.strip_prefix("crates/");
    if name.is_some_and(|name| name != package.name) {
        problems.push(format!("folder and package `{}` must bear one name", package.name));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(publish: Option<&[&str]>) -> Package {
        Package {
            name: "a".to_owned(),
            folder: "crates/a".to_owned(),
            publish: publish.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            imports: Vec::new(),
            test_targets: Vec::new(),
        }
    }

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_without_registry_or_version_is_reported() {
        let good = r#"a = { path = "a", version = "1", registry = "partner" }"#;
        for (line, count) in [
            (good, 0),
            (r#"serde = "1""#, 0),
            (r#"a = { path = "a", version = "1" }"#, 1),
            (r#"a = { path = "a", version = "1", registry = "other" }"#, 1),
            (r#"a = { path = "a", registry = "partner" }"#, 1),
        ] {
            let root = table(&format!("[workspace.dependencies]\n{line}"));
            assert_eq!(root_problems(&root).len(), count, "{line}");
        }
    }

    #[test]
    fn a_member_inherits_lints_and_versions() {
        let lints = "[lints]\nworkspace = true\n";
        for (text, count) in [
            (lints.to_owned(), 0),
            (String::new(), 1),
            (format!("{lints}[dependencies]\nserde = {{ workspace = true, optional = true }}"), 0),
            (format!("{lints}[dependencies]\nserde.workspace = true"), 0),
            (format!("{lints}[dependencies]\nserde = \"1\""), 1),
            (format!("{lints}[dev-dependencies]\nserde = {{ version = \"1\" }}"), 1),
            (format!("{lints}[target.'cfg(unix)'.dependencies]\nlibc = \"1\""), 1),
            (format!("{lints}[dependencies]\nexample = {{ path = \"../examples/a\" }}"), 1),
        ] {
            assert_eq!(member_problems(&table(&text), &package(Some(&["partner"]))).len(), count, "{text}");
        }
    }

    #[test]
    fn what_is_never_published_may_name_a_neighbour_by_its_folder() {
        for (dependency, count) in [
            (r#"example = { path = "../examples/a" }"#, 0),
            (r#"example = { path = "../examples/a", version = "1" }"#, 1),
            (r#"example = "1""#, 1),
        ] {
            let text = format!("[lints]\nworkspace = true\n[dependencies]\n{dependency}");
            assert_eq!(member_problems(&table(&text), &package(Some(&[]))).len(), count, "{text}");
        }
    }

    #[test]
    fn an_example_stands_alone() {
        let lints = "[lints.rust]\nunsafe_code = \"forbid\"\n[dependencies]\n";
        for (text, count) in [
            (format!("{lints}csv = \"1\""), 0),
            (format!("{lints}a = {{ path = \"../a\", version = \"1\", registry = \"partner\" }}"), 0),
            (format!("{lints}a = {{ path = \"../a\" }}"), 1),
            (format!("{lints}csv = {{ workspace = true }}"), 1),
            ("[lints]\nworkspace = true".to_owned(), 1),
        ] {
            assert_eq!(template_problems(&table(&text)).len(), count, "{text}");
        }
    }

    #[test]
    fn a_crate_goes_to_the_partners_registry_or_nowhere() {
        for (publish, count) in [
            (Some(&["partner"][..]), 0),
            (Some(&[][..]), 0),
            (None, 1),
            (Some(&["partner", "crates-io"][..]), 1),
        ] {
            assert_eq!(package_problems(&package(publish)).len(), count, "{publish:?}");
        }
        let renamed = Package { folder: "crates/b".to_owned(), ..package(Some(&[])) };
        assert_eq!(package_problems(&renamed).len(), 1);
    }
}
