//! What one load came to, and all of a benchmark.

use serde_json::Value;

use super::receiver::Kind;
use super::{Load, RATE, name};
use crate::bench::spread::Spread;
use crate::bench::table;

/// What the load program printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    /// In requests that were answered with 200.
    pub(super) events: u64,
    pub(super) seconds: f64,
    /// Requests that were not.
    pub(super) refused: u64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Figures {
    /// Reads the JSON object that the program prints.
    pub(super) fn parse(output: &str) -> Result<Figures, String> {
        let missing = || format!("not the figures of a load: `{}`", output.trim());
        let object: Value = serde_json::from_str(output.trim()).map_err(|_| missing())?;
        let number = |name: &str| object[name].as_f64().ok_or_else(missing);
        let count = |name: &str| object[name].as_u64().ok_or_else(missing);
        Ok(Figures {
            events: count("events")?,
            seconds: number("seconds")?,
            refused: count("refused")?,
            p50_ms: number("p50_ms")?,
            p99_ms: number("p99_ms")?,
        })
    }

    pub(super) fn events_per_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }

    pub(super) fn shown(&self) -> String {
        let Figures { p50_ms, p99_ms, refused, .. } = self;
        let refused = if *refused > 0 { format!(", {refused} refused") } else { String::new() };
        format!("{:>8.0} events/s, p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms{refused}", self.events_per_second())
    }
}

/// All figures, in the order in which they were measured.
#[derive(Debug, Default)]
pub(super) struct Measured(Vec<(Kind, Load, Figures)>);

impl Measured {
    pub(super) fn add(&mut self, kind: Kind, load: Load, figures: Figures) {
        self.0.push((kind, load, figures));
    }

    /// One for each round.
    pub(super) fn of(&self, kind: Kind, load: Load) -> impl Iterator<Item = &Figures> {
        self.0
            .iter()
            .filter(move |(one, other, _)| (*one, *other) == (kind, load))
            .map(|(_, _, figures)| figures)
    }

    /// A line for each receiver.
    pub(super) fn table(&self, rounds: usize) -> String {
        let mut head = vec![String::new()];
        head.extend([1, 10, 100].map(|events| format!("events/s, {}", name(Load::Closed(events)))));
        head.push(format!("p99 ms, {}", name(Load::Open)));
        let mut lines = vec![head];
        for kind in Kind::ALL {
            let cell = |load: Load, figure: &dyn Fn(&Figures) -> f64, digits: usize| {
                Spread::of(self.of(kind, load).map(figure))
                    .map_or_else(|| "-".to_owned(), |spread| spread.text(digits))
            };
            let mut line = vec![kind.name().to_owned()];
            line.extend(
                [1, 10, 100].map(|events| cell(Load::Closed(events), &Figures::events_per_second, 0)),
            );
            line.push(cell(Load::Open, &|figures| figures.p99_ms, 1));
            lines.push(line);
        }
        format!(
            "signed with version 3, 200 once durable, {rounds} round(s): median [min-max]; the load runs on the same \
             machine, over {} connections, or keeps {RATE} requests of 10 events a second\n\n{}",
            super::CONNECTIONS,
            table::aligned(&lines)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_or_shown_as_they_came() {
        let line = r#"{"requests":10,"refused":1,"events":100,"seconds":2.0,"p50_ms":0.5,"p99_ms":9.5}"#;
        let figures = Figures::parse(line).unwrap();
        assert_eq!(figures.events_per_second(), 50.0);
        assert!(figures.shown().ends_with("50 events/s, p50 0.5 ms, p99 9.5 ms, 1 refused"));
        for output in ["", "{}", "error: refused"] {
            assert!(Figures::parse(output).unwrap_err().contains(output));
        }
    }

    #[test]
    fn every_receiver_has_a_line() {
        let mut measured = Measured::default();
        let figures = Figures { events: 100, seconds: 2.0, refused: 0, p50_ms: 0.5, p99_ms: 9.5 };
        measured.add(Kind::Bare, Load::Open, figures);
        measured.add(Kind::Bare, Load::Closed(10), figures);
        let table = measured.table(1);
        let line = table.lines().find(|line| line.starts_with("bare")).unwrap();
        assert_eq!(line.split_whitespace().skip(4).collect::<Vec<_>>(), ["-", "50", "-", "9.5"]);
    }
}
