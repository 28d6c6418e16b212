//! Row accounting: every input of a batch ends as written, rejected or unknown, matched by what names it, never by place.

use std::collections::HashMap;

use crate::error::Error;
use crate::object_type::RecordId;
use crate::record::Record;
use crate::refusal::{ErrorBody, Refusal};

/// What became of each input of a batch, in the order of the inputs.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchOutcome<T> {
    /// One per input.
    pub rows: Vec<RowOutcome<T>>,
    /// Why rows are unknown, when one failed call is the reason.
    pub cause: Option<Error>,
}

/// What became of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome<T> {
    /// HubSpot took it, and says so.
    Written(T),
    /// HubSpot refused it, and says why. It was not written.
    Rejected(Box<Refusal>),
    /// It may or may not have been written: look before writing again.
    Unknown(UnknownReason),
}

/// Why nothing is known about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownReason {
    /// No whole answer came, or the server failed.
    NoAnswer,
    /// The answer reports success without a word about this input.
    MissingFromAnswer,
    /// The answer both reports a result and an error for it.
    Contradictory,
    /// The answer could not be read.
    Unreadable,
    /// An earlier call of the same operation failed, so that this input was not sent. It was certainly not written.
    NotAttempted,
}

/// A record that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Its id.
    pub id: RecordId,
    /// Whether it was created. `None` where HubSpot does not say, or where the call was repeated after a lost answer, so
    /// that the first try may have created it.
    pub new: Option<bool>,
    /// The record as answered.
    pub record: Record,
}

/// How many inputs ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Written.
    pub written: usize,
    /// Rejected.
    pub rejected: usize,
    /// Unknown.
    pub unknown: usize,
}

impl<T> BatchOutcome<T> {
    pub(crate) fn all_unknown(inputs: usize, reason: UnknownReason, cause: Option<Error>) -> Self {
        let rows = std::iter::repeat_with(|| RowOutcome::Unknown(reason)).take(inputs).collect();
        Self { rows, cause }
    }

    /// How many inputs ended how; they add up to the number of inputs.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in &self.rows {
            match row {
                RowOutcome::Written(_) => counts.written += 1,
                RowOutcome::Rejected(_) => counts.rejected += 1,
                RowOutcome::Unknown(_) => counts.unknown += 1,
            }
        }
        counts
    }
}

/// Names of the inputs of a batch, by which answers are matched.
#[derive(Debug)]
pub(crate) struct InputNames<'a> {
    count: usize,
    /// Inputs by record id or key; several inputs may share one.
    by_key: HashMap<&'a str, Vec<usize>>,
    /// The property that the keys are values of; `None` when they are record ids.
    id_property: Option<&'a str>,
}

impl<'a> InputNames<'a> {
    pub(crate) fn new(
        keys: impl ExactSizeIterator<Item = Option<&'a str>>,
        id_property: Option<&'a str>,
    ) -> Self {
        let count = keys.len();
        let mut by_key: HashMap<&str, Vec<usize>> = HashMap::with_capacity(count);
        for (index, key) in keys.enumerate() {
            if let Some(key) = key {
                by_key.entry(key).or_default().push(index);
            }
        }
        Self { count, by_key, id_property }
    }

    /// The input a trace id stands for: trace ids are the inputs' indexes.
    fn traced(&self, trace_id: &str) -> Option<usize> {
        trace_id.parse().ok().filter(|index| *index < self.count)
    }

    pub(crate) fn keyed(&self, key: &str) -> &[usize] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// The inputs that a record answers.
    pub(crate) fn of_record(&self, record: &Record) -> &[usize] {
        match self.id_property {
            None => self.keyed(record.id.as_str()),
            Some(property) => record.get(property).map_or(&[], |value| self.keyed_loosely(value)),
        }
    }

    /// HubSpot trims keys and lowers the case of e-mails.
    fn keyed_loosely(&self, value: &str) -> &[usize] {
        let exact = self.keyed(value);
        if !exact.is_empty() {
            return exact;
        }
        let same = |key: &&&str| key.trim().to_lowercase() == value.trim().to_lowercase();
        self.by_key.keys().find(same).map_or(&[], |key| self.keyed(key))
    }

    /// The inputs that an error entry is about.
    pub(crate) fn of_error(&self, entry: &ErrorBody) -> Vec<usize> {
        let traced: Vec<usize> = entry
            .context_texts(&["objectWriteTraceId"])
            .filter_map(|trace_id| self.traced(trace_id))
            .collect();
        if !traced.is_empty() {
            return traced;
        }
        entry
            .context_texts(&["ids", "id", "objectId"])
            .chain(entry.id())
            .flat_map(|id| self.keyed(id))
            .copied()
            .collect()
    }
}

/// Accounts for a write batch whose answer was read: `results` and `errors` in whatever order they came.
pub(crate) fn account(
    names: &InputNames<'_>,
    results: Vec<Record>,
    errors: &[ErrorBody],
    repeated: bool,
) -> Vec<RowOutcome<Written>> {
    let mut ledger = Ledger::new(names.count);
    for record in results {
        let index = match record.object_write_trace_id.as_deref() {
            Some(trace_id) => names.traced(trace_id),
            // Without a trace id, a key names an input only if no other input has it.
            None => match names.of_record(&record) {
                [index] => Some(*index),
                _ => None,
            },
        };
        if let Some(index) = index {
            let new = record.new.filter(|_| !repeated);
            ledger.written(index, Written { id: record.id.clone(), new, record });
        }
    }
    ledger.reject_all(errors, |entry| names.of_error(entry));
    ledger.rows()
}

/// Fills in outcomes one by one and keeps the law: each input has exactly one.
#[derive(Debug)]
pub(crate) struct Ledger<T> {
    rows: Vec<Option<RowOutcome<T>>>,
}

impl<T> Ledger<T> {
    pub(crate) fn new(inputs: usize) -> Self {
        Self { rows: std::iter::repeat_with(|| None).take(inputs).collect() }
    }

    pub(crate) fn written(&mut self, index: usize, value: T) {
        if let Some(slot) = self.rows.get_mut(index) {
            *slot = Some(match slot.take() {
                None | Some(RowOutcome::Written(_)) => RowOutcome::Written(value),
                Some(_) => RowOutcome::Unknown(UnknownReason::Contradictory),
            });
        }
    }

    pub(crate) fn rejected(&mut self, index: usize, refusal: &Refusal) {
        if let Some(slot) = self.rows.get_mut(index) {
            *slot = Some(match slot.take() {
                None => RowOutcome::Rejected(Box::new(refusal.clone())),
                Some(kept @ RowOutcome::Rejected(_)) => kept,
                Some(_) => RowOutcome::Unknown(UnknownReason::Contradictory),
            });
        }
    }

    /// Places each error entry. An entry that names no input is given to an input only if exactly one is left and no
    /// other entry is in the same position: then there is no other way.
    pub(crate) fn reject_all(&mut self, errors: &[ErrorBody], inputs_of: impl Fn(&ErrorBody) -> Vec<usize>) {
        let mut unplaced = Vec::new();
        for entry in errors {
            let inputs = inputs_of(entry);
            let refusal = entry.refusal(400);
            for index in &inputs {
                self.rejected(*index, &refusal);
            }
            if inputs.is_empty() {
                unplaced.push(refusal);
            }
        }
        let mut open = self.rows.iter().enumerate().filter(|(_, row)| row.is_none()).map(|(index, _)| index);
        if let (Some(index), None, [refusal]) = (open.next(), open.next(), unplaced.as_slice()) {
            self.rejected(index, refusal);
        }
    }

    /// Every input's outcome; those without one are unknown.
    pub(crate) fn rows(self) -> Vec<RowOutcome<T>> {
        self.rows
            .into_iter()
            .map(|row| row.unwrap_or(RowOutcome::Unknown(UnknownReason::MissingFromAnswer)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
