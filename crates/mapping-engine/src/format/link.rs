//! `[[links]]`, its scope and its associations.

use sync_types::{EdgeKind, FirstContact, OnDelete, OnDeleteConflict};
use toml::de::DeValue;

use super::{
    AssociationDoc, CONFLICTS, ConditionDoc, Context, Creates, DIRECTIONS, LinkDoc, MatchDoc, OnDeleteDoc,
    ScopeDoc, Test, chain, condition_texts, consent, field, tables, word,
};
use crate::document::{At, Node, Table, text, wrong_type};

/// Most fields of a link. Observed live: an object type has at most 1,000 custom properties.
const FIELDS_MAX: usize = 2_000;

/// Most consents of a link.
const CONSENTS_MAX: usize = 100;

/// Most associations of a link.
const ASSOCIATIONS_MAX: usize = 200;

/// Most match rules of a link.
const MATCH_MAX: usize = 20;

/// Most conditions of a scope.
const CONDITIONS_MAX: usize = 500;

/// The words for what a disappearance means.
const ON_DELETE: [(&str, OnDelete); 3] =
    [("keep", OnDelete::Keep), ("delete", OnDelete::Delete), ("ask", OnDelete::Ask)];

/// The words for where records are made.
const CREATES: [(&str, Creates); 4] = [
    ("hubspot", Creates { hubspot: true, source: false }),
    ("source", Creates { hubspot: false, source: true }),
    ("both", Creates { hubspot: true, source: true }),
    ("none", Creates { hubspot: false, source: false }),
];

pub(super) fn read_link(mut table: Table<'_>, context: &mut Context) -> Option<LinkDoc> {
    let span = table.span().clone();
    let report = &mut context.report;
    let name = table.require_text("name", report);
    let collection = table.require_text("collection", report);
    let object = table.require_text("object", report);
    let sync_key = table.text("sync_key", report);
    let direction = word(&mut table, "direction", &DIRECTIONS, context);
    let match_on = table.take("match").map(|node| read_match(node, context)).unwrap_or_default();
    let first = [("source", FirstContact::Source), ("fill-empty", FirstContact::FillEmpty)];
    let first_contact = word(&mut table, "first_contact", &first, context);
    let creates = word(&mut table, "creates", &CREATES, context);
    let conflict = word(&mut table, "conflict", &CONFLICTS, context);
    let scope = read_scope(&mut table, "scope", context);
    let hubspot_scope = read_scope(&mut table, "hubspot_scope", context);
    let on_exit = word(&mut table, "on_exit", &ON_DELETE, context);
    let on_delete = table.take("on_delete").map(|node| read_on_delete(node, context));
    let secret = table.texts("never_leaves_source", &mut context.report).unwrap_or_default();
    let secret = tables::secret_paths(secret, context);
    table.text("description", &mut context.report);
    let fields = table.tables_up_to("fields", "a field", FIELDS_MAX, &mut context.report);
    let consents = table.tables_up_to("consents", "a consent", CONSENTS_MAX, &mut context.report);
    let count = fields.len() + consents.len();
    if count == 0 {
        context.report.error("no-fields", &span, "the link maps no field", "add `[[links.fields]]` below it");
    }
    let mut fields: Vec<_> =
        fields.into_iter().filter_map(|table| field::read_field(table, context)).collect();
    fields.extend(consents.into_iter().filter_map(|table| consent::read_consent(table, context)));
    let associations =
        table.tables_up_to("associations", "an association", ASSOCIATIONS_MAX, &mut context.report);
    let associations =
        associations.into_iter().filter_map(|table| read_association(table, context)).collect();
    table.finish(&mut context.report);
    Some(LinkDoc {
        name: name?,
        collection: collection?,
        object: object?,
        direction: direction.map_or(sync_types::Direction::ToRight, |direction| direction.value),
        sync_key,
        match_on,
        first_contact: first_contact.map_or(FirstContact::FillEmpty, |word| word.value),
        creates,
        conflict,
        scope,
        hubspot_scope,
        on_exit: on_exit.map_or(OnDelete::Keep, |word| word.value),
        on_delete: on_delete.unwrap_or(OnDeleteDoc {
            source: OnDelete::Keep,
            hubspot: OnDelete::Keep,
            conflict: OnDeleteConflict::Ask,
        }),
        secret,
        whole: fields.len() == count,
        fields,
        associations,
    })
}

/// A property, or a list of properties and `{ property, evidence }`.
fn read_match(node: Node<'_>, context: &mut Context) -> Vec<MatchDoc> {
    match node.get_ref() {
        DeValue::Array(items) if items.len() > MATCH_MAX => {
            let reason = format!("a link has at most {MATCH_MAX} match rules");
            context.report.error("too-many", &node.span(), reason, "keep those with the best evidence");
            Vec::new()
        }
        DeValue::Array(items) => items.iter().filter_map(|item| read_rule(item, context)).collect(),
        DeValue::String(_) | DeValue::Table(_) => read_rule(node, context).into_iter().collect(),
        _ => {
            wrong_type(node, "a property or a list of properties", &mut context.report);
            Vec::new()
        }
    }
}

fn read_rule(node: Node<'_>, context: &mut Context) -> Option<MatchDoc> {
    let DeValue::Table(_) = node.get_ref() else {
        return text(node, &mut context.report).map(|property| MatchDoc { property, weak: false });
    };
    let mut table = Table::of("a match rule", node, &mut context.report)?;
    let property = table.require_text("property", &mut context.report);
    let evidence = word(&mut table, "evidence", &[("strong", false), ("weak", true)], context);
    table.finish(&mut context.report);
    Some(MatchDoc { property: property?, weak: evidence.is_some_and(|evidence| evidence.value) })
}

fn read_on_delete(node: Node<'_>, context: &mut Context) -> OnDeleteDoc {
    let mut done =
        OnDeleteDoc { source: OnDelete::Keep, hubspot: OnDelete::Keep, conflict: OnDeleteConflict::Ask };
    let Some(mut table) = Table::of("`on_delete`", node, &mut context.report) else { return done };
    if let Some(word) = word(&mut table, "source", &ON_DELETE, context) {
        done.source = word.value;
    }
    if let Some(word) = word(&mut table, "hubspot", &ON_DELETE, context) {
        done.hubspot = word.value;
    }
    let conflicts = [
        ("delete", OnDeleteConflict::Delete),
        ("edit", OnDeleteConflict::Edit),
        ("ask", OnDeleteConflict::Ask),
    ];
    if let Some(word) = word(&mut table, "conflict", &conflicts, context) {
        done.conflict = word.value;
    }
    table.finish(&mut context.report);
    done
}

/// A condition, a list of conditions that must all hold, or an expression.
fn read_scope(table: &mut Table<'_>, key: &'static str, context: &mut Context) -> ScopeDoc {
    let Some(node) = table.take(key) else { return ScopeDoc::Conditions(Vec::new()) };
    ScopeDoc::Conditions(match node.get_ref() {
        DeValue::Table(_) => read_condition(node, context).into_iter().collect(),
        DeValue::Array(items) if items.len() > CONDITIONS_MAX => {
            let reason = format!("a scope has at most {CONDITIONS_MAX} conditions");
            context.report.error("too-many", &node.span(), reason, "use `in` with a list of values");
            Vec::new()
        }
        DeValue::Array(items) => items.iter().filter_map(|item| read_condition(item, context)).collect(),
        DeValue::String(_) => {
            return match text(node, &mut context.report) {
                Some(expression) => ScopeDoc::Expression(expression),
                None => ScopeDoc::Conditions(Vec::new()),
            };
        }
        _ => {
            wrong_type(
                node,
                "a condition such as `{ field = \"active\", equals = \"yes\" }`, or an expression in quotes",
                &mut context.report,
            );
            Vec::new()
        }
    })
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
    let single = table.flag("single", report);
    let parent_first = table.flag("parent_first", report).unwrap_or(false);
    // Free text for people.
    table.text("note", report);
    let direction = word(&mut table, "direction", &DIRECTIONS, context);
    let when = read_scope(&mut table, "when", context);
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
    // HubSpot docs: a record has at most one primary association of a kind.
    let primary = kind == EdgeKind::Primary;
    if primary && let Some(false) = single {
        context.report.error(
            "bad-association",
            &span,
            "a primary association is single: HubSpot moves it when another is made primary",
            "remove `single`, or use a label",
        );
    }
    Some(AssociationDoc {
        name: name?,
        to: to?,
        key: key?,
        chain,
        direction,
        single: single.unwrap_or(primary),
        parent_first,
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
