//! Ends the real program with `kill -9` over and over, and prints what came of it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to the person who ran it")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use workspace_tests::connected::Failure;
use workspace_tests::kill::{Plan, kill};

const USAGE: &str = "kill PROGRAM PORTAL FOLDER [--kills N] [--seconds MAX] [--seed N]";

fn plan() -> Result<Plan, Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut path = || arguments.next().map(PathBuf::from).ok_or(USAGE);
    let (program, portal, folder) = (path()?, path()?, path()?);
    let mut plan = Plan { program, portal, folder, kills: 500, limit: Duration::from_secs(900), seed: 1 };
    while let Some(name) = arguments.next() {
        let text = arguments.next().unwrap_or_default();
        let number: u64 =
            text.parse().map_err(|_| format!("{name} wants a number, not `{text}`\n{USAGE}"))?;
        match name.as_str() {
            "--kills" => plan.kills = number,
            "--seconds" => plan.limit = Duration::from_secs(number),
            "--seed" => plan.seed = number,
            _ => return Err(format!("`{name}` is not understood\n{USAGE}").into()),
        }
    }
    Ok(plan)
}

fn go() -> Result<bool, Failure> {
    let plan = plan()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(kill(&plan))?;
    println!("{figures}");
    figures.problems.iter().for_each(|problem| println!("{problem}"));
    if figures.kills < plan.kills {
        println!(
            "too few        {} kills in {:.0} s, where {} are wanted",
            figures.kills,
            figures.took.as_secs_f64(),
            plan.kills
        );
    }
    Ok(figures.problems.is_empty() && figures.kills >= plan.kills)
}

fn main() -> ExitCode {
    match go() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
