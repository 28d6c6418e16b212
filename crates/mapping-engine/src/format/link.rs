//! `[[links]]`, its scope and its associations.

use sync_types::{EdgeKind, FirstContact};
use toml::de::DeValue;

use super::{AssociationDoc, ConditionDoc, Context, LinkDoc, Test, chain, condition_texts, field};
use crate::document::{At, Node, Table, wrong_type};

pub(super) fn read_link(mut table: Table<'_>, context: &mut Context) -> Option<LinkDoc> {
    let span = table.span().clone();
    let report = &mut context.report;
    let name = table.require_text("name", report);
    let collection = table.require_text("collection", report);
    let object = table.require_text("object", report);
    let sync_key = table.text("sync_key", report);
    let match_on = table.texts("match", report).unwrap_or_default();
    let first_contact = table.text("first_contact", report);
    let first_contact = first_contact.and_then(|word| {
        let choices = [("source", FirstContact::Source), ("fill-empty", FirstContact::FillEmpty)];
        context.choice(&word, &choices)
    });
    let scope = read_conditions(&mut table, "scope", context);
    table.text("description", &mut context.report);
    let fields = table.tables("fields", "a field", &mut context.report);
    if fields.is_empty() {
        context.report.error("no-fields", &span, "the link maps no field", "add `[[links.fields]]` below it");
    }
    let count = fields.len();
    let fields: Vec<_> = fields.into_iter().filter_map(|table| field::read_field(table, context)).collect();
    let associations = table.tables("associations", "an association", &mut context.report);
    let associations =
        associations.into_iter().filter_map(|table| read_association(table, context)).collect();
    table.finish(&mut context.report);
    Some(LinkDoc {
        name: name?,
        collection: collection?,
        object: object?,
        sync_key,
        match_on,
        first_contact: first_contact.unwrap_or(FirstContact::FillEmpty),
        scope,
        whole: fields.len() == count,
        fields,
        associations,
    })
}

/// One condition or a list of conditions that must all hold.
fn read_conditions(table: &mut Table<'_>, key: &'static str, context: &mut Context) -> Vec<ConditionDoc> {
    let Some(node) = table.take(key) else { return Vec::new() };
    match node.get_ref() {
        DeValue::Table(_) => read_condition(node, context).into_iter().collect(),
        DeValue::Array(items) => items.iter().filter_map(|item| read_condition(item, context)).collect(),
        _ => {
            wrong_type(
                node,
                "a condition such as `{ field = \"active\", equals = \"yes\" }`",
                &mut context.report,
            );
            Vec::new()
        }
    }
}

fn read_condition(node: Node<'_>, context: &mut Context) -> Option<ConditionDoc> {
    let report = &mut context.report;
    let mut table = Table::of("a condition", node, report)?;
    let path = table.require_text("field", report);
    let mut tests = Vec::new();
    if let Some(node) = table.take("equals") {
        tests.push(Test::In(condition_texts(node, report)));
    }
    if let Some(node) = table.take("in") {
        tests.push(Test::In(condition_texts(node, report)));
    }
    if let Some(node) = table.take("not_in") {
        tests.push(Test::NotIn(condition_texts(node, report)));
    }
    if let Some(present) = table.flag("present", report) {
        tests.push(Test::Present(present));
    }
    let span = table.span().clone();
    table.finish(report);
    if tests.len() != 1 {
        report.error(
            "bad-condition",
            &span,
            format!("a condition asks one thing, not {}", tests.len()),
            "give exactly one of `equals`, `in`, `not_in` and `present`; a list of conditions must hold as a whole",
        );
        return None;
    }
    Some(ConditionDoc { path: path?, test: tests.pop()? })
}

fn read_association(mut table: Table<'_>, context: &mut Context) -> Option<AssociationDoc> {
    let report = &mut context.report;
    let name = table.require_text("name", report);
    let to = table.require_text("to", report);
    let key = table.require_text("key", report);
    let kind = table.text("kind", report);
    let label = table.text("label", report);
    let inverse = table.text("inverse", report);
    let required = table.flag("required", report).unwrap_or(false);
    let when = read_conditions(&mut table, "when", context);
    let chain = table.take("transform").map(|node| chain::read_chain(node, context)).unwrap_or_default();
    let span = table.span().clone();
    table.finish(&mut context.report);
    let kind = edge_kind(kind, label, context)?;
    if inverse.is_some() && !matches!(kind, EdgeKind::Label(_)) {
        context.report.error(
            "bad-association",
            &span,
            "`inverse` names the label in the other direction, but there is no `label`",
            "add `label`, or remove `inverse`",
        );
    }
    Some(AssociationDoc {
        name: name?,
        to: to?,
        key: key?,
        chain,
        kind,
        inverse: inverse.map(|inverse| inverse.value),
        when,
        required,
    })
}

fn edge_kind(kind: Option<At<String>>, label: Option<At<String>>, context: &mut Context) -> Option<EdgeKind> {
    match (kind, label) {
        (None, None) => Some(EdgeKind::Plain),
        (None, Some(label)) => Some(EdgeKind::Label(label.value)),
        (Some(kind), None) => {
            let primary = context.choice(&kind, &[("plain", false), ("primary", true)])?;
            Some(if primary { EdgeKind::Primary } else { EdgeKind::Plain })
        }
        (Some(kind), Some(_)) => {
            context.report.error(
                "bad-association",
                &kind.span,
                "an association has a `kind` or a `label`, not both",
                "remove one; for both write two associations with names of their own",
            );
            None
        }
    }
}
