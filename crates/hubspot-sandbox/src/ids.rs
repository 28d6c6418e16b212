//! Seeded numbers: record ids, correlation ids and shuffles come from here and from nowhere else.

use serde::{Deserialize, Serialize};

/// SplitMix64: a small generator whose whole state is one number, so a snapshot can carry it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A version 4 UUID in its usual spelling.
    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (b >> 50),
            b & 0xffff_ffff_ffff
        )
    }

    /// Fisher-Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = usize::try_from(self.below(i as u64 + 1)).unwrap_or(0);
            items.swap(i, j);
        }
    }
}

/// Gives out twelve-digit ids that increase with gaps. Each object type has its own, so ids of two types overlap.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IdSource {
    last: u64,
}

impl IdSource {
    pub(crate) fn starting_near(floor: u64, rng: &mut Rng) -> IdSource {
        IdSource { last: floor + rng.below(1_000_000) }
    }

    pub(crate) fn next(&mut self, rng: &mut Rng) -> u64 {
        self.last += 1 + rng.below(9);
        self.last
    }
}
