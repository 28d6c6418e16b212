//! Looking at source records: unchanged, parked, out of scope, or planned and staged.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;
use sync_types::{
    BadRecord, DeadLetter, ExternalId, Fingerprint, Lane, LinkId, MapError, Mapped, ObjectType, Pair,
    PairState, PairWrite, PropertyName, Record, RecordId, Target, Value,
};

use crate::calls::Outgoing;
use crate::engine::Phase;
use crate::error::EngineError;
use crate::meet::{Left, Meeting};
use crate::plan::{RowPlan, Wanted, is_unchanged, plan_row};
use crate::plan_file::{BothPlan, Permission, PlannedRow};
use crate::run::{Kind, Mode, Run, Staged};
use crate::scope::Leaver;

/// Records of HubSpot by what a source record may be recognised by; `None`: several hold the value, so it proves
/// nothing.
#[derive(Debug, Default)]
pub(crate) struct Discovered {
    by_key: HashMap<String, RecordId>,
    by_match: Vec<HashMap<Fingerprint, Option<RecordId>>>,
}

impl Discovered {
    fn is_empty(&self) -> bool {
        self.by_key.is_empty() && self.by_match.iter().all(HashMap::is_empty)
    }
}

/// How a look comes by a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// In a scan: a second row with the same id is a fault.
    Scan,
    /// Asked for, by a person or by what the source has told: parked or not, it is tried if a person has asked.
    Asked,
}

impl Run<'_> {
    /// Looks at a page of a scan.
    pub(crate) async fn observe(
        &mut self,
        link: LinkId,
        records: Vec<Result<Record, BadRecord>>,
        lane: Lane,
    ) -> Result<(), EngineError> {
        self.links_report(link).read += records.len() as u64;
        let mut good = Vec::with_capacity(records.len());
        for record in records {
            match record {
                Ok(record) => good.push(record),
                Err(bad) => {
                    // A row that cannot be read is still there.
                    if let Some(id) = bad.id.as_ref().filter(|_| self.is_both_ways(link)) {
                        let known =
                            self.engine.parts.store.pairs(self.names(link), std::slice::from_ref(id))?;
                        for pair in known.into_iter().flatten() {
                            self.seen.insert(pair.id);
                        }
                    }
                    self.park_unreadable(link, bad);
                }
            }
        }
        self.plan_records(link, good, lane, Look::Scan).await
    }

    /// Looks at records that somebody asked for.
    pub(crate) async fn observe_again(
        &mut self,
        link: LinkId,
        records: Vec<Record>,
        lane: Lane,
    ) -> Result<(), EngineError> {
        self.links_report(link).read += records.len() as u64;
        self.plan_records(link, records, lane, Look::Asked).await
    }

    async fn plan_records(
        &mut self,
        link: LinkId,
        records: Vec<Record>,
        lane: Lane,
        look: Look,
    ) -> Result<(), EngineError> {
        let mapper = Arc::clone(&self.engine.parts.mapper);
        let salt = mapper.fingerprint();
        let name = self.names(link);
        let ids: Vec<ExternalId> = records.iter().map(|record| record.id().clone()).collect();
        let pairs = self.engine.parts.store.pairs(name, &ids)?;
        let mut moved: Vec<(Record, Option<Pair>, Fingerprint)> = Vec::new();
        let mut on_page: HashSet<ExternalId> = HashSet::new();
        for (record, pair) in records.into_iter().zip(pairs) {
            let row = self.prints.values(salt, record.values());
            if look == Look::Scan && self.was_asked(link, record.id()) {
                // Looked at ahead of its turn. If its write is still under way, it is looked at once more.
                self.links_report(link).touched += 1;
                if self.in_hand.contains(&(link, record.id().clone())) {
                    self.tx.dirty.push((name, record.id().clone()));
                }
                continue;
            }
            let is_twice = pair.is_none() && !on_page.insert(record.id().clone());
            if look == Look::Scan && (is_twice || self.is_repeated(link, &record, pair.as_ref())) {
                self.park_repeated(link, record.id(), row);
                continue;
            }
            if let Some(pair) = &pair {
                self.claim_agreed(link, pair);
            }
            match pair {
                Some(pair) if is_at_rest(&pair, row) => {
                    self.links_report(link).gone += 1;
                    self.settled(link, record.id());
                }
                Some(pair) if is_unchanged(&pair, row) && !self.has_letters.contains(&name) => {
                    self.links_report(link).unchanged += 1;
                    self.settled(link, record.id());
                }
                pair => moved.push((record, pair, row)),
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        if moved.iter().any(|(_, pair, _)| pair.is_none()) {
            self.discover(link).await?;
        }
        let letters = if self.has_letters.contains(&name) {
            let ids: Vec<ExternalId> = moved.iter().map(|(record, ..)| record.id().clone()).collect();
            self.engine.parts.store.parked(name, &ids)?
        } else {
            vec![None; moved.len()]
        };
        let strangers = moved.iter().zip(&letters).filter(|((_, pair, _), _)| pair.is_none());
        if let Some(first_run) =
            strangers.filter_map(|(_, letter)| letter.as_ref()).map(|letter| letter.first_run).min()
        {
            self.discover_again(link, first_run).await?;
        }
        for ((record, pair, row), letter) in moved.into_iter().zip(letters) {
            let is_known = pair.as_ref().is_some_and(|pair| is_unchanged(pair, row));
            if is_known && letter.is_none() {
                self.links_report(link).unchanged += 1;
                self.settled(link, record.id());
                continue;
            }
            let is_asked = look == Look::Asked && !self.told.contains(&(link, record.id().clone()));
            if let Some(letter) = letter.as_ref().filter(|letter| !is_asked && letter.row == row) {
                // As it was when it was parked: trying again would fail again.
                if self.link(link).creates_left
                    && let Ok(mapped) = mapper.map(link, &record)
                {
                    let prints: Vec<_> = mapped
                        .values
                        .iter()
                        .map(|value| value.as_ref().map(|value| self.prints.value(value)))
                        .collect();
                    self.claim_new(link, &prints);
                }
                *self.links_report(link).parked.entry(letter.cause.clone()).or_default() += 1;
                self.settled(link, record.id());
                continue;
            }
            match mapper.map(link, &record) {
                Err(error) => self.park_unmappable(link, record.id().clone(), row, &error),
                Ok(mapped) if !mapped.in_scope => {
                    self.leave_scope(link, &record, pair, row, letter.is_some())
                }
                Ok(mapped) => match pair {
                    Some(pair) if self.is_both_ways(link) && pair.record.is_some() => {
                        let parked = letter.is_some();
                        self.meet(
                            link,
                            lane,
                            Meeting { pair, left: Left::Record { record, row, mapped }, parked },
                        );
                    }
                    pair => self.plan_one(link, &record, pair, row, mapped, lane, letter.is_some())?,
                },
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "one record's whole situation, used in one place")]
    fn plan_one(
        &mut self,
        link: LinkId,
        record: &Record,
        pair: Option<Pair>,
        row: Fingerprint,
        mapped: Mapped,
        lane: Lane,
        parked: bool,
    ) -> Result<(), EngineError> {
        for problem in &mapped.skipped {
            let what = format!("{} ({})", problem.property, problem.code);
            *self.links_report(link).left_out.entry(what).or_default() += 1;
        }
        let prints: Box<[Option<Fingerprint>]> =
            mapped.values.iter().map(|value| value.as_ref().map(|value| self.prints.value(value))).collect();
        let edges: Vec<_> =
            mapped.edges.iter().map(|(rule, to)| (self.rule_name(*rule), to.clone())).collect();
        let mut known_edges = match &pair {
            Some(pair) => self.engine.parts.store.edges_of(&[pair.id])?.pop().unwrap_or_default(),
            None => Vec::new(),
        };
        // Edges of a rule that has left the mapping stay as they are: nobody says what should become of them.
        known_edges.retain(|edge| self.engine.rules.contains(&edge.rule));
        let plan = plan_row(
            pair.as_ref(),
            &known_edges,
            &Wanted {
                properties: &self.engine.names[usize::from(link.0)].properties,
                prints: &prints,
                edges: &edges,
                null: self.null,
            },
        );
        self.claim_new(link, &prints);
        let found = if plan.create { self.recognise(link, record.id(), &prints) } else { None };
        let kind = match (&found, plan.create) {
            (Some(_), _) => Kind::Adopt,
            (_, true) => Kind::Create,
            (_, false) => Kind::Update,
        };
        if kind == Kind::Create
            && let Some(parent) = self.missing_parent(&mapped.edges)?
        {
            self.wait_for_parent(link, record.id(), row, parent);
            return Ok(());
        }
        if !self.may(link, record.id(), row, pair.as_ref(), kind, &plan, &BothPlan::default())? {
            if pair.is_none() {
                // A second row with this id is a fault in a plan as in a run.
                self.in_hand.insert((link, record.id().clone()));
            }
            return Ok(());
        }
        if !plan.create && plan.write.is_empty() {
            self.touch(link, pair, row, plan, parked);
            return Ok(());
        }
        let mut values: Vec<(u16, Value)> = Vec::with_capacity(plan.write.len());
        for (place, value) in mapped.values.into_iter().enumerate() {
            let Ok(place) = u16::try_from(place) else { break };
            if let Some(value) = value
                && plan.write.contains(&place)
            {
                values.push((place, value));
            }
        }
        let staged = Staged {
            external: record.id().clone(),
            generation: pair.as_ref().map_or(0, |pair| pair.generation),
            kind,
            row,
            prints,
            bases: pair.as_ref().map_or_else(Vec::new, |pair| {
                if pair.record.is_some() { pair.bases.clone() } else { Vec::new() }
            }),
            record: pair.and_then(|pair| pair.record),
            values,
            want: plan.want,
            unwant: plan.unwant,
            tries: 0,
            parked,
            both: None,
        };
        self.in_hand.insert((link, staged.external.clone()));
        match found {
            Some(Recognised(id)) => {
                self.ready.push_back(Outgoing::Adopt { link, lane, rows: vec![(staged, id)] });
                self.join_adoptions(link, lane);
            }
            _ => self.stage(link, Target::Key, lane, staged),
        }
        Ok(())
    }

    /// Gathers single adoptions at the end of the queue into batches.
    fn join_adoptions(&mut self, link: LinkId, lane: Lane) {
        let size = self.engine.parts.destination.limits().read_max;
        let Some(Outgoing::Adopt { rows: last, .. }) = self.ready.back_mut() else { return };
        let mut last = std::mem::take(last);
        self.ready.pop_back();
        let open = self.ready.iter_mut().find_map(|outgoing| match outgoing {
            Outgoing::Adopt { link: of, lane: at, rows }
                if *of == link && *at == lane && rows.len() < size =>
            {
                Some(rows)
            }
            _ => None,
        });
        match open {
            Some(rows) => rows.append(&mut last),
            None => self.ready.push_back(Outgoing::Adopt { link, lane, rows: last }),
        }
    }

    /// A record that changed in nothing that has to be written, or in associations only.
    fn touch(&mut self, link: LinkId, pair: Option<Pair>, row: Fingerprint, plan: RowPlan, parked: bool) {
        self.links_report(link).touched += 1;
        let Some(pair) = pair else { return };
        self.settled(link, &pair.external);
        let name = self.names(link);
        if parked {
            self.tx.unpark.push((name, pair.external.clone()));
        }
        if plan.want.is_empty() && plan.unwant.is_empty() && pair.state == PairState::Linked {
            if pair.row != row {
                self.tx.rows.push((pair.id, row));
            }
            return;
        }
        self.tx.pairs.push(PairWrite {
            link: name,
            external: pair.external,
            record: pair.record,
            generation: pair.generation,
            state: PairState::Linked,
            since: None,
            row,
            bases: pair.bases,
            want: plan.want,
            unwant: plan.unwant,
            renew_edges: None,
        });
    }

    /// A record outside the scope: its pair is kept, and HubSpot's record is left as it is, unless `on_exit` says else.
    pub(crate) fn leave_scope(
        &mut self,
        link: LinkId,
        record: &Record,
        pair: Option<Pair>,
        row: Fingerprint,
        parked: bool,
    ) {
        let pair = match pair {
            Some(pair) if self.has_to_go(link, &pair) => {
                self.in_hand.insert((link, record.id().clone()));
                self.leaving.entry(link).or_default().push(Leaver { pair, row, parked });
                return;
            }
            pair => pair,
        };
        self.links_report(link).excluded += 1;
        if matches!(self.mode, Mode::Plan(_)) {
            return;
        }
        let name = self.names(link);
        self.settled(link, record.id());
        if parked {
            self.tx.unpark.push((name, record.id().clone()));
        }
        // One whose counterpart we have deleted is made anew if it ever comes back into the scope.
        let is_told = |pair: &Pair| pair.state == PairState::Linked || pair.row != row;
        if let Some(pair) = pair.filter(|pair| pair.state != PairState::LeftGone && is_told(pair)) {
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

    /// Whether this run writes the record: always in a run, never in a plan (it is listed), only as planned in an
    /// apply.
    #[allow(clippy::too_many_arguments, reason = "what a plan has to say about one record")]
    pub(crate) fn may(
        &mut self,
        link: LinkId,
        id: &ExternalId,
        row: Fingerprint,
        pair: Option<&Pair>,
        kind: Kind,
        plan: &RowPlan,
        both: &BothPlan,
    ) -> Result<bool, EngineError> {
        let base = pair_print(&self.prints, pair);
        let is_recovered = self.recovered.contains(&(link, id.clone()));
        let report = &mut self.report.links[usize::from(link.0)];
        match &mut self.mode {
            Mode::Run => Ok(true),
            Mode::Plan(sink) => {
                let rules = self.engine.parts.mapper.edge_rules();
                let rule_names = &self.engine.rules;
                let spec = &self.engine.parts.mapper.links()[usize::from(link.0)];
                let name = |rule: sync_types::NameId| {
                    let place = rule_names.iter().position(|known| *known == rule);
                    place
                        .and_then(|place| rules.get(place))
                        .map_or_else(String::new, |rule| rule.name.clone())
                };
                let planned = PlannedRow {
                    link: report.link.clone(),
                    id: id.clone(),
                    verb: kind.into(),
                    properties: plan
                        .write
                        .iter()
                        .filter_map(|place| spec.properties.get(usize::from(*place)))
                        .map(|property| property.name.clone())
                        .collect(),
                    row,
                    base,
                    both: both.clone(),
                    associate: plan.want.iter().map(|(rule, to)| (name(*rule), to.clone())).collect(),
                    dissociate: plan.unwant.iter().map(|(rule, to)| (name(*rule), to.clone())).collect(),
                };
                let is_nothing = plan.is_nothing() && both.back.is_empty();
                if !is_nothing {
                    sink.row(&planned)?;
                }
                self.summary.count(usize::from(link.0), &planned, is_nothing);
                match kind {
                    Kind::Create => report.created += 1,
                    Kind::CreateLeft => report.created_left += 1,
                    Kind::Adopt => report.adopted += 1,
                    Kind::Update if plan.write.is_empty() && !both.back.is_empty() => {
                        report.brought_back += 1
                    }
                    Kind::Update if plan.write.is_empty() => report.touched += 1,
                    Kind::Update => report.updated += 1,
                }
                Ok(false)
            }
            Mode::Apply(file) => {
                let why = match file.permission(&report.link, id, row, base, both.right) {
                    Permission::Granted => return Ok(true),
                    // Nothing to send: only our own notes move.
                    Permission::NotPlanned if plan.is_nothing() && both.back.is_empty() => return Ok(true),
                    Permission::NotPlanned => "it is not in the plan",
                    Permission::SourceMoved => "the source record changed since the plan was made",
                    Permission::RightMoved => "the record changed in HubSpot since the plan was made",
                    // What an interrupted apply of this very plan has begun, it may end.
                    Permission::StateMoved if is_recovered => return Ok(true),
                    Permission::StateMoved => "it was written since the plan was made",
                };
                report.skipped += 1;
                let link = report.link.clone();
                self.report.moved.push(crate::report::Moved { link, id: id.to_string(), why: why.into() });
                Ok(false)
            }
        }
    }

    /// Whether a scan already met a record with this id.
    fn is_repeated(&mut self, link: LinkId, record: &Record, pair: Option<&Pair>) -> bool {
        match pair {
            // Made in this very run: only a second row can meet it.
            Some(pair) if pair.id > self.last_pair => true,
            Some(pair) => !self.seen.insert(pair.id),
            None => self.in_hand.contains(&(link, record.id().clone())),
        }
    }

    fn park_repeated(&mut self, link: LinkId, id: &ExternalId, row: Fingerprint) {
        let spec = self.link(link);
        let detail = format!(
            "collection {} has more than one record with this id; the first one counts",
            spec.collection
        );
        self.park_as(
            link,
            DeadLetter {
                link: self.names(link),
                external: ExternalId::new(format!("{id} (repeated)")),
                is_place: true,
                cause: "repeated-id".into(),
                detail,
                remedy: "make the key unique at the source, or choose another key in the mapping".into(),
                row,
                first_run: self.number,
                last_run: self.number,
                tries: 1,
            },
        );
    }

    fn park_unreadable(&mut self, link: LinkId, bad: BadRecord) {
        let letter = DeadLetter {
            link: self.names(link),
            external: ExternalId::new(bad.place.clone()),
            is_place: true,
            cause: bad.code.into(),
            detail: bad.to_string(),
            remedy: bad.remedy,
            row: Fingerprint(0),
            first_run: self.number,
            last_run: self.number,
            tries: 1,
        };
        self.park_as(link, letter);
    }

    /// Parks a record that cannot be mapped.
    pub(crate) fn park_unmappable(
        &mut self,
        link: LinkId,
        id: ExternalId,
        row: Fingerprint,
        error: &MapError,
    ) {
        let first = error.problems.first();
        let cause = first.map_or("unmappable", |problem| problem.code).to_owned();
        let remedy = first.map_or_else(String::new, |problem| problem.remedy.clone());
        self.park(link, id, row, cause, error.to_string(), remedy);
    }

    /// Parks a record with its cause; it is tried again when its source changes or when somebody asks.
    pub(crate) fn park(
        &mut self,
        link: LinkId,
        id: ExternalId,
        row: Fingerprint,
        cause: String,
        detail: String,
        remedy: String,
    ) {
        let letter = DeadLetter {
            link: self.names(link),
            external: id,
            is_place: false,
            cause,
            detail,
            remedy,
            row,
            first_run: self.number,
            last_run: self.number,
            tries: 1,
        };
        self.park_as(link, letter);
    }

    pub(crate) fn park_as(&mut self, link: LinkId, letter: DeadLetter) {
        *self.links_report(link).parked.entry(letter.cause.clone()).or_default() += 1;
        if !matches!(self.mode, Mode::Plan(_)) {
            self.has_letters.insert(letter.link);
            self.settled(link, &letter.external);
            self.tx.park.push(letter);
        }
    }

    /// Reads, of all links at once that have not been loaded, the first page of what HubSpot already has: where
    /// that is empty, there is nothing to recognise.
    pub(crate) async fn begin_first_loads(&mut self) -> Result<(), EngineError> {
        let mut asked = Vec::new();
        for link in self.link_ids() {
            if self.engine.parts.store.cursor(&format!("loaded/{}", self.link(link).name))?.is_none() {
                asked.push((link, self.link(link).object.clone(), self.recognised_by(link)));
            }
        }
        let destination = self.destination();
        let lane = self.engine.parts.options.lane;
        let pages =
            asked.iter().map(|(_, object, properties)| destination.list(object, properties, None, lane));
        let pages = join_all(pages).await;
        for ((link, ..), page) in asked.into_iter().zip(pages) {
            match page {
                Ok(page) if page.records.is_empty() && page.next.is_none() => {
                    self.discovered.insert(link, Discovered::default());
                }
                Ok(_) => {}
                Err(error) => self.halt = Some(error.to_string()),
            }
        }
        Ok(())
    }

    /// What a record is recognised by: the sync key, then the properties of the match rules.
    fn recognised_by(&self, link: LinkId) -> Vec<PropertyName> {
        let spec = self.link(link);
        let rules = spec.match_on.iter().filter_map(|place| spec.properties.get(*place));
        std::iter::once(spec.sync_key.clone()).chain(rules.map(|property| property.name.clone())).collect()
    }

    /// A record that was parked while its link was loaded for the first time may be in HubSpot already: what could have
    /// been recognised then must not become a second one now. Reads what HubSpot has once more.
    async fn discover_again(&mut self, link: LinkId, parked_in: u64) -> Result<(), EngineError> {
        let loaded = self.engine.parts.store.cursor(&format!("loaded/{}", self.link(link).name))?;
        let loaded_in = loaded.and_then(|run| run.parse::<u64>().ok());
        let is_read = self.discovered.get(&link).is_some_and(|found| !found.is_empty());
        if is_read || loaded_in.is_none_or(|run| parked_in > run) {
            return Ok(());
        }
        self.read_all(link).await
    }

    /// Reads which records HubSpot already has, before the first load of a link: once, and only if there are any.
    async fn discover(&mut self, link: LinkId) -> Result<(), EngineError> {
        if self.discovered.contains_key(&link) {
            return Ok(());
        }
        self.discovered.insert(link, Discovered::default());
        if self.engine.parts.store.cursor(&format!("loaded/{}", self.link(link).name))?.is_some() {
            return Ok(());
        }
        self.read_all(link).await
    }

    /// Reads which records HubSpot already has.
    async fn read_all(&mut self, link: LinkId) -> Result<(), EngineError> {
        let spec = self.link(link).clone();
        let destination = self.destination();
        let lane = self.engine.parts.options.lane;
        let properties = self.recognised_by(link);
        let outcome = async {
            let mut found =
                Discovered { by_key: HashMap::new(), by_match: vec![HashMap::new(); spec.match_on.len()] };
            let mut after: Option<String> = None;
            loop {
                let page = destination.list(&spec.object, &properties, after.as_deref(), lane).await?;
                for shown in page.records {
                    let mut values = shown.values.into_iter();
                    if let Some(Value::Text(key)) = values.next() {
                        found.by_key.insert(key.into(), shown.id);
                        continue;
                    }
                    for ((rule, place), value) in spec.match_on.iter().enumerate().zip(values) {
                        let value = self.engine.parts.mapper.canonical(link, *place, value);
                        if !value.is_null() {
                            found.by_match[rule]
                                .entry(self.prints.value(&value))
                                .and_modify(|id| *id = None)
                                .or_insert_with(|| Some(shown.id.clone()));
                        }
                    }
                }
                self.progress(link, Phase::Discover);
                match page.next {
                    Some(next) => after = Some(next),
                    None => return Ok(found),
                }
            }
        };
        let outcome: Result<Discovered, sync_types::DestinationError> = outcome.await;
        match outcome {
            Ok(found) => {
                self.discovered.insert(link, found);
            }
            Err(error) => self.halt = Some(error.to_string()),
        }
        Ok(())
    }

    /// The HubSpot record that a new source record already is, if any.
    fn recognise(
        &mut self,
        link: LinkId,
        id: &ExternalId,
        prints: &[Option<Fingerprint>],
    ) -> Option<Recognised> {
        let found = self.discovered.get_mut(&link).filter(|found| !found.is_empty())?;
        let spec = self.engine.parts.mapper.links().get(usize::from(link.0))?;
        if !found.by_key.is_empty() {
            let key = crate::sync_key(&self.engine.parts.engagement, &spec.name, id, 0);
            if let Some(record) = found.by_key.get(key.as_str()) {
                return Some(Recognised(record.clone()));
            }
        }
        for (rule, place) in spec.match_on.iter().enumerate() {
            let Some(Some(print)) = prints.get(*place) else { continue };
            // Taken out: no second source record may claim the same HubSpot record.
            if let Some(Some(record)) = found.by_match.get_mut(rule).and_then(|known| known.remove(print)) {
                return Some(Recognised(record));
            }
        }
        None
    }

    /// What is read of a record before it is linked: every mapped property, then the sync key.
    pub(crate) fn adoption(&self, link: LinkId) -> (ObjectType, Vec<PropertyName>) {
        let spec = self.link(link);
        let mut properties: Vec<PropertyName> = spec.properties.iter().map(|p| p.name.clone()).collect();
        properties.push(spec.sync_key.clone());
        (spec.object.clone(), properties)
    }
}

/// Whether a pair takes no part in the sync until something changes: its record was deleted, merged or erased.
pub(crate) fn is_at_rest(pair: &Pair, row: Fingerprint) -> bool {
    match pair.state {
        PairState::Erased => true,
        PairState::RightGone | PairState::Collided => pair.row == row || pair.row == Fingerprint(0),
        _ => false,
    }
}

/// A HubSpot record that a source record already is, by our own key or by a match rule.
struct Recognised(RecordId);

/// A fingerprint of all that is known of a pair: a plan holds as long as it does.
pub(crate) fn pair_print(prints: &sync_types::Fingerprinter, pair: Option<&Pair>) -> Fingerprint {
    let Some(pair) = pair else { return Fingerprint(0) };
    let mut text = format!("{:?} {} {}", pair.record, pair.generation, pair.row);
    for base in &pair.bases {
        text.push_str(&format!(" {}:{}:{}", base.property.0, base.left, base.right));
    }
    prints.text(&text)
}
