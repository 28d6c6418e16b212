//! Why a record's properties have the values they have, in clear but for the sensitive ones.

use std::fmt;

use sync_types::{ExternalId, FieldProblem, Sensitivity, Value};

/// How a record is mapped, property by property. `Display` shows values in clear, but those of sensitive properties
/// not at all; `Debug` shows none.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The link's name.
    pub link: String,
    /// The record's id at the source.
    pub record: ExternalId,
    /// The properties, in the link's order.
    pub fields: Vec<FieldExplanation>,
    /// The associations, in the order of the file.
    pub associations: Vec<AssociationExplanation>,
}

/// Which other records an association names.
#[derive(Clone, Debug)]
pub struct AssociationExplanation {
    /// The rule's name.
    pub rule: String,
    /// The source path of the key.
    pub path: String,
    /// How far the keys may be shown: who shows [`AssociationExplanation::outcome`] has to look.
    pub sensitivity: Sensitivity,
    /// The other records' ids in their collection; none where the key is empty or the rule's condition does not hold.
    pub outcome: Result<Vec<ExternalId>, FieldProblem>,
}

/// How one property gets its value.
#[derive(Clone, Debug)]
pub struct FieldExplanation {
    /// The property in HubSpot.
    pub property: String,
    /// The source paths, with commas between several.
    pub path: String,
    /// How far its values may be shown: who shows [`FieldExplanation::steps`] has to look.
    pub sensitivity: Sensitivity,
    /// The value at the source and after each transform, with the transform's name, as far as it came.
    pub steps: Vec<(String, Value)>,
    /// What is written in the end; `None`: the property is left alone.
    pub outcome: Result<Option<Value>, FieldProblem>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.link, self.record)?;
        for field in &self.fields {
            writeln!(f, "  {} <- {}", field.property, field.path)?;
            let shown = |value: &Value| match field.sensitivity {
                Sensitivity::Sensitive if !value.is_null() => String::from("(not shown)"),
                _ => value.reveal().to_string(),
            };
            for (name, value) in &field.steps {
                writeln!(f, "    {name:<16} {}", shown(value))?;
            }
            match &field.outcome {
                Ok(Some(value)) => writeln!(f, "    = {}", shown(value))?,
                Ok(None) => writeln!(f, "    = left alone")?,
                Err(problem) => show_problem(f, problem)?,
            }
        }
        for association in &self.associations {
            match &association.outcome {
                Ok(keys) if keys.is_empty() => writeln!(f, "  {} -> nothing", association.rule)?,
                Ok(_) if association.sensitivity == Sensitivity::Sensitive => {
                    writeln!(f, "  {} -> (not shown)", association.rule)?;
                }
                Ok(keys) => {
                    let keys: Vec<&str> = keys.iter().map(ExternalId::as_str).collect();
                    writeln!(f, "  {} -> {}", association.rule, keys.join(", "))?;
                }
                Err(problem) => {
                    writeln!(f, "  {} <- {}", association.rule, association.path)?;
                    show_problem(f, problem)?;
                }
            }
        }
        Ok(())
    }
}

fn show_problem(f: &mut fmt::Formatter<'_>, problem: &FieldProblem) -> fmt::Result {
    writeln!(f, "    ! {} [{}]", problem.reason, problem.code)?;
    writeln!(f, "      help: {}", problem.remedy)
}
