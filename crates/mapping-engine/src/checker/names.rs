//! Names inside the file: unique, and of a form that may be part of a key or an internal name.

use std::collections::{HashMap, HashSet};

use crate::document::At;
use crate::expr::Expression;
use crate::flow::Ty;
use crate::format::{Context, MappingDoc, ScopeDoc};
use crate::problem::Span;

/// Gives properties the names that they have in the chosen environment.
pub(super) fn rename_properties(doc: &mut MappingDoc, context: &mut Context) {
    let renames = context.environment.properties.clone();
    if renames.is_empty() {
        return;
    }
    let mut used = HashSet::new();
    let mut rename = |object: &str, name: &mut At<String>| {
        let key = (object.to_owned(), name.value.clone());
        if let Some(to) = renames.get(&key) {
            name.value.clone_from(&to.value);
            used.insert(key);
        }
    };
    for link in &mut doc.links {
        let object = link.object.value.as_str();
        link.fields.iter_mut().for_each(|field| rename(object, &mut field.to));
        link.match_on.iter_mut().for_each(|rule| rename(object, &mut rule.property));
        link.sync_key.iter_mut().for_each(|key| rename(object, key));
        match &mut link.hubspot_scope {
            ScopeDoc::Conditions(conditions) => {
                conditions.iter_mut().for_each(|condition| rename(object, &mut condition.path));
            }
            // What an expression reads has its new name when it is compiled.
            ScopeDoc::Expression(text) => {
                let read = Expression::compile(&text.value, &|_| Some(Ty::Any));
                for name in read.iter().flat_map(Expression::reads) {
                    rename(object, &mut At { value: name.clone(), span: text.span.clone() });
                }
            }
        }
    }
    for object in &mut doc.objects {
        rename(object.name.value.as_str(), &mut object.primary_display);
    }
    for (key, to) in renames.iter().filter(|(key, _)| !used.contains(*key)) {
        let (object, from) = key;
        context.report.error(
            "unknown-property",
            &to.span,
            format!("no link to `{object}` has a property `{from}` that could have another name here"),
            "name the object type and the property as the links do",
        );
    }
}

pub(super) fn check_names(doc: &MappingDoc, context: &mut Context) {
    check_key_name("the mapping", &doc.name, context);
    let mut links = HashMap::new();
    let mut rules = HashMap::new();
    let mut objects = HashMap::new();
    for link in &doc.links {
        check_key_name("a link", &link.name, context);
        check_unique("link", &link.name, &mut links, context);
        for association in &link.associations {
            check_unique("association", &association.name, &mut rules, context);
        }
    }
    for object in &doc.objects {
        check_internal_name(&object.name, context);
        check_unique("object", &object.name, &mut objects, context);
    }
    if doc.links.len() > usize::from(u16::MAX) || rules.len() > usize::from(u16::MAX) {
        context.report.error(
            "too-many",
            &doc.name.span,
            "a mapping has at most 65,535 links and as many associations",
            "split the engagement",
        );
    }
}

fn check_unique(what: &str, name: &At<String>, seen: &mut HashMap<String, Span>, context: &mut Context) {
    if seen.insert(name.value.clone(), name.span.clone()).is_some() {
        context.report.error(
            "duplicate-name",
            &name.span,
            format!("there are two {what}s with the name `{}`", name.value),
            "give each a name of its own",
        );
    }
}

/// Names that become part of sync keys: they must stay as they are for years and be safe in any text.
fn check_key_name(what: &str, name: &At<String>, context: &mut Context) {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if name.value.is_empty() || name.value.len() > 40 || !name.value.bytes().all(fine) {
        context.report.error(
            "bad-name",
            &name.span,
            format!("`{}` cannot be the name of {what}, which becomes part of every sync key", name.value),
            "use up to 40 small letters, digits, `-` and `_`",
        );
    }
}

/// HubSpot docs: internal names begin with a letter and hold small letters, digits and underscores.
pub(super) fn check_internal_name(name: &At<String>, context: &mut Context) {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let starts = name.value.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if !starts || name.value.len() > 100 || !name.value.bytes().all(fine) {
        context.report.error(
            "bad-name",
            &name.span,
            format!("`{}` cannot be an internal name in HubSpot", name.value),
            "begin with a small letter, and go on with small letters, digits and `_`",
        );
    }
}
