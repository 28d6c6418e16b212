//! The story that `demo` tells of an engagement that flows both ways: what people do on either side, chapter by chapter.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hubspot_sandbox::Portal;
use jiff::Timestamp;

/// A customer's system with something in it, and what happens to it and to HubSpot.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// Writes the file that `source.file` then names.
    pub write: fn(&Path) -> io::Result<()>,
    /// What happens, in this order.
    pub chapters: &'static [Chapter],
}

/// Something happens, and the program does what it does.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What people do on either side; says in one line what that was.
    pub happens: fn(&Scene<'_>) -> Result<String, Box<dyn Error + Send + Sync>>,
    /// What comes of it.
    pub then: &'static [Then],
}

/// What the program is asked to do in a chapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// `run --once`.
    Run,
    /// So much time passes on both sides, without anybody waiting for it.
    Later(Duration),
    /// A person looks at the conflicts that are held, and decides for HubSpot's values.
    TakeHubSpot,
    /// A person decides for the source's values.
    TakeSource,
    /// The last run is taken back.
    Undo,
}

/// Both sides, for people to work on.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The file that `source.file` names.
    pub file: &'a Path,
    /// What time it is in the story.
    pub now: Timestamp,
    pub(crate) portal: &'a Mutex<Portal>,
}

impl Scene<'_> {
    /// HubSpot, as its people see it. The portal answers nobody while this is held.
    pub fn portal(&self) -> MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
