//! Which of the files that lie there are to be taken in now, and in which order. Pure.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::config::{Order, Ready};

/// A file as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name inside the place, with `/` between parts.
    pub(super) name: String,
    pub(super) bytes: u64,
    /// Changes whenever its content does.
    pub(super) stamp: String,
    /// When it was changed, by the place's clock.
    pub(super) changed: Timestamp,
}

/// What an earlier look saw of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) bytes: u64,
    pub(super) stamp: String,
    /// Since when it has been so.
    pub(super) since: Timestamp,
}

/// What is to become of a collection's files, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Take it in.
    Take(Listed),
    /// Archive it unread: a newer one holds everything.
    PassOver(Listed),
    /// It comes before one that was taken in already: a person must say what it is.
    TooLate(Listed),
}

/// Whether a file's writer is done with it.
pub(super) fn is_ready(
    file: &Listed,
    rule: &Ready,
    is_there: impl Fn(&str) -> bool,
    looked: Option<&Looked>,
    now: Timestamp,
) -> bool {
    match rule {
        Ready::Named => true,
        Ready::Marker { suffix } => is_there(&format!("{}{suffix}", file.name)),
        Ready::Settled { seconds } => {
            let rested = |since: Timestamp| {
                let age = now.duration_since(since);
                u64::try_from(age.as_secs()).is_ok_and(|age| age >= *seconds)
            };
            let is_same = |looked: &&Looked| looked.bytes == file.bytes && looked.stamp == file.stamp;
            // The place's clock may be wrong either way, so what we saw ourselves counts too.
            rested(file.changed) || looked.filter(is_same).is_some_and(|looked| rested(looked.since))
        }
    }
}

/// What to do with files that were not taken in yet. `ready` says of each whether its writer is done; `last` is the one that
/// was taken in last.
pub(super) fn due(
    files: &[Listed],
    ready: impl Fn(&Listed) -> bool,
    order: Order,
    takes_newest_only: bool,
    last: Option<&(String, Timestamp)>,
) -> Vec<Due> {
    let mut files: Vec<&Listed> = files.iter().collect();
    files.sort_by(|one, other| before(order, (&one.name, one.changed), (&other.name, other.changed)));
    let is_late = |file: &Listed| {
        last.is_some_and(|(name, changed)| {
            // Written anew under the same name, it is a later one.
            file.name != *name && before(order, (&file.name, file.changed), (name, *changed)).is_lt()
        })
    };
    if takes_newest_only {
        let newest = files.iter().rposition(|file| ready(file) && !is_late(file));
        let passed = |(place, file): (usize, &&Listed)| {
            let superseded = newest.map_or_else(|| is_late(file), |newest| place < newest || is_late(file));
            match () {
                () if Some(place) == newest => Some(Due::Take((*file).clone())),
                () if superseded && ready(file) => Some(Due::PassOver((*file).clone())),
                () => None,
            }
        };
        return files.iter().enumerate().filter_map(passed).collect();
    }
    let mut all = Vec::new();
    for file in files {
        if !ready(file) {
            // What comes behind it must wait for it.
            break;
        }
        all.push(if is_late(file) { Due::TooLate(file.clone()) } else { Due::Take(file.clone()) });
    }
    all
}

fn before(order: Order, one: (&str, Timestamp), other: (&str, Timestamp)) -> Ordering {
    match order {
        Order::Name => natural(one.0, other.0),
        Order::Changed => one.1.cmp(&other.1).then_with(|| natural(one.0, other.0)),
    }
}

/// Compares names as people count: runs of digits by their value, everything else by its characters.
pub(super) fn natural(one: &str, other: &str) -> Ordering {
    let (mut one_rest, mut other_rest) = (one, other);
    loop {
        let (one_run, one_tail) = run(one_rest);
        let (other_run, other_tail) = run(other_rest);
        let digits = |text: &str| text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
        let ordering = if digits(one_run) && digits(other_run) {
            let (a, b) = (one_run.trim_start_matches('0'), other_run.trim_start_matches('0'));
            a.len().cmp(&b.len()).then_with(|| a.cmp(b))
        } else {
            one_run.cmp(other_run)
        };
        if ordering.is_ne() {
            return ordering;
        }
        if one_tail.is_empty() || other_tail.is_empty() {
            // Names that differ in leading zeros alone are told apart too.
            return one_tail.len().cmp(&other_tail.len()).then_with(|| one.cmp(other));
        }
        (one_rest, other_rest) = (one_tail, other_tail);
    }
}

/// The run of digits, or of others, at the start of a text, and the rest.
fn run(text: &str) -> (&str, &str) {
    let is_digit = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len());
    text.split_at(end)
}

/// Whether a name matches a pattern in which `*` stands for any characters but `/`.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (patterns, parts) = (pattern.split('/'), name.split('/'));
    patterns.clone().count() == parts.clone().count()
        && patterns.zip(parts).all(|(one, part)| fits(one, part))
}

fn fits(pattern: &str, part: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|head| part.strip_prefix(head)) else { return false };
    let Some(tail) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(tail)
}
