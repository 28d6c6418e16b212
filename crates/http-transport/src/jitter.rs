//! Randomness from a seed, so that a run can be replayed; used for jitter only, never for secrets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64: a small generator whose whole state is one counter, so it can be shared without a lock.
#[derive(Debug)]
pub struct SplitMix64 {
    state: AtomicU64,
}

impl SplitMix64 {
    /// A generator that gives the same numbers for the same seed and order of calls.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// The next number.
    pub fn next_u64(&self) -> u64 {
        let mut z = self.state.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A duration between half of `interval` and all of it: spread enough that callers who failed together do not
    /// return together, and never so short that waiting was pointless.
    pub fn jittered(&self, interval: Duration) -> Duration {
        let half = interval / 2;
        let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        if nanos == 0 {
            return interval;
        }
        half + Duration::from_nanos(self.next_u64() % nanos.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_published_sequence_for_a_seed() {
        // Reference values of the public-domain SplitMix64 for seed 1234567.
        let generator = SplitMix64::new(1_234_567);
        assert_eq!(generator.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(generator.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn jitter_stays_between_half_and_whole() {
        let generator = SplitMix64::new(7);
        let whole = Duration::from_millis(800);
        let drawn: Vec<Duration> = (0..1_000).map(|_| generator.jittered(whole)).collect();
        assert!(drawn.iter().all(|d| (whole / 2..=whole).contains(d)));
        assert!(drawn.iter().max() > drawn.iter().min());
        assert_eq!(generator.jittered(Duration::ZERO), Duration::ZERO);
    }
}
