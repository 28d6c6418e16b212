//! From one page to the next: what is asked for then, or why the scan cannot be trusted.

use super::{ANCHORS, At, Border, Guard, Met, Place, digest, overlap};
use crate::rest::description::{PageKind, Pages};

/// Most empty pages in a row before a scan is given up.
const EMPTY_MAX: u32 = 1_000;

/// Why a scan cannot go on, or cannot be taken for complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error(
        "the same page came again for another place in the list; does the API know the paging parameter?"
    )]
    SamePage,
    #[error("the API leads from page to page in a circle")]
    Circle,
    #[error(
        "the pages became longer during the scan, so that records may have been left out; start anew, or set \
         `uneven = true` if the API leaves records out of its pages"
    )]
    Grew,
    #[error("the list moved by more than a page between two requests; start anew")]
    Moved,
    #[error(
        "the list reached {0} records, which is the most that the API shows of one list: the rest is cut off. \
         Narrow the list, or read it by another kind of paging"
    )]
    Cap(u64),
    #[error("the API says that there are {total} records, and the scan met {met}; start anew")]
    Short { total: u64, met: u64 },
    #[error(
        "more records share one value of the paging key than fit on a page; raise `size`, or page by another key"
    )]
    Crowded,
    #[error("the last record of a page has no value to go on from")]
    NoValue,
}

impl Fault {
    /// Whether a new scan may go through.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Fault::Grew | Fault::Moved | Fault::Short { .. })
    }
}

/// What follows from a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Where the scan goes on; `None` at its end.
    pub(crate) next: Option<Place>,
    /// Records of the page that were met before, as numbers of [`Met::ids`]; all others are to be used, whatever comes
    /// next.
    pub(crate) known: Vec<u64>,
}

/// What follows from a page, or why the scan cannot go on.
pub(crate) fn step(pages: &Pages, place: &Place, met: &Met) -> Result<Turn, Fault> {
    let page = (!met.ids.is_empty()).then(|| digest(&format!("{:?}", met.ids)));
    if let Some(border) = &place.check {
        let next = Place { check: None, ..place.clone() };
        let next = (next.at != At::End).then_some(next);
        if page == border.page {
            return Ok(Turn { next, known: met.ids.clone() });
        }
        let is_gone = border.short && met.ids.is_empty();
        if !border.ids.is_empty() && !is_gone && !border.ids.iter().any(|id| met.ids.contains(id)) {
            return Err(Fault::Moved);
        }
        return Ok(Turn { next, known: Vec::new() });
    }
    let known = known(pages, place, met);
    let next = following(pages, place, met, page, &known)?;
    Ok(Turn { next, known })
}

/// Records of a page that the page before ended with.
fn known(pages: &Pages, place: &Place, met: &Met) -> Vec<u64> {
    let before = place.last.as_ref().map(|border| border.ids.as_slice()).unwrap_or_default();
    match &pages.kind {
        PageKind::Offset { .. } => {
            let first = met.ids.first().filter(|first| before.last() == Some(*first));
            first.copied().into_iter().collect()
        }
        PageKind::Keyset { ties: Some(_), .. } => {
            met.ids.iter().filter(|id| before.contains(id)).copied().collect()
        }
        _ => Vec::new(),
    }
}

fn following(
    pages: &Pages,
    place: &Place,
    met: &Met,
    page: Option<u64>,
    known: &[u64],
) -> Result<Option<Place>, Fault> {
    let count = met.ids.len() as u64;
    let is_same = page.is_some() && page == place.page;
    let counted = place.seen + count - known.len() as u64;
    let mut next = Place {
        page: page.or(place.page),
        seen: counted,
        sizes: if count == 0 {
            place.sizes
        } else {
            Some(place.sizes.map_or((count, count), |(least, most)| (least.min(count), most.max(count))))
        },
        empty: if count == 0 { place.empty + 1 } else { 0 },
        tries: 0,
        ..place.clone()
    };
    let again = |fault: Fault| {
        if place.tries > 0 {
            return Err(fault);
        }
        Ok(Some(Place { tries: 1, ..place.clone() }))
    };
    if next.empty > EMPTY_MAX {
        return Err(Fault::Circle);
    }
    next.at = match &pages.kind {
        PageKind::None => At::End,
        PageKind::Page { first, last, uneven, .. } => {
            let number = if let At::Page(number) = &place.at { *number } else { *first };
            if is_same {
                return again(Fault::SamePage);
            }
            // A page after a shorter one: where the server counts in longer pages now, it leaves records out.
            if !uneven && place.sizes.is_some_and(|(least, _)| count > least) {
                return Err(Fault::Grew);
            }
            let is_last = last.is_some() && met.last.is_some_and(|last| number >= last);
            if count == 0 || is_last { At::End } else { At::Page(number + 1) }
        }
        PageKind::Offset { .. } => {
            let behind = if let At::Offset(behind) = &place.at { *behind } else { 0 };
            let back = overlap(pages, place, behind);
            let before = place.last.as_ref().map(|border| border.ids.as_slice()).unwrap_or_default();
            if back > 0 && !before.is_empty() && !met.ids.iter().any(|id| before.contains(id)) {
                // What was last met is not where it was: records before it are gone, so that others took its place.
                if place.tries > 0 {
                    return Err(Fault::Moved);
                }
                let length = place.sizes.map_or(1, |(_, most)| most);
                let at = At::Offset(behind.saturating_sub(length));
                return Ok(Some(Place { at, tries: 1, seen: counted, ..place.clone() }));
            }
            if back == 0 && is_same && !place.flat {
                return again(Fault::SamePage);
            }
            let reached = behind - back + count;
            next.seen = reached;
            // Only the record that was met before: the end, or a server that gives one record at a time.
            next.flat = back > 0 && count == 1;
            if count == 0 { At::End } else { At::Offset(reached) }
        }
        PageKind::Cursor { .. } | PageKind::Link | PageKind::Url { .. } => match &met.next {
            None => At::End,
            Some(cursor) => {
                let is_asked = matches!(&place.at, At::Cursor(asked) | At::Url(asked) if asked == cursor);
                match (is_asked, count) {
                    // Some servers keep giving the last cursor.
                    (true, 0) => At::End,
                    (true, _) => return again(Fault::Circle),
                    (false, _) => {
                        let guard: Option<Guard> = place.guard.after(digest(cursor));
                        next.guard = guard.ok_or(Fault::Circle)?;
                        match pages.kind {
                            PageKind::Cursor { .. } => At::Cursor(cursor.clone()),
                            _ => At::Url(cursor.clone()),
                        }
                    }
                }
            }
        },
        PageKind::Keyset { ties, .. } => {
            let asked = if let At::After(value) = &place.at { Some(value) } else { None };
            match (&met.after, count) {
                (_, 0) => At::End,
                (None, _) => return Err(Fault::NoValue),
                (Some(value), _) if Some(value) != asked => At::After(value.clone()),
                // Nothing but the records of that time came again: the end, unless they fill the page.
                (Some(_), _) if ties.is_some() => {
                    let most = place.sizes.map_or(0, |(_, most)| most);
                    let is_capped =
                        place.sizes.is_some_and(|(_, most)| place.asked.is_none_or(|asked| most < asked))
                            && !is_same;
                    let full = if is_capped { most } else { place.asked.unwrap_or(most) };
                    if count >= full.max(2) {
                        return Err(Fault::Crowded);
                    }
                    At::End
                }
                (Some(_), _) => return again(Fault::SamePage),
            }
        }
    };
    if met.more == Some(false) {
        next.at = At::End;
    }
    if let Some(cap) = pages.cap.filter(|cap| next.seen >= *cap) {
        return Err(Fault::Cap(cap));
    }
    if let (At::End, Some(total)) = (&next.at, met.total)
        && next.seen < total
    {
        return Err(Fault::Short { total, met: next.seen });
    }
    let short = next.sizes.is_some_and(|(_, most)| count < most);
    let border = |ids| Some(Border { at: place.at.clone(), page, short, ids });
    match &pages.kind {
        PageKind::Keyset { ties: Some(_), .. } => next.last = border(met.ids.clone()),
        PageKind::Offset { .. } if !pages.stable => next.last = border(anchors(&met.ids)),
        PageKind::Page { .. } | PageKind::Link | PageKind::Url { .. } if !pages.stable => {
            next.check.clone_from(&place.last);
            next.last = border(anchors(&met.ids));
        }
        _ => {}
    }
    Ok((next.at != At::End || next.check.is_some()).then_some(next))
}

/// Some records of a page: those at its ends, since what slips over a border comes from there.
fn anchors(ids: &[u64]) -> Vec<u64> {
    if ids.len() <= 2 * ANCHORS {
        return ids.to_vec();
    }
    let (head, tail) = (ids.iter().take(ANCHORS), ids.iter().skip(ids.len() - ANCHORS));
    head.chain(tail).copied().collect()
}
