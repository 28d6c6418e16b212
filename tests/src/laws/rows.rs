//! Laws of the row planner and of deletions.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use sync_core::decide::absence::{has_lasted, is_too_much, verdict};
use sync_core::plan::{Wanted, base_of, is_unchanged, plan_first_contact, plan_row, set_base};
use sync_types::{
    Edge, EdgeState, ExternalId, FieldBase, Fingerprint, FirstContact, NameId, OnDelete, OnDeleteConflict,
    Pair, PairId, PairState,
};

use super::ensure;

const NULL: Fingerprint = Fingerprint(0);

fn print(rng: &mut Rng) -> Fingerprint {
    Fingerprint(rng.u64(0..4))
}

fn names() -> Vec<NameId> {
    (1..5).map(NameId).collect()
}

fn bases(rng: &mut Rng) -> Vec<FieldBase> {
    let known = names().into_iter().filter(|_| rng.u8(0..4) > 0).collect::<Vec<_>>();
    known.into_iter().map(|property| FieldBase { property, left: print(rng), right: print(rng) }).collect()
}

fn pair(rng: &mut Rng) -> Pair {
    let states = [
        PairState::Linked,
        PairState::Linked,
        PairState::LeftMissing,
        PairState::RightGone,
        PairState::Detached,
    ];
    Pair {
        id: PairId(1),
        external: "7".into(),
        record: (rng.u8(0..4) > 0).then(|| "700".into()),
        generation: rng.u32(0..3),
        state: states[rng.usize(0..states.len())],
        since: None,
        row: Fingerprint(rng.u64(0..3)),
        bases: bases(rng),
    }
}

fn edge_names(rng: &mut Rng) -> Vec<(NameId, ExternalId)> {
    let all = (1..3).flat_map(|rule| ["a", "b", "c"].map(|to| (NameId(rule), ExternalId::from(to))));
    all.filter(|_| rng.bool()).collect()
}

/// A row is written where it differs from what was agreed, and nowhere else; its associations become those that are
/// wanted.
pub(super) fn planned(rng: &mut Rng) -> Result<(), String> {
    let known = (rng.u8(0..4) > 0).then(|| pair(rng));
    let properties = names();
    let prints: Vec<Option<Fingerprint>> =
        properties.iter().map(|_| (rng.u8(0..4) > 0).then(|| print(rng))).collect();
    let states =
        [EdgeState::Wanted, EdgeState::There, EdgeState::Unwanted, EdgeState::Refused, EdgeState::TakenBack];
    let edges: Vec<Edge> = edge_names(rng)
        .into_iter()
        .map(|(rule, to)| Edge { rule, to, state: states[rng.usize(0..states.len())] })
        .collect();
    let wanted = edge_names(rng);
    let plan = plan_row(
        known.as_ref(),
        &edges,
        &Wanted { properties: &properties, prints: &prints, edges: &wanted, null: NULL },
    );
    let live = known.as_ref().filter(|pair| pair.record.is_some());
    ensure(plan.create == live.is_none(), || format!("{known:?}: {plan:?}"))?;
    for (place, (property, print)) in properties.iter().zip(&prints).enumerate() {
        let agreed = live.and_then(|pair| pair.bases.iter().find(|base| base.property == *property));
        let expected = match (print, live) {
            (None, _) => false,
            (Some(print), None) => *print != NULL,
            (Some(print), Some(_)) => agreed.is_none_or(|base| base.left != *print),
        };
        let found = plan.write.iter().any(|at| usize::from(*at) == place);
        ensure(found == expected, || format!("{known:?} {prints:?}: property {place} in {plan:?}"))?;
    }
    // Carried out: what is wanted or there already, minus what is to go.
    let is_held = |edge: &&Edge| edge.state != EdgeState::Unwanted;
    let mut after: BTreeSet<(u16, String)> =
        edges.iter().filter(is_held).map(|edge| (edge.rule.0, edge.to.to_string())).collect();
    let of = |list: &[(NameId, ExternalId)]| -> BTreeSet<(u16, String)> {
        list.iter().map(|(rule, to)| (rule.0, to.to_string())).collect()
    };
    let (want, unwant) = (of(&plan.want), of(&plan.unwant));
    ensure(want.is_disjoint(&after), || format!("{edges:?}: asked for again, what there is: {plan:?}"))?;
    ensure(unwant.is_subset(&after), || format!("{edges:?}: to be removed, what there is not: {plan:?}"))?;
    after.extend(want);
    after.retain(|edge| !unwant.contains(edge));
    ensure(after == of(&wanted), || format!("{edges:?}, wanted {wanted:?}: {plan:?}"))
}

/// Where both sides meet, an empty value of the source never clears, and what is not written is agreed.
pub(super) fn first_contact(rng: &mut Rng) -> Result<(), String> {
    let properties = names();
    let prints: Vec<Option<Fingerprint>> =
        properties.iter().map(|_| (rng.u8(0..4) > 0).then(|| print(rng))).collect();
    let shown: Vec<Fingerprint> = properties.iter().map(|_| print(rng)).collect();
    let policy = if rng.bool() { FirstContact::Source } else { FirstContact::FillEmpty };
    let wanted = Wanted { properties: &properties, prints: &prints, edges: &[], null: NULL };
    let (write, bases) = plan_first_contact(policy, &wanted, &shown);
    for (place, ((property, print), shown)) in properties.iter().zip(&prints).zip(&shown).enumerate() {
        let is_written = write.iter().any(|at| usize::from(*at) == place);
        let agreed = bases.iter().find(|base| base.property == *property);
        let expected =
            print.is_some_and(|print| print != *shown && (policy == FirstContact::Source || *shown == NULL));
        ensure(is_written == expected && agreed.is_some() == (print.is_some() && !expected), || {
            format!("{policy:?} {prints:?} over {shown:?}: {write:?} {bases:?}")
        })?;
    }
    Ok(())
}

/// A record that needs no look is one whose pair is whole and whose row is as it was.
pub(super) fn unchanged(rng: &mut Rng) -> Result<(), String> {
    let (pair, row) = (pair(rng), Fingerprint(rng.u64(0..3)));
    let expected = pair.row == row && pair.record.is_some() && pair.state == PairState::Linked;
    ensure(is_unchanged(&pair, row) == expected, || format!("{pair:?} {row:?}"))
}

/// A property has one agreement, the last.
pub(super) fn agreement(rng: &mut Rng) -> Result<(), String> {
    let mut all = bases(rng);
    let before = all.clone();
    let new = FieldBase { property: NameId(rng.u16(1..5)), left: print(rng), right: print(rng) };
    set_base(&mut all, new);
    let others = |list: &[FieldBase]| list.iter().filter(|base| base.property != new.property).count();
    ensure(base_of(&all, new.property) == Some(&new) && others(&all) == others(&before), || {
        format!("{before:?} and {new:?}: {all:?}")
    })?;
    ensure(all.len() == others(&before) + 1, || format!("{before:?} and {new:?}: {all:?}"))
}

/// Deletions follow policy, an edit on the other side counts as the policy says, too many at once are none, and an
/// absence has to last.
pub(super) fn deletions(rng: &mut Rng) -> Result<(), String> {
    let policies = [OnDelete::Keep, OnDelete::Delete, OnDelete::Ask];
    let conflicts = [OnDeleteConflict::Delete, OnDeleteConflict::Edit, OnDeleteConflict::Ask];
    let (policy, conflict) = (policies[rng.usize(0..3)], conflicts[rng.usize(0..3)]);
    let has_moved = rng.bool();
    let found = verdict(policy, conflict, has_moved);
    let may_delete = policy == OnDelete::Delete && !(has_moved && conflict != OnDeleteConflict::Delete);
    ensure((found == OnDelete::Delete) == may_delete, || {
        format!("{policy:?} {conflict:?} {has_moved}: {found:?}")
    })?;
    ensure(
        (found == OnDelete::Keep) <= (policy == OnDelete::Keep || conflict == OnDeleteConflict::Edit),
        || format!("{policy:?} {conflict:?} {has_moved}: {found:?}"),
    )?;
    let (missing, pairs) = (rng.u64(0..300), rng.u64(0..3_000));
    let max = [0, 1, 100, 100, u64::MAX][rng.usize(0..5)];
    let expected = max != u64::MAX && missing > 3 && (missing > max || missing * 20 > pairs / 20 * 20);
    ensure(is_too_much(missing, pairs, max) == expected, || format!("{missing} of {pairs}, at most {max}"))?;
    let (age, needed) = (Duration::from_secs(rng.u64(0..20)), Duration::from_secs(rng.u64(1..20)));
    ensure(has_lasted(age, needed) == (age >= needed), || format!("{age:?} of {needed:?}"))
}
