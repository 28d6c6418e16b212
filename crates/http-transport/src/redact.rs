//! What may appear in logs and errors: paths with numeric ids and known words, texts without addresses and values.

/// A request's path as it may be logged: no query, and no segment that could be a personal value.
///
/// A segment stays when it is short and made of lower-case letters, digits, `-`, `_` and `.` without looking like an
/// address; record ids, version dates, type ids and property names pass. Everything else, such as an e-mail used as a
/// key, becomes `{…}`.
///
/// ```
/// # use http_transport::redact_path;
/// assert_eq!(redact_path("/crm/objects/2026-03/0-1/123?idProperty=email"), "/crm/objects/2026-03/0-1/123");
/// assert_eq!(redact_path("/crm/objects/2026-03/contacts/ann%40example.com"), "/crm/objects/2026-03/contacts/{…}");
/// ```
#[must_use]
pub fn redact_path(path_and_query: &str) -> String {
    let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
    let mut out = String::with_capacity(path.len());
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        out.push_str(if is_harmless_segment(segment) { segment } else { "{…}" });
    }
    out
}

fn is_harmless_segment(segment: &str) -> bool {
    let all_of = |allowed: fn(u8) -> bool| segment.bytes().all(allowed);
    // A dot is what addresses and domains have and ids do not.
    segment.len() <= 64 && all_of(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A server's message as it may be logged or shown: at most 300 characters, addresses and quoted values replaced,
/// long digit runs kept (record ids help support, and are no personal values).
///
/// ```
/// # use http_transport::redact_text;
/// assert_eq!(redact_text("no contact with email ann@example.com"), "no contact with email [address]");
/// assert_eq!(redact_text("value \"Ann Lee\" is bad"), "value \"…\" is bad");
/// ```
#[must_use]
pub fn redact_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(320));
    let mut quoted: Option<char> = None;
    let mut word = String::new();
    for c in text.chars() {
        if let Some(end) = quoted {
            if c == end {
                out.push('…');
                out.push(c);
                quoted = None;
            }
            continue;
        }
        if c.is_whitespace() || matches!(c, '"' | '\u{201c}' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}')
        {
            push_word(&mut out, &mut word);
            out.push(if c.is_control() { ' ' } else { c });
            quoted = match c {
                '"' => Some('"'),
                '\u{201c}' => Some('\u{201d}'),
                _ => None,
            };
        } else {
            word.push(c);
        }
        if out.len() > 300 {
            break;
        }
    }
    if quoted.is_some() {
        out.push('…');
    }
    push_word(&mut out, &mut word);
    if let Some((cut, _)) = out.char_indices().nth(300) {
        out.truncate(cut);
        out.push('…');
    }
    out
}

fn push_word(out: &mut String, word: &mut String) {
    if word.contains('@') || word.contains("%40") {
        out.push_str("[address]");
    } else {
        out.push_str(word);
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_keep_ids_and_words_and_lose_values() {
        for (path, expected) in [
            ("/crm/objects/2026-03/p123_order/batch/read", "/crm/objects/2026-03/p123_order/batch/read"),
            ("/a/ann.lee", "/a/{…}"),
            ("/a/Ann%20Lee", "/a/{…}"),
            ("/a/b?email=ann@example.com", "/a/b"),
            ("", ""),
        ] {
            assert_eq!(redact_path(path), expected, "{path}");
        }
    }

    #[test]
    fn texts_lose_addresses_and_quoted_values_and_are_bounded() {
        for (text, expected) in [
            ("plain text 123456789", "plain text 123456789"),
            ("(ann@example.com)", "([address])"),
            ("unclosed \"Ann", "unclosed \"…"),
            ("a\nb", "a b"),
            ("“Ann” is wrong", "“…” is wrong"),
        ] {
            assert_eq!(redact_text(text), expected, "{text}");
        }
        assert!(redact_text(&"word ".repeat(500)).chars().count() <= 301);
        assert!(redact_text(&"é".repeat(5_000)).chars().count() <= 301);
    }
}
