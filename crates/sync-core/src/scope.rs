//! Records that leave the scope of their link, where that means something for their counterpart (`on_exit`).
//!
//! Unlike a record that is missing, one that left the scope was read: no evidence has to last. But a scope that was
//! mistyped leaves out thousands, so the leavers of a link are gathered and counted before any is acted upon.

use sync_types::{Fingerprint, LinkId, OnDelete, Pair, PairState, PairWrite};

use crate::absence::WHOLE_RECORD;
use crate::error::EngineError;
use crate::meet::{Left, Meeting};
use crate::run::{Mode, Run};

/// A pair whose left record is there, and outside the scope.
#[derive(Debug)]
pub(crate) struct Leaver {
    pub(crate) pair: Pair,
    pub(crate) row: Fingerprint,
    pub(crate) parked: bool,
}

impl Run<'_> {
    /// Whether it means anything for HubSpot's record that this pair's left one is outside the scope.
    pub(crate) fn has_to_go(&self, link: LinkId, pair: &Pair) -> bool {
        let was_in = matches!(pair.state, PairState::Linked | PairState::LeftMissing);
        let acts = self.link(link).on_scope_exit != OnDelete::Keep && !matches!(self.mode, Mode::Apply(_));
        acts && was_in && pair.record.is_some()
    }

    /// Looks at both sides of the pairs that were gathered; at none if they are too many to believe it.
    pub(crate) fn let_go(&mut self, link: LinkId) -> Result<(), EngineError> {
        let Some(leavers) = self.leaving.get(&link).filter(|leavers| !leavers.is_empty()) else {
            return Ok(());
        };
        let name = self.names(link);
        let totals = self.engine.parts.store.totals()?.pairs;
        let pairs = totals.into_iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| count);
        let count = leavers.len() as u64;
        if self.is_too_much(count, pairs) {
            self.halt.get_or_insert(format!(
                "{count} of {pairs} records of {} are outside the scope that they were in: nothing was deleted. If \
                 that is meant, run again with a higher limit of deletions",
                self.link(link).collection
            ));
            self.leave_waiting(link);
            return Ok(());
        }
        let lane = self.engine.parts.options.lane;
        for Leaver { pair, row, parked } in self.leaving.remove(&link).unwrap_or_default() {
            self.meet(link, lane, Meeting { pair, left: Left::Outside { row }, parked });
        }
        Ok(())
    }

    /// The gathered pairs of a link are for the next run: where only changes are read, nobody would tell of them again.
    pub(crate) fn leave_waiting(&mut self, link: LinkId) {
        let (name, leavers) = (self.names(link), self.leaving.remove(&link).unwrap_or_default());
        self.links_report(link).pending += leavers.len() as u64;
        self.tx.dirty.extend(leavers.into_iter().map(|leaver| (name, leaver.pair.external)));
    }

    /// The right record stays as it is, and is no longer kept in step.
    pub(crate) fn detach(&mut self, link: LinkId, pair: Pair, row: Fingerprint, parked: bool) {
        self.links_report(link).excluded += 1;
        self.in_hand.remove(&(link, pair.external.clone()));
        if matches!(self.mode, Mode::Plan(_)) {
            return;
        }
        let name = self.names(link);
        self.settled(link, &pair.external);
        if parked {
            self.tx.unpark.push((name, pair.external.clone()));
        }
        self.tx.release.push((name, pair.external.clone(), WHOLE_RECORD));
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: pair.record,
            generation: pair.generation,
            state: PairState::Detached,
            since: None,
            row,
            bases: pair.bases,
            want: Vec::new(),
            unwant: Vec::new(),
            renew_edges: None,
        });
    }
}
