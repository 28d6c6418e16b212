//! Records that may not be made before another one is there (`parent_first`).
//!
//! Links are read in the order of their associations, but what they make may still be on its way: who has no parent at
//! the first look is looked at once more when all has landed. Who has none then is parked, for everybody to see, and
//! looked at again by every run.

use sync_types::{DeadLetterFilter, EdgeRuleId, ExternalId, Fingerprint, LinkId, PairState};

use crate::error::EngineError;
use crate::run::{Mode, Run};

/// The cause under which such records are parked.
const PARENT_MISSING: &str = "parent-missing";

impl Run<'_> {
    /// The first record that this one has to wait for: its association rule and its id.
    pub(crate) fn missing_parent(
        &self,
        edges: &[(EdgeRuleId, ExternalId)],
    ) -> Result<Option<(EdgeRuleId, ExternalId)>, EngineError> {
        if matches!(self.mode, Mode::Plan(_)) {
            // The parent stands in the same plan.
            return Ok(None);
        }
        let rules = self.engine.parts.mapper.edge_rules();
        for (id, to) in edges {
            let Some(rule) = rules.get(usize::from(id.0)).filter(|rule| rule.parent_first) else { continue };
            let found = self.engine.parts.store.pairs(self.names(rule.to), std::slice::from_ref(to))?;
            let is_there = |pair: sync_types::Pair| pair.record.is_some() && pair.state == PairState::Linked;
            if !found.into_iter().flatten().any(is_there) {
                return Ok(Some((*id, to.clone())));
            }
        }
        Ok(None)
    }

    /// Has the record looked at once more when all has landed; parked when it was waited for already.
    pub(crate) fn wait_for_parent(
        &mut self,
        link: LinkId,
        id: &ExternalId,
        row: Fingerprint,
        (rule, to): (EdgeRuleId, ExternalId),
    ) {
        if self.waited.insert((link, id.clone())) {
            self.links_report(link).touched += 1;
            self.look_again(link, id.clone());
            return;
        }
        let rules = self.engine.parts.mapper.edge_rules();
        let Some(rule) = rules.get(usize::from(rule.0)) else { return };
        let detail = format!(
            "{} {to}, which the association `{}` asks for, is not in HubSpot",
            self.link(rule.to).collection,
            rule.name
        );
        let remedy = "bring that record over (see whether it is parked, missing or out of scope), or drop `parent_first`";
        self.park(link, id.clone(), row, PARENT_MISSING.into(), detail, remedy.into());
    }

    /// Has those looked at that earlier runs have left waiting.
    pub(crate) fn call_the_waiting(&mut self) -> Result<(), EngineError> {
        let rules = self.engine.parts.mapper.edge_rules();
        let mut links: Vec<LinkId> =
            rules.iter().filter(|rule| rule.parent_first).map(|rule| rule.from).collect();
        links.sort();
        links.dedup();
        for link in links {
            let name = self.names(link);
            if !self.has_letters.contains(&name) {
                continue;
            }
            let filter = DeadLetterFilter {
                link: Some(name),
                cause: Some(PARENT_MISSING.into()),
                ..DeadLetterFilter::default()
            };
            let letters = self.engine.parts.store.dead_letters(&filter)?;
            self.tx.dirty.extend(letters.into_iter().map(|letter| (name, letter.external)));
        }
        Ok(())
    }
}
