//! What one run of one program used, as the program printed it, and all runs of a benchmark.

use serde_json::Value;

/// What was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Every record is new.
    EngineFirst,
    /// The same data again.
    EngineUnchanged,
    /// One record of a hundred has changed.
    EngineChanged,
    BareFirst,
    BareUnchanged,
    Python,
    MillionFirst,
    MillionUnchanged,
}

impl Run {
    /// In the order of the table.
    pub(super) const ALL: [Run; 8] = [
        Run::EngineFirst,
        Run::EngineUnchanged,
        Run::EngineChanged,
        Run::BareFirst,
        Run::BareUnchanged,
        Run::Python,
        Run::MillionFirst,
        Run::MillionUnchanged,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Run::EngineFirst => "engine, first run",
            Run::EngineUnchanged => "engine, unchanged",
            Run::EngineChanged => "engine, 1 % changed",
            Run::BareFirst => "bare loop, first run",
            Run::BareUnchanged => "bare loop, unchanged",
            Run::Python => "Python, every run",
            Run::MillionFirst => "engine, 1,000,000, first",
            Run::MillionUnchanged => "engine, 1,000,000, unchanged",
        }
    }
}

/// What a run did and used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    pub(super) read: u64,
    pub(super) written: u64,
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
    pub(super) peak_mb: f64,
    /// Requests of any kind.
    pub(super) calls: f64,
    /// Requests that write a batch; `None` for a program that does not tell them apart.
    pub(super) batches: Option<f64>,
    /// Durable commits of the program's own store; `None` for a program without one.
    pub(super) commits: Option<f64>,
}

impl Figures {
    /// Reads the JSON object that a program prints as its last line.
    pub(super) fn parse(output: &str) -> Result<Figures, String> {
        let line = output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        let object: Value = serde_json::from_str(line)
            .map_err(|error| format!("not the figures of a run: `{line}`: {error}"))?;
        let missing = |name: &str| format!("no number `{name}` in the figures of a run: `{line}`");
        let count = |name: &str| object[name].as_u64().ok_or_else(|| missing(name));
        let number = |name: &str| object[name].as_f64().ok_or_else(|| missing(name));
        Ok(Figures {
            read: count("read")?,
            written: count("written")?,
            seconds: number("seconds")?,
            cpu_seconds: number("cpu_seconds")?,
            peak_mb: number("peak_mb")?,
            calls: number("calls")?,
            batches: object["batches"].as_f64(),
            commits: object["commits"].as_f64(),
        })
    }

    pub(super) fn records_per_second(&self) -> f64 {
        self.read as f64 / self.seconds
    }

    /// Seconds of CPU time for 100,000 records read.
    pub(super) fn cpu(&self) -> f64 {
        self.cpu_seconds * 100_000.0 / self.read as f64
    }

    /// `amount`, which the whole run had, for 1,000 records read.
    pub(super) fn per_thousand(&self, amount: f64) -> f64 {
        amount * 1_000.0 / self.read as f64
    }
}

/// The figures of all runs, in the order in which they ran.
#[derive(Debug, Default)]
pub(super) struct Measured(Vec<(Run, Figures)>);

impl Measured {
    pub(super) fn add(&mut self, run: Run, figures: Figures) {
        self.0.push((run, figures));
    }

    /// One per round.
    pub(super) fn of(&self, run: Run) -> impl Iterator<Item = &Figures> {
        self.0.iter().filter(move |(which, _)| *which == run).map(|(_, figures)| figures)
    }
}

#[cfg(test)]
pub(super) fn sample(read: u64, cpu_seconds: f64, peak_mb: f64) -> Figures {
    Figures {
        read,
        written: read,
        seconds: 2.0,
        cpu_seconds,
        peak_mb,
        calls: 20.0,
        batches: Some(10.0),
        commits: Some(15.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_the_last_line() {
        let line = r#"{"read":1000,"written":10,"seconds":0.5,"cpu_seconds":0.25,"peak_mb":20.5,"calls":3,"batches":1,"commits":2}"#;
        let expected = Figures {
            read: 1000,
            written: 10,
            seconds: 0.5,
            cpu_seconds: 0.25,
            peak_mb: 20.5,
            calls: 3.0,
            batches: Some(1.0),
            commits: Some(2.0),
        };
        assert_eq!(Figures::parse(&format!("a warning\n{line}\n\n")), Ok(expected));
    }

    #[test]
    fn a_program_without_a_store_has_no_commits() {
        let line = r#"{"read":1,"written":1,"seconds":1,"cpu_seconds":1,"peak_mb":1,"calls":1}"#;
        let figures = Figures::parse(line).unwrap();
        assert_eq!((figures.commits, figures.batches), (None, None));
    }

    #[test]
    fn what_is_no_figures_is_an_error_that_shows_it() {
        for (output, part) in
            [("", "not the figures"), ("done", "`done`"), ("{}", "`read`"), (r#"{"read":-1}"#, "`read`")]
        {
            let error = Figures::parse(output).unwrap_err();
            assert!(error.contains(part), "{output}: {error}");
        }
    }

    #[test]
    fn rates_are_per_record_read() {
        let figures = sample(50_000, 1.5, 30.0);
        assert_eq!(figures.records_per_second(), 25_000.0);
        assert_eq!(figures.cpu(), 3.0);
        assert_eq!(figures.per_thousand(figures.calls), 0.4);
    }

    #[test]
    fn runs_of_one_kind_keep_their_order() {
        let mut measured = Measured::default();
        measured.add(Run::EngineFirst, sample(1, 1.0, 1.0));
        measured.add(Run::BareFirst, sample(1, 2.0, 1.0));
        measured.add(Run::EngineFirst, sample(1, 3.0, 1.0));
        let seconds: Vec<f64> = measured.of(Run::EngineFirst).map(|figures| figures.cpu_seconds).collect();
        assert_eq!(seconds, [1.0, 3.0]);
    }
}
