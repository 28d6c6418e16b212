//! A link's compiled form and how one record runs through it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use sync_types::{EdgeRuleId, ExternalId, FieldProblem, MapError, Mapped, Record, Shape, Value};

use crate::expr::Expression;
use crate::flow::{Failure, Flow, Ty};
use crate::format::{OnBad, Test};
use crate::inverse::BackPlan;
use crate::path::{Marked, Paths, Place};
use crate::property::Limits;
use crate::step::{Step, scalar_text};

/// A link, ready to run.
#[derive(Debug)]
pub(crate) struct LinkPlan {
    /// Every source path that the link reads; the rest names them by place in this list.
    pub(crate) paths: Paths,
    pub(crate) scope: Vec<Condition>,
    pub(crate) fields: Vec<FieldPlan>,
    pub(crate) edges: Vec<EdgePlan>,
    pub(crate) places: PlaceCache,
    /// What of the collection never leaves the source.
    pub(crate) secret: Marked,
}

/// A condition on the source record.
#[derive(Debug)]
pub(crate) enum Condition {
    /// On the text of one path's value.
    Field { path: usize, test: Test },
    /// An expression that gives true or false.
    Expression(Computed),
}

/// An expression with the paths that it reads, in the order of [`Expression::reads`].
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) expression: Expression,
    pub(crate) paths: Vec<usize>,
}

/// One property.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    pub(crate) property: String,
    pub(crate) source: SourcePlan,
    pub(crate) steps: Vec<Step>,
    pub(crate) when_empty: EmptyPlan,
    pub(crate) on_bad: OnBad,
    pub(crate) required: bool,
    pub(crate) limits: Limits,
    /// The way back, for a property that flows to the source.
    pub(crate) back: Option<BackPlan>,
}

impl FieldPlan {
    /// What an empty value means.
    fn empty(&self) -> Result<Option<Value>, Failure> {
        match &self.when_empty {
            EmptyPlan::Default(value) => Ok(Some(value.clone())),
            _ if self.required => Err(Failure::new(
                "required-empty",
                "the value is empty, but the mapping requires it",
                "fill it in at the source, give the field a default, or take records without it out of the scope",
            )),
            EmptyPlan::Clear => Ok(Some(Value::Null)),
            EmptyPlan::Ignore => Ok(None),
        }
    }
}

/// Where a field's value begins.
#[derive(Debug)]
pub(crate) enum SourcePlan {
    First(Vec<usize>),
    Template(Vec<TemplatePlan>),
    Concat(Vec<usize>, String),
    Constant(Value),
    Expression(Computed),
}

impl SourcePlan {
    /// Every path that is read, by its place in [`LinkPlan::paths`].
    pub(crate) fn paths(&self) -> Vec<usize> {
        match self {
            SourcePlan::First(paths) | SourcePlan::Concat(paths, _) => paths.clone(),
            SourcePlan::Template(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    TemplatePlan::Path(path) => Some(*path),
                    TemplatePlan::Text(_) => None,
                })
                .collect(),
            SourcePlan::Constant(_) => Vec::new(),
            SourcePlan::Expression(computed) => computed.paths.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum TemplatePlan {
    Text(String),
    Path(usize),
}

/// What an empty value means.
#[derive(Debug)]
pub(crate) enum EmptyPlan {
    Clear,
    Ignore,
    Default(Value),
}

/// Associations of one rule.
#[derive(Debug)]
pub(crate) struct EdgePlan {
    pub(crate) rule: EdgeRuleId,
    pub(crate) name: String,
    pub(crate) key: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) when: Vec<Condition>,
    pub(crate) required: bool,
    /// The way back, for an association that flows to the source.
    pub(crate) back: Option<BackPlan>,
}

/// Where the paths lead in the shape that was seen last: a page of records shares one shape.
#[derive(Debug, Default)]
pub(crate) struct PlaceCache(RwLock<Option<(Arc<Shape>, Places)>>);

/// Where each of [`LinkPlan::paths`] leads in one shape; `None`: the record was read without that column.
pub(crate) type Places = Arc<[Option<Place>]>;

/// A field's value after its source and after each step, for a person who asked.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) steps: Vec<(String, Value)>,
}

/// The value of a path, which may not be known.
pub(crate) enum Read<'r> {
    NotFetched(usize),
    Value(Flow<'r>),
}

/// Where the values of paths come from: a record, or what is about to be written to one.
pub(crate) trait Reader<'r> {
    /// The value at a path; `None` where the record was read without it.
    fn value(&self, path: usize) -> Option<&'r Value>;

    /// As [`Reader::value`], on its way into a chain.
    fn read(&self, path: usize) -> Read<'r> {
        self.value(path).map_or(Read::NotFetched(path), |value| Read::Value(Flow::borrowed(value)))
    }
}

/// What a nested value does not have.
static NOTHING: Value = Value::Null;

/// A record of the source.
struct FromRecord<'r, 'p> {
    record: &'r Record,
    places: &'p Places,
}

impl<'r> Reader<'r> for FromRecord<'r, '_> {
    fn value(&self, path: usize) -> Option<&'r Value> {
        let place = self.places.get(path)?.as_ref()?;
        Some(place.value(self.record).unwrap_or(&NOTHING))
    }
}

impl Computed {
    /// Asks for every value before the expression runs; `Err` in the outer place: this path was not fetched.
    fn values<'r>(&self, reader: &impl Reader<'r>) -> Result<Vec<&'r Value>, usize> {
        self.paths.iter().map(|path| reader.value(*path).ok_or(*path)).collect()
    }
}

impl LinkPlan {
    pub(crate) fn places(&self, shape: &Arc<Shape>) -> Places {
        // A poisoned lock holds nothing worse than a place list, which is whole or absent.
        let seen = self.places.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, places)) = seen.as_ref()
            && (Arc::ptr_eq(last, shape) || **last == **shape)
        {
            return places.clone();
        }
        drop(seen);
        let places: Places = self.paths.iter().map(|path| path.resolve(shape)).collect();
        *self.places.0.write().unwrap_or_else(PoisonError::into_inner) =
            Some((shape.clone(), places.clone()));
        places
    }

    pub(crate) fn map(&self, record: &Record) -> Result<Mapped, MapError> {
        let places = self.places(record.shape());
        let mut problems = Vec::new();
        let mut mapped = Mapped {
            values: Vec::with_capacity(self.fields.len()),
            edges: Vec::new(),
            in_scope: true,
            skipped: Vec::new(),
        };
        match self.holds(&self.scope, record, &places) {
            Ok(true) => {}
            Ok(false) => {
                mapped.values.resize(self.fields.len(), None);
                mapped.in_scope = false;
                return Ok(mapped);
            }
            Err(problem) => return Err(MapError { problems: vec![problem] }),
        }
        for field in &self.fields {
            match self.run_field(field, record, &places, None) {
                Ok(value) => mapped.values.push(value),
                Err(problem) if field.on_bad == OnBad::Leave && !lacks_value(&problem) => {
                    mapped.values.push(None);
                    mapped.skipped.push(problem);
                }
                Err(problem) => problems.push(problem),
            }
        }
        for edge in &self.edges {
            if let Err(problem) = self.run_edge(edge, record, &places, &mut mapped.edges) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(mapped) } else { Err(MapError { problems }) }
    }

    /// The wanted value of a property; `None`: leave it alone.
    pub(crate) fn run_field(
        &self,
        field: &FieldPlan,
        record: &Record,
        places: &Places,
        trace: Option<&mut Trace>,
    ) -> Result<Option<Value>, FieldProblem> {
        match self.run_from(field, &FromRecord { record, places }, trace) {
            // What flows both ways is written as it is compared, so that the two never differ.
            Ok(Some(value)) if field.back.is_some() => Ok(Some(self.respelled(field, value))),
            Ok(value) => Ok(value),
            Err(failure) => Err(self.refused(field, failure)),
        }
    }

    /// As [`LinkPlan::run_field`], with the values of paths from anywhere.
    pub(crate) fn run_from<'r>(
        &'r self,
        field: &'r FieldPlan,
        reader: &impl Reader<'r>,
        mut trace: Option<&mut Trace>,
    ) -> Result<Option<Value>, Failure> {
        let mut flow = match self.begin(&field.source, reader)? {
            Read::Value(flow) => flow,
            Read::NotFetched(path) if field.required => return Err(self.not_fetched(path)),
            Read::NotFetched(_) => return Ok(None),
        };
        if let Some(trace) = trace.as_deref_mut() {
            trace.steps.push((String::from("source"), flow.clone().into_value()));
        }
        for step in &field.steps {
            step.apply(&mut flow, reader)?;
            if let Some(trace) = trace.as_deref_mut() {
                trace.steps.push((step.name().to_owned(), flow.clone().into_value()));
            }
        }
        match flow {
            Flow::Text(text) if field.limits.holds_as_it_is(&text) => Ok(Some(Value::Text(text.into()))),
            Flow::Null => field.empty(),
            flow => field.limits.admit(flow).map(Some),
        }
    }

    pub(crate) fn refused(&self, field: &FieldPlan, failure: Failure) -> FieldProblem {
        FieldProblem {
            code: failure.code,
            property: field.property.clone(),
            path: self.source_text(field),
            reason: failure.reason.into_owned(),
            remedy: failure.remedy.into_owned(),
        }
    }

    pub(crate) fn edge_refused(&self, edge: &EdgePlan, failure: Failure) -> FieldProblem {
        FieldProblem {
            code: failure.code,
            property: edge.name.clone(),
            path: self.path_text(edge.key),
            reason: failure.reason.into_owned(),
            remedy: failure.remedy.into_owned(),
        }
    }

    fn begin<'r>(&self, source: &'r SourcePlan, reader: &impl Reader<'r>) -> Result<Read<'r>, Failure> {
        match source {
            SourcePlan::First(paths) => {
                let mut unknown = None;
                for path in paths {
                    match reader.read(*path) {
                        Read::NotFetched(path) => unknown = Some(path),
                        Read::Value(Flow::Null) => {}
                        found @ Read::Value(_) => return Ok(found),
                    }
                }
                // Empty is certain only if every path was read.
                Ok(unknown.map_or(Read::Value(Flow::Null), Read::NotFetched))
            }
            SourcePlan::Template(parts) => {
                let mut text = String::new();
                let mut filled = false;
                for part in parts {
                    match part {
                        TemplatePlan::Text(plain) => text.push_str(plain),
                        TemplatePlan::Path(path) => match reader.read(*path) {
                            Read::Value(flow) => filled |= push_text(&mut text, &flow, "template")?,
                            missing => return Ok(missing),
                        },
                    }
                }
                // A template of nothing but its own words is empty.
                Ok(Read::Value(if filled { Flow::text(Cow::Owned(text)) } else { Flow::Null }))
            }
            SourcePlan::Concat(paths, separator) => {
                let mut text = String::new();
                for path in paths {
                    let flow = match reader.read(*path) {
                        Read::Value(flow) => flow,
                        missing => return Ok(missing),
                    };
                    let start = text.len();
                    if !text.is_empty() {
                        text.push_str(separator);
                    }
                    if !push_text(&mut text, &flow, "concat")? {
                        text.truncate(start);
                    }
                }
                Ok(Read::Value(Flow::text(Cow::Owned(text))))
            }
            SourcePlan::Constant(value) => Ok(Read::Value(Flow::borrowed(value))),
            SourcePlan::Expression(computed) => match computed.values(reader) {
                Ok(values) => {
                    let read = |place: usize| values.get(place).copied().unwrap_or(&NOTHING);
                    computed.expression.eval_value(&read).map(|value| Read::Value(Flow::owned(value)))
                }
                Err(path) => Ok(Read::NotFetched(path)),
            },
        }
    }

    pub(crate) fn run_edge(
        &self,
        edge: &EdgePlan,
        record: &Record,
        places: &Places,
        edges: &mut Vec<(EdgeRuleId, ExternalId)>,
    ) -> Result<(), FieldProblem> {
        if !self.holds(&edge.when, record, places)? {
            return Ok(());
        }
        let keys = self.key_of(edge, &FromRecord { record, places });
        let keys = keys.map_err(|failure| self.edge_refused(edge, failure))?;
        let entry = |key: &str| (edge.rule, ExternalId::new(key));
        match &keys {
            Value::List(items) => {
                let mut seen = HashSet::new();
                let keys = items.iter().filter_map(Value::as_text).filter(|key| seen.insert(*key));
                edges.extend(keys.map(entry));
            }
            key => edges.extend(key.as_text().map(entry)),
        }
        Ok(())
    }

    /// The key or keys of the far records, as text: a text, a list of texts, or empty.
    pub(crate) fn key_of<'r>(
        &'r self,
        edge: &'r EdgePlan,
        reader: &impl Reader<'r>,
    ) -> Result<Value, Failure> {
        let mut flow = match reader.read(edge.key) {
            Read::Value(flow) => flow,
            Read::NotFetched(path) => return Err(self.not_fetched(path)),
        };
        for step in &edge.steps {
            flow = step.run(flow, reader)?;
        }
        let key = |value: &Value| match scalar_text(value) {
            Some(text) => Ok(Value::text(&*text)),
            None => Err(Failure::new(
                "bad-key",
                format!("the key is {}, not a text or number", value.kind_name()),
                "name the path of the other record's key",
            )),
        };
        match flow {
            Flow::Null if edge.required => Err(Failure::new(
                "required-empty",
                "the key of the other record is empty, but the mapping requires the association",
                "fill it in at the source, or take `required` from the association",
            )),
            Flow::Other(Value::List(items)) => {
                Ok(Value::List(items.iter().map(key).collect::<Result<_, _>>()?))
            }
            flow => key(&flow.into_value()),
        }
    }

    fn holds(
        &self,
        conditions: &[Condition],
        record: &Record,
        places: &Places,
    ) -> Result<bool, FieldProblem> {
        let reader = FromRecord { record, places };
        let refuse = |path: String, failure: Failure| FieldProblem {
            code: failure.code,
            property: String::from("(scope)"),
            path,
            reason: failure.reason.into_owned(),
            remedy: failure.remedy.into_owned(),
        };
        let missing = |path: usize| refuse(self.path_text(path), self.not_fetched(path));
        for condition in conditions {
            let holds = match condition {
                Condition::Field { path, test } => {
                    test.holds(reader.value(*path).ok_or_else(|| missing(*path))?)
                }
                Condition::Expression(computed) => {
                    let values = computed.values(&reader).map_err(missing)?;
                    let read = |place: usize| values.get(place).copied().unwrap_or(&NOTHING);
                    computed
                        .expression
                        .eval_bool(&read)
                        .map_err(|failure| refuse(computed.expression.reads().join(", "), failure))?
                }
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn not_fetched(&self, path: usize) -> Failure {
        Failure::new(
            "not-fetched",
            format!("the record was read without the column `{}`", self.path_text(path)),
            "check that the column is still there at the source",
        )
    }

    pub(crate) fn path_text(&self, path: usize) -> String {
        self.paths.get(path).map(|path| path.text.clone()).unwrap_or_default()
    }

    /// The source paths that a field reads, those that its steps read beside its value among them.
    pub(crate) fn reads(&self, field: &FieldPlan) -> Vec<&str> {
        let mut places = field.source.paths();
        places.extend(field.steps.iter().flat_map(Step::sides).map(|side| side.place));
        self.texts(&places)
    }

    /// The source paths that an association reads.
    pub(crate) fn edge_reads(&self, edge: &EdgePlan) -> Vec<&str> {
        let mut places = vec![edge.key];
        places.extend(edge.steps.iter().flat_map(Step::sides).map(|side| side.place));
        places.extend(asked(&edge.when));
        self.texts(&places)
    }

    /// The source paths that the scope reads.
    pub(crate) fn scope_reads(&self) -> Vec<&str> {
        self.texts(&asked(&self.scope))
    }

    fn texts(&self, places: &[usize]) -> Vec<&str> {
        places.iter().filter_map(|place| self.paths.get(*place)).map(|path| path.text.as_str()).collect()
    }

    /// A field's source paths in words.
    pub(crate) fn source_text(&self, field: &FieldPlan) -> String {
        if let SourcePlan::Constant(_) = field.source {
            return String::from("(constant)");
        }
        let paths = field.source.paths();
        let names: Vec<String> = paths.into_iter().map(|path| self.path_text(path)).collect();
        names.join(", ")
    }
}

/// The places that conditions ask.
fn asked(conditions: &[Condition]) -> Vec<usize> {
    let mut places = Vec::new();
    for condition in conditions {
        match condition {
            Condition::Field { path, .. } => places.push(*path),
            Condition::Expression(computed) => places.extend(&computed.paths),
        }
    }
    places
}

/// Whether there is no value at all where one is required, which no policy for bad values allows.
fn lacks_value(problem: &FieldProblem) -> bool {
    matches!(problem.code, "required-empty" | "not-fetched")
}

/// Appends a value's text; whether there was any.
fn push_text(text: &mut String, flow: &Flow<'_>, what: &str) -> Result<bool, Failure> {
    match flow {
        Flow::Null => Ok(false),
        Flow::Text(part) => {
            text.push_str(part);
            Ok(true)
        }
        Flow::Other(value) => match scalar_text(value) {
            Some(part) => {
                text.push_str(&part);
                Ok(!part.is_empty())
            }
            None => Err(Failure::bad_type(what, Ty::Text, value.kind_name())),
        },
    }
}
