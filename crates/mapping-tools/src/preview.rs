//! What a mapping makes of one record: before, after each transform, after, side by side.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use mapping_engine::{AssociationExplanation, CheckedMapping, FieldExplanation};
use serde_json::{Value as Json, json};
use sync_types::{FieldProblem, LinkId, Mapper, Record, Sensitivity, Value};

use crate::values::{cell, to_json};

/// What is shown in place of a value that nobody is to see.
const MASK: &str = "•••";

/// One record through one link. Values are in clear, for a person who asked for them, but for those of sensitive
/// properties and of columns that never leave the source; `Debug` shows kinds only.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The link's name.
    pub link: String,
    /// The object type in HubSpot.
    pub object: String,
    /// The record's id at the source.
    pub record: String,
    /// Whether the record is in the link's scope; outside it nothing is written, whatever the fields say.
    pub in_scope: bool,
    /// The properties, in the link's order.
    pub fields: Vec<FieldPreview>,
    /// The wanted associations: the rule and the other record's id at the source.
    pub associations: Vec<(String, String)>,
    /// Why the record is refused as a whole; empty where it is not.
    pub refused: Vec<FieldProblem>,
}

/// One property.
#[derive(Clone, Debug)]
pub struct FieldPreview {
    /// The property in HubSpot.
    pub property: String,
    /// The source paths, with commas between several.
    pub path: String,
    /// Whether values are masked.
    pub masked: bool,
    /// The value at the source; `None`: the record was read without it.
    pub before: Option<Value>,
    /// The value after each transform, as far as it came.
    pub steps: Vec<(String, Value)>,
    /// What is written; `None`: the property is left alone.
    pub after: Result<Option<Value>, FieldProblem>,
}

/// Shows what the mapping makes of a record; `None`: it has no such link.
#[must_use]
pub fn preview(mapping: &CheckedMapping, link: LinkId, record: &Record) -> Option<Preview> {
    let explanation = mapping.explain(link, record)?;
    let definition = mapping.links().get(usize::from(link.0))?;
    let fields = explanation.fields.into_iter().map(|field| {
        let masked = field.sensitivity == Sensitivity::Sensitive;
        show(field, masked)
    });
    let fields = fields.collect();
    let (in_scope, associations, refused) = match mapping.map(link, record) {
        Ok(mapped) => (mapped.in_scope, edges(mapping, mapped.edges, &explanation.associations), Vec::new()),
        Err(error) => (true, Vec::new(), error.problems),
    };
    Some(Preview {
        link: definition.name.clone(),
        object: definition.object.to_string(),
        record: record.id().to_string(),
        in_scope,
        fields,
        associations,
        refused,
    })
}

fn show(field: FieldExplanation, masked: bool) -> FieldPreview {
    let mut steps = field.steps.into_iter();
    // The first entry is the value as it was read.
    let before = steps.next().map(|(_, value)| value);
    FieldPreview {
        property: field.property,
        path: field.path,
        masked,
        before,
        steps: steps.collect(),
        after: field.outcome,
    }
}

/// The wanted associations; keys that nobody is to see are masked.
fn edges(
    mapping: &CheckedMapping,
    edges: Vec<(sync_types::EdgeRuleId, sync_types::ExternalId)>,
    explained: &[AssociationExplanation],
) -> Vec<(String, String)> {
    let name = |rule: sync_types::EdgeRuleId| {
        mapping.edge_rules().get(usize::from(rule.0)).map(|rule| rule.name.clone()).unwrap_or_default()
    };
    let shown = |rule: String, far: &str| {
        let hidden =
            explained.iter().any(|known| known.rule == rule && known.sensitivity == Sensitivity::Sensitive);
        (rule, if hidden { MASK.to_owned() } else { far.to_owned() })
    };
    edges.into_iter().map(|(rule, far)| shown(name(rule), far.as_str())).collect()
}

impl Preview {
    /// The preview for a machine. Masked values are `null` and said to be `"masked": true`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({
            "link": self.link,
            "object": self.object,
            "record": self.record,
            "in_scope": self.in_scope,
            "refused": self.refused.iter().map(problem_json).collect::<Vec<_>>(),
            "fields": self.fields.iter().map(FieldPreview::to_json).collect::<Vec<_>>(),
            "associations":
                self.associations.iter().map(|(rule, to)| json!({ "rule": rule, "to": to })).collect::<Vec<_>>(),
        })
    }

    /// The preview as a table that is at most so many characters wide.
    #[must_use]
    pub fn to_text(&self, width: u16) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        table.set_header(["property", "from", "before", "steps", "after"]);
        for field in &self.fields {
            table.add_row([
                field.property.clone(),
                field.path.clone(),
                field.shown_before(),
                field.shown_steps(),
                self.shown_after(field),
            ]);
        }
        let lines: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
        format!("{self}\n{}", lines.join("\n"))
    }

    fn shown_after(&self, field: &FieldPreview) -> String {
        match &field.after {
            Ok(Some(Value::Null)) => "(emptied)".to_owned(),
            Ok(Some(value)) => field.shown(value),
            Ok(None) => "(left alone)".to_owned(),
            Err(problem) => {
                let refuses = self.refused.contains(problem);
                let sign = if refuses { "✗" } else { "(left out)" };
                format!("{sign} {} [{}]", problem.reason, problem.code)
            }
        }
    }
}

/// The heading and what concerns the record as a whole.
impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.link, self.record, self.object)?;
        if !self.in_scope {
            write!(f, "\n  out of scope: nothing is written")?;
        }
        for (rule, to) in &self.associations {
            write!(f, "\n  association {rule} → {to}")?;
        }
        for problem in &self.refused {
            write!(f, "\n  refused: {problem}\n    what to do: {}", problem.remedy)?;
        }
        Ok(())
    }
}

impl FieldPreview {
    fn shown(&self, value: &Value) -> String {
        if self.masked && !value.is_null() { MASK.to_owned() } else { cell(value) }
    }

    fn shown_before(&self) -> String {
        self.before.as_ref().map_or_else(|| "(not read)".to_owned(), |value| self.shown(value))
    }

    fn shown_steps(&self) -> String {
        let mut last = self.before.as_ref();
        let mut lines = Vec::new();
        for (name, value) in &self.steps {
            // What a step leaves as it is needs no second look.
            lines.push(if last == Some(value) {
                format!("{name} =")
            } else {
                format!("{name} → {}", self.shown(value))
            });
            last = Some(value);
        }
        lines.join("\n")
    }

    fn to_json(&self) -> Json {
        let value = |value: &Value| if self.masked { Json::Null } else { to_json(value) };
        let steps = self.steps.iter().map(|(step, shown)| json!({ "step": step, "value": value(shown) }));
        let mut json = json!({
            "property": self.property,
            "from": self.path,
            "masked": self.masked,
            "read": self.before.is_some(),
            "before": self.before.as_ref().map(value),
            "steps": steps.collect::<Vec<_>>(),
        });
        let (key, said) = match &self.after {
            Ok(Some(shown)) => ("after", value(shown)),
            Ok(None) => ("left_alone", Json::Bool(true)),
            Err(problem) => ("problem", problem_json(problem)),
        };
        if let Json::Object(entries) = &mut json {
            entries.insert(key.to_owned(), said);
        }
        json
    }
}

fn problem_json(problem: &FieldProblem) -> Json {
    json!({
        "property": problem.property,
        "from": problem.path,
        "code": problem.code,
        "reason": problem.reason,
        "remedy": problem.remedy,
    })
}

#[cfg(test)]
mod tests;
