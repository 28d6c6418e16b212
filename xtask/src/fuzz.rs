//! `fuzz`: the mutation tests, optimised and for as long as asked. Each of them says how often it ran; without time it
//! runs for a moment in every test run.

use std::process::Command;

use crate::workspace::Workspace;
use crate::{Outcome, process};

/// Target, package, test binary and the tests in it. A test reads `FUZZ_SECONDS` and prints its counts.
const TARGETS: &[(&str, &str, &str, &str)] = &[
    ("mapping-files", "mapping-engine", "it", "fuzz::mapping_files"),
    ("mapping-rules", "mapping-engine", "it", "fuzz::random_rules_on_random_records"),
    ("mapping-expressions", "mapping-engine", "it", "fuzz::expressions"),
    ("mapping-tables", "mapping-engine", "it", "fuzz::lookup_tables"),
    ("mapping-values", "mapping-engine", "it", "fuzz::shown_values"),
    ("mapping-orders", "mapping-engine", "it", "fuzz::records_are_the_same_in_any_order_of_their_columns"),
    ("webhooks-bodies", "webhooks", "it", "fuzz::bodies"),
    ("webhooks-journal", "webhooks", "it", "fuzz::journal_files"),
    ("webhooks-requests", "webhooks", "it", "fuzz::requests"),
    ("webhooks-urls", "webhooks", "it", "fuzz::file_urls"),
];

/// Runs all targets, or the one that is named, each for some seconds.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let (name, seconds) = parse(arguments)?;
    run_targets(workspace, name, seconds, &["--release"])
}

/// All targets for about a minute together, with the tests as they are built already.
pub(crate) fn run_in_ci(workspace: &Workspace) -> Outcome {
    run_targets(workspace, None, 6, &[])
}

fn run_targets(workspace: &Workspace, name: Option<&str>, seconds: u32, profile: &[&str]) -> Outcome {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    for (_, package, binary, test) in
        TARGETS.iter().filter(|(target, ..)| name.is_none_or(|name| name == *target))
    {
        let mut command = Command::new(&cargo);
        command.args(["test", "--quiet", "--locked"]).args(profile);
        command.args(["--package", package, "--all-features", "--test", binary]);
        command.args(["--", "--exact", test, "--nocapture"]);
        process::run(command.env("FUZZ_SECONDS", seconds.to_string()).current_dir(&workspace.root))?;
    }
    Ok(())
}

fn parse<'a>(arguments: &[&'a str]) -> Result<(Option<&'a str>, u32), String> {
    let usage = || {
        let names: Vec<&str> = TARGETS.iter().map(|(name, ..)| *name).collect();
        format!("cargo xtask fuzz [target] [--seconds N]; the targets are {}", names.join(", "))
    };
    let (mut name, mut seconds) = (None, 10);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if *argument == "--seconds" {
            let number = rest.next().and_then(|text| text.parse().ok()).filter(|number| *number > 0);
            seconds = number.ok_or_else(usage)?;
        } else if TARGETS.iter().any(|(target, ..)| target == argument) {
            name = Some(*argument);
        } else {
            return Err(format!("unknown target `{argument}`: {}", usage()));
        }
    }
    Ok((name, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_and_its_time_are_read_or_refused() {
        assert_eq!(parse(&[]), Ok((None, 10)));
        assert_eq!(parse(&["--seconds", "60", "webhooks-bodies"]), Ok((Some("webhooks-bodies"), 60)));
        for arguments in [&["everything"][..], &["--seconds"], &["--seconds", "0"], &["--seconds", "long"]] {
            assert!(parse(arguments).is_err_and(|error| error.contains("webhooks-bodies")));
        }
    }
}
