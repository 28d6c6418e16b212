//! Where an undo enters what it does: the intent and the journal before, the ledger and the report after.

use std::collections::HashMap;

use sync_types::{
    DestinationError, DestinationErrorKind, ExternalId, Intent, LedgerEntry, LinkId, NameId, OpId, Pair,
    PairWrite, Transition, Verb, Writing, WrittenRow,
};

use super::{Undoing, as_it_is};
use crate::error::EngineError;
use crate::recover::{Extent, Settled};
use crate::report::Moved;
use crate::run::{Mode, Run};

/// An operation that is on record and about to be sent.
#[derive(Debug)]
pub(super) struct Noted {
    intent: Intent,
    writing: Writing,
}

impl Noted {
    pub(super) fn op(&self) -> OpId {
        self.intent.op
    }
}

impl Undoing<'_> {
    /// Notes what is about to be written: the intent, the journal's line, and what counts as agreed once it is written.
    /// Should the process end in between, what is agreed ahead is as harmless as what was agreed before: a side that
    /// still shows what the run wrote shows the same as the other.
    pub(super) fn intend(
        &mut self,
        verb: Verb,
        subject: NameId,
        rows: Vec<(ExternalId, u32)>,
        written: Vec<WrittenRow>,
        pairs: Vec<PairWrite>,
    ) -> Result<Noted, EngineError> {
        let op = OpId(self.next_op);
        self.next_op += 1;
        let at = self.engine.parts.clock.now();
        let intent = Intent { op, verb, subject, sent_at: at, rows };
        let writing = Writing { op, run: self.report.run, verb, subject, at, rows: written };
        self.commit(Transition {
            open: vec![intent.clone()],
            writings: vec![writing.clone()],
            pairs,
            cursors: vec![("op".into(), self.next_op.to_string())],
            ..Transition::default()
        })?;
        Ok(Noted { intent, writing })
    }

    pub(super) fn commit(&mut self, transition: Transition) -> Result<(), EngineError> {
        Ok(self.engine.parts.store.commit(&transition)?)
    }

    /// An empty line for an operation's outcomes.
    pub(super) fn ledger(&self, op: OpId, verb: Verb, subject: NameId) -> LedgerEntry {
        LedgerEntry {
            run: self.report.run,
            op,
            verb,
            subject,
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        }
    }

    /// Lists why something stays as it is, or was set otherwise.
    pub(super) fn moved(&mut self, link: LinkId, id: &ExternalId, why: String) {
        let link = self.spec(link).name.clone();
        self.report.moved.push(Moved { link, id: id.to_string(), why });
    }

    /// Nothing of a call was written: what was agreed before stands again.
    pub(super) fn nothing_written<'p>(
        &mut self,
        link: LinkId,
        op: OpId,
        pairs: impl ExactSizeIterator<Item = &'p Pair>,
    ) -> Result<(), EngineError> {
        let name = self.name(link);
        self.report.links[usize::from(link.0)].pending += pairs.len() as u64;
        let pairs = pairs.map(|pair| as_it_is(name, pair)).collect();
        self.commit(Transition { pairs, close: vec![op], ..Transition::default() })
    }

    /// Settles an operation of this undo as whoever came after a crash would: what somebody had set between our reading
    /// and our writing is found in the history, told, and put back. Until then its intent stays open.
    pub(super) async fn settle(&mut self, noted: Noted) -> Result<(), EngineError> {
        let mut run = Run::start(self.engine, Mode::Run)?;
        run.number = self.report.run;
        run.next_op = self.next_op;
        let undone = HashMap::from([(noted.intent.op, noted.writing)]);
        let mut settled = Box::pin(run.settle_only(vec![noted.intent], undone, Extent::BeforeUndo)).await?;
        settled.report.recovered = 0;
        self.take_in(settled)
    }

    /// Takes what was settled into this undo's report.
    pub(super) fn take_in(&mut self, settled: Settled) -> Result<(), EngineError> {
        self.next_op = self.next_op.max(settled.next_op);
        self.report.add(settled.report);
        for (link, id) in settled.put_back {
            let why = "somebody changed it in the moment of the undo: her value was put back";
            self.moved(link, &id, why.into());
        }
        match settled.halt {
            Some(why) => Err(DestinationError::new(DestinationErrorKind::Unavailable, why).into()),
            None => Ok(()),
        }
    }
}
