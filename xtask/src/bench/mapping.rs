//! `bench mapping`: the mapping engine, typed Rust by hand, Node and Python bring the same records from JSON through the
//! same 20 fields to the same JSON for HubSpot, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::goals::{Bound, Goal};
use super::spread::Spread;
use super::table;
use crate::workspace::Workspace;
use crate::{Outcome, process};

const USAGE: &str = "cargo xtask bench mapping [--rounds N], at least 1";

/// Records in the file that all programs read.
const RECORDS: &str = "20000";

/// The programs, each with how often it maps the file in a round, so that each takes about a second.
const PROGRAMS: [(Program, &str); 4] =
    [(Program::Typed, "20"), (Program::Engine, "10"), (Program::Node, "4"), (Program::Python, "2")];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Typed,
    Engine,
    Node,
    Python,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Program::Typed => "typed Rust",
            Program::Engine => "mapping engine",
            Program::Node => "Node",
            Program::Python => "Python",
        }
    }
}

/// Measures and prints. A goal that is missed is printed as missed and is no failure; a program that writes other
/// bytes than the rest is.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let rounds = rounds(arguments)?;
    let bench = Bench::prepare(workspace)?;
    // Nanoseconds a record, by program and round.
    let mut measured: Vec<Vec<f64>> = vec![Vec::new(); PROGRAMS.len()];
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        for ((program, passes), all) in PROGRAMS.into_iter().zip(&mut measured) {
            let nanoseconds = bench.measure(program, passes)?;
            println!("  {:<16}{nanoseconds:>8.0} ns a record", program.name());
            all.push(nanoseconds);
        }
        bench.same_bytes()?;
    }
    let large = bench.check()?;
    println!("\n{RECORDS} records of 20 fields, JSON to JSON, CPU ns a record: median [min-max]\n");
    for ((program, _), all) in PROGRAMS.into_iter().zip(&measured) {
        let spread = Spread::of(all.iter().copied()).map_or_else(|| "-".to_owned(), |spread| spread.text(0));
        println!("{:<16}{spread}", program.name());
    }
    println!("\n{}", table::goals(&goals(&measured, large)));
    Ok(())
}

fn rounds(arguments: &[&str]) -> Result<usize, String> {
    match arguments {
        [] => Ok(5),
        ["--rounds", number] => number
            .parse()
            .ok()
            .filter(|rounds| *rounds > 0)
            .ok_or_else(|| format!("not a number of rounds: {USAGE}")),
        _ => Err(format!("unknown option: {USAGE}")),
    }
}

/// Ratios are taken within a round, so that the machine's moods cancel out.
fn goals(measured: &[Vec<f64>], large_ms: f64) -> Vec<Goal> {
    let [typed, engine, node, python] = measured else { return Vec::new() };
    let ratio =
        |over: &[f64], under: &[f64]| Spread::of(over.iter().zip(under).map(|(over, under)| over / under));
    let goal = |what: &str, measured, bound| Goal { what: what.to_owned(), measured, bound };
    vec![
        goal("engine / typed Rust", ratio(engine, typed), Bound::AtMost(3.0)),
        goal("engine / typed Rust, ambition", ratio(engine, typed), Bound::AtMost(1.5)),
        goal("Node / engine", ratio(node, engine), Bound::AtLeast(1.0)),
        goal("Python / engine", ratio(python, engine), Bound::AtLeast(1.0)),
        goal("ms to check 6 objects with 300 fields both ways", Spread::of([large_ms]), Bound::AtMost(100.0)),
    ]
}

struct Bench {
    /// The program with the engine and the typed Rust.
    program: PathBuf,
    scripts: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn prepare(workspace: &Workspace) -> Result<Bench, String> {
        let folder = workspace.target.join("bench-mapping");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let program = super::built(workspace, "mapping-engine", "mapping", &[])?;
        let bench =
            Bench { program, scripts: workspace.root.join("crates/mapping-engine/benches/mapping"), folder };
        process::output(Command::new(&bench.program).arg("data").arg(bench.input()).arg(RECORDS))?;
        Ok(bench)
    }

    fn input(&self) -> PathBuf {
        self.folder.join("records.ndjson")
    }

    fn output(&self, program: Program) -> PathBuf {
        self.folder.join(format!("{}.ndjson", program.name().replace(' ', "-")))
    }

    fn measure(&self, program: Program, passes: &str) -> Result<f64, String> {
        let script = |interpreter: &str, script: &str| {
            let mut command = Command::new(interpreter);
            command.arg(self.scripts.join(script));
            command
        };
        let ours = |what: &str| {
            let mut command = Command::new(&self.program);
            command.arg(what);
            command
        };
        let mut command = match program {
            Program::Typed => ours("typed"),
            Program::Engine => ours("engine"),
            Program::Node => script("node", "map.mjs"),
            Program::Python => script("python3", "map.py"),
        };
        let printed = process::output(command.arg(self.input()).arg(passes).arg(self.output(program)))?;
        let [records, nanoseconds] = numbers(&printed, ["records", "nanoseconds"])?;
        Ok(nanoseconds / records)
    }

    /// Milliseconds that the checker takes for a large mapping, in the middle of several checks.
    fn check(&self) -> Result<f64, String> {
        let [milliseconds] =
            numbers(&process::output(Command::new(&self.program).arg("check"))?, ["middle_ms"])?;
        Ok(milliseconds)
    }

    fn same_bytes(&self) -> Outcome {
        let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
        let wanted = read(&self.output(Program::Typed))?;
        for (program, _) in PROGRAMS {
            if read(&self.output(program))? != wanted {
                return Err(format!(
                    "{} wrote other bytes than typed Rust; see {}",
                    program.name(),
                    self.folder.display()
                ));
            }
        }
        Ok(())
    }
}

/// Numbers of the JSON object that a program printed.
fn numbers<const N: usize>(printed: &str, names: [&str; N]) -> Result<[f64; N], String> {
    let missing = || format!("not the figures of a program: `{}`", printed.trim());
    let object: Value = serde_json::from_str(printed.trim()).map_err(|_| missing())?;
    let mut found = [0.0; N];
    for (name, place) in names.iter().zip(&mut found) {
        *place = object[name].as_f64().ok_or_else(missing)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused() {
        assert_eq!(rounds(&[]), Ok(5));
        assert_eq!(rounds(&["--rounds", "2"]), Ok(2));
        for arguments in [&["--rounds"][..], &["--rounds", "0"], &["--fast"]] {
            assert!(rounds(arguments).is_err_and(|error| error.contains("bench mapping")));
        }
    }

    #[test]
    fn what_a_program_prints_is_read_or_refused() {
        let printed = "{\"records\":4,\"nanoseconds\":10.0}\n";
        assert_eq!(numbers(printed, ["nanoseconds", "records"]), Ok([10.0, 4.0]));
        assert!(numbers("{}", ["records"]).is_err() && numbers("?", ["records"]).is_err());
    }

    #[test]
    fn goals_are_ratios_within_a_round() {
        let measured = [vec![1.0, 2.0], vec![2.0, 4.0], vec![6.0, 12.0], vec![20.0, 40.0]];
        let verdicts: Vec<&str> = goals(&measured, 12.0).iter().map(Goal::verdict).collect();
        assert_eq!(verdicts, ["met", "missed", "met", "met", "met"]);
    }
}
