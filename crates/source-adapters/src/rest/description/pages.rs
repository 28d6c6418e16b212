//! Lists and how their pages follow each other.

use std::time::Duration;

use super::super::pointer::Pointer;
use super::keys::Keys;
use super::{ListSpec, NextPlace, PageKind, Pages, Slot, Ties, TimeFormat, auth, calls};

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    None,
    Page,
    Offset,
    Cursor,
    Link,
    Url,
    Keyset,
}

const KINDS: [(&str, Kind); 7] = [
    ("none", Kind::None),
    ("page", Kind::Page),
    ("offset", Kind::Offset),
    ("cursor", Kind::Cursor),
    ("link", Kind::Link),
    ("next-url", Kind::Url),
    ("keyset", Kind::Keyset),
];

/// Reads a list; `places` are the names that its call may fill in.
pub(super) fn list(
    name: &str,
    keys: &Keys<'_>,
    places: &[&str],
    modified: Option<TimeFormat>,
) -> Option<ListSpec> {
    let call = calls::read(name, keys, http::Method::GET, places);
    let records = keys.required_pointer("records");
    let pages = match keys.table("paging", "`paging`") {
        Some(paging) => read(&paging, modified),
        None if keys.has("paging") => None,
        None => {
            let remedy = "add `paging = { kind = … }`: none, page, offset, cursor, link, next-url or keyset";
            keys.tell("missing-key", "it is not said how pages follow each other", remedy);
            None
        }
    };
    let (call, pages) = (call?, pages?);
    if slots(&pages).any(|slot| matches!(slot, Slot::Body(_))) && call.method == http::Method::GET {
        let remedy = "set `method = \"POST\"` for this list, or give the parameter in the query";
        keys.tell("no-body", "a paging parameter goes into the body, and a GET has none", remedy);
    }
    Some(ListSpec { call, records: records?, pages })
}

fn slots(pages: &Pages) -> impl Iterator<Item = &Slot> {
    let own = match &pages.kind {
        PageKind::Page { parameter, .. }
        | PageKind::Offset { parameter }
        | PageKind::Cursor { parameter, .. }
        | PageKind::Keyset { parameter, .. } => Some(parameter),
        PageKind::None | PageKind::Link | PageKind::Url { .. } => None,
    };
    own.into_iter().chain(pages.size.as_ref().map(|(slot, _)| slot))
}

fn read(keys: &Keys<'_>, modified: Option<TimeFormat>) -> Option<Pages> {
    let kind = keys.required_word("kind", &KINDS)?;
    let parameter = || {
        let read = keys.required_text("parameter")?;
        Some(slot(&read.value))
    };
    let read = match kind {
        Kind::None => Some(PageKind::None),
        Kind::Page => {
            let first = keys.count("first", 0).unwrap_or(1);
            let last = keys.pointer("last");
            let uneven = keys.flag("uneven").unwrap_or(false);
            parameter().map(|parameter| PageKind::Page { parameter, first, last, uneven })
        }
        Kind::Offset => parameter().map(|parameter| PageKind::Offset { parameter }),
        Kind::Cursor => cursor(keys, parameter()),
        Kind::Link => Some(PageKind::Link),
        Kind::Url => keys.required_pointer("next").map(|next| PageKind::Url { next }),
        Kind::Keyset => keyset(keys, parameter(), modified),
    };
    let (more, total, cap) = (keys.pointer("more"), keys.pointer("total"), keys.count("cap", 1));
    let size = size(keys, kind == Kind::None);
    let moves = matches!(kind, Kind::Page | Kind::Offset);
    let stable = keys.flag("stable").unwrap_or(!moves);
    if !stable && matches!(kind, Kind::Cursor | Kind::Keyset) {
        let remedy = "remove it: what follows a cursor or a key does not depend on what is before it";
        keys.tell_at("stable", "no-meaning", "`stable = false` says nothing for this kind of paging", remedy);
    }
    Some(Pages { kind: read?, size, more, total, cap, stable })
}

fn cursor(keys: &Keys<'_>, parameter: Option<Slot>) -> Option<PageKind> {
    let next = match (keys.pointer("next"), auth::header(keys, "next_header")) {
        (Some(next), None) => Some(NextPlace::Body(next)),
        (None, Some(header)) => Some(NextPlace::Header(header)),
        _ => {
            let remedy = "add `next = \"/paging/next\"`, or `next_header` where it is in a header";
            keys.tell("missing-key", "it is not said where the next cursor stands", remedy);
            None
        }
    };
    Some(PageKind::Cursor { parameter: parameter?, next: next? })
}

fn keyset(keys: &Keys<'_>, parameter: Option<Slot>, modified: Option<TimeFormat>) -> Option<PageKind> {
    let from = keys.required_pointer("from");
    // Several records share a time, and a page may end among them.
    let ties = keys.word("ties", &[("included", true), ("excluded", false)]).map(|included| {
        let format = keys.word("format", &auth::TIMES).or(modified).unwrap_or(TimeFormat::Rfc3339);
        let unit = keys.duration("unit").unwrap_or(match format {
            TimeFormat::Day => Duration::from_secs(86_400),
            TimeFormat::EpochMillis => Duration::from_millis(1),
            TimeFormat::Rfc3339 | TimeFormat::Utc | TimeFormat::Epoch => Duration::from_secs(1),
        });
        Ties { format, back: if included { Duration::ZERO } else { unit } }
    });
    if ties.is_some() && !keys.has("size") {
        let remedy = "add `size = { parameter = …, value = … }` with a size that the API really gives";
        keys.tell("missing-key", "records that share a time need a page size, to know the end by", remedy);
    }
    Some(PageKind::Keyset { parameter: parameter?, from: from?, ties })
}

/// `size = { parameter = "limit", value = 100 }`.
fn size(keys: &Keys<'_>, is_none: bool) -> Option<(Slot, u64)> {
    let table = keys.table("size", "`size`")?;
    if is_none {
        keys.tell_at("size", "no-meaning", "there are no pages to have a size", "remove `size`");
    }
    let parameter = table.required_text("parameter");
    let value = table.count("value", 1);
    if value.is_none() && !table.has("value") {
        table.tell("missing-key", "`size` needs the key `value`", "add `value = 100`");
    }
    Some((slot(&parameter?.value), value?))
}

/// A name of the query, or a JSON pointer into the body.
fn slot(text: &str) -> Slot {
    match Pointer::parse(text).filter(|_| text.starts_with('/')) {
        Some(pointer) => Slot::Body(pointer),
        None => Slot::Query(text.to_owned()),
    }
}
