//! Text: spaces, case, Unicode form, length, patterns. Each keeps the borrowed text when nothing changes.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::flow::Failure;

/// A part of the text, without a copy where it is borrowed.
pub(crate) fn part<'a>(text: Cow<'a, str>, pick: impl for<'b> Fn(&'b str) -> &'b str) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(pick(text)),
        Cow::Owned(text) => {
            let kept = pick(&text);
            if kept.len() == text.len() { Cow::Owned(text) } else { Cow::Owned(kept.to_owned()) }
        }
    }
}

/// Whether a character is white space or one of the invisible ones that spreadsheets leave at the ends.
fn blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{2060}')
}

pub(crate) fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    part(text, |text| text.trim_matches(blank))
}

pub(crate) fn collapse_spaces(text: Cow<'_, str>) -> Cow<'_, str> {
    let text = trim(text);
    let mut after_blank = false;
    // Tidy texts of ASCII, which most are, are told by their bytes.
    let tidy = text.bytes().all(|b| {
        let fine = (b > b' ' && b < 0x7f) || (b == b' ' && !after_blank);
        after_blank = b == b' ';
        fine
    });
    if tidy {
        return text;
    }
    after_blank = false;
    let tidy = text.chars().all(|c| {
        let fine = !blank(c) || (c == ' ' && !after_blank);
        after_blank = blank(c);
        fine
    });
    if tidy {
        return text;
    }
    let mut done = String::with_capacity(text.len());
    for word in text.split(blank).filter(|word| !word.is_empty()) {
        if !done.is_empty() {
            done.push(' ');
        }
        done.push_str(word);
    }
    Cow::Owned(done)
}

pub(crate) fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return text;
    }
    Cow::Owned(text.to_lowercase())
}

pub(crate) fn upper(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_lowercase()) {
        return text;
    }
    Cow::Owned(text.to_uppercase())
}

/// Each word begins with a capital and goes on in small letters; a word begins after anything but a letter, a
/// digit or an apostrophe.
pub(crate) fn title(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut done = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            done.extend(c.to_lowercase());
        } else {
            // A letter whose capital is two letters, such as ß, stays as it is.
            let mut capital = c.to_uppercase();
            let first = capital.next().filter(|_| capital.next().is_none());
            done.push(first.unwrap_or(c));
        }
        inside = c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '\'' | '’');
    }
    if done == *text { text } else { Cow::Owned(done) }
}

pub(crate) fn nfc(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    Cow::Owned(text.nfc().collect())
}

pub(crate) fn nfkc(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() {
        return text;
    }
    let normal: String = text.nfkc().collect();
    if normal == *text { text } else { Cow::Owned(normal) }
}

/// Trims, and fills a shorter text up in front.
pub(crate) fn pad(text: Cow<'_, str>, chars: usize, with: char) -> Cow<'_, str> {
    let text = trim(text);
    if text.is_empty() {
        return text;
    }
    let missing = chars.saturating_sub(text.chars().count());
    if missing == 0 {
        return text;
    }
    Cow::Owned(std::iter::repeat_n(with, missing).chain(text.chars()).collect())
}

/// Words, in lower case, that mean that there is no value.
pub(crate) fn empty_if<'a>(text: Cow<'a, str>, words: &[String]) -> Cow<'a, str> {
    let bare = text.trim();
    let found = words.iter().any(|word| word.eq_ignore_ascii_case(bare) || *word == bare.to_lowercase());
    if found { Cow::Borrowed("") } else { text }
}

pub(crate) fn replace<'a>(text: Cow<'a, str>, find: &str, with: &str) -> Cow<'a, str> {
    if text.contains(find) { Cow::Owned(text.replace(find, with)) } else { text }
}

pub(crate) fn max_length(text: Cow<'_, str>, chars: usize, cut: bool) -> Result<Cow<'_, str>, Failure> {
    // No text has more characters than bytes.
    if text.len() <= chars || text.chars().count() <= chars {
        return Ok(text);
    }
    if !cut {
        return Err(too_long(chars));
    }
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    Ok(trim(part(text, |text| text.get(..end).unwrap_or(text))))
}

pub(crate) fn too_long(chars: usize) -> Failure {
    Failure::new(
        "too-long",
        format!("the value has more than {chars} characters"),
        "shorten it at the source, or cut it with `{ max_length = { chars = …, over = \"cut\" } }`",
    )
}
