//! One record: current values, the values they replaced, and what it looked like a moment ago.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::context::SourceKey;
use crate::properties::definition::PropKey;
use crate::time::Millis;

/// One value of one property, with when and by whom it was set. Empty text means cleared.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Cell {
    #[serde(rename = "p")]
    pub(crate) prop: PropKey,
    #[serde(rename = "s")]
    pub(crate) source: SourceKey,
    #[serde(rename = "t")]
    pub(crate) at: Millis,
    #[serde(rename = "v")]
    pub(crate) text: Box<str>,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").field("prop", &self.prop).field("at", &self.at).finish_non_exhaustive()
    }
}

/// A record of any type. Times, id and origin are kept apart from the values, so they cost no cells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: u64,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
    pub(crate) created_by: SourceKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archived_at: Option<Millis>,
    /// When it last came back from the bin; until the lag has passed, search does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restored_at: Option<Millis>,
    /// Sorted by property.
    cells: Vec<Cell>,
    /// Replaced values, oldest first. Most records have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[allow(clippy::box_collection)] // one word instead of three in every record without history
    older: Option<Box<Vec<Cell>>>,
}

impl Record {
    pub(crate) fn new(id: u64, now: Millis, source: SourceKey) -> Record {
        Record {
            id,
            created_at: now,
            updated_at: now,
            created_by: source,
            archived_at: None,
            restored_at: None,
            cells: Vec::new(),
            older: None,
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.archived_at.is_none()
    }

    /// The stored value now; `None` when it never was set or is cleared.
    pub(crate) fn value(&self, prop: PropKey) -> Option<&str> {
        self.cell(prop).map(|cell| &*cell.text).filter(|text| !text.is_empty())
    }

    fn cell(&self, prop: PropKey) -> Option<&Cell> {
        let at = self.cells.binary_search_by_key(&prop, |cell| cell.prop).ok()?;
        self.cells.get(at)
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The stored value as it was at `time`.
    pub(crate) fn value_at(&self, prop: PropKey, time: Millis) -> Option<&str> {
        if self.updated_at <= time {
            return self.value(prop);
        }
        let now = self.cell(prop)?;
        let cell = if now.at <= time {
            now
        } else {
            self.older_cells().iter().rev().find(|cell| cell.prop == prop && cell.at <= time)?
        };
        Some(&*cell.text).filter(|text| !text.is_empty())
    }

    /// The modification time as it was at `time`.
    pub(crate) fn updated_at(&self, time: Millis) -> Millis {
        if self.updated_at <= time {
            return self.updated_at;
        }
        let seen = self.cells.iter().chain(self.older_cells()).map(|cell| cell.at);
        seen.filter(|at| *at <= time).fold(self.created_at, Millis::max)
    }

    /// Whether the record was there, and not archived, at `time`.
    pub(crate) fn was_live_at(&self, time: Millis) -> bool {
        self.created_at <= time
            && self.archived_at.is_none_or(|at| at > time)
            && self.restored_at.is_none_or(|at| at <= time)
    }

    /// Every value the property has had, newest first.
    pub(crate) fn history(&self, prop: PropKey) -> impl Iterator<Item = &Cell> {
        let older = self.older_cells().iter().rev().filter(move |cell| cell.prop == prop);
        self.cell(prop).into_iter().chain(older)
    }

    fn older_cells(&self) -> &[Cell] {
        self.older.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Sets a value and moves the modification time. Says what stood there before.
    ///
    /// At most `kept` values of a property are remembered, but none that was current at `horizon` or later is
    /// forgotten: search still shows it.
    pub(crate) fn set(&mut self, new: Cell, kept: usize, horizon: Millis) -> Option<Box<str>> {
        self.updated_at = self.updated_at.max(new.at);
        match self.cells.binary_search_by_key(&new.prop, |cell| cell.prop) {
            Err(at) => {
                self.cells.insert(at, new);
                None
            }
            Ok(at) => {
                let slot = self.cells.get_mut(at)?;
                let prop = new.prop;
                let old = std::mem::replace(slot, new);
                let text = old.text.clone();
                let older = self.older.get_or_insert_default();
                older.push(old);
                trim(older, prop, kept, horizon);
                Some(text)
            }
        }
    }

    /// Gives back memory reserved while the record was filled.
    pub(crate) fn shrink(&mut self) {
        self.cells.shrink_to_fit();
    }
}

/// Forgets the oldest value of `prop` when too many are kept and the one after it is old enough as well.
fn trim(older: &mut Vec<Cell>, prop: PropKey, kept: usize, horizon: Millis) {
    let mut places = older.iter().enumerate().filter(|(_, cell)| cell.prop == prop);
    let (first, second) = (places.next(), places.next());
    let count = usize::from(first.is_some()) + usize::from(second.is_some()) + places.count();
    // The current value counts as one of the kept.
    if count < kept {
        return;
    }
    if let (Some((at, _)), Some((_, successor))) = (first, second)
        && successor.at < horizon
    {
        older.remove(at);
    }
}
