//! Running cases through a mapping.

use std::collections::BTreeSet;

use mapping_engine::CheckedMapping;
use sync_types::{EdgeRuleId, FieldProblem, Link, LinkId, Mapper, Sensitivity, Value};

use super::expect::association;
use super::{CaseFile, CaseOutcome, Difference, Expectation, Input};
use crate::values::record;

impl CaseFile {
    /// Runs every case.
    #[must_use]
    pub fn run(&self, mapping: &CheckedMapping) -> Vec<CaseOutcome> {
        let cases = self.cases().iter().map(|case| {
            let (differences, unblessed) = match (found(mapping, &case.link, &case.input), &case.expect) {
                (Ok(_), None) => (Vec::new(), true),
                (Ok((link, found)), Some(expect)) => {
                    let hidden = hidden(mapping, link);
                    (expect.differences(&found, |name| hidden.contains(name)), false)
                }
                (Err(why), _) => {
                    let difference =
                        Difference { what: "the case".to_owned(), expected: None, found: Some(why) };
                    (vec![difference], false)
                }
            };
            CaseOutcome { name: case.name.clone(), link: case.link.clone(), differences, unblessed }
        });
        cases.collect()
    }

    /// Writes down what the mapping makes of the cases that are not as expected, and gives their names. Comments
    /// and the other cases stay as they are.
    pub fn bless(&mut self, mapping: &CheckedMapping) -> Vec<String> {
        let outcomes = self.run(mapping);
        let mut blessed = Vec::new();
        for (place, outcome) in outcomes.iter().enumerate().filter(|(_, outcome)| !outcome.passed()) {
            let Some(case) = self.cases().get(place) else { continue };
            // A case of a link that is not there has nothing to be blessed with.
            let Ok((_, found)) = found(mapping, &case.link, &case.input) else { continue };
            self.put(place, found);
            blessed.push(outcome.name.clone());
        }
        blessed
    }
}

/// What of a link is shown to nobody: properties, columns, and associations as a difference names them.
fn hidden(mapping: &CheckedMapping, link: LinkId) -> BTreeSet<String> {
    // How far values may be shown is the same for every record, so that one without columns tells.
    let explanation = mapping.explain(link, &record("", []));
    let (Some(explanation), Some(reads)) = (explanation, mapping.reads(link)) else { return BTreeSet::new() };
    let mut hidden = BTreeSet::new();
    for (field, reads) in explanation.fields.into_iter().zip(reads.properties) {
        if field.sensitivity == Sensitivity::Sensitive {
            hidden.extend(reads.into_iter().map(str::to_owned));
            hidden.insert(field.property);
        }
    }
    let associations = explanation.associations.into_iter();
    let sensitive = associations.filter(|found| found.sensitivity == Sensitivity::Sensitive);
    hidden.extend(sensitive.map(|found| association(&found.rule)));
    hidden
}

/// What the mapping makes of an input.
fn found(mapping: &CheckedMapping, link: &str, input: &Input) -> Result<(LinkId, Expectation), String> {
    let found = mapping.links().iter().zip(0..).find(|(known, _)| known.name == link);
    let Some((definition, id)) = found else {
        let names: Vec<&str> = mapping.links().iter().map(|link| link.name.as_str()).collect();
        return Err(format!("the mapping has no link `{link}`; it has `{}`", names.join("`, `")));
    };
    let expectation = match input {
        Input::Record { id: external, columns } => {
            map(mapping, LinkId(id), definition, &record(external, columns.iter().cloned()))
        }
        Input::HubSpot(shown) => back(mapping, LinkId(id), definition, shown),
    };
    Ok((LinkId(id), expectation))
}

fn map(mapping: &CheckedMapping, id: LinkId, link: &Link, record: &sync_types::Record) -> Expectation {
    let mapped = match mapping.map(id, record) {
        Ok(mapped) => mapped,
        Err(error) => return Expectation { refused: codes(&error.problems), ..Expectation::default() },
    };
    let written = link.properties.iter().zip(mapped.values);
    let properties =
        written.filter_map(|(property, value)| Some((property.name.to_string(), value?))).collect();
    let mut expectation = Expectation {
        out_of_scope: !mapped.in_scope,
        properties,
        left_out: codes(&mapped.skipped),
        ..Expectation::default()
    };
    for (rule, far) in mapped.edges {
        expectation.associations.entry(rule_name(mapping, rule)).or_default().push(far.to_string());
    }
    expectation
}

fn back(mapping: &CheckedMapping, id: LinkId, link: &Link, shown: &[(String, Value)]) -> Expectation {
    let mut expectation = Expectation::default();
    for (place, property) in link.properties.iter().enumerate() {
        let Some((_, value)) = shown.iter().find(|(name, _)| name == property.name.as_str()) else {
            continue;
        };
        match mapping.back(id, place, &mapping.canonical(id, place, value.clone())) {
            Ok(fields) => {
                expectation
                    .source
                    .extend(fields.into_iter().map(|field| (field.path.to_string(), field.value)));
            }
            Err(problem) => expectation.refused.extend(codes(&[problem])),
        }
    }
    expectation.refused.sort();
    expectation
}

fn rule_name(mapping: &CheckedMapping, rule: EdgeRuleId) -> String {
    mapping.edge_rules().get(usize::from(rule.0)).map(|rule| rule.name.clone()).unwrap_or_default()
}

fn codes(problems: &[FieldProblem]) -> Vec<String> {
    let mut codes: Vec<String> =
        problems.iter().map(|problem| format!("{} {}", problem.property, problem.code)).collect();
    codes.sort();
    codes
}
