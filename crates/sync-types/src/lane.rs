//! Whose turn it is when calls are scarce.

/// How urgent a call is. Waiting calls are served in this order, and by arrival within a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Somebody or something waits for it now.
    #[default]
    Live,
    /// Reads that prove agreement.
    Verify,
    /// First loads and repairs in bulk, which may wait for everything else.
    Backfill,
}
