//! Whether a property is fought over: we set it, somebody sets it back, and so on. Pure.
//!
//! A workflow in HubSpot and a rule in the customer's system may each be right by itself, and together never rest. What
//! both want is seen in the property's history, with the name of whoever sets it back; nothing is kept for it here.

use jiff::Timestamp;
use sync_types::{Fingerprint, Version};

/// Who has set a property back from what we wrote to one and the same other value, again and again since a moment, at least
/// `flips` times. `history` has our last write as its newest version; `None`: nobody has, or not as often.
pub(crate) fn opponent(
    history: &[Version],
    print: impl Fn(&Version) -> Fingerprint,
    is_ours: impl Fn(&Version) -> bool,
    since: Timestamp,
    flips: u32,
) -> Option<&str> {
    let (newest, rest) = history.split_first()?;
    if !is_ours(newest) || flips == 0 {
        return None;
    }
    let ours = print(newest);
    let mut found = 0;
    let mut theirs: Option<&Version> = None;
    // Whether the version above was ours; several of one side in a row are one move.
    let mut was_ours = true;
    for version in rest.iter().take_while(|version| version.at >= since) {
        let (value, by_us) = (print(version), is_ours(version));
        let is_as_before = match (by_us, theirs) {
            (true, _) => value == ours,
            (false, Some(theirs)) => value == print(theirs),
            (false, None) => value != ours,
        };
        if !is_as_before {
            break;
        }
        if !by_us {
            theirs.get_or_insert(version);
        } else if !was_ours {
            // They set it back from this one.
            found += 1;
            if found >= flips {
                return theirs.map(|version| &*version.by);
            }
        }
        was_ours = by_us;
    }
    None
}

#[cfg(test)]
mod tests;
