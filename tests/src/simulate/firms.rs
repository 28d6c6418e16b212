//! Firms flow one way, to HubSpot, and people are associated with them: what a deletion, a late parent and a cut-off
//! first load do to a link of that kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use http_transport::Clock;
use hubspot_sandbox::{Portal, StoredRecord};
use sync_testkit::MemorySource;
use sync_types::Value;

use super::check::Violation;
use super::machine::Machine;
use super::people::{MARK, People, text};
use super::tally::Tally;

/// What there is of firms, and what was done to them.
pub(super) struct Firms {
    source: Arc<MemorySource>,
    portal: Arc<Mutex<Portal>>,
    portal_clock: Arc<dyn Clock>,
    joined: u64,
    edits: u64,
    /// Whose company was deleted in HubSpot, and whose row has not changed since: nothing says that it is missed.
    deleted: BTreeSet<String>,
}

fn domain(number: u64) -> String {
    format!("f{number}.example.com")
}

impl Firms {
    pub(super) fn new(machine: &Machine) -> Firms {
        let world = &machine.world;
        world.source.collection("firms", &["domain", "name", "city"]);
        Firms {
            source: Arc::clone(&world.source),
            portal: Arc::clone(&world.portal),
            portal_clock: Arc::clone(&machine.portal_clock),
            joined: 0,
            edits: 0,
            deleted: BTreeSet::new(),
        }
    }

    fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn value(&mut self) -> String {
        self.edits += 1;
        format!("{MARK}9{}", self.edits)
    }

    /// The firms of the source, by id.
    fn rows(&self) -> BTreeMap<String, Vec<Value>> {
        let ids = self.source.ids("firms").into_iter();
        ids.filter_map(|id| Some((id.clone(), self.source.get("firms", &id)?))).collect()
    }

    /// The portal's live companies, by domain.
    fn companies(&self) -> BTreeMap<String, Vec<StoredRecord>> {
        let page = self.portal().records("companies", 0, 10_000);
        let mut all = BTreeMap::<String, Vec<StoredRecord>>::new();
        for company in page.map(|page| page.records).unwrap_or_default() {
            all.entry(company.properties.get("domain").cloned().unwrap_or_default())
                .or_default()
                .push(company);
        }
        all
    }

    /// A firm that is in HubSpot already, where somebody typed it in: only before the first run.
    pub(super) fn known_on_both_sides(&mut self, tally: &mut Tally) {
        let domain = domain(self.joined + 1);
        let now = self.portal_clock.now();
        drop(self.portal().create_as_user(now, "companies", [("domain", domain.as_str())]));
        self.join(tally);
    }

    pub(super) fn join(&mut self, tally: &mut Tally) -> Option<String> {
        tally.deed("firm joins");
        self.joined += 1;
        let row = vec![domain(self.joined).into(), self.value().into(), self.value().into()];
        let id = format!("F{}", self.joined);
        self.source.put("firms", &id, row);
        Some(format!("firm {id} joins"))
    }

    pub(super) fn edit(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let id = rng.choice(self.source.ids("firms"))?;
        let column = ["name", "city"][rng.usize(0..2)];
        let value = self.value();
        tally.deed("firm edited");
        self.source.set("firms", &id, column, value.as_str());
        self.deleted.remove(&id);
        Some(format!("{column} of firm {id} becomes {value}"))
    }

    pub(super) fn delete_company(&mut self, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let (id, row) = rng.choice(self.rows())?;
        let company = self.companies().remove(&row.first().map(text)?)?.pop()?;
        tally.deed("company deleted");
        let now = self.portal_clock.now();
        self.portal().archive_record(now, "companies", company.id).ok()?;
        self.deleted.insert(id.clone());
        Some(format!("the company of firm {id} is deleted"))
    }

    /// Somebody changes their employer, perhaps to a firm that nobody knows yet.
    pub(super) fn hire(&mut self, people: &People, rng: &mut Rng, tally: &mut Tally) -> Option<String> {
        let (email, rows) = rng.choice(people.on_left())?;
        let (id, _) = rows.into_iter().next()?;
        let firm = rng.u64(0..=self.joined + 1);
        tally.deed("employer changed");
        let value = if firm == 0 { Value::Null } else { format!("F{firm}").into() };
        let told = format!("{email} works for {}", text(&value));
        self.source.set("people", &id, "firm", value);
        Some(told)
    }

    /// Firms are there once and whole, and people are associated with their employers and nobody else.
    pub(super) fn at_rest(&self, people: &People, tally: &mut Tally, violations: &mut Vec<Violation>) {
        let (rows, companies) = (self.rows(), self.companies());
        let mut fail = |name, what| violations.push(Violation::new(name, what));
        tally.check("firms-once-and-whole");
        let mut live: BTreeMap<String, u64> = BTreeMap::new();
        for (id, row) in &rows {
            let values: Vec<String> = row.iter().map(text).collect();
            let [domain, name, city] = values.as_slice() else { continue };
            match companies.get(domain).map(Vec::as_slice) {
                Some([company]) => {
                    live.insert(id.clone(), company.id);
                    let shows =
                        |property: &str| company.properties.get(property).cloned().unwrap_or_default();
                    let is_whole = shows("name") == *name && shows("city") == *city;
                    if !is_whole && !self.deleted.contains(id) {
                        let there = (shows("name"), shows("city"));
                        fail(
                            "firms-once-and-whole",
                            format!("firm {id} is {row:?}: {name}, {city}; HubSpot has {there:?}"),
                        );
                    }
                }
                None if self.deleted.contains(id) => {}
                found => {
                    let count = found.map_or(0, <[_]>::len);
                    fail("firms-once-and-whole", format!("firm {id} has {count} companies"));
                }
            }
        }
        tally.check("edges-agree");
        let contacts = people.on_right();
        for (email, rows) in &people.on_left() {
            let is_parted = [&people.merged, &people.erased].iter().any(|set| set.contains(email));
            let (Some((id, row)), Some(contact), false) = (rows.first(), contacts.get(email), is_parted)
            else {
                continue;
            };
            if id.starts_with("new-") {
                // Made anew from HubSpot, where nobody says who works for whom.
                continue;
            }
            let firm = row.last().map(text).unwrap_or_default();
            let there: BTreeSet<u64> = contact
                .associations
                .iter()
                .filter(|link| link.object_type == "companies" && live.values().any(|id| *id == link.id))
                .map(|link| link.id)
                .collect();
            let wanted: BTreeSet<u64> = live.get(&firm).copied().into_iter().collect();
            // What hung on a company that was deleted is gone with it, until its firm changes.
            if there != wanted {
                let what = format!("{email} works for {firm} ({wanted:?}), and is associated with {there:?}");
                fail("edges-agree", what);
            }
        }
    }
}
