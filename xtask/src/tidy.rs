//! `tidy`: agreements about the repository that no compiler checks. Also an ordinary test.

mod manifests;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;
use crate::{Outcome, readme, report};

pub(crate) fn run(workspace: &Workspace) -> Outcome {
    report("tidy", &problems(workspace)?)
}

/// Every broken agreement, one line each, with its place.
fn problems(workspace: &Workspace) -> Result<Vec<String>, String> {
    let mut problems = manifests::problems(workspace)?;
    for path in files(&workspace.root)? {
        // What is not text has no lines to check.
        let Ok(text) = fs::read_to_string(workspace.root.join(&path)) else { continue };
        problems.extend(sources::problems(&path, &text));
    }
    problems.extend(commands(&workspace.root));
    Ok(problems)
}

/// The README names its two commands, and the build server starts with the second one as it stands there.
fn commands(root: &Path) -> Vec<String> {
    let read = |name: &str| fs::read_to_string(root.join(name)).map_err(|error| format!("{name}: {error}"));
    let checked = read("README.md").and_then(|text| readme::commands(&text)).and_then(|commands| {
        let script = read(".ci/run")?;
        let says_so = script.lines().any(|line| line.trim() == format!("step {}", commands.test));
        if says_so {
            Ok(())
        } else {
            Err(format!(".ci/run: must run `{}`, as README.md says", commands.test))
        }
    });
    checked.err().into_iter().collect()
}

/// Every file of the repository, relative to its root, sorted; what is built or installed is left out.
fn files(root: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let shown = folder.display().to_string();
        let entries = fs::read_dir(root.join(&folder)).map_err(|error| format!("{shown}: {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("{shown}: {error}"))?;
            let name = entry.file_name();
            let path = folder.join(&name);
            let kind = entry.file_type().map_err(|error| format!("{}: {error}", path.display()))?;
            if kind.is_dir() {
                if !matches!(
                    name.to_str(),
                    Some(".git" | "target" | "node_modules" | "__pycache__" | ".demo")
                ) {
                    folders.push(path);
                }
            } else if let (true, Some(path)) = (kind.is_file(), path.to_str()) {
                found.push(path.replace('\\', "/"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let workspace = Workspace::load().unwrap();
        assert_eq!(problems(&workspace).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_walk_sees_sources_and_leaves_out_what_is_built() {
        let workspace = Workspace::load().unwrap();
        let files = files(&workspace.root).unwrap();
        assert!(files.iter().any(|path| path == "xtask/src/tidy.rs"));
        assert!(!files.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
    }
}
