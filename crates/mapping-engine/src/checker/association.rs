//! Associations: the links they join, the keys they follow, and their way back.

use std::collections::{HashMap, HashSet};

use sync_types::{Direction, EdgeRule, EdgeRuleId, LinkId};

use super::link::{compile_path, says};
use super::scope::compile_scope;
use super::{Schemas, field, link_id};
use crate::flow::Ty;
use crate::format::{AssociationDoc, Context, LinkDoc, ScopeDoc};
use crate::inverse;
use crate::path::Paths;
use crate::plan::EdgePlan;

pub(super) fn compile_rule(
    association: &AssociationDoc,
    from: usize,
    links: &[LinkDoc],
    context: &mut Context,
) -> Option<EdgeRule> {
    let Some(to) = link_id(&association.to.value, links) else {
        context.report.error(
            "unknown-link",
            &association.to.span,
            format!("there is no link `{}`", association.to.value),
            context.report.suggest(
                &association.to.value,
                links.iter().map(|link| link.name.value.as_str()),
                "name one of the links",
            ),
        );
        return None;
    };
    let link = links.get(from)?;
    let from = LinkId(u16::try_from(from).ok()?);
    let direction = match &association.direction {
        None => link.direction,
        Some(said) if link.direction == Direction::Both || said.value == link.direction => said.value,
        Some(said) => {
            context.report.error(
                "bad-direction",
                &said.span,
                format!("the link goes {} only, so its associations do too", says(link.direction)),
                "remove `direction` here, or give the link `direction = \"both\"`",
            );
            link.direction
        }
    };
    Some(EdgeRule {
        direction,
        single: association.single,
        parent_first: association.parent_first,
        ..EdgeRule::to_right(association.name.value.as_str(), from, to, association.kind.clone())
    })
}

pub(super) fn compile_edge(
    association: &AssociationDoc,
    rule: &EdgeRule,
    id: EdgeRuleId,
    link: &LinkDoc,
    schemas: Schemas<'_>,
    paths: &mut Paths,
    context: &mut Context,
) -> EdgePlan {
    // An unknown collection was told when the link was compiled.
    let source =
        schemas.source.and_then(|all| all.iter().find(|schema| schema.name == link.collection.value));
    let (key, start) = compile_path(&association.key, source, paths, context);
    let given = field::check_chain(&association.chain, start, context);
    if association.single && given == Ty::List {
        context.report.error(
            "bad-association",
            &association.key.span,
            "the association is single, but its key is a list",
            "remove `single` (or `kind = \"primary\"`), or name a column that holds one key",
        );
    }
    let mut plan = EdgePlan {
        rule: id,
        name: association.name.value.clone(),
        key,
        steps: field::bind_chain(&association.chain, source, paths, context),
        when: compile_scope(&association.when, source, paths, context),
        required: association.required,
        back: None,
    };
    if rule.direction.to_left() {
        if let Some(schema) = source {
            super::back::check_writable(&association.key, schema, context);
        }
        compile_back(association, &mut plan, start, context);
    }
    plan
}

/// The way back of an association: which column of the near record names the far one.
fn compile_back(association: &AssociationDoc, plan: &mut EdgePlan, start: Ty, context: &mut Context) {
    let remedy =
        "give the association `direction = \"to-hubspot\"`, or change it so that one column names one record";
    let mut refuse = |span: &crate::problem::Span, reason: String| {
        let reason = format!("the association cannot go back to the source: {reason}");
        context.report.error("association-not-two-way", span, reason, remedy);
    };
    if !association.single {
        refuse(
            &association.name.span,
            String::from("it is not `single`, and one column cannot name several records"),
        );
    } else if !matches!(&association.when, ScopeDoc::Conditions(conditions) if conditions.is_empty()) {
        refuse(
            &association.name.span,
            String::from("it has a condition, and nothing would write what that reads"),
        );
    } else {
        match inverse::compile_key(plan, start) {
            Ok(back) => plan.back = Some(back),
            Err(why) => {
                let step = why.step.and_then(|step| association.chain.get(step));
                refuse(step.map_or(&association.key.span, |step| &step.span), why.reason.into_owned());
            }
        }
    }
}

/// Associations that wait for each other's records in a circle would wait for ever.
pub(super) fn check_circles(rules: &[EdgeRule], links: &[LinkDoc], context: &mut Context) {
    let mut waits: Vec<HashSet<usize>> = vec![HashSet::new(); links.len()];
    let waiting = || rules.iter().filter(|rule| rule.parent_first && rule.from != rule.to);
    for rule in waiting() {
        if let Some(waits) = waits.get_mut(usize::from(rule.from.0)) {
            waits.insert(usize::from(rule.to.0));
        }
    }
    let docs: HashMap<&str, &AssociationDoc> =
        links.iter().flat_map(|link| &link.associations).map(|doc| (doc.name.value.as_str(), doc)).collect();
    let mut reached: HashMap<usize, HashSet<usize>> = HashMap::new();
    for rule in waiting() {
        let (from, to) = (usize::from(rule.from.0), usize::from(rule.to.0));
        if !reached.entry(to).or_insert_with(|| reach(to, &waits)).contains(&from) {
            continue;
        }
        if let Some(doc) = docs.get(rule.name.as_str()) {
            context.report.error(
                "parent-circle",
                &doc.name.span,
                format!("the records that `{}` waits for wait for its own, by other associations", rule.name),
                "take `parent_first` from one association of the circle",
            );
        }
    }
}

/// Everything that a link waits for, by however many steps.
fn reach(start: usize, waits: &[HashSet<usize>]) -> HashSet<usize> {
    let mut reached = HashSet::from([start]);
    let mut open = vec![start];
    while let Some(link) = open.pop() {
        for next in waits.get(link).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(*next);
            }
        }
    }
    reached
}
