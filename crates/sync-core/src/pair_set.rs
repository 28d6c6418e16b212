//! A set of pairs, one bit each.

use sync_types::PairId;

/// A set of pair numbers, one bit each: a million pairs in 125 kB.
#[derive(Debug, Default)]
pub(crate) struct PairSet(Vec<u64>);

impl PairSet {
    /// Adds a number; false if it was there.
    pub(crate) fn insert(&mut self, id: PairId) -> bool {
        let Ok(word) = usize::try_from(id.0 / 64) else { return true };
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let bit = 1 << (id.0 % 64);
        let was = self.0[word] & bit != 0;
        self.0[word] |= bit;
        !was
    }

    pub(crate) fn contains(&self, id: PairId) -> bool {
        usize::try_from(id.0 / 64)
            .ok()
            .and_then(|word| self.0.get(word))
            .is_some_and(|word| word & (1 << (id.0 % 64)) != 0)
    }
}
