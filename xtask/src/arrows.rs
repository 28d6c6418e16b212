//! `check-arrows`: which crate may import which, kept as one table and compared with what Cargo sees.

use crate::workspace::{Import, Kind, Package, Workspace};
use crate::{Outcome, report};

/// Crate and what it may import of ours. A new arrow needs its reason in ARCHITECTURE.md.
const ALLOWED: &[(&str, &[&str])] = &[
    ("sync-types", &[]),
    ("http-transport", &["sync-types"]),
    ("oauth", &["sync-types", "http-transport"]),
    ("hubspot-client", &["sync-types", "http-transport"]),
    ("webhooks", &["sync-types"]),
    ("mapping-engine", &["sync-types"]),
    ("mapping-tools", &["sync-types", "mapping-engine"]),
    ("source-adapters", &["sync-types", "http-transport"]),
    ("hubspot-adapter", &["sync-types", "hubspot-client", "webhooks"]),
    ("sync-core", &["sync-types"]),
    ("hubspot-sandbox", &["sync-types"]),
    ("sync-testkit", &["sync-types"]),
    (
        "engagement",
        &[
            "sync-types",
            "http-transport",
            "oauth",
            "hubspot-client",
            "webhooks",
            "mapping-engine",
            "mapping-tools",
            "source-adapters",
            "hubspot-adapter",
            "sync-core",
            "hubspot-sandbox",
        ],
    ),
    ("xtask", &[]),
];

/// Every crate may use it in its tests, where it is stripped from what is published.
const TESTKIT: &str = "sync-testkit";

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    report("check-arrows", &problems(&workspace.packages))
}

/// One line per import that the table does not allow, and per crate that the table does not know.
pub(crate) fn problems(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(problems_of).collect()
}

fn problems_of(package: &Package) -> Vec<String> {
    // Programs that wire everything together, and the tests across crates, sit above the table.
    if package.folder.starts_with("examples/") || package.folder == "tests" {
        return Vec::new();
    }
    let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
        return vec![format!(
            "{}: not in the table of xtask/src/arrows.rs; add it with what it may import",
            package.name
        )];
    };
    let forbidden = |import: &&Import| {
        let tests_with_testkit = import.kind == Kind::Dev && import.name == TESTKIT;
        !tests_with_testkit && !allowed.contains(&import.name.as_str())
    };
    package.imports.iter().filter(forbidden).map(|import| describe(package, import, allowed)).collect()
}

fn describe(package: &Package, import: &Import, allowed: &[&str]) -> String {
    let how = match import.kind {
        Kind::Normal => "imports",
        Kind::Build => "imports for its build script",
        Kind::Dev => "imports for its tests",
    };
    let allowed = if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") };
    format!("{} -> {}: {0} {how} {1}, but may import {allowed}", package.name, import.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, folder: &str, imports: &[(&str, Kind)]) -> Package {
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            publish: Some(Vec::new()),
            imports: imports
                .iter()
                .map(|(name, kind)| Import { name: (*name).to_owned(), kind: *kind })
                .collect(),
            test_targets: Vec::new(),
        }
    }

    #[test]
    fn a_forbidden_edge_is_named_whatever_its_kind() {
        for kind in [Kind::Normal, Kind::Build, Kind::Dev] {
            let found = problems(&[package("sync-core", "crates/sync-core", &[("hubspot-client", kind)])]);
            assert_eq!(found.len(), 1, "{kind:?}");
            assert!(found[0].starts_with("sync-core -> hubspot-client: "), "{}", found[0]);
        }
    }

    #[test]
    fn allowed_edges_pass() {
        let packages = [
            package("hubspot-adapter", "crates/hubspot-adapter", &[("hubspot-client", Kind::Normal)]),
            package("sync-types", "crates/sync-types", &[("sync-testkit", Kind::Dev)]),
            package("wholesale", "examples/wholesale", &[("engagement", Kind::Normal)]),
            package("workspace-tests", "tests", &[("sync-core", Kind::Dev), ("hubspot-sandbox", Kind::Dev)]),
        ];
        assert_eq!(problems(&packages), Vec::<String>::new());
    }

    #[test]
    fn the_testkit_is_for_tests_only() {
        let found = problems(&[package("sync-core", "crates/sync-core", &[("sync-testkit", Kind::Normal)])]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_reported() {
        let found = problems(&[package("newcomer", "crates/newcomer", &[])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("newcomer: "), "{}", found[0]);
    }

    #[test]
    fn the_table_imports_upwards_only_so_it_draws_no_circle() {
        for (place, (name, allowed)) in ALLOWED.iter().enumerate() {
            for import in *allowed {
                assert!(ALLOWED[..place].iter().any(|(above, _)| above == import), "{name} -> {import}");
            }
        }
    }

    #[test]
    fn this_workspace_keeps_to_the_table() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(problems(&workspace.packages), Vec::<String>::new());
    }
}
