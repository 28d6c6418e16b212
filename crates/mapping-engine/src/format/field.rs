//! `[[links.fields]]`.

use std::collections::HashSet;

use sync_types::{PropertyKind, Sensitivity, Value};
use toml::de::DeValue;

use super::{
    CONFLICTS, Context, CreateDoc, DIRECTIONS, FieldDoc, OnBad, SourceDoc, TemplatePart, WhenEmpty, chain,
    scalar, tables, word,
};
use crate::document::{At, Node, Table, text, wrong_type};

/// The words for property kinds.
const KINDS: [(&str, PropertyKind); 7] = [
    ("text", PropertyKind::Text),
    ("number", PropertyKind::Number),
    ("boolean", PropertyKind::Bool),
    ("date", PropertyKind::Date),
    ("date-time", PropertyKind::DateTime),
    ("option", PropertyKind::Option),
    ("options", PropertyKind::Options),
];

pub(super) fn read_field(mut table: Table<'_>, context: &mut Context) -> Option<FieldDoc> {
    let source = read_source(&mut table, context);
    let to = table.require_text("to", &mut context.report);
    let kind = table.text("kind", &mut context.report).and_then(|word| {
        let kind = context.choice(&word, &KINDS)?;
        Some(At { value: kind, span: word.span })
    });
    let chain = table.take("transform").map(|node| chain::read_chain(node, context)).unwrap_or_default();
    let when_empty = table.take("when_empty").and_then(|node| read_when_empty(node, context));
    let on_bad = table.text("on_bad", &mut context.report);
    let on_bad = on_bad
        .and_then(|word| context.choice(&word, &[("reject", OnBad::Reject), ("leave", OnBad::Leave)]))
        .unwrap_or(OnBad::Reject);
    let required = table.flag("required", &mut context.report).unwrap_or(false);
    let create = table.take("create").and_then(|node| read_create(node, context));
    let direction = word(&mut table, "direction", &DIRECTIONS, context);
    let conflict = word(&mut table, "conflict", &CONFLICTS, context);
    let order = table.take("order").map(|node| read_order(node, context)).unwrap_or_default();
    let ratchet = table.flag("ratchet", &mut context.report).unwrap_or(false);
    let overwrite = table.flag("overwrite", &mut context.report).unwrap_or(true);
    let sensitivity = word(&mut table, "sensitivity", &SENSITIVITIES, context);
    table.text("note", &mut context.report);
    table.finish(&mut context.report);
    Some(FieldDoc {
        source: source?,
        to: to?,
        kind,
        chain,
        when_empty: when_empty.unwrap_or(WhenEmpty::Clear),
        on_bad,
        required,
        create,
        direction,
        conflict,
        order,
        ratchet,
        overwrite,
        sensitivity: sensitivity.map(|word| word.value).unwrap_or_default(),
        consent: None,
    })
}

/// The words for how far values may be shown.
const SENSITIVITIES: [(&str, Sensitivity); 3] = [
    ("public", Sensitivity::Public),
    ("personal", Sensitivity::Personal),
    ("sensitive", Sensitivity::Sensitive),
];

fn read_order(node: Node<'_>, context: &mut Context) -> Vec<At<Value>> {
    let DeValue::Array(items) = node.get_ref() else {
        wrong_type(node, "a list of values, first to last", &mut context.report);
        return Vec::new();
    };
    if items.len() > ORDER_MAX {
        let reason = format!("an order has at most {ORDER_MAX} values");
        context.report.error("too-many", &node.span(), reason, "leave out what nobody uses");
        return Vec::new();
    }
    items.iter().filter_map(|item| scalar(item, &mut context.report)).collect()
}

/// Most values of an order.
const ORDER_MAX: usize = 500;

/// Most options of a property that is to be made.
const OPTIONS_MAX: usize = 5_000;

/// Longest template, in bytes.
const TEMPLATE_MAX: usize = 4_096;

fn read_source(table: &mut Table<'_>, context: &mut Context) -> Option<SourceDoc> {
    let report = &mut context.report;
    let from = table.texts("from", report);
    let template = table.text("template", report);
    let concat = table.texts("concat", report);
    let separator = table.text("separator", report);
    let constant = table.take("value").map(|node| scalar(node, report));
    let expression = table.text("expression", report);
    let pipeline = table.text("pipeline", report);
    let stage = table.text("stage", report);
    let given = [
        from.is_some(),
        template.is_some(),
        concat.is_some(),
        constant.is_some(),
        expression.is_some(),
        pipeline.is_some(),
        stage.is_some(),
    ];
    let count = given.iter().filter(|given| **given).count();
    if count != 1 {
        report.error(
            "bad-source",
            table.span(),
            match count {
                0 => String::from("the field does not say where its value comes from"),
                _ => format!("the field says in {count} ways where its value comes from"),
            },
            "give exactly one of `from`, `template`, `concat`, `expression`, `value`, `pipeline` and `stage`",
        );
        return None;
    }
    if let Some(separator) = separator.as_ref().filter(|_| concat.is_none()) {
        report.error("bad-source", &separator.span, "`separator` belongs to `concat`", "remove it");
    }
    if let Some(paths) = from {
        return Some(SourceDoc::Paths(paths));
    }
    if let Some(paths) = concat {
        return Some(SourceDoc::Concat(
            paths,
            separator.map_or_else(|| String::from(" "), |text| text.value),
        ));
    }
    if let Some(template) = template {
        let parts = parse_template(&template, context)?;
        return Some(SourceDoc::Template(template, parts));
    }
    if let Some(expression) = expression {
        return Some(SourceDoc::Expression(expression));
    }
    if let Some(pipeline) = pipeline {
        return read_pipeline(pipeline, context);
    }
    if let Some(stage) = stage {
        return read_stage(stage, context);
    }
    constant.flatten().map(SourceDoc::Constant)
}

/// The id of a pipeline of the file.
fn read_pipeline(name: At<String>, context: &mut Context) -> Option<SourceDoc> {
    let Some(id) = context.pipelines.take(&name.value).map(|pipeline| pipeline.id.clone()) else {
        tables::unknown_pipeline(&name, context);
        return None;
    };
    Some(SourceDoc::Named(name, id))
}

/// The id of a stage, which is named `pipeline.stage`.
fn read_stage(name: At<String>, context: &mut Context) -> Option<SourceDoc> {
    let Some((pipeline, stage)) = name.value.split_once('.') else {
        context.report.error(
            "unknown-stage",
            &name.span,
            format!("`{}` is not a stage of a pipeline", name.value),
            "write `stage = \"PIPELINE.STAGE\"`, both by their names in this file",
        );
        return None;
    };
    let Some(found) = context.pipelines.take(pipeline) else {
        let pipeline = At { value: pipeline.to_owned(), span: name.span.clone() };
        tables::unknown_pipeline(&pipeline, context);
        return None;
    };
    match found.stage(stage).map(|stage| stage.id.clone()) {
        Some(id) => Some(SourceDoc::Named(name, id)),
        None => {
            tables::unknown_stage(pipeline, stage, &name.span, context);
            None
        }
    }
}

/// `{path}` stands for a value, `{{` and `}}` for the braces themselves.
fn parse_template(template: &At<String>, context: &mut Context) -> Option<Vec<TemplatePart>> {
    if template.value.len() > TEMPLATE_MAX {
        let reason = format!("a template has at most {TEMPLATE_MAX} bytes");
        context.report.error("too-many", &template.span, reason, "keep long texts in HubSpot");
        return None;
    }
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = template.value.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, tail) = rest.split_at(at);
        plain.push_str(before);
        if let Some(after) = tail.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else if let Some((path, after)) = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'))
            && !path.trim().is_empty()
        {
            if !plain.is_empty() {
                parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
            }
            parts.push(TemplatePart::Path(path.trim().to_owned()));
            rest = after;
        } else {
            context.report.error(
                "bad-template",
                &template.span,
                "the template has a brace without its partner or without a path in it",
                "write `{path}` for a value, and `{{` or `}}` for a brace itself",
            );
            return None;
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(TemplatePart::Text(plain));
    }
    if !parts.iter().any(|part| matches!(part, TemplatePart::Path(_))) {
        context.report.error(
            "bad-template",
            &template.span,
            "the template names no path, so it is the same for every record",
            "write `value = …` for a constant, or add a path such as `{name}`",
        );
        return None;
    }
    Some(parts)
}

fn read_when_empty(node: Node<'_>, context: &mut Context) -> Option<WhenEmpty> {
    match node.get_ref() {
        DeValue::String(_) => {
            let word = text(node, &mut context.report)?;
            let ignore = context.choice(&word, &[("clear", false), ("ignore", true)])?;
            Some(if ignore { WhenEmpty::Ignore } else { WhenEmpty::Clear })
        }
        DeValue::Table(_) => {
            let mut table = Table::of("`when_empty`", node, &mut context.report)?;
            let value = table.require("default", &mut context.report);
            let value = value.and_then(|node| scalar(node, &mut context.report));
            table.finish(&mut context.report);
            Some(WhenEmpty::Default(value?))
        }
        _ => {
            wrong_type(node, "\"clear\", \"ignore\" or { default = … }", &mut context.report);
            None
        }
    }
}

fn read_create(node: Node<'_>, context: &mut Context) -> Option<CreateDoc> {
    let report = &mut context.report;
    let mut table = Table::of("`create`", node, report)?;
    let label = table.require_text("label", report);
    let description = table.text("description", report);
    let group = table.text("group", report);
    let options = table.take("options").map(|node| read_options(node, context)).unwrap_or_default();
    table.finish(&mut context.report);
    Some(CreateDoc {
        label: label?.value,
        description: description.map(|text| text.value).unwrap_or_default(),
        group: group.map(|text| text.value),
        options,
    })
}

/// A list of options, each a text or `{ value, label }`.
fn read_options(node: Node<'_>, context: &mut Context) -> Vec<(String, String)> {
    let DeValue::Array(items) = node.get_ref() else {
        wrong_type(node, "a list of options", &mut context.report);
        return Vec::new();
    };
    if items.len() > OPTIONS_MAX {
        let reason = format!("a property has at most {OPTIONS_MAX} options");
        context.report.error("too-many", &node.span(), reason, "let the property hold text");
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut options = Vec::new();
    for item in items {
        let option = match item.get_ref() {
            DeValue::Table(_) => Table::of("an option", item, &mut context.report).and_then(|mut table| {
                let value = table.require_text("value", &mut context.report);
                let label = table.text("label", &mut context.report);
                table.finish(&mut context.report);
                let value = value?.value;
                let label = label.map_or_else(|| value.clone(), |label| label.value);
                Some((value, label))
            }),
            _ => text(item, &mut context.report).map(|text| (text.value.clone(), text.value)),
        };
        let Some(option) = option else { continue };
        if !seen.insert(option.0.clone()) {
            context.report.error(
                "duplicate-name",
                &item.span(),
                format!("the option `{}` stands twice", option.0),
                "remove one of the two",
            );
            continue;
        }
        options.push(option);
    }
    options
}
