//! What a verification found, as a document that can be kept, signed and checked by somebody else.
//!
//! Ids, numbers and hashes, never a value. Each certificate names the hash of the one before it, so that none can be
//! taken out or put in between unseen.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sync_types::{EdgeState, Transition};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::verify::{Difference, Level, LinkVerify, VerifyReport};

/// The format of this version's certificates.
pub const FORMAT: &str = "hubspot-integration-kit certificate 1";

/// The cursor that keeps the newest certificate's number and hash.
const NEWEST: &str = "certificate";

/// How many differences a certificate names; all are counted.
const NAMED_MAX: usize = 100;

/// One verification, certified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the kit that made it.
    pub kit: String,
    /// The engagement.
    pub engagement: String,
    /// The portal.
    pub portal: String,
    /// The mapping's fingerprint: another mapping is another agreement.
    pub mapping: String,
    /// Its place in the chain, counted from 1.
    pub number: u64,
    /// The SHA-256 of the certificate before it; none for the first.
    pub previous: Option<String>,
    /// When both sides had been read.
    pub made: Timestamp,
    /// How deep they were read.
    pub level: Level,
    /// What it proves, at this level, that no difference was found; and what it does not.
    #[serde(default)]
    pub proves: String,
    /// The newest run before it.
    pub last_run: Option<u64>,
    /// How far the changes of HubSpot had been heard of, by object type.
    pub cursors: BTreeMap<String, String>,
    /// Per link: numbers, classes and roots.
    pub links: Vec<CertifiedLink>,
    /// Associations compared.
    pub edges_compared: u64,
    /// Associations that are as wanted.
    pub edges_agree: u64,
    /// What is known to be open.
    pub open: OpenItems,
    /// All differences.
    pub difference_count: u64,
    /// The same by reason.
    pub differences_by_reason: BTreeMap<String, u64>,
    /// The first hundred by name.
    pub differences: Vec<Difference>,
    /// Whether both sides agree as far as the level looks: no difference, nothing pending, and every record in exactly one
    /// class.
    pub agrees: bool,
}

/// One link's numbers, with what does not add up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertifiedLink {
    /// The numbers.
    #[serde(flatten)]
    pub numbers: LinkVerify,
    /// Source records in no class; zero, or the certificate does not agree.
    pub source_unexplained: i64,
    /// HubSpot records in no class; zero, or the certificate does not agree.
    pub records_unexplained: i64,
}

/// What is known to be open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenItems {
    /// Dead letters, by link and cause.
    pub dead_letters: BTreeMap<String, u64>,
    /// Conflicts that wait for a person, by link and cause.
    pub conflicts: BTreeMap<String, u64>,
    /// Associations that wait for a record, by rule.
    pub associations_waiting: BTreeMap<String, u64>,
    /// Associations that HubSpot refused, by rule.
    pub associations_refused: BTreeMap<String, u64>,
    /// Associations that were taken back with the run that made them, by rule.
    pub associations_taken_back: BTreeMap<String, u64>,
    /// Writes whose outcome is not known yet.
    pub writes_in_doubt: u64,
    /// Changes that were heard of and not looked at yet.
    pub unseen_changes: u64,
}

impl Certificate {
    /// The seed of the samples for the certificate that follows one with this hash: known to nobody before.
    #[must_use]
    pub fn seed_after(previous: Option<&str>) -> u64 {
        let digits = previous.and_then(|hash| hash.get(..16)).unwrap_or("1");
        u64::from_str_radix(digits, 16).unwrap_or(1)
    }
}

/// The hash by which the next certificate names this one: SHA-256 of its text as it was signed, in hexadecimal.
#[must_use]
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Engine {
    /// The number and the hash of the newest certificate.
    ///
    /// # Errors
    /// When the store fails.
    pub fn newest_certificate(&self) -> Result<Option<(u64, String)>, EngineError> {
        let kept = self.parts.store.cursor(NEWEST)?;
        Ok(kept.and_then(|kept| {
            let (number, hash) = kept.split_once(' ')?;
            Some((number.parse().ok()?, hash.to_owned()))
        }))
    }

    /// Certifies a verification that has just been made, as the next in the chain. It takes its place there by
    /// [`Engine::note_certificate`], once it is safely kept.
    ///
    /// # Errors
    /// When the store fails.
    pub fn certify(&self, report: &VerifyReport) -> Result<Certificate, EngineError> {
        let newest = self.newest_certificate()?;
        let mut by_reason: BTreeMap<String, u64> = BTreeMap::new();
        for difference in &report.differences {
            *by_reason.entry(difference.why.clone()).or_default() += 1;
        }
        let unnamed = report.difference_count.saturating_sub(report.differences.len() as u64);
        if unnamed > 0 {
            by_reason.insert("not named one by one".into(), unnamed);
        }
        let mut cursors = BTreeMap::new();
        for link in self.parts.mapper.links() {
            if let Some(position) = self.parts.store.cursor(&format!("feed/{}", link.object))? {
                cursors.insert(link.object.to_string(), position);
            }
        }
        Ok(Certificate {
            format: FORMAT.into(),
            kit: env!("CARGO_PKG_VERSION").into(),
            engagement: self.parts.engagement.clone(),
            portal: self.parts.portal.clone(),
            mapping: sync_types::Fingerprint(self.parts.mapper.fingerprint()).to_string(),
            number: newest.as_ref().map_or(0, |(number, _)| *number) + 1,
            previous: newest.map(|(_, hash)| hash),
            made: self.parts.clock.now(),
            level: report.level,
            proves: report.level.proves().into(),
            last_run: self.parts.store.runs(1)?.first().map(|run| run.run),
            cursors,
            links: report.links.iter().map(certified).collect(),
            edges_compared: report.edges_compared,
            edges_agree: report.edges_agree,
            open: self.open_items()?,
            difference_count: report.difference_count,
            differences_by_reason: by_reason,
            differences: report.differences.iter().take(NAMED_MAX).cloned().collect(),
            agrees: report.is_clean(),
        })
    }

    /// Takes a certificate into the chain: the next one names this hash of its text.
    ///
    /// # Errors
    /// When the store fails.
    pub fn note_certificate(&mut self, number: u64, hash: &str) -> Result<(), EngineError> {
        let cursors = vec![(NEWEST.into(), format!("{number} {hash}"))];
        Ok(self.parts.store.commit(&Transition { cursors, ..Transition::default() })?)
    }

    fn open_items(&self) -> Result<OpenItems, EngineError> {
        let totals = self.parts.store.totals()?;
        let edges = |state: EdgeState| {
            let counts = totals.edges.iter().filter(|(_, of, _)| *of == state);
            counts.map(|(rule, _, count)| (self.rule_title(*rule), *count)).collect()
        };
        let by_cause = |counts: &[(sync_types::NameId, String, u64)]| {
            counts
                .iter()
                .map(|(link, cause, count)| (format!("{} {cause}", self.link_name(*link)), *count))
                .collect()
        };
        Ok(OpenItems {
            dead_letters: by_cause(&totals.dead_letters),
            conflicts: by_cause(&totals.conflicts),
            associations_waiting: edges(EdgeState::Wanted),
            associations_refused: edges(EdgeState::Refused),
            associations_taken_back: edges(EdgeState::TakenBack),
            writes_in_doubt: totals.open_intents,
            unseen_changes: totals.sighted + totals.dirty,
        })
    }
}

fn certified(numbers: &LinkVerify) -> CertifiedLink {
    CertifiedLink {
        source_unexplained: numbers.source_unexplained(),
        records_unexplained: numbers.records_unexplained(),
        numbers: numbers.clone(),
    }
}
