//! The smallest world that still goes wrong: fewer steps, fewer kinds of faults and deeds.

use super::{Outcome, Setup, simulate};

/// What is left of a world that goes wrong.
#[derive(Debug)]
pub struct Smallest {
    /// How to make it.
    pub setup: Setup,
    /// What it comes to.
    pub outcome: Outcome,
    /// Worlds that were tried.
    pub tried: usize,
}

/// Looks for a smaller world that breaks the same invariant, by trying; greedy, so that there may be a smaller one yet.
/// `None`: this one does not go wrong. Tries at most so many.
#[must_use]
pub fn shrink(setup: &Setup, tries_max: usize) -> Option<Smallest> {
    let outcome = simulate(setup);
    let invariant = outcome.violations.first()?.invariant;
    let mut smallest = Smallest { setup: setup.clone(), outcome, tried: 1 };
    // How many steps: halves first, then one by one.
    let mut cut = smallest.outcome.steps / 2;
    while cut > 0 && smallest.tried < tries_max {
        let steps = smallest.outcome.steps.saturating_sub(cut);
        let setup = Setup { steps_max: Some(steps), ..smallest.setup.clone() };
        if !smallest.try_one(setup, invariant) {
            cut /= 2;
        }
    }
    let tally = &smallest.outcome.tally;
    let kinds = tally.faults.keys().chain(tally.deeds.keys()).copied();
    let kinds: Vec<&str> = kinds.chain(["kill", "unlucky edit", "time"]).collect();
    for kind in kinds {
        if smallest.tried >= tries_max {
            break;
        }
        let mut setup = smallest.setup.clone();
        setup.without.insert(kind.to_owned());
        smallest.try_one(setup, invariant);
    }
    Some(smallest)
}

impl Smallest {
    /// Takes this world if it goes wrong in the same way.
    fn try_one(&mut self, setup: Setup, invariant: &str) -> bool {
        self.tried += 1;
        let outcome = simulate(&setup);
        let is_same = outcome.violations.first().is_some_and(|found| found.invariant == invariant);
        if is_same {
            (self.setup, self.outcome) = (setup, outcome);
        }
        is_same
    }

    /// What to type to see it.
    #[must_use]
    pub fn command(&self) -> String {
        self.setup.command()
    }
}
