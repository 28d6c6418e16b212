//! The planner's heart: from what both sides showed when they last agreed and what the source shows now, what is
//! to be done for one record. Pure and total.

use sync_types::{
    Edge, EdgeState, ExternalId, FieldBase, Fingerprint, FirstContact, NameId, Pair, PairState,
};

use crate::mutation::{self, Bug};

/// What one record needs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RowPlan {
    /// Places of the properties to write.
    pub write: Vec<u16>,
    /// Edges to want.
    pub want: Vec<(NameId, ExternalId)>,
    /// Edges to be rid of.
    pub unwant: Vec<(NameId, ExternalId)>,
    /// The record does not exist in HubSpot yet, as far as is known.
    pub create: bool,
}

impl RowPlan {
    /// Whether nothing has to be sent.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.write.is_empty() && self.want.is_empty() && self.unwant.is_empty() && !self.create
    }
}

/// A source record as the mapping wants it, as fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The store's number for each of the link's properties.
    pub properties: &'a [NameId],
    /// The wanted value of each; `None`: leave it alone.
    pub prints: &'a [Option<Fingerprint>],
    /// The wanted edges.
    pub edges: &'a [(NameId, ExternalId)],
    /// The fingerprint of [`sync_types::Value::Null`].
    pub null: Fingerprint,
}

/// Plans one record that flows from the source to HubSpot.
///
/// A property is written when the source's value differs from what the source showed at the last agreement. A new
/// record is written whole, without its empty properties: in a new record they are empty anyway.
#[must_use]
pub fn plan_row(pair: Option<&Pair>, edges: &[Edge], wanted: &Wanted<'_>) -> RowPlan {
    let live = pair.filter(|pair| pair.record.is_some());
    let mut plan = RowPlan { create: live.is_none(), ..RowPlan::default() };
    if plan.create {
        plan.write.reserve_exact(wanted.properties.len());
    }
    for (place, (property, print)) in wanted.properties.iter().zip(wanted.prints).enumerate() {
        let Some(print) = print else { continue };
        let differs = match live {
            None => *print != wanted.null,
            Some(pair) => base_of(&pair.bases, *property).is_none_or(|base| base.left != *print),
        };
        if differs && let Ok(place) = u16::try_from(place) {
            plan.write.push(place);
        }
    }
    for (rule, to) in wanted.edges {
        let known = edges.iter().find(|edge| edge.rule == *rule && edge.to == *to);
        let is_open = |edge: &Edge| {
            edge.state == EdgeState::Unwanted && !mutation::is(Bug::WantedAgainUnheard)
                || mutation::is(Bug::WantedForEver)
        };
        if known.is_none_or(is_open) && !plan.want.contains(&(*rule, to.clone())) {
            plan.want.push((*rule, to.clone()));
        }
    }
    for edge in edges {
        let wanted = wanted.edges.iter().any(|(rule, to)| *rule == edge.rule && *to == edge.to);
        if !wanted && edge.state != EdgeState::Unwanted && !mutation::is(Bug::NeverUnwanted) {
            plan.unwant.push((edge.rule, edge.to.clone()));
        }
    }
    plan
}

/// Whether a record needs no look at all: its source row is as it was when it was last brought over.
#[must_use]
pub fn is_unchanged(pair: &Pair, row: Fingerprint) -> bool {
    let is_pair = pair.record.is_some() || mutation::is(Bug::PartedIsUnchanged);
    pair.row == row && is_pair && pair.state == PairState::Linked
}

/// Decides the first meeting of a source record with a record that already was in HubSpot: which properties to
/// write, and what counts as agreed for the others. `shown` is what HubSpot shows, in canonical form.
#[must_use]
pub fn plan_first_contact(
    policy: FirstContact,
    wanted: &Wanted<'_>,
    shown: &[Fingerprint],
) -> (Vec<u16>, Vec<FieldBase>) {
    let (mut write, mut bases) = (Vec::new(), Vec::new());
    for (place, ((property, print), shown)) in
        wanted.properties.iter().zip(wanted.prints).zip(shown).enumerate()
    {
        let Some(print) = print else { continue };
        let ours = match policy {
            FirstContact::Source => true,
            // An empty source value never clears what somebody filled in before the two met.
            FirstContact::FillEmpty => {
                *shown == wanted.null || mutation::is(Bug::FirstContactClears) && *print == wanted.null
            }
        };
        if *print != *shown && ours {
            if let Ok(place) = u16::try_from(place) {
                write.push(place);
            }
        } else {
            bases.push(FieldBase { property: *property, left: *print, right: *shown });
        }
    }
    (write, bases)
}

/// The base of a property, if it has one.
#[must_use]
pub fn base_of(bases: &[FieldBase], property: NameId) -> Option<&FieldBase> {
    bases.iter().find(|base| base.property == property)
}

/// Sets a property's base.
pub fn set_base(bases: &mut Vec<FieldBase>, base: FieldBase) {
    match bases.iter_mut().find(|known| known.property == base.property) {
        Some(known) if !mutation::is(Bug::BaseBeside) => *known = base,
        _ => bases.push(base),
    }
}

#[cfg(test)]
mod tests;
