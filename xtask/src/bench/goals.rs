//! What the benchmark is for: the goals, and what was measured beside each.

use super::figures::{Figures, Measured, Run};
use super::spread::Spread;

/// One promise.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) what: String,
    /// `None` where the runs that it needs were not asked for or were too short.
    pub(super) measured: Option<Spread>,
    pub(super) bound: Bound,
}

/// What the median is held against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(super) fn verdict(&self) -> &'static str {
        let Some(Spread { median, .. }) = self.measured else { return "not measured" };
        let met = match self.bound {
            Bound::AtMost(most) => median <= most,
            Bound::AtLeast(least) => median >= least,
        };
        if met { "met" } else { "missed" }
    }
}

/// All goals, for rounds of so many rows.
pub(super) fn of(measured: &Measured, rows: u64) -> Vec<Goal> {
    let cpu = |over, under| paired(measured, over, under, |over, under| over.cpu() / under.cpu());
    let peak = |run| Spread::of(measured.of(run).map(|figures| figures.peak_mb));
    // Growth is counted from what the rounds usually needed.
    let growth = |million, run| Spread::of([peak(million)?.median - peak(run)?.median]);
    let commits = |run| Spread::of(measured.of(run).map(commits_per_batch));
    let goal = |what: &str, measured, bound| Goal { what: what.to_owned(), measured, bound };
    vec![
        goal("CPU, engine / bare loop, first run", cpu(Run::EngineFirst, Run::BareFirst), Bound::AtMost(2.5)),
        goal(
            "CPU, engine / bare loop, unchanged",
            cpu(Run::EngineUnchanged, Run::BareUnchanged),
            Bound::AtMost(2.0),
        ),
        goal("CPU, Python / engine, first run", cpu(Run::Python, Run::EngineFirst), Bound::AtLeast(8.0)),
        goal("peak MB at 1,000,000 rows, first run", peak(Run::MillionFirst), Bound::AtMost(64.0)),
        goal("peak MB at 1,000,000 rows, unchanged", peak(Run::MillionUnchanged), Bound::AtMost(64.0)),
        Goal {
            what: format!("MB more than at {rows} rows, first run"),
            measured: growth(Run::MillionFirst, Run::EngineFirst),
            bound: Bound::AtMost(8.0),
        },
        Goal {
            what: format!("MB more than at {rows} rows, unchanged"),
            measured: growth(Run::MillionUnchanged, Run::EngineUnchanged),
            bound: Bound::AtMost(8.0),
        },
        goal("commits per batch, first run", commits(Run::EngineFirst), Bound::AtMost(2.0)),
        goal("commits per batch, 1 % changed", commits(Run::EngineChanged), Bound::AtMost(2.0)),
    ]
}

/// The ratio of each round, so that a slow moment of the machine weighs on both sides.
fn paired(
    measured: &Measured,
    over: Run,
    under: Run,
    ratio: impl Fn(&Figures, &Figures) -> f64,
) -> Option<Spread> {
    Spread::of(measured.of(over).zip(measured.of(under)).map(|(over, under)| ratio(over, under)))
}

/// Not a number for a program that has no store.
fn commits_per_batch(figures: &Figures) -> f64 {
    figures.commits.zip(figures.batches).map_or(f64::NAN, |(commits, batches)| commits / batches)
}

#[cfg(test)]
mod tests {
    use super::super::figures::sample;
    use super::*;

    fn goal<'a>(goals: &'a [Goal], what: &str) -> &'a Goal {
        goals.iter().find(|goal| goal.what == what).unwrap()
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let mut measured = Measured::default();
        for (engine, bare) in [(2.0, 1.0), (30.0, 10.0), (4.0, 1.0)] {
            measured.add(Run::EngineFirst, sample(1_000, engine, 30.0));
            measured.add(Run::BareFirst, sample(1_000, bare, 20.0));
        }
        measured.add(Run::Python, sample(1_000, 16.0, 60.0));
        let goals = of(&measured, 1_000);

        let bare = goal(&goals, "CPU, engine / bare loop, first run");
        assert_eq!((bare.measured.unwrap().text(1).as_str(), bare.verdict()), ("3.0 [2.0-4.0]", "missed"));
        let python = goal(&goals, "CPU, Python / engine, first run");
        assert_eq!((python.measured.unwrap().text(1).as_str(), python.verdict()), ("8.0", "met"));
        let commits = goal(&goals, "commits per batch, first run");
        assert_eq!((commits.measured.unwrap().text(1).as_str(), commits.verdict()), ("1.5", "met"));
    }

    #[test]
    fn growth_is_over_the_usual_peak_of_the_rounds() {
        let mut measured = Measured::default();
        for peak in [30.0, 31.0, 50.0] {
            measured.add(Run::EngineFirst, sample(1_000, 1.0, peak));
        }
        measured.add(Run::MillionFirst, sample(1_000_000, 1.0, 40.0));
        let goals = of(&measured, 1_000);

        let growth = goal(&goals, "MB more than at 1000 rows, first run");
        assert_eq!((growth.measured.unwrap().text(1).as_str(), growth.verdict()), ("9.0", "missed"));
        assert_eq!(goal(&goals, "peak MB at 1,000,000 rows, first run").verdict(), "met");
    }

    #[test]
    fn what_was_not_run_is_neither_met_nor_missed() {
        assert!(of(&Measured::default(), 1_000).iter().all(|goal| goal.verdict() == "not measured"));
        let mut measured = Measured::default();
        measured.add(Run::EngineUnchanged, sample(100, 0.1, 30.0));
        measured.add(Run::BareUnchanged, sample(100, 0.0, 30.0));
        let goals = of(&measured, 100);
        assert_eq!(goal(&goals, "CPU, engine / bare loop, unchanged").verdict(), "not measured");
    }
}
