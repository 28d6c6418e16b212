//! People on both sides: they edit, add, delete, restore and merge, and we remember what they saw when they did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use http_transport::Clock;
use hubspot_sandbox::{Portal, StoredRecord};
use sync_testkit::MemorySource;
use sync_types::Value;

use super::machine::Machine;
use super::tally::Tally;

/// The columns of the source and the properties of the portal, by the policy of their conflicts.
pub(super) const FIELDS: [(&str, &str); 4] =
    [("name", "lastname"), ("city", "city"), ("job", "jobtitle"), ("points", "points")];

/// The source's people: e-mail address to id and row.
pub(super) type OnLeft = BTreeMap<String, Vec<(String, Vec<Value>)>>;

/// The portal's live contacts by e-mail address.
pub(super) type OnRight = BTreeMap<String, StoredRecord>;

/// Marks every value that a person enters; nothing that we keep may hold it.
pub(super) const MARK: &str = "zqxv";

/// One value that a person entered.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) email: String,
    pub(super) field: usize,
    pub(super) value: String,
    /// What the same side showed before.
    pub(super) over: String,
    pub(super) on_left: bool,
}

/// What people did, and to whom.
pub(super) struct People {
    source: Arc<MemorySource>,
    portal: Arc<Mutex<Portal>>,
    clock: Arc<dyn Clock>,
    /// HubSpot's, which is not quite ours.
    portal_clock: Arc<dyn Clock>,
    client: hubspot_client::Client,
    counter: Arc<Mutex<u64>>,
    edits: Arc<Mutex<Vec<Edit>>>,
    meddled: Arc<Mutex<u64>>,
    told: Arc<Mutex<Vec<String>>>,
    joined: u64,
    /// Everybody who was ever there.
    pub(super) everybody: BTreeSet<String>,
    /// Whom a person deleted, on some side, at some time.
    pub(super) deleted: BTreeSet<String>,
    /// When a person last deleted somebody who has not come back since, by side; and who was removed on the left.
    deleted_at: BTreeMap<(String, bool), Duration>,
    /// Who came back on a side, when they had been deleted, and in which run that could first be seen: who is deleted
    /// again before that has been away all the time for the engine.
    returned: BTreeMap<(String, bool), (Duration, u64)>,
    /// Runs so far.
    pub(super) runs: u64,
    removed: BTreeMap<String, (String, Vec<Value>)>,
    /// Who lies in the recycling bin of the right.
    binned: BTreeMap<String, u64>,
    /// Whom a person brought back on the left: perhaps beside a record that was made anew.
    pub(super) restored: BTreeSet<String>,
    /// Whom a person brought back on the right.
    pub(super) brought_back: BTreeSet<String>,
    /// Whom a person erased on the right.
    pub(super) erased: BTreeSet<String>,
    /// Whom a merge concerned.
    pub(super) merged: BTreeSet<String>,
}

impl People {
    pub(super) fn new(machine: &Machine) -> People {
        let world = &machine.world;
        People {
            source: Arc::clone(&world.source),
            portal: Arc::clone(&world.portal),
            clock: Arc::clone(&world.clock),
            portal_clock: Arc::clone(&machine.portal_clock),
            client: machine.client(),
            counter: Arc::default(),
            edits: Arc::default(),
            meddled: Arc::default(),
            told: Arc::default(),
            joined: 0,
            everybody: BTreeSet::new(),
            deleted: BTreeSet::new(),
            deleted_at: BTreeMap::new(),
            returned: BTreeMap::new(),
            runs: 0,
            removed: BTreeMap::new(),
            binned: BTreeMap::new(),
            restored: BTreeSet::new(),
            brought_back: BTreeSet::new(),
            erased: BTreeSet::new(),
            merged: BTreeSet::new(),
        }
    }

    pub(super) fn edits(&self) -> Vec<Edit> {
        lock(&self.edits).clone()
    }

    /// The source's people: email to id and row.
    pub(super) fn on_left(&self) -> OnLeft {
        on_left(&self.source)
    }

    /// The portal's live contacts by e-mail address.
    pub(super) fn on_right(&self) -> OnRight {
        on_right(&self.portal)
    }

    /// Both sides as they stand, for a person who looks for a fault.
    pub(super) fn shown(&self) -> Vec<String> {
        let left = self.on_left().into_iter().flat_map(|(email, rows)| {
            rows.into_iter().map(move |(id, row)| {
                let row: Vec<String> = row.iter().skip(1).map(text).collect();
                format!("left  {email} {id}: {}", row.join(", "))
            })
        });
        let right = self.on_right().into_iter().map(|(email, record)| {
            let values =
                FIELDS.map(|(_, property)| record.properties.get(property).cloned().unwrap_or_default());
            format!("right {email} {}: {}", record.id, values.join(", "))
        });
        left.chain(right).collect()
    }

    /// What the right has shown of everybody before, newest first, for a person who looks for a fault.
    pub(super) async fn history(&self) -> Vec<String> {
        let Ok(contacts) = hubspot_client::ObjectType::new("contacts") else { return Vec::new() };
        let objects = self.client.objects(&contacts);
        let options = hubspot_client::GetOptions {
            properties_with_history: FIELDS.map(|(_, property)| property.to_owned()).to_vec(),
            ..hubspot_client::GetOptions::default()
        };
        let mut lines = Vec::new();
        for (email, record) in self.on_right() {
            let Ok(record) = objects.get(&record.id.to_string(), &options).await else { continue };
            for (property, versions) in &record.properties_with_history {
                let shown: Vec<String> = versions
                    .iter()
                    .map(|version| {
                        let by = version.source_type.as_deref().unwrap_or_default();
                        format!("{} ({by})", version.value.as_deref().unwrap_or_default())
                    })
                    .collect();
                lines.push(format!("right {email} {property} was {}", shown.join(", ")));
            }
        }
        lines
    }

    pub(super) fn edit_left(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        tally.deed("edit left");
        edit_left(&self.source, &self.counter, &self.edits, rng)
    }

    pub(super) fn edit_right(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        tally.deed("edit right");
        edit_right(&self.portal, &self.portal_clock, &self.counter, &self.edits, rng)
    }

    fn newcomer(&mut self) -> (String, [String; 4]) {
        self.joined += 1;
        let email = format!("p{}@example.com", self.joined);
        self.everybody.insert(email.clone());
        let values = [0, 1, 2, 3].map(|field| fresh(&self.counter, field));
        (email, values)
    }

    fn note(&self, email: &str, values: &[String; 4], on_left: bool) {
        let entered = values.iter().enumerate().map(|(field, value)| Edit {
            email: email.to_owned(),
            field,
            value: value.clone(),
            over: String::new(),
            on_left,
        });
        lock(&self.edits).extend(entered);
    }

    fn enter_left(&self, email: &str, values: &[String; 4]) {
        let id = email.split('@').next().unwrap_or_default().to_uppercase();
        let row = std::iter::once(email.into()).chain(values.iter().map(|value| value.as_str().into()));
        self.source.put("people", &id, row.chain([Value::Null]).collect());
        self.note(email, values, true);
    }

    fn enter_right(&self, email: &str, values: &[String; 4]) {
        let properties = FIELDS.iter().zip(values).map(|((_, property), value)| (*property, value.as_str()));
        let properties: Vec<_> = std::iter::once(("email", email)).chain(properties).collect();
        if lock(&self.portal).create_as_user(self.portal_clock.now(), "contacts", properties).is_ok() {
            self.note(email, values, false);
        }
    }

    pub(super) fn join_left(&mut self, tally: &mut Tally) -> Option<String> {
        tally.deed("join left");
        let (email, values) = self.newcomer();
        self.enter_left(&email, &values);
        Some(format!("{email} joins on the left"))
    }

    pub(super) fn join_right(&mut self, tally: &mut Tally) -> Option<String> {
        tally.deed("join right");
        let (email, values) = self.newcomer();
        self.enter_right(&email, &values);
        Some(format!("{email} joins on the right"))
    }

    pub(super) fn join_both(&mut self, tally: &mut Tally) -> Option<String> {
        tally.deed("join both");
        let (email, left) = self.newcomer();
        let right = [0, 1, 2, 3].map(|field| fresh(&self.counter, field));
        self.enter_left(&email, &left);
        self.enter_right(&email, &right);
        Some(format!("{email} joins on both sides"))
    }

    pub(super) fn delete_left(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let (email, (id, _)) = pick(rng, &self.on_left()).map(|(email, rows)| (email, rows[0].clone()))?;
        tally.deed("delete left");
        if let Some(row) = self.source.get("people", &id) {
            self.removed.insert(email.clone(), (id.clone(), row));
        }
        self.source.remove("people", &id);
        self.deleted_now(&email, true);
        Some(format!("{email} is deleted on the left"))
    }

    pub(super) fn delete_right(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let (email, record) = pick(rng, &self.on_right())?;
        tally.deed("delete right");
        lock(&self.portal).archive_record(self.portal_clock.now(), "contacts", record.id).ok()?;
        self.deleted_now(&email, false);
        self.binned.insert(email.clone(), record.id);
        Some(format!("{email} is deleted on the right"))
    }

    fn deleted_now(&mut self, email: &str, on_left: bool) {
        self.deleted.insert(email.to_owned());
        let unseen = self.returned.get(&(email.to_owned(), on_left)).filter(|(_, run)| *run == self.runs);
        let since = unseen.map_or_else(|| self.clock.monotonic(), |(since, _)| *since);
        self.deleted_at.insert((email.to_owned(), on_left), since);
    }

    /// How long ago a person deleted somebody on a side who has not come back there since.
    pub(super) fn deleted_for(&self, email: &str, on_left: bool) -> Option<Duration> {
        Some(self.clock.monotonic().saturating_sub(*self.deleted_at.get(&(email.to_owned(), on_left))?))
    }

    pub(super) fn restore_left(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let here = self.on_left();
        self.removed.retain(|email, _| !here.contains_key(email));
        let (email, (id, row)) = pick(rng, &self.removed)?;
        tally.deed("restore left");
        self.restored.insert(email.clone());
        self.source.put("people", &id, row);
        if let Some(since) = self.deleted_at.remove(&(email.clone(), true)) {
            self.returned.insert((email.clone(), true), (since, self.runs));
        }
        Some(format!("{email} is restored on the left"))
    }

    pub(super) async fn erase_right(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let (email, record) = pick(rng, &self.on_right())?;
        let objects = self.client.objects(&hubspot_client::ObjectType::new("contacts").ok()?);
        objects.gdpr_delete(&record.id.to_string(), None).await.ok()?;
        tally.deed("erase right");
        self.erased.insert(email.clone());
        Some(format!("{email} is erased on the right"))
    }

    pub(super) fn restore_right(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let live = self.on_right();
        self.binned.retain(|email, _| !live.contains_key(email));
        let (email, id) = pick(rng, &self.binned)?;
        self.binned.remove(&email);
        if !lock(&self.portal).restore_record(self.portal_clock.now(), "contacts", id).ok()? {
            return None;
        }
        tally.deed("restore right");
        self.brought_back.insert(email.clone());
        if let Some(since) = self.deleted_at.remove(&(email.clone(), false)) {
            self.returned.insert((email.clone(), false), (since, self.runs));
        }
        Some(format!("{email} is restored on the right"))
    }

    /// Another property of one person on either side, at the same time.
    pub(super) fn edit_both(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let (email, _) = pick(rng, &self.on_left())?;
        let (one, other) = (rng.usize(0..FIELDS.len()), rng.usize(0..FIELDS.len()));
        tally.deed("edit both");
        let left = edit_left_of(&self.source, &self.counter, &self.edits, &email, one)?;
        let right =
            edit_right_of(&self.portal, &self.portal_clock, &self.counter, &self.edits, &email, other)?;
        Some(format!("{left}; {right}"))
    }

    pub(super) async fn merge_right(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let right = self.on_right();
        let (winner, primary) = pick(rng, &right)?;
        let (loser, other) = pick(rng, &right)?;
        if winner == loser {
            return None;
        }
        let objects = self.client.objects(&hubspot_client::ObjectType::new("contacts").ok()?);
        let (primary, other) = (primary.id.to_string(), other.id.to_string());
        objects.merge(&primary.as_str().into(), &other.as_str().into()).await.ok()?;
        tally.deed("merge right");
        self.merged.extend([winner.clone(), loser.clone()]);
        Some(format!("{loser} is merged into {winner}"))
    }

    /// Somebody who edits on either side right before the n-th write of a run.
    pub(super) fn meddler(
        &self,
        at: Option<u64>,
        mut rng: Rng,
    ) -> Option<Box<dyn FnMut(&'static str) + Send>> {
        let mut left = at?;
        let (source, portal, clock) =
            (Arc::clone(&self.source), Arc::clone(&self.portal), Arc::clone(&self.portal_clock));
        let (counter, edits, meddled) =
            (Arc::clone(&self.counter), Arc::clone(&self.edits), Arc::clone(&self.meddled));
        let told = Arc::clone(&self.told);
        Some(Box::new(move |step| {
            if step == "commit" {
                return;
            }
            // What is due to land has landed when somebody looks.
            lock(&portal).land_late(clock.now());
            if left == 0 {
                for (email, field) in differing(&source, &portal) {
                    let done = if rng.bool() {
                        edit_right_of(&portal, &clock, &counter, &edits, &email, field)
                    } else {
                        edit_left_of(&source, &counter, &edits, &email, field)
                    };
                    *lock(&meddled) += u64::from(done.is_some());
                    lock(&told).extend(done);
                }
            }
            left = left.wrapping_sub(1);
        }))
    }

    /// What the meddler has done since this was last asked.
    pub(super) fn take_told(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.told))
    }

    /// Whether the meddler got to meddle since this was last asked.
    pub(super) fn take_meddled(&mut self, tally: &mut Tally) -> bool {
        let count = std::mem::take(&mut *lock(&self.meddled));
        if count > 0 {
            tally.deed("edit at the worst moment");
        }
        count > 0
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fresh(counter: &Mutex<u64>, field: usize) -> String {
    let mut counter = lock(counter);
    *counter += 1;
    match FIELDS[field].0 {
        "points" => counter.to_string(),
        // Now and then somebody empties a property.
        _ if counter.is_multiple_of(9) => String::new(),
        _ => format!("{MARK}{counter}"),
    }
}

fn pick<V: Clone>(rng: &mut Rng, all: &BTreeMap<String, V>) -> Option<(String, V)> {
    rng.choice(all.iter()).map(|(email, value)| (email.clone(), value.clone()))
}

pub(super) fn text(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.reveal().to_string() }
}

fn on_left(source: &MemorySource) -> OnLeft {
    let mut all = OnLeft::new();
    for id in source.ids("people") {
        if let Some(row) = source.get("people", &id) {
            all.entry(row.first().map(text).unwrap_or_default()).or_default().push((id, row));
        }
    }
    all
}

fn on_right(portal: &Mutex<Portal>) -> OnRight {
    let page = lock(portal).records("contacts", 0, 10_000);
    let live =
        page.map(|page| page.records).unwrap_or_default().into_iter().filter(|record| !record.archived);
    live.filter_map(|record| Some((record.properties.get("email")?.clone(), record))).collect()
}

fn edit_left(
    source: &MemorySource,
    counter: &Mutex<u64>,
    edits: &Mutex<Vec<Edit>>,
    rng: &mut Rng,
) -> Option<String> {
    let (email, _) = pick(rng, &on_left(source))?;
    edit_left_of(source, counter, edits, &email, rng.usize(0..FIELDS.len()))
}

fn edit_left_of(
    source: &MemorySource,
    counter: &Mutex<u64>,
    edits: &Mutex<Vec<Edit>>,
    email: &str,
    field: usize,
) -> Option<String> {
    let all = on_left(source);
    let (id, row) = all.get(email)?.first()?;
    let value = fresh(counter, field);
    let over = row.get(field + 1).map(text).unwrap_or_default();
    source.set("people", id, FIELDS[field].0, value.as_str());
    let told = format!("{email}: {} becomes {value} on the left, was {over}", FIELDS[field].0);
    lock(edits).push(Edit { email: email.to_owned(), field, value, over, on_left: true });
    Some(told)
}

fn edit_right(
    portal: &Mutex<Portal>,
    clock: &Arc<dyn Clock>,
    counter: &Mutex<u64>,
    edits: &Mutex<Vec<Edit>>,
    rng: &mut Rng,
) -> Option<String> {
    let (email, _) = pick(rng, &on_right(portal))?;
    edit_right_of(portal, clock, counter, edits, &email, rng.usize(0..FIELDS.len()))
}

/// Whose values differ between the sides: what the engine is about to write.
fn differing(source: &MemorySource, portal: &Mutex<Portal>) -> Vec<(String, usize)> {
    let (left, right) = (on_left(source), on_right(portal));
    let mut all = Vec::new();
    for (email, rows) in &left {
        let (Some((_, row)), Some(contact)) = (rows.first(), right.get(email)) else { continue };
        for (field, (_, property)) in FIELDS.iter().enumerate() {
            let there = contact.properties.get(*property).map_or("", String::as_str);
            if row.get(field + 1).is_some_and(|here| text(here) != there) {
                all.push((email.clone(), field));
            }
        }
    }
    all
}

fn edit_right_of(
    portal: &Mutex<Portal>,
    clock: &Arc<dyn Clock>,
    counter: &Mutex<u64>,
    edits: &Mutex<Vec<Edit>>,
    email: &str,
    field: usize,
) -> Option<String> {
    let all = on_right(portal);
    let record = all.get(email)?;
    let value = fresh(counter, field);
    let property = FIELDS[field].1;
    let over = record.properties.get(property).cloned().unwrap_or_default();
    let now = clock.now();
    lock(portal).edit_as_user(now, "contacts", record.id, [(property, value.as_str())]).ok()?;
    let told = format!("{email}: {property} becomes {value} on the right, was {over}");
    lock(edits).push(Edit { email: email.to_owned(), field, value, over, on_left: false });
    Some(told)
}
