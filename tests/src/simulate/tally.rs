//! What happened in simulated worlds, counted.

use std::collections::BTreeMap;
use std::fmt;

use super::faults::KINDS;

/// Counts over one seed or many.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs of the engine.
    pub runs: u64,
    /// Records that the engine wrote or deleted, on either side.
    pub writes: u64,
    /// Associations that it added or removed.
    pub edges: u64,
    /// Edits at the worst moment: between the engine's reading and its writing.
    pub unlucky: u64,
    /// Time that passed in the worlds.
    pub virtual_seconds: u64,
    /// What people did, by kind.
    pub deeds: BTreeMap<&'static str, u64>,
    /// Faults, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Crashes, by the step they fell on.
    pub crashes: BTreeMap<&'static str, u64>,
    /// Checks, by invariant.
    pub checks: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn deed(&mut self, name: &'static str) {
        *self.deeds.entry(name).or_default() += 1;
    }

    pub(super) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(super) fn crash(&mut self, step: &'static str) {
        *self.crashes.entry(step).or_default() += 1;
    }

    pub(super) fn check(&mut self, name: &'static str) {
        *self.checks.entry(name).or_default() += 1;
    }

    /// Adds another world's counts.
    pub fn add(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.writes += other.writes;
        self.edges += other.edges;
        self.unlucky += other.unlucky;
        self.virtual_seconds += other.virtual_seconds;
        for (mine, theirs) in [
            (&mut self.deeds, &other.deeds),
            (&mut self.faults, &other.faults),
            (&mut self.crashes, &other.crashes),
            (&mut self.checks, &other.checks),
        ] {
            for (name, count) in theirs {
                *mine.entry(name).or_default() += count;
            }
        }
    }

    /// Kinds that never happened although they should have: a simulation that misses them proves too little.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let deeds = [
            "edit left",
            "edit both",
            "edit right",
            "join left",
            "join right",
            "join both",
            "delete left",
            "delete right",
            "restore right",
            "restore left",
            "erase right",
            "merge right",
            "firm joins",
            "firm edited",
            "employer changed",
            "company deleted",
            "edit at the worst moment",
        ];
        let faults: Vec<&'static str> = KINDS.iter().map(|(name, _)| *name).collect();
        let crashes = ["commit", "write", "write left", "write edges", "archive"];
        let absent = |wanted: &[&'static str], seen: &BTreeMap<&'static str, u64>| {
            wanted.iter().filter(|name| !seen.contains_key(*name)).copied().collect::<Vec<_>>()
        };
        [absent(&deeds, &self.deeds), absent(&faults, &self.faults), absent(&crashes, &self.crashes)].concat()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = |counts: &BTreeMap<&'static str, u64>| counts.values().sum::<u64>();
        writeln!(f, "virtual days     {:.1}", self.virtual_seconds as f64 / 86_400.0)?;
        writeln!(f, "runs             {}, of them {} killed", self.runs, total(&self.crashes))?;
        writeln!(f, "written          {} records, {} associations", self.writes, self.edges)?;
        writeln!(f, "unlucky edits    in {} runs", self.unlucky)?;
        let lists = [
            ("people", &self.deeds),
            ("faults", &self.faults),
            ("kills", &self.crashes),
            ("checks", &self.checks),
        ];
        for (name, counts) in lists {
            write!(f, "{name:16} {}", total(counts))?;
            for (kind, count) in counts {
                write!(f, "\n  {kind:30} {count:>12}")?;
            }
            if name != "checks" {
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
