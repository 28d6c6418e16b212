//! Natural keys that records of the source hold, so that a record of HubSpot which holds one of them as well makes no
//! second record of the source.

use sync_types::{DeadLetterFilter, ExternalId, Fingerprint, LinkId, Pair, PairId, PairState};

use crate::error::EngineError;
use crate::plan::base_of;
use crate::report::Reading;
use crate::run::Run;

/// Pairs and parked records looked at in one go.
const PAGE: usize = 1_000;

impl Run<'_> {
    /// Remembers the natural keys by which a pair's record would be recognised, for links that take in strangers.
    pub(crate) fn claim_agreed(&mut self, link: LinkId, pair: &Pair) {
        let spec = &self.engine.parts.mapper.links()[usize::from(link.0)];
        if !spec.creates_left {
            return;
        }
        let names = &self.engine.names[usize::from(link.0)].properties;
        let claims = self.claims.entry(link).or_default();
        for place in &spec.match_on {
            let base = names.get(*place).and_then(|name| base_of(&pair.bases, *name));
            if let Some(base) = base.filter(|base| base.left != self.null) {
                claims.insert((*place, base.right));
            }
        }
    }

    /// Remembers the natural keys of a record that is about to be made on the right.
    pub(crate) fn claim_new(&mut self, link: LinkId, prints: &[Option<Fingerprint>]) {
        let spec = &self.engine.parts.mapper.links()[usize::from(link.0)];
        if !spec.creates_left {
            return;
        }
        let claims = self.claims.entry(link).or_default();
        for place in &spec.match_on {
            if let Some(Some(print)) = prints.get(*place).filter(|print| **print != Some(self.null)) {
                claims.insert((*place, *print));
            }
        }
    }

    /// Where no scan has met the source's records: the natural keys of all pairs, by what both sides agreed on, and
    /// those of parked records, as the source shows them. Once in a run, and only in one that meets strangers.
    pub(crate) async fn know_claims(&mut self, link: LinkId) -> Result<(), EngineError> {
        let spec = self.link(link);
        let is_known = !spec.creates_left || spec.match_on.is_empty();
        let is_scanned =
            !matches!(self.report.links[usize::from(link.0)].reading, Reading::Changes | Reading::Nothing);
        if is_known || is_scanned || !self.claims_known.insert(link) {
            return Ok(());
        }
        let name = self.names(link);
        let mut after = PairId(0);
        loop {
            let page = self.engine.parts.store.scan_pairs(name, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for pair in page {
                if !matches!(pair.state, PairState::LeftGone | PairState::LeftMissing) {
                    self.claim_agreed(link, &pair);
                }
            }
        }
        if !self.has_letters.contains(&name) {
            return Ok(());
        }
        let filter = DeadLetterFilter { link: Some(name), ..DeadLetterFilter::default() };
        let letters = self.engine.parts.store.dead_letters(&filter)?;
        let parked: Vec<ExternalId> =
            letters.into_iter().filter(|letter| !letter.is_place).map(|letter| letter.external).collect();
        let (mapper, collection) =
            (std::sync::Arc::clone(&self.engine.parts.mapper), self.link(link).collection.clone());
        for ids in parked.chunks(PAGE) {
            let records = match self.engine.parts.source.read(&collection, ids).await {
                Ok(records) => records,
                Err(error) => {
                    self.halt = Some(error.to_string());
                    return Ok(());
                }
            };
            for record in records.into_iter().flatten() {
                let Ok(mapped) = mapper.map(link, &record) else { continue };
                let prints: Vec<Option<Fingerprint>> = mapped
                    .values
                    .iter()
                    .map(|value| value.as_ref().map(|value| self.prints.value(value)))
                    .collect();
                self.claim_new(link, &prints);
            }
        }
        Ok(())
    }
}
