//! What a run did, in numbers that add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run's report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The run's number.
    pub run: u64,
    /// The run that this one has taken back, where it is an undo.
    #[serde(default)]
    pub undoes: Option<u64>,
    /// Per link, in the mapping's order.
    pub links: Vec<LinkReport>,
    /// Per association rule, in the mapping's order.
    pub edges: Vec<EdgeReport>,
    /// Why the run stopped early, with what to do; nothing is lost, the next run goes on.
    pub halted: Option<String>,
    /// Why changes in HubSpot could not be heard of in full; the next run hears of them.
    #[serde(default)]
    pub deaf: Option<String>,
    /// Spans of which the feed has lost sight: both sides have to be compared in full.
    #[serde(default)]
    pub gaps: Vec<String>,
    /// Writes whose history could not be read afterwards.
    #[serde(default)]
    pub unaudited: u64,
    /// Planned operations that were skipped because something moved since the plan was made.
    pub moved: Vec<Moved>,
    /// Batches whose answer was missing and that an earlier run had left open.
    pub recovered: u64,
    /// Commits of the state store.
    pub commits: u64,
}

/// How much of a link's side of the source was read, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// All of it: it cannot be asked for changes, or it costs as much, or it is for a plan.
    #[default]
    Full,
    /// All of it, for it never was as a whole.
    First,
    /// All of it, because the mapping is another one than before.
    NewMapping,
    /// All of it: it tells of changes, but not of the deletions that mean something to HubSpot.
    Deletions,
    /// All of it, because it no longer knew what had changed.
    Gap,
    /// All of it, because the time has come: see [`Options::rescan`](crate::Options::rescan).
    Due,
    /// What it told had changed.
    Changes,
    /// Only what happened in HubSpot made necessary.
    Nothing,
}

/// One link's numbers. Every record that was read is in exactly one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkReport {
    /// The link's name.
    pub link: String,
    /// How much of the source was read.
    #[serde(default)]
    pub reading: Reading,
    /// Records and unreadable rows that the source gave.
    pub read: u64,
    /// As they were.
    pub unchanged: u64,
    /// Changed at the source in nothing that is mapped, or in associations only.
    pub touched: u64,
    /// Made in HubSpot.
    pub created: u64,
    /// Updated in HubSpot.
    pub updated: u64,
    /// Recognised in HubSpot and linked.
    pub adopted: u64,
    /// Changed in the customer's system and in nothing else.
    #[serde(default)]
    pub brought_back: u64,
    /// Made in the customer's system.
    #[serde(default)]
    pub created_left: u64,
    /// Deleted on one side because they were deleted on the other.
    #[serde(default)]
    pub deleted: u64,
    /// Deleted, merged away or missing on one side; the other is left as it is.
    #[serde(default)]
    pub gone: u64,
    /// Properties held for a person, newly or again (records, not among the classes).
    #[serde(default)]
    pub held: u64,
    /// Values written over ones that somebody had set meanwhile, by policy or by a person's word (not a class).
    #[serde(default)]
    pub overridden: u64,
    /// Outside the link's scope.
    pub excluded: u64,
    /// Parked as dead letters, by cause, now or by an earlier run.
    pub parked: BTreeMap<String, u64>,
    /// Sent, but without proof of the outcome; the next run settles them.
    pub unknown: u64,
    /// Not sent: the run stopped early, or the record was locked.
    pub pending: u64,
    /// Skipped by `apply`: not in the plan, or moved since.
    pub skipped: u64,
    /// Properties that HubSpot shows in another form than they were sent in, by name.
    pub reformatted: BTreeMap<String, u64>,
    /// Bad values that the mapping leaves out rather than holding the record back, by property and code.
    pub left_out: BTreeMap<String, u64>,
    /// Records that had been deleted in HubSpot and were made anew (among `updated`).
    pub recreated: u64,
}

impl LinkReport {
    /// How many parked records there are.
    #[must_use]
    pub fn parked_total(&self) -> u64 {
        self.parked.values().sum()
    }

    /// Records written to HubSpot.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.created + self.updated + self.adopted
    }

    /// Records written to the customer's system.
    #[must_use]
    pub fn written_left(&self) -> u64 {
        self.brought_back + self.created_left
    }

    /// Records read that are in no class: must be zero.
    #[must_use]
    pub fn unexplained(&self) -> i128 {
        let classes = self.unchanged
            + self.touched
            + self.written()
            + self.brought_back
            + self.created_left
            + self.deleted
            + self.gone
            + self.excluded
            + self.parked_total()
            + self.unknown
            + self.pending
            + self.skipped;
        i128::from(self.read) - i128::from(classes)
    }
}

impl LinkReport {
    /// Adds what was done beside it.
    fn add(&mut self, other: LinkReport) {
        let sum = |into: &mut BTreeMap<String, u64>, from: BTreeMap<String, u64>| {
            from.into_iter().for_each(|(name, count)| *into.entry(name).or_default() += count);
        };
        let LinkReport {
            link: _,
            reading: _,
            read,
            unchanged,
            touched,
            created,
            updated,
            adopted,
            brought_back,
            created_left,
            deleted,
            gone,
            held,
            overridden,
            excluded,
            parked,
            unknown,
            pending,
            skipped,
            reformatted,
            left_out,
            recreated,
        } = other;
        self.read += read;
        self.unchanged += unchanged;
        self.touched += touched;
        self.created += created;
        self.updated += updated;
        self.adopted += adopted;
        self.brought_back += brought_back;
        self.created_left += created_left;
        self.deleted += deleted;
        self.gone += gone;
        self.held += held;
        self.overridden += overridden;
        self.excluded += excluded;
        sum(&mut self.parked, parked);
        self.unknown += unknown;
        self.pending += pending;
        self.skipped += skipped;
        sum(&mut self.reformatted, reformatted);
        sum(&mut self.left_out, left_out);
        self.recreated += recreated;
    }
}

/// One association rule's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeReport {
    /// The rule's name.
    pub rule: String,
    /// Added in HubSpot.
    pub added: u64,
    /// Removed in HubSpot.
    pub removed: u64,
    /// Waiting for a record that does not exist: the source names it but does not have it.
    pub waiting: u64,
    /// Refused by HubSpot, by code.
    pub rejected: BTreeMap<String, u64>,
    /// Not sent, or without proof: repeated by the next run.
    pub pending: u64,
}

/// A planned operation that was skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The link.
    pub link: String,
    /// The record's id in the source.
    pub id: String,
    /// What moved.
    pub why: String,
}

impl RunReport {
    /// Adds what was settled of earlier runs' work before this one, in the order of the same mapping.
    pub(crate) fn add(&mut self, settled: RunReport) {
        for (mine, theirs) in self.links.iter_mut().zip(settled.links) {
            mine.add(theirs);
        }
        self.unaudited += settled.unaudited;
        self.recovered += settled.recovered;
        self.moved.extend(settled.moved);
    }

    /// Records written to HubSpot.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.links.iter().map(LinkReport::written).sum()
    }

    /// Associations added or removed in HubSpot.
    #[must_use]
    pub fn edges_written(&self) -> u64 {
        self.edges.iter().map(|edge| edge.added + edge.removed).sum()
    }

    /// Dead letters met.
    #[must_use]
    pub fn parked(&self) -> u64 {
        self.links.iter().map(LinkReport::parked_total).sum()
    }

    /// Whether everything that could be done was done: nothing pending, unknown or stopped.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.halted.is_none()
            && self.links.iter().all(|link| link.unknown == 0 && link.pending == 0)
            && self.edges.iter().all(|edge| edge.pending == 0)
    }
}
