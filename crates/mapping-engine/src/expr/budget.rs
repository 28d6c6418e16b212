//! What one evaluation may cost, so that no record and no expression can hold the sync up.

use crate::flow::Failure;

/// Operators evaluated, items visited and pieces of 64 bytes read or written, in one evaluation.
const STEPS_MAX: u32 = 50_000;

#[derive(Debug)]
pub(super) struct Budget(u32);

impl Budget {
    pub(super) fn new() -> Budget {
        Budget(STEPS_MAX)
    }

    pub(super) fn step(&mut self) -> Result<(), Failure> {
        self.spend(1)
    }

    /// Work on so many bytes.
    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), Failure> {
        self.spend(bytes / 64 + 1)
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Failure> {
        match u32::try_from(steps).ok().and_then(|steps| self.0.checked_sub(steps)) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(Failure::new(
                "expression-too-costly",
                "the expression takes more steps than one record may cost",
                "make the expression simpler, or shorten the lists and texts it works on",
            )),
        }
    }
}
