//! Whether one thing that a run wrote can be taken back. Pure: a history in, a verdict out.

use jiff::{SignedDuration, Timestamp};
use sync_types::{Fingerprint, PropertyName, Value, Version};

/// What HubSpot sets by itself while it makes a record bears the moment of its making, give or take this.
const AT_BIRTH: SignedDuration = SignedDuration::from_secs(1);

/// How far HubSpot's clock and ours may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What is known of one value that a run wrote to HubSpot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrote {
    /// What HubSpot showed before, where that was known.
    pub(super) before: Option<Fingerprint>,
    /// What was written.
    pub(super) after: Fingerprint,
    /// How HubSpot shows what was written, where it shows it in a form of its own.
    pub(super) shown_as: Option<Fingerprint>,
}

/// The verdict on one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This value goes back.
    Restore(Value),
    /// It is back already, or never arrived.
    Already,
    /// It stays as it is, for this reason.
    Keep(String),
}

/// The verdict on a value in HubSpot, by its history, the newest version first.
pub(super) fn of_value(
    history: &[Version],
    wrote: Wrote,
    null: Fingerprint,
    print: impl Fn(&Version) -> Fingerprint,
) -> Verdict {
    let is_ours = |version: &Version| {
        let print = print(version);
        print == wrote.after || Some(print) == wrote.shown_as
    };
    let Some(newest) = history.first() else {
        return match (wrote.before, wrote.after == null) {
            // It has no history because it never had a value.
            (_, true) => Verdict::Already,
            (Some(before), false) if before == null => Verdict::Already,
            _ => Verdict::Keep("HubSpot shows no history of it".into()),
        };
    };
    if !is_ours(newest) {
        if wrote.before == Some(print(newest)) {
            return Verdict::Already;
        }
        return Verdict::Keep(format!("it was changed since, by {} at {}", newest.by, newest.at));
    }
    let below = history.iter().position(|version| !is_ours(version));
    if let (Some(at), Some(before)) = (below, wrote.before) {
        // Down to what the run replaced: ours below somebody's means that she changed it and set it back.
        let mut since = history.iter().skip(at).take_while(|version| print(version) != before);
        if since.any(is_ours) {
            return Verdict::Keep(format!(
                "it was changed and set back since, by {} at {}",
                newest.by, newest.at
            ));
        }
    }
    match below.and_then(|at| history.get(at)).map(|version| version.value.clone()) {
        Some(Value::Null) | None if wrote.after == null => Verdict::Already,
        Some(value) => Verdict::Restore(value),
        // A history begins with the first value: where nothing is known to have been there, it was empty.
        None if wrote.before.is_none_or(|before| before == null) => Verdict::Restore(Value::Null),
        None => Verdict::Keep("HubSpot's history does not reach back to what was there before".into()),
    }
}

/// Whether a record that a run made in HubSpot is as it made it. `key` is the property that holds the sync key, and
/// `ours` says whether a version of it is the key that the run gave it.
pub(super) fn of_birth(
    histories: &[(PropertyName, Vec<Version>)],
    key: &PropertyName,
    ours: impl Fn(&Version) -> bool,
    made_at: Timestamp,
) -> Result<(), String> {
    let keys = histories.iter().find(|(name, _)| name == key).map_or(&[][..], |(_, versions)| versions);
    let Some(birth) = keys.first().filter(|newest| ours(newest)) else {
        return Err(format!("its sync key is not the one that the run gave it: {key} was changed"));
    };
    if birth.at < made_at.saturating_sub(SKEW).unwrap_or(Timestamp::MIN) {
        return Err("it was there before the run".into());
    }
    for (name, versions) in histories {
        for version in versions {
            let age = version.at.duration_since(birth.at);
            if age < -AT_BIRTH {
                return Err("it was there before the run".into());
            }
            if age > AT_BIRTH && version.by != birth.by {
                return Err(format!("{name} was changed since, by {} at {}", version.by, version.at));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
