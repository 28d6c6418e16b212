//! `bench sources`: our adapters and dlt read the same people from a JSON API and from PostgreSQL, in turns.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::goals::{Bound, Goal};
use super::spread::Spread;
use super::table;
use crate::workspace::Workspace;
use crate::{Outcome, conformance, process};

const USAGE: &str = "cargo xtask bench sources [--rows N] [--rounds N], each at least 1";

/// The peer, its reader of databases, and the driver of that.
const DLT: [&str; 3] = ["dlt==1.31.0", "sqlalchemy==2.0.44", "psycopg2-binary==2.9.11"];

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Rest,
    Postgres,
}

impl Origin {
    const ALL: [Origin; 2] = [Origin::Rest, Origin::Postgres];

    fn word(self) -> &'static str {
        match self {
            Origin::Rest => "rest",
            Origin::Postgres => "postgres",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Origin::Rest => "JSON API",
            Origin::Postgres => "PostgreSQL",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Ours,
    /// It hands over what it read.
    DltExtract,
    /// It also types what it read, as we do, and loads it into a destination that drops it.
    DltPipeline,
}

impl Reader {
    const ALL: [Reader; 3] = [Reader::Ours, Reader::DltExtract, Reader::DltPipeline];

    fn name(self) -> &'static str {
        match self {
            Reader::Ours => "adapter",
            Reader::DltExtract => "dlt, extraction alone",
            Reader::DltPipeline => "dlt pipeline",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settings {
    rows: u64,
    rounds: u64,
}

impl Settings {
    fn parse(arguments: &[&str]) -> Result<Settings, String> {
        let mut settings = Settings { rows: 100_000, rounds: 3 };
        for pair in arguments.chunks(2) {
            let [name, value] = pair else { return Err(format!("an option has no value: {USAGE}")) };
            let number = value.parse().ok().filter(|number| *number > 0);
            let number = number.ok_or_else(|| format!("`{value}` is no such number: {USAGE}"))?;
            match *name {
                "--rows" => settings.rows = number,
                "--rounds" => settings.rounds = number,
                _ => return Err(format!("unknown option `{name}`: {USAGE}")),
            }
        }
        Ok(settings)
    }
}

/// What one reading took.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    from: Origin,
    reader: Reader,
    records: f64,
    seconds: f64,
    cpu_seconds: f64,
    peak_mb: f64,
}

impl Figures {
    fn parse(from: Origin, reader: Reader, printed: &str) -> Result<Figures, String> {
        let line = printed.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let said: Value =
            serde_json::from_str(line).map_err(|_| format!("not the figures of a reading: `{line}`"))?;
        let number =
            |name: &str| said[name].as_f64().ok_or_else(|| format!("no number `{name}` in `{line}`"));
        Ok(Figures {
            from,
            reader,
            records: number("records")?,
            seconds: number("seconds")?,
            cpu_seconds: number("cpu_seconds")?,
            peak_mb: number("peak_mb")?,
        })
    }

    fn per_second(&self) -> f64 {
        self.records / self.seconds
    }

    /// Seconds of CPU time for 100,000 records.
    fn cpu(&self) -> f64 {
        self.cpu_seconds * 100_000.0 / self.records
    }
}

/// Measures and prints. A goal that is missed is printed as missed and is no failure; a reader that fails, or that did
/// not read every record, is.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Outcome {
    let settings = Settings::parse(arguments)?;
    let bench = Bench::prepare(workspace, settings)?;
    let mut measured = Vec::new();
    for from in Origin::ALL {
        let server = Server::start(&bench.program, from, settings.rows)?;
        for round in 1..=settings.rounds {
            println!("{}, round {round} of {}", from.name(), settings.rounds);
            for reader in Reader::ALL {
                let figures = bench.measure(from, reader, &server.address)?;
                println!(
                    "  {:<22}{:>9.0} records/s, {:>6.2} s of CPU, {:>6.1} MB",
                    reader.name(),
                    figures.per_second(),
                    figures.cpu_seconds,
                    figures.peak_mb
                );
                measured.push(figures);
            }
        }
    }
    println!(
        "\n{} people of 12 fields, pages of 1,000, {} round(s): median [min-max]; the server runs on the same machine \
         and is not counted in CPU and MB\n\n{}",
        settings.rows,
        settings.rounds,
        shown(&measured)
    );
    println!("\n{}", table::goals(&goals(&measured)));
    Ok(())
}

fn of(measured: &[Figures], from: Origin, reader: Reader) -> Vec<Figures> {
    measured.iter().copied().filter(|figures| figures.from == from && figures.reader == reader).collect()
}

fn shown(measured: &[Figures]) -> String {
    let mut lines = vec![["", "records/s", "CPU s/100,000", "peak MB"].map(str::to_owned).to_vec()];
    for from in Origin::ALL {
        for reader in Reader::ALL {
            let all = of(measured, from, reader);
            let cell = |figure: fn(&Figures) -> f64, digits| {
                Spread::of(all.iter().map(figure))
                    .map_or_else(|| "-".to_owned(), |spread| spread.text(digits))
            };
            lines.push(vec![
                format!("{}, {}", from.name(), reader.name()),
                cell(Figures::per_second, 0),
                cell(Figures::cpu, 2),
                cell(|figures| figures.peak_mb, 1),
            ]);
        }
    }
    table::aligned(&lines)
}

/// Ratios are taken within a round, so that the machine's moods cancel out.
fn goals(measured: &[Figures]) -> Vec<Goal> {
    let each = Origin::ALL.into_iter().flat_map(|from| {
        let ours = of(measured, from, Reader::Ours);
        let ratio = |reader| {
            let dlt = of(measured, from, reader);
            Spread::of(dlt.iter().zip(&ours).map(|(dlt, ours)| dlt.cpu_seconds / ours.cpu_seconds))
        };
        let peak = Spread::of(ours.iter().map(|figures| figures.peak_mb));
        let goal =
            |what: &str, measured, bound| Goal { what: format!("{what}, {}", from.name()), measured, bound };
        [
            goal("CPU, dlt pipeline / adapter", ratio(Reader::DltPipeline), Bound::AtLeast(10.0)),
            goal("CPU, dlt extraction / adapter", ratio(Reader::DltExtract), Bound::AtLeast(4.0)),
            goal("peak MB, adapter", peak, Bound::AtMost(64.0)),
        ]
    });
    each.collect()
}

struct Bench {
    settings: Settings,
    /// The program with our readers and the servers.
    program: PathBuf,
    python: PathBuf,
    script: PathBuf,
}

impl Bench {
    fn prepare(workspace: &Workspace, settings: Settings) -> Result<Bench, String> {
        let python = conformance::python_with(&workspace.target.join("bench-sources/python"), &DLT)?;
        let program =
            super::built(workspace, "source-adapters", "sources", &["--features", "rest,postgres"])?;
        Ok(Bench {
            settings,
            program,
            python,
            script: workspace.root.join("crates/source-adapters/benches/sources/dlt_reader.py"),
        })
    }

    fn measure(&self, from: Origin, reader: Reader, address: &str) -> Result<Figures, String> {
        let mut command = match reader {
            Reader::Ours => {
                let mut command = Command::new(&self.program);
                command.arg("read");
                command
            }
            Reader::DltExtract | Reader::DltPipeline => {
                let what = if reader == Reader::DltPipeline { "pipeline" } else { "extract" };
                let mut command = Command::new(&self.python);
                command.arg(&self.script).arg(what);
                command
            }
        };
        let rows = self.settings.rows.to_string();
        let printed = process::output(command.args([from.word(), address, &rows]))?;
        Figures::parse(from, reader, &printed)
    }
}

/// What is read from. It ends when its standard input does, and so with this program.
struct Server {
    process: Child,
    address: String,
    _output: BufReader<ChildStdout>,
}

impl Server {
    fn start(program: &PathBuf, from: Origin, rows: u64) -> Result<Server, String> {
        let mut command = Command::new(program);
        command.args(["serve", from.word(), &rows.to_string()]);
        let failed = |error: std::io::Error| format!("the {} cannot be started: {error}", from.name());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let mut output = BufReader::new(process.stdout.take().ok_or("its output is not piped")?);
        let mut line = String::new();
        output.read_line(&mut line).map_err(failed)?;
        let mut server = Server { process, address: String::new(), _output: output };
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        // Dropping it ends the process in either case.
        let address = said["address"].as_str();
        server.address =
            address.ok_or_else(|| format!("the {} did not start; see above", from.name()))?.to_owned();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_or_refused() {
        assert_eq!(Settings::parse(&[]), Ok(Settings { rows: 100_000, rounds: 3 }));
        let said = Settings::parse(&["--rows", "1000000", "--rounds", "1"]);
        assert_eq!(said, Ok(Settings { rows: 1_000_000, rounds: 1 }));
        for arguments in [&["--rows"][..], &["--rows", "0"], &["--rows", "many"], &["--fast", "1"]] {
            assert!(Settings::parse(arguments).is_err_and(|error| error.contains("bench sources")));
        }
    }

    #[test]
    fn goals_are_ratios_within_a_round() {
        let figures = |from, reader, cpu_seconds, peak_mb| Figures {
            from,
            reader,
            records: 100.0,
            seconds: 1.0,
            cpu_seconds,
            peak_mb,
        };
        let measured = [
            figures(Origin::Rest, Reader::Ours, 1.0, 20.0),
            figures(Origin::Rest, Reader::DltExtract, 5.0, 90.0),
            figures(Origin::Rest, Reader::DltPipeline, 12.0, 90.0),
            figures(Origin::Postgres, Reader::Ours, 2.0, 70.0),
            figures(Origin::Postgres, Reader::DltExtract, 6.0, 90.0),
            figures(Origin::Postgres, Reader::DltPipeline, 12.0, 90.0),
        ];
        let verdicts: Vec<&str> = goals(&measured).iter().map(Goal::verdict).collect();
        assert_eq!(verdicts, ["met", "met", "met", "missed", "missed", "missed"]);
    }

    #[test]
    fn what_a_reader_prints_is_read_or_refused() {
        let line = r#"{"records":100000,"seconds":2.0,"cpu_seconds":0.5,"peak_mb":20.5}"#;
        let read = Figures::parse(Origin::Rest, Reader::Ours, &format!("a warning\n{line}\n")).unwrap();
        assert_eq!((read.per_second(), read.cpu()), (50_000.0, 0.5));
        for (printed, part) in [("done", "not the figures"), ("{}", "`records`")] {
            let error = Figures::parse(Origin::Rest, Reader::Ours, printed).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
