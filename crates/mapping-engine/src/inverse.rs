//! The way back of a field: from the canonical value of a property to the fields of the source that make it.
//!
//! A chain comes back when each of its steps does ([`Step::inverse`]). What the inverse gives is mapped forward again
//! before it is handed out, so a value without a counterpart in the source is refused, never written wrongly: for
//! every value that comes back, mapping what was written gives that value again.

mod step;

use std::borrow::Cow;

use sync_types::{FieldProblem, LeftField, PropertyKind, Value};

use crate::flow::{Failure, Flow, Ty};
use crate::plan::{EdgePlan, EmptyPlan, FieldPlan, LinkPlan, Reader, SourcePlan, TemplatePlan};
use crate::property::Form;
use crate::step::Step;

/// How a step is undone.
#[derive(Clone, Debug)]
pub(crate) enum Inverse {
    /// Every value that the step takes comes back as it was.
    Exact(Vec<Step>),
    /// Every value that the step takes comes back in a normal writing of the same meaning.
    NormalForm(Vec<Step>),
    /// The step loses something, and this is what.
    None(Cow<'static, str>),
}

/// Why a field has no way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The step in the field's chain that has none; `None`: it is the field's source or its meaning of empty.
    pub(crate) step: Option<usize>,
    /// What is lost, as half a sentence.
    pub(crate) reason: Cow<'static, str>,
    pub(crate) remedy: Cow<'static, str>,
}

/// A compiled way back.
#[derive(Debug)]
pub(crate) struct BackPlan {
    /// What the source's field holds.
    start: Ty,
    target: Target,
    /// From the property's canonical value to the source's, in the order in which they run.
    steps: Vec<Step>,
    /// The property holds a list, but the source a single value.
    single: bool,
    /// Several writings on the right stand for one value, so that they are compared in the writing of this chain.
    respells: bool,
    empty: Empty,
}

/// The fields of the source that are written; paths by their places in [`LinkPlan::paths`].
#[derive(Debug)]
enum Target {
    /// The value goes to the first of them; an empty value empties all of them.
    First(Vec<usize>),
    /// The value is taken apart at the texts between the paths.
    Parts(Vec<TemplatePlan>),
}

/// What an emptied property means for the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    Clear,
    Ignore,
    Refuse,
}

/// Compiles the way back of a field whose source holds values of the kind `start`.
///
/// # Errors
/// The first step from the end that loses something, or a source or meaning of empty that has no way back.
pub(crate) fn compile(field: &FieldPlan, start: Ty) -> Result<BackPlan, Reason> {
    let target = Target::of(&field.source)?;
    let start = assumed(start, &field.steps);
    let (steps, given) = undo(&field.steps, start)?;
    let empty = match &field.when_empty {
        EmptyPlan::Default(_) => {
            return Err(Reason {
                step: None,
                reason: "an emptied property would get the default again".into(),
                remedy: "let an empty value be `\"clear\"` or `\"ignore\"`".into(),
            });
        }
        _ if field.required => Empty::Refuse,
        EmptyPlan::Clear => Empty::Clear,
        EmptyPlan::Ignore => Empty::Ignore,
    };
    let listed = field.limits.kind == PropertyKind::Options;
    Ok(BackPlan {
        start,
        target,
        steps,
        single: listed && given == Ty::Text,
        respells: matches!(field.limits.form, Form::Text | Form::Email | Form::Domain | Form::Options),
        empty,
    })
}

/// Compiles the way back of an association's key, whose column holds values of the kind `start`.
///
/// # Errors
/// As [`compile`].
pub(crate) fn compile_key(edge: &EdgePlan, start: Ty) -> Result<BackPlan, Reason> {
    let start = assumed(start, &edge.steps);
    let (mut steps, given) = undo(&edge.steps, start)?;
    if given == Ty::List {
        return Err(Reason {
            step: None,
            reason: "one column holds the keys of several records".into(),
            remedy: "let this association go to HubSpot only".into(),
        });
    }
    // A key is compared as text, whatever its column holds.
    if let Inverse::Exact(last) | Inverse::NormalForm(last) = Step::ToText.inverse(given) {
        steps.splice(0..0, last);
    }
    let empty = if edge.required { Empty::Refuse } else { Empty::Clear };
    Ok(BackPlan {
        start,
        target: Target::First(vec![edge.key]),
        steps,
        single: false,
        respells: false,
        empty,
    })
}

/// A source without a schema holds text where the chain begins by reading a writing of its own, such as `31.12.2026`.
fn assumed(start: Ty, steps: &[Step]) -> Ty {
    let reads_text = match steps.first() {
        Some(Step::Number(rule)) => !rule.is_plain(),
        Some(Step::Boolean(words)) => !words.is_plain(),
        Some(Step::Date(formats)) => !formats.is_empty(),
        Some(Step::DateTime(rule)) => !rule.formats.is_empty(),
        Some(Step::ParseJson) => true,
        _ => false,
    };
    if start == Ty::Any && reads_text { Ty::Text } else { start }
}

/// Why a step that can be undone by itself cannot be before these later ones.
fn misplaced(step: &Step, later: &[Step]) -> Option<(&'static str, &'static str)> {
    match step {
        Step::MaxLength { .. } if !later.iter().all(|step| matches!(step, Step::MaxLength { .. })) => Some((
            "a length that fits here may not fit when the later transforms are undone",
            "put `max_length` at the end of the list",
        )),
        Step::Prefix(_) | Step::Suffix(_) | Step::Pad { .. } if later.iter().any(writes_anew) => Some((
            "a later transform writes the value anew, without what this one adds",
            "put it behind the transforms that read a writing, such as `email` or `country`",
        )),
        _ => None,
    }
}

/// Whether a step recognises what a text means and writes that in a form of its own.
fn writes_anew(step: &Step) -> bool {
    matches!(
        step,
        Step::Email
            | Step::Domain
            | Step::Url
            | Step::Phone(_)
            | Step::Country { .. }
            | Step::Region { .. }
            | Step::Language { .. }
            | Step::CurrencyCode
    )
}

/// The chain's steps undone, in the order in which they run back, and what the chain gives.
fn undo(steps: &[Step], start: Ty) -> Result<(Vec<Step>, Ty), Reason> {
    let mut taken = start;
    let mut undone = Vec::with_capacity(steps.len());
    for (place, step) in steps.iter().enumerate() {
        if let Some((reason, remedy)) = misplaced(step, steps.get(place + 1..).unwrap_or_default()) {
            return Err(Reason { step: Some(place), reason: reason.into(), remedy: remedy.into() });
        }
        match step.inverse(taken) {
            Inverse::Exact(steps) | Inverse::NormalForm(steps) => undone.push(steps),
            Inverse::None(reason) => {
                return Err(Reason {
                    step: Some(place),
                    reason,
                    remedy: "use a transform that keeps what this one loses".into(),
                });
            }
        }
        taken = step.gives(taken).unwrap_or(Ty::Any);
    }
    Ok((undone.into_iter().rev().flatten().collect(), taken))
}

impl Target {
    fn of(source: &SourcePlan) -> Result<Target, Reason> {
        let reason = |reason: &'static str, remedy: &'static str| Reason {
            step: None,
            reason: reason.into(),
            remedy: remedy.into(),
        };
        let parts = match source {
            SourcePlan::First(paths) => return Ok(Target::First(paths.clone())),
            SourcePlan::Template(parts) => parts.clone(),
            SourcePlan::Concat(paths, separator) => {
                let mut parts = Vec::new();
                for path in paths {
                    if !parts.is_empty() {
                        parts.push(TemplatePlan::Text(separator.clone()));
                    }
                    parts.push(TemplatePlan::Path(*path));
                }
                parts
            }
            SourcePlan::Constant(_) => {
                return Err(reason(
                    "a constant has no place in the source",
                    "let the field go to HubSpot only",
                ));
            }
            SourcePlan::Expression(_) => {
                return Err(reason(
                    "what an expression was computed from is lost",
                    "let the field go to HubSpot only",
                ));
            }
        };
        let mut after_path = false;
        let mut seen = Vec::new();
        for part in &parts {
            match part {
                TemplatePlan::Path(path) if after_path || seen.contains(path) => {
                    return Err(reason(
                        "nothing between two paths, or a path that stands twice, tells where one value ends",
                        "map each path to a property of its own",
                    ));
                }
                TemplatePlan::Path(path) => seen.push(*path),
                TemplatePlan::Text(text)
                    if after_path && text.trim().is_empty() && seen.len() < paths(&parts) =>
                {
                    return Err(reason(
                        "spaces alone do not tell where one value ends, because values hold spaces",
                        "map each path to a property of its own",
                    ));
                }
                TemplatePlan::Text(_) => {}
            }
            after_path = matches!(part, TemplatePlan::Path(_));
        }
        Ok(Target::Parts(parts))
    }

    fn paths(&self) -> Vec<usize> {
        match self {
            Target::First(paths) => paths.clone(),
            Target::Parts(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    TemplatePlan::Path(path) => Some(*path),
                    TemplatePlan::Text(_) => None,
                })
                .collect(),
        }
    }

    /// Puts a value into its places.
    fn fill(&self, flow: Flow<'_>) -> Result<Written, Failure> {
        match self {
            Target::First(paths) if flow.is_null() => {
                Ok(paths.iter().map(|path| (*path, Value::Null)).collect())
            }
            Target::First(paths) => {
                Ok(paths.iter().take(1).map(|path| (*path, flow.clone().into_value())).collect())
            }
            Target::Parts(parts) => match flow {
                Flow::Null => Ok(self.paths().into_iter().map(|path| (path, Value::Null)).collect()),
                Flow::Text(text) => take_apart(&text, parts).ok_or_else(|| {
                    no_way_back("the value does not have the parts that it is put together from, each once")
                }),
                Flow::Other(value) => Err(Failure::bad_type("template", Ty::Text, value.kind_name())),
            },
        }
    }
}

fn paths(parts: &[TemplatePlan]) -> usize {
    parts.iter().filter(|part| matches!(part, TemplatePlan::Path(_))).count()
}

/// Finds each path's value between the texts; `None` where a text is missing, or stands inside a value, so that it
/// could belong to either.
fn take_apart(text: &str, parts: &[TemplatePlan]) -> Option<Written> {
    let mut rest = text;
    let mut written: Written = Vec::new();
    let mut open = None;
    for part in parts {
        match part {
            TemplatePlan::Path(path) => open = Some(*path),
            TemplatePlan::Text(between) => match open.take() {
                None => rest = rest.strip_prefix(between.as_str())?,
                Some(path) => {
                    let (value, tail) = rest.split_once(between.as_str())?;
                    written.push((path, Value::text(value)));
                    rest = tail;
                }
            },
        }
    }
    match open {
        Some(path) => written.push((path, Value::text(rest))),
        None if rest.is_empty() => {}
        None => return None,
    }
    let clear = |value: &Value| {
        value.as_text().is_some_and(|value| {
            parts.iter().all(|part| match part {
                TemplatePlan::Text(between) => paths(parts) < 2 || !value.contains(between.as_str()),
                TemplatePlan::Path(_) => true,
            })
        })
    };
    written.iter().all(|(_, value)| clear(value)).then_some(written)
}

/// Values by the places of their paths.
type Written = Vec<(usize, Value)>;

/// Reads what would be written as if the source had it.
struct Pretend<'w>(&'w [(usize, Value)]);

impl<'w> Reader<'w> for Pretend<'w> {
    fn value(&self, path: usize) -> Option<&'w Value> {
        self.0.iter().find(|(place, _)| *place == path).map(|(_, value)| value)
    }
}

fn no_way_back(reason: impl Into<Cow<'static, str>>) -> Failure {
    Failure::new(
        "no-way-back",
        reason,
        "correct the value in HubSpot, or widen the mapping so that the source has a place for it",
    )
}

impl BackPlan {
    /// Whether a source with this schema can hold the value, in each of the field's paths, so that it can be told
    /// which part of the property came from which path.
    pub(crate) fn may_start_with(&self, value: &Value) -> bool {
        let fits = self.start == Ty::Any || value.is_null() || Ty::of_value(value) == self.start;
        let apart = match &self.target {
            Target::First(_) => true,
            Target::Parts(parts) => parts.iter().all(|part| match (part, value) {
                (TemplatePlan::Text(text), Value::Text(value)) => !value.contains(text.as_str()),
                (TemplatePlan::Text(_), _) => false,
                (TemplatePlan::Path(_), _) => true,
            }),
        };
        fits && apart
    }

    /// The source's values without the proof that they map to the property's value again.
    fn write(&self, value: &Value) -> Result<Written, Failure> {
        let mut flow = match value {
            Value::List(items) if self.single => match items.as_slice() {
                [one] => Flow::borrowed(one),
                _ => return Err(no_way_back("several options are chosen, but the source's field holds one")),
            },
            value => Flow::borrowed(value),
        };
        for step in &self.steps {
            flow = step.run(flow, &Pretend(&[]))?;
        }
        if flow.is_null() && !value.is_null() {
            return Err(no_way_back("the source has no value for it"));
        }
        self.target.fill(flow)
    }
}

impl LinkPlan {
    /// The fields of the source that make this canonical value of the property. None for a property that does not
    /// flow to the source, and for an emptied one where the mapping ignores empty values.
    pub(crate) fn back(&self, property: usize, value: &Value) -> Result<Vec<LeftField>, FieldProblem> {
        let Some((field, back)) =
            self.fields.get(property).and_then(|field| Some((field, field.back.as_ref()?)))
        else {
            return Ok(Vec::new());
        };
        self.write_back(field, back, value).map_err(|failure| self.refused(field, failure))
    }

    /// As [`LinkPlan::back`], for a way back that is not part of the plan yet.
    pub(crate) fn write_back(
        &self,
        field: &FieldPlan,
        back: &BackPlan,
        value: &Value,
    ) -> Result<Vec<LeftField>, Failure> {
        match (value, back.empty) {
            (Value::Null, Empty::Ignore) => return Ok(Vec::new()),
            (Value::Null, Empty::Refuse) => {
                return Err(no_way_back("the property is empty, but the mapping requires a value"));
            }
            _ => {}
        }
        let written = back.write(value)?;
        if self.forward(field, &written)?.as_ref() != Some(value) {
            return Err(no_way_back("what the source can hold of it would map to another value"));
        }
        Ok(self.left_fields(written))
    }

    /// The writing in which a value that HubSpot shows is compared, for a property that flows both ways: what the
    /// source would make of it. A value that the source cannot hold stays as it is. Idempotent.
    pub(crate) fn respelled(&self, field: &FieldPlan, value: Value) -> Value {
        match &field.back {
            Some(back) => self.respelled_by(field, back, value),
            None => value,
        }
    }

    /// As [`LinkPlan::respelled`], for a way back that is not part of the plan yet.
    pub(crate) fn respelled_by(&self, field: &FieldPlan, back: &BackPlan, value: Value) -> Value {
        if !back.respells || value.is_null() {
            return value;
        }
        let once = |value: &Value| {
            back.write(value).and_then(|written| self.forward(field, &written)).ok().flatten()
        };
        match once(&value) {
            Some(again) if again == value => value,
            // A writing is normal only if it is its own normal writing.
            Some(again) if !again.is_null() && once(&again).as_ref() == Some(&again) => again,
            _ => value,
        }
    }

    /// The fields of a near record that make this key of an association; `None` is no record.
    pub(crate) fn back_edge(
        &self,
        edge: &EdgePlan,
        key: Option<&str>,
    ) -> Result<Vec<LeftField>, FieldProblem> {
        let Some(back) = &edge.back else { return Ok(Vec::new()) };
        let wanted = Value::text(key.unwrap_or_default());
        let written = match (&wanted, back.empty) {
            (Value::Null, Empty::Refuse) => {
                Err(no_way_back("the association is gone, but the mapping requires it"))
            }
            (value, _) => back.write(value),
        };
        let proved = written.and_then(|written| {
            let again = self.key_of(edge, &Pretend(&written))?;
            if again == wanted {
                Ok(written)
            } else {
                Err(no_way_back("the source's field would name another record"))
            }
        });
        match proved {
            Ok(written) => Ok(self.left_fields(written)),
            Err(failure) => Err(self.edge_refused(edge, failure)),
        }
    }

    /// What the field's value would be if the source held this.
    fn forward(&self, field: &FieldPlan, written: &[(usize, Value)]) -> Result<Option<Value>, Failure> {
        self.run_from(field, &Pretend(written), None)
    }

    fn left_fields(&self, written: Written) -> Vec<LeftField> {
        written
            .into_iter()
            .map(|(path, value)| LeftField { path: self.path_text(path).into(), value })
            .collect()
    }
}
