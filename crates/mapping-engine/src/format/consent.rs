//! `[[links.consents]]`: the state of a person's consent as a property that only ever moves towards the opt-out.

use std::collections::HashMap;
use std::sync::Arc;

use sync_types::{Conflict, PropertyKind, Value};

use super::{ConsentDoc, Context, CreateDoc, DIRECTIONS, FieldDoc, OnBad, SourceDoc, WhenEmpty, word};
use crate::document::{At, Table};
use crate::step::Step;
use crate::steps::picklist::Picklist;

/// The states, from first to last: a state is never replaced by an earlier one, so that the opt-out wins.
const STATES: [(&str, &str); 4] = [
    ("unknown", "Not asked"),
    ("implied", "Implied consent"),
    ("express", "Express consent"),
    ("withdrawn", "Withdrawn"),
];

/// HubSpot docs: the values of `legalBasis` of a subscription status.
const BASES: [(&str, &str); 7] = [
    ("legitimate-interest-pql", "LEGITIMATE_INTEREST_PQL"),
    ("legitimate-interest-client", "LEGITIMATE_INTEREST_CLIENT"),
    ("legitimate-interest-other", "LEGITIMATE_INTEREST_OTHER"),
    ("performance-of-contract", "PERFORMANCE_OF_CONTRACT"),
    ("consent-with-notice", "CONSENT_WITH_NOTICE"),
    ("non-gdpr", "NON_GDPR"),
    ("process-and-store", "PROCESS_AND_STORE"),
];

pub(super) fn read_consent(mut table: Table<'_>, context: &mut Context) -> Option<FieldDoc> {
    let report = &mut context.report;
    let name = table.require_text("name", report);
    let from = table.require_text("from", report);
    let to = table.require_text("to", report);
    let label = table.text("label", report);
    let subscription = table.text("subscription", report);
    let explanation = table.text("explanation", report);
    let basis = word(&mut table, "basis", &BASES, context);
    let direction = word(&mut table, "direction", &DIRECTIONS, context);
    let span = table.span().clone();
    let mut words = Vec::new();
    for (state, _) in STATES {
        for said in table.texts(state, &mut context.report).unwrap_or_default() {
            words.push((said, state));
        }
    }
    table.text("note", &mut context.report);
    table.finish(&mut context.report);
    if !words.iter().any(|(_, state)| *state == "withdrawn") {
        context.report.error(
            "bad-consent",
            &span,
            "the consent does not say which words mean that it was withdrawn",
            "add `withdrawn = [\"no\"]`: an opt-out that is not understood would be lost",
        );
    }
    if !words.iter().any(|(_, state)| *state == "express" || *state == "implied") {
        context.report.error(
            "bad-consent",
            &span,
            "the consent does not say which words mean that it was given",
            "add `express = [\"yes\"]` or `implied = [\"customer\"]`",
        );
    }
    if let Some(subscription) = subscription.as_ref().filter(|_| basis.is_none() || explanation.is_none()) {
        context.report.error(
            "bad-consent",
            &subscription.span,
            "a subscription needs a legal basis and its explanation, which HubSpot asks for where data privacy is switched on",
            "add `basis` and `explanation`",
        );
    }
    let (name, from, to) = (name?, from?, to?);
    let picklist = states(&name.value, words, context);
    let options = picklist.options.clone();
    let order =
        options.iter().map(|(state, _)| At { value: Value::text(state.as_str()), span: to.span.clone() });
    let order = order.collect();
    Some(FieldDoc {
        source: SourceDoc::Paths(vec![from]),
        kind: Some(At { value: PropertyKind::Option, span: to.span.clone() }),
        chain: vec![
            At { value: Step::Trim, span: to.span.clone() },
            At { value: Step::Picklist(Arc::new(picklist)), span: to.span.clone() },
        ],
        // Silence is no withdrawal.
        when_empty: WhenEmpty::Ignore,
        on_bad: OnBad::Reject,
        required: false,
        create: Some(CreateDoc {
            label: label.map_or_else(|| format!("Consent: {}", name.value), |label| label.value),
            description: String::from("Kept by the integration; an opt-out is never undone by it."),
            group: None,
            options,
        }),
        direction,
        conflict: Some(At { value: Conflict::Furthest, span: to.span.clone() }),
        order,
        ratchet: true,
        overwrite: true,
        sensitivity: sync_types::Sensitivity::Personal,
        consent: Some(ConsentDoc {
            name: name.value,
            subscription: subscription.map(|text| text.value),
            basis: basis.map(|basis| basis.value.to_owned()),
            explanation: explanation.map(|text| text.value),
        }),
        to,
    })
}

/// The table from the source's words to states; the first word of a state is the one that is written back.
fn states(name: &str, words: Vec<(At<String>, &'static str)>, context: &mut Context) -> Picklist {
    let mut picklist = Picklist {
        name: format!("consent {name}"),
        ignore_case: true,
        map: HashMap::new(),
        default: None,
        words: Vec::new(),
        back: HashMap::new(),
        // A state without a word could not come back.
        options: STATES
            .iter()
            .filter(|(state, _)| words.iter().any(|(_, known)| known == state))
            .map(|(state, label)| ((*state).to_owned(), (*label).to_owned()))
            .collect(),
    };
    for (word, state) in words {
        picklist.back.entry(state.into()).or_insert_with(|| word.value.as_str().into());
        picklist.words.push((word.value.as_str().into(), state.into()));
        if picklist.map.insert(word.value.to_lowercase().into(), state.into()).is_some() {
            context.report.error(
                "duplicate-name",
                &word.span,
                format!("the word `{}` means two states of the same consent", word.value),
                "keep it in one of them",
            );
        }
    }
    picklist
}
