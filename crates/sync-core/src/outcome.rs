//! Taking in what became of a call: agreed values, refusals, unknown outcomes.

use std::collections::HashSet;

use sync_types::{
    DestinationError, ExternalId, FieldBase, Fingerprint, FirstContact, Intent, Lane, LedgerEntry, LinkId,
    OpId, PairId, PairState, PairWrite, RecordId, Rejection, RowOutcome, Shown, Target, Value, Verb,
    WriteBatch,
};

use crate::audit::AuditRow;
use crate::calls::Outgoing;
use crate::error::EngineError;
use crate::meet::BothWays;
use crate::mutation::{self, Bug};
use crate::plan::{Wanted, base_of, plan_first_contact, set_base};
use crate::report::Moved;
use crate::run::{Kind, Mode, Run, Staged};

impl Run<'_> {
    /// A write came back.
    pub(crate) fn wrote(
        &mut self,
        op: OpId,
        link: LinkId,
        rows: Vec<Staged>,
        batch: WriteBatch,
        result: Result<Vec<RowOutcome>, DestinationError>,
    ) -> Result<(), EngineError> {
        let target = batch.target;
        let lane = batch.lane;
        let verb = match target {
            Target::Key => Verb::Upsert,
            Target::Record => Verb::Update,
        };
        let mut line = LedgerEntry {
            run: self.number,
            op,
            verb,
            subject: self.names(link),
            written: 0,
            rejected: 0,
            unknown: 0,
            at: self.engine.parts.clock.now(),
        };
        let outcomes = match result {
            Ok(outcomes) => outcomes,
            Err(error) => {
                // Nothing was written, and nothing more can be for now.
                self.halt.get_or_insert_with(|| error.to_string());
                // An earlier attempt at these rows may still be in doubt: then the intent stays.
                let in_doubt = rows.iter().any(|row| row.tries > 0);
                let report = self.links_report(link);
                if in_doubt {
                    report.unknown += rows.len() as u64;
                } else {
                    report.pending += rows.len() as u64;
                    self.tx.close.push(op);
                }
                for row in rows {
                    self.in_hand.remove(&(link, row.external));
                }
                return Ok(());
            }
        };
        // What is to be looked up stays in doubt under an intent of its own, if this one is replaced.
        let is_partly_unknown =
            outcomes.len() < rows.len() || outcomes.iter().any(|row| matches!(row, RowOutcome::Unknown(_)));
        let audit = if is_partly_unknown { self.next_op() } else { op };
        let mut audited: Vec<(ExternalId, u32)> = Vec::new();
        let mut again = Vec::new();
        let mut adopt = Vec::new();
        let mut suspects = Vec::new();
        let mut rejected = Vec::new();
        // In doubt, and not sent again by this run.
        let mut left: Vec<(ExternalId, u32)> = Vec::new();
        let missing =
            std::iter::repeat_with(|| RowOutcome::Unknown("no outcome was given for this row".into()));
        for ((mut row, sent), outcome) in
            rows.into_iter().zip(batch.rows).zip(outcomes.into_iter().chain(missing))
        {
            match outcome {
                RowOutcome::Written { record, created, reshown } => {
                    line.written += 1;
                    if is_partly_unknown && row.both.is_some() {
                        audited.push((row.external.clone(), row.generation));
                    }
                    self.agree(link, lane, audit, row, record, created, &sent.values, reshown);
                }
                RowOutcome::Rejected(_) if mutation::is(Bug::RefusedIsAgreed) && row.record.is_some() => {
                    let record = row.record.clone().unwrap_or_else(|| RecordId::from(""));
                    self.agree(link, lane, audit, row, record, None, &sent.values, Vec::new());
                }
                RowOutcome::Rejected(why) => {
                    line.rejected += 1;
                    row.values = sent.values;
                    rejected.push((row, why));
                }
                RowOutcome::NotSent(_) if row.tries > 0 => left.push((row.external, row.generation)),
                RowOutcome::NotSent(_) => {
                    if row.both.as_ref().is_some_and(|both| both.is_restoring) {
                        // What somebody had set is not put back yet: the next run has to look again.
                        self.is_unsettled = true;
                        self.tx.dirty.push((self.names(link), row.external.clone()));
                    }
                    self.links_report(link).pending += 1;
                    self.in_hand.remove(&(link, row.external));
                }
                RowOutcome::Unknown(_) if mutation::is(Bug::UnknownIsWritten) && row.record.is_some() => {
                    let record = row.record.clone().unwrap_or_else(|| RecordId::from(""));
                    self.agree(link, lane, audit, row, record, None, &sent.values, Vec::new());
                }
                RowOutcome::Unknown(_) => {
                    line.unknown += 1;
                    row.values = sent.values;
                    row.tries += 1;
                    again.push(row);
                }
            }
        }
        if rejected.iter().any(|(_, why)| why.holder.is_some()) {
            // The holder may have been written a moment ago, by this very batch: the store must know of it.
            self.commit()?;
        }
        for (row, why) in rejected {
            if why.holder.is_none() && row.record.is_some() && row.kind == Kind::Update {
                // Perhaps the record is gone, and what was refused is the making of a new one from too little.
                suspects.push((row, why));
            } else if let Some((row, holder)) = self.refused(link, target, row, why)? {
                adopt.push((row, holder));
            }
        }
        self.tx.ledger.push(line);
        if !adopt.is_empty() {
            self.ready.push_back(Outgoing::Adopt { link, lane, rows: adopt });
        }
        if !suspects.is_empty() {
            self.ready.push_back(Outgoing::Suspect { link, lane, rows: suspects });
        }
        if again.iter().any(|row| row.tries >= self.engine.parts.options.tries_max) {
            left.extend(again.drain(..).map(|row| (row.external, row.generation)));
        }
        if !left.is_empty() {
            let report = self.links_report(link);
            report.unknown += left.len() as u64;
            for (external, _) in &left {
                self.in_hand.remove(&(link, external.clone()));
            }
            // Only these are left for the next run to settle.
            let sent_at = self.engine.parts.clock.now();
            let rest = self.next_op();
            self.tx.open.push(Intent { op: rest, verb, subject: self.names(link), sent_at, rows: left });
        }
        if audit != op && self.auditing.contains_key(&audit) {
            let (sent_at, subject) = (self.engine.parts.clock.now(), self.names(link));
            self.tx.open.push(Intent { op: audit, verb, subject, sent_at, rows: audited });
        }
        if again.is_empty() {
            if !self.auditing.contains_key(&op) {
                self.tx.close.push(op);
            }
        } else {
            // The same rows with the same values: the unique key makes the repetition harmless. The old intent
            // stays open until the new one is on record.
            self.send_later(Outgoing::Write { link, target, lane, rows: again, replaces: vec![op] });
        }
        Ok(())
    }

    /// Both sides hold the same now: notes what each shows.
    #[allow(clippy::too_many_arguments, reason = "one row's whole outcome, used in one place")]
    fn agree(
        &mut self,
        link: LinkId,
        lane: Lane,
        op: OpId,
        mut row: Staged,
        record: RecordId,
        created: Option<bool>,
        sent: &[(u16, Value)],
        reshown: Vec<(u16, Value)>,
    ) {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let properties = &self.engine.names[usize::from(link.0)].properties;
        // The record was gone and has been made anew with only what changed: everything must be written again.
        let is_remade =
            row.kind == Kind::Update && (created == Some(true) || row.record.as_ref() != Some(&record));
        let is_remade = is_remade && !mutation::is(Bug::RemadeInPart);
        let mut bases = if is_remade { Vec::new() } else { std::mem::take(&mut row.bases) };
        if row.kind == Kind::Create && created != Some(false) {
            bases.reserve_exact(properties.len().saturating_sub(bases.len()));
            // What was empty was not sent, and is empty there.
            for (property, print) in properties.iter().zip(&row.prints) {
                if *print == Some(self.null) {
                    bases.push(FieldBase { property: *property, left: self.null, right: self.null });
                }
            }
        }
        let mut reformatted = Vec::new();
        let is_restoring = row.both.as_ref().is_some_and(|both| both.is_restoring);
        for (place, _) in sent.iter().filter(|_| !is_restoring) {
            let index = usize::from(*place);
            let (Some(property), Some(Some(left))) = (properties.get(index), row.prints.get(index)) else {
                continue;
            };
            let base = FieldBase { property: *property, left: *left, right: *left };
            if row.kind == Kind::Create { bases.push(base) } else { set_base(&mut bases, base) }
        }
        for (place, shown) in reshown.into_iter().filter(|_| !is_restoring) {
            let index = usize::from(place);
            let Some(property) = properties.get(index) else { continue };
            let right = self.prints.value(&mapper.canonical(link, index, shown));
            if let Some(base) = bases.iter_mut().find(|base| base.property == *property && base.left != right)
            {
                base.right = right;
                reformatted.push(index);
            }
        }
        let name = self.names(link);
        let is_key_only = self.keyed.remove(&(link, row.external.clone()));
        for index in reformatted {
            let property = self.link(link).properties[index].name.to_string();
            *self.links_report(link).reformatted.entry(property).or_default() += 1;
        }
        let report = self.links_report(link);
        match (row.kind, created) {
            _ if is_key_only => report.touched += 1,
            (Kind::Create, Some(false)) | (Kind::Adopt, _) => report.adopted += 1,
            (Kind::Create | Kind::CreateLeft, _) => report.created += 1,
            (Kind::Update, _) => report.updated += 1,
        }
        if is_remade {
            report.recreated += 1;
            self.look_again(link, row.external.clone());
        }
        if row.parked {
            self.tx.unpark.push((name, row.external.clone()));
        }
        if let Some(claimed) = &row.record {
            self.claimed.remove(claimed);
        }
        if let Some(both) = row.both.take().filter(|_| !is_remade) {
            self.agree_both(link, lane, op, row, *both, record, bases, sent);
            return;
        }
        if !is_remade {
            self.settled(link, &row.external);
        }
        self.in_hand.remove(&(link, row.external.clone()));
        self.tx.pairs.push(PairWrite {
            link: name,
            external: row.external,
            record: Some(record),
            generation: row.generation,
            state: PairState::Linked,
            since: None,
            row: if is_remade { Fingerprint(0) } else { row.row },
            bases,
            want: row.want,
            unwant: row.unwant,
            renew_edges: is_remade.then(|| self.rules_to(link)),
        });
    }

    /// The right of a pair that flows both ways is written: its history is looked up, the left follows, or it is done.
    #[allow(clippy::too_many_arguments, reason = "one row's whole outcome, used in one place")]
    fn agree_both(
        &mut self,
        link: LinkId,
        lane: Lane,
        op: OpId,
        row: Staged,
        both: BothWays,
        record: RecordId,
        bases: Vec<FieldBase>,
        sent: &[(u16, Value)],
    ) {
        let name = self.names(link);
        let properties = self.engine.names[usize::from(link.0)].properties.clone();
        let is_audited = self.engine.parts.options.audit && !mutation::is(Bug::NoAudit);
        // Until the history has been looked up, what was agreed before stands: should the process end here, the next
        // run finds both sides changed to the same value, and looks the history up.
        let mut standing = bases.clone();
        if is_audited && !both.is_restoring {
            for (place, was) in &both.before {
                let Some(property) = properties.get(usize::from(*place)) else { continue };
                match was {
                    Some(was) => set_base(&mut standing, *was),
                    None => standing.retain(|base| base.property != *property),
                }
            }
        }
        self.tx.pairs.push(PairWrite {
            link: name,
            external: row.external.clone(),
            record: Some(record.clone()),
            generation: row.generation,
            state: PairState::Linked,
            since: None,
            row: Fingerprint(0),
            bases: standing,
            want: row.want,
            unwant: row.unwant,
            renew_edges: None,
        });
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let mut before = both.before;
        let mut written = Vec::with_capacity(sent.len());
        for (place, value) in sent {
            let index = usize::from(*place);
            let Some(base) = properties.get(index).map(|property| base_of(&bases, *property).copied()) else {
                continue;
            };
            if both.is_restoring {
                // What was agreed before stands again; what is shown is what we have put back.
                before.push((*place, base));
                written.push((*place, self.prints.value(&mapper.canonical(link, index, value.clone()))));
            } else if let Some(base) = base {
                written.push((*place, base.right));
            }
        }
        let audit = AuditRow {
            op,
            external: row.external,
            generation: row.generation,
            record,
            written,
            prints: row.prints,
            bases,
            right: both.right,
            before,
            thawed: both.thawed,
            is_restoring: both.is_restoring,
            row: row.row,
            left: both.left,
            to_left: both.to_left,
        };
        if is_audited { self.audit(link, lane, audit) } else { self.after_audit(link, lane, audit) }
    }

    /// A row was refused for good: it is recognised as an existing record, or parked.
    fn refused(
        &mut self,
        link: LinkId,
        target: Target,
        row: Staged,
        why: Rejection,
    ) -> Result<Option<(Staged, RecordId)>, EngineError> {
        if let Some(holder) = &why.holder {
            let name = self.names(link);
            let is_ours = self.engine.parts.store.pairs_by_record(name, std::slice::from_ref(holder))?;
            let may_match = !self.link(link).match_on.is_empty();
            if is_ours.iter().all(Option::is_none)
                && may_match
                && target == Target::Key
                && row.kind == Kind::Create
            {
                if matches!(self.mode, Mode::Apply(_)) {
                    let why = "a record that it would match appeared in HubSpot since the plan was made";
                    self.skip(link, row, why);
                    return Ok(None);
                }
                return Ok(Some((row, holder.clone())));
            }
            if is_ours.iter().any(Option::is_some) {
                let detail = format!("{} is already taken by another record of the source", subject(&why));
                let remedy = "merge the two records at the source, or correct one of them";
                self.fail(link, row, "duplicate".into(), detail, remedy.into());
                return Ok(None);
            }
        }
        self.park_refused(link, row, why);
        Ok(None)
    }

    fn park_refused(&mut self, link: LinkId, row: Staged, why: Rejection) {
        let remedy = remedy_for(&why).to_owned();
        let mut detail = format!("{}: {}", subject(&why), why.reason);
        if let Some(correlation) = &why.correlation {
            detail.push_str(&format!(" (HubSpot correlation id {correlation})"));
        }
        self.fail(link, row, why.code, detail, remedy);
    }

    fn fail(&mut self, link: LinkId, row: Staged, cause: String, detail: String, remedy: String) {
        self.in_hand.remove(&(link, row.external.clone()));
        self.park(link, row.external, row.row, cause, detail, remedy);
    }

    fn skip(&mut self, link: LinkId, row: Staged, why: &str) {
        self.in_hand.remove(&(link, row.external.clone()));
        let report = self.links_report(link);
        report.skipped += 1;
        let link = report.link.clone();
        self.report.moved.push(Moved { link, id: row.external.to_string(), why: why.into() });
    }

    /// Recognised records were read: links those that really are the same, and plans the first contact.
    pub(crate) fn read_for_adoption(
        &mut self,
        link: LinkId,
        lane: Lane,
        rows: Vec<(Staged, RecordId)>,
        result: Result<Vec<Option<Shown>>, DestinationError>,
    ) -> Result<(), EngineError> {
        let shown = match result {
            Ok(shown) => shown,
            Err(error) => {
                self.halt.get_or_insert_with(|| error.to_string());
                self.links_report(link).pending += rows.len() as u64;
                return Ok(());
            }
        };
        for ((row, asked), shown) in rows.into_iter().zip(shown.into_iter().chain(std::iter::repeat(None))) {
            match shown {
                Some(shown) => self.adopt(link, lane, row, shown)?,
                None => {
                    let detail = format!(
                        "HubSpot names record {asked} as the holder of a unique value, but shows no such record"
                    );
                    let remedy =
                        "look for the value in HubSpot's recycle bin or among secondary e-mail addresses";
                    self.fail(link, row, "holder-not-found".into(), detail, remedy.into());
                }
            }
        }
        Ok(())
    }

    fn adopt(&mut self, link: LinkId, lane: Lane, mut row: Staged, shown: Shown) -> Result<(), EngineError> {
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let spec = self.link(link).clone();
        let name = self.names(link);
        let mut values = shown.values;
        let engagement = self.engine.parts.engagement.clone();
        let key = values.pop().unwrap_or(Value::Null);
        // With our own key it is ours beyond doubt: written before the state that knew of it was lost, or, with an
        // earlier key of ours, deleted once and restored before another one was made in its place.
        let is_own = key.as_text().is_some_and(|key| {
            (0..=row.generation).any(|generation| {
                crate::sync_key(&engagement, &spec.name, &row.external, generation).as_str() == key
            })
        });
        let carries_key = match key.as_text().filter(|_| !is_own) {
            Some(key) => !self.is_freed(link, key)?,
            None => false,
        };
        let theirs: Vec<Fingerprint> = values
            .into_iter()
            .enumerate()
            .map(|(place, value)| self.prints.value(&mapper.canonical(link, place, value)))
            .collect();
        let is_paired = self
            .engine
            .parts
            .store
            .pairs_by_record(name, std::slice::from_ref(&shown.id))?
            .iter()
            .any(Option::is_some);
        let is_same = is_own
            || spec.match_on.iter().any(|place| {
                let ours = row.prints.get(*place).copied().flatten();
                ours.is_some_and(|ours| ours != self.null && theirs.get(*place) == Some(&ours))
            });
        // A record that is tried once more in a run meets its own claim.
        let mine = (link, row.external.clone());
        let is_claimed = self.claimed.get(&shown.id).is_some_and(|by| *by != mine);
        let is_taken = is_paired || carries_key || is_claimed;
        if !is_taken {
            self.claimed.insert(shown.id.clone(), mine);
        }
        if is_taken || !is_same {
            let (cause, detail) = if is_taken {
                (
                    "duplicate",
                    format!("HubSpot record {} is already linked to another record of the source", shown.id),
                )
            } else {
                (
                    "collision",
                    format!("HubSpot record {} holds a unique value but matches by no rule", shown.id),
                )
            };
            let remedy = "merge or correct the records, then retry this dead letter";
            self.fail(link, row, cause.into(), detail, remedy.into());
            return Ok(());
        }
        if self.is_both_ways(link) {
            self.link_up(link, lane, row, shown.id);
            return Ok(());
        }
        let properties = &self.engine.names[usize::from(link.0)].properties;
        let wanted = Wanted { properties, prints: &row.prints, edges: &[], null: self.null };
        let policy: FirstContact = spec.first_contact;
        let (mut write, mut bases) = plan_first_contact(policy, &wanted, &theirs);
        // What shows there may be what we have written ourselves, before we were stopped: then the source counts.
        let written = self.written_before.get(&(link, row.external.clone()));
        for (place, (property, shown)) in properties.iter().zip(&theirs).enumerate() {
            let is_ours = written
                .is_some_and(|fields| fields.iter().any(|of| of.property == *property && of.after == *shown));
            let is_left = bases.iter().any(|base| base.property == *property && base.left != *shown);
            if let Ok(place) = u16::try_from(place)
                && is_ours
                && is_left
            {
                write.push(place);
                bases.retain(|base| base.property != *property);
            }
        }
        // A create leaves empty values out; clearing what HubSpot holds needs them said.
        let mut values = Vec::with_capacity(write.len());
        for place in write {
            let known = row.values.iter().position(|(at, _)| *at == place);
            values.push((place, known.map_or(Value::Null, |at| row.values.swap_remove(at).1)));
        }
        row.values = values;
        row.bases = bases;
        row.kind = Kind::Adopt;
        row.record = Some(shown.id);
        self.stage(link, Target::Record, lane, row);
        Ok(())
    }

    /// Whether a key belonged to a pair that was parted from its right record, which was then left to whoever is the
    /// same. Looked up once in a run, and only where a record carries another one's key.
    fn is_freed(&mut self, link: LinkId, key: &str) -> Result<bool, EngineError> {
        if !self.is_both_ways(link) {
            return Ok(false);
        }
        if !self.freed.contains_key(&link) {
            let spec = self.link(link).clone();
            let name = self.names(link);
            let mut keys = HashSet::new();
            let mut after = PairId(0);
            loop {
                let page = self.engine.parts.store.scan_pairs(name, after, 1_000)?;
                let Some(last) = page.last() else { break };
                after = last.id;
                for pair in page.into_iter().filter(|pair| pair.record.is_none()) {
                    let engagement = &self.engine.parts.engagement;
                    keys.extend((0..=pair.generation).map(|generation| {
                        crate::sync_key(engagement, &spec.name, &pair.external, generation)
                            .as_str()
                            .to_owned()
                    }));
                }
            }
            self.freed.insert(link, keys);
        }
        Ok(self.freed.get(&link).is_some_and(|keys| keys.contains(key)))
    }

    /// Joins two records that flow both ways: they are a pair that never agreed on anything, the right one gets its
    /// key, and then both are looked at.
    fn link_up(&mut self, link: LinkId, lane: Lane, mut row: Staged, record: RecordId) {
        let name = self.names(link);
        self.links_report(link).adopted += 1;
        if row.parked {
            self.tx.unpark.push((name, row.external.clone()));
        }
        self.look_again(link, row.external.clone());
        self.tx.pairs.push(PairWrite {
            link: name,
            external: row.external.clone(),
            record: Some(record.clone()),
            generation: row.generation,
            state: PairState::Linked,
            since: None,
            row: Fingerprint(0),
            bases: Vec::new(),
            want: row.want.clone(),
            unwant: row.unwant.clone(),
            renew_edges: None,
        });
        row.kind = Kind::Adopt;
        row.row = Fingerprint(0);
        row.record = Some(record);
        row.values = Vec::new();
        row.bases = Vec::new();
        self.write_key(link, lane, row);
    }

    /// Records whose update was refused were read: those that are gone are made anew from the whole source record,
    /// the others are parked.
    pub(crate) fn read_suspects(
        &mut self,
        link: LinkId,
        rows: Vec<(Staged, Rejection)>,
        result: Result<Vec<Option<Shown>>, DestinationError>,
    ) {
        let shown = match result {
            Ok(shown) => shown,
            Err(error) => {
                self.halt.get_or_insert_with(|| error.to_string());
                self.links_report(link).pending += rows.len() as u64;
                return;
            }
        };
        let name = self.names(link);
        for ((row, why), shown) in rows.into_iter().zip(shown.into_iter().chain(std::iter::repeat(None))) {
            if shown.is_some() {
                self.park_refused(link, row, why);
                continue;
            }
            self.in_hand.remove(&(link, row.external.clone()));
            if row.both.is_some() {
                // What its absence means is decided when both sides are looked at again.
                self.links_report(link).touched += 1;
                self.look_again(link, row.external);
                continue;
            }
            let report = self.links_report(link);
            // Counted again when the whole record is looked at, at the end of the run.
            report.touched += 1;
            report.recreated += 1;
            self.look_again(link, row.external.clone());
            self.tx.pairs.push(PairWrite {
                link: name,
                external: row.external,
                record: None,
                generation: row.generation,
                state: PairState::Linked,
                since: None,
                row: Fingerprint(0),
                bases: Vec::new(),
                want: row.want,
                unwant: row.unwant,
                renew_edges: Some(self.rules_to(link)),
            });
        }
    }

    /// Records of a planned update were read: those that a person changed since are skipped and listed.
    pub(crate) fn read_for_check(
        &mut self,
        link: LinkId,
        lane: Lane,
        rows: Vec<Staged>,
        result: Result<Vec<Option<Shown>>, DestinationError>,
    ) -> Result<(), EngineError> {
        let shown = match result {
            Ok(shown) => shown,
            Err(error) => {
                self.halt.get_or_insert_with(|| error.to_string());
                self.links_report(link).pending += rows.len() as u64;
                return Ok(());
            }
        };
        let mapper = std::sync::Arc::clone(&self.engine.parts.mapper);
        let mut shown = shown.into_iter();
        let mut going = Vec::with_capacity(rows.len());
        for row in rows {
            if row.record.is_none() {
                going.push(row);
                continue;
            }
            let Some(Some(now)) = shown.next() else {
                self.skip(link, row, "the record is gone from HubSpot");
                continue;
            };
            let properties = &self.engine.names[usize::from(link.0)].properties;
            let moved = row.values.iter().find(|(place, _)| {
                let index = usize::from(*place);
                let (Some(property), Some(value)) = (properties.get(index), now.values.get(index)) else {
                    return true;
                };
                let right = self.prints.value(&mapper.canonical(link, index, value.clone()));
                base_of(&row.bases, *property).is_some_and(|base| base.right != right)
            });
            match moved {
                Some((place, _)) => {
                    let property = self.link(link).properties[usize::from(*place)].name.clone();
                    self.skip(
                        link,
                        row,
                        &format!("{property} was changed in HubSpot since both last agreed"),
                    );
                }
                None => going.push(row),
            }
        }
        if !going.is_empty() {
            self.ready.push_back(Outgoing::Write {
                link,
                target: Target::Key,
                lane,
                rows: going,
                replaces: Vec::new(),
            });
        }
        Ok(())
    }
}

fn subject(why: &Rejection) -> String {
    why.property.clone().unwrap_or_else(|| "the record".into())
}

fn remedy_for(why: &Rejection) -> &'static str {
    match why.code.as_str() {
        "invalid-option" => "add the option in HubSpot (`init` does), or map the value to one that exists",
        "unknown-property" => "run `init`, or correct the property's name in the mapping",
        "read-only" => "take the property out of the mapping: HubSpot calculates it",
        "missing-required" => "fill the property at the source or give it a default in the mapping",
        "unique-value-taken" | "duplicate" => "merge the two records, or correct one of them",
        _ => "correct the record at the source or the rule in the mapping; it is tried again when it changes",
    }
}
