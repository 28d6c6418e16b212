//! A record as one side showed it, and the shape that a page of records shares.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::{ExternalId, Value};

/// What a record says about one property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The read did not ask for it, so nothing is known. Never a reason to write or to delete.
    NotFetched,
    /// The side showed this; [`Value::Null`] is "empty".
    Value(&'a Value),
}

/// The property names that a page of records was read with, shared by all of them.
#[derive(PartialEq, Eq)]
pub struct Shape {
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, usize>,
}

impl Shape {
    /// A shape with these names in this order; of a repeated name the first place counts.
    pub fn new<N: Into<Box<str>>>(names: impl IntoIterator<Item = N>) -> Arc<Shape> {
        let names: Vec<Box<str>> = names.into_iter().map(Into::into).collect();
        let mut places = HashMap::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            places.entry(name.clone()).or_insert(place);
        }
        Arc::new(Shape { names, places })
    }

    /// The names, in the order of [`Record::values`].
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// Where a name stands, if the shape has it.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shape").field(&self.names).finish()
    }
}

/// One record of a source collection.
///
/// `Debug` shows the id and the kinds of the values, not the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    id: ExternalId,
    shape: Arc<Shape>,
    values: Vec<Value>,
}

impl Record {
    /// A record with one value for each name of the shape. Values beyond the shape are dropped and missing ones
    /// are [`Value::Null`], so that the two always agree.
    #[must_use]
    pub fn new(id: ExternalId, shape: Arc<Shape>, mut values: Vec<Value>) -> Record {
        values.resize(shape.names().len(), Value::Null);
        Record { id, shape, values }
    }

    /// The record's id in its collection.
    #[must_use]
    pub fn id(&self) -> &ExternalId {
        &self.id
    }

    /// The names the record was read with.
    #[must_use]
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// The values, in the order of the shape's names.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// What the record says about a property.
    #[must_use]
    pub fn get(&self, name: &str) -> Seen<'_> {
        match self.shape.place(name).and_then(|place| self.values.get(place)) {
            Some(value) => Seen::Value(value),
            None => Seen::NotFetched,
        }
    }
}
