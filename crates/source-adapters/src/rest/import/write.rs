//! A draft as the text of a description, every guess marked.

use std::fmt::Write as _;

use super::draft::{Draft, DraftCollection, Part, Sure};
use super::operation::FoundCredential;

/// The description's text.
pub(super) fn text(draft: &Draft) -> String {
    let mut out = String::from(
        "# A first description, to be read, corrected and tried (`adapter try`). What the file says stands without a\n\
         # mark; `guess:` says why something is believed, and `decide:` what a person has to.\n",
    );
    for note in &draft.notes {
        line(&mut out, format_args!("# decide: {}", one_line(note)));
    }
    line(&mut out, format_args!("\n[api]\nname = {}", quoted(&draft.name)));
    if let [(_, base)] = draft.bases.as_slice() {
        line(&mut out, format_args!("base_url = {}", quoted(base)));
    }
    if draft.bases.len() > 1 {
        line(&mut out, format_args!("\n[environments]"));
        for (name, base) in &draft.bases {
            line(&mut out, format_args!("{} = {}", key(name), quoted(base)));
        }
    }
    if !draft.variables.is_empty() {
        line(&mut out, format_args!("\n[variables]"));
        for (name, value) in &draft.variables {
            let mark = if value.is_empty() { "  # decide: set it" } else { "" };
            line(&mut out, format_args!("{} = {}{mark}", key(name), quoted(value)));
        }
    }
    credential(&mut out, draft);
    for collection in &draft.collections {
        one(&mut out, collection);
    }
    out
}

fn credential(out: &mut String, draft: &Draft) {
    let prefix: String = draft
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    let secret = |what: &str| format!("{{ secret = \"{prefix}_{what}\" }}");
    let lines = match &draft.credential {
        None => {
            line(
                out,
                format_args!(
                    "\n# decide: the file does not say how calls prove who they are from.\n[auth]\nkind = \"none\""
                ),
            );
            return;
        }
        Some(FoundCredential::Bearer) => format!("kind = \"bearer\"\ntoken = {}", secret("TOKEN")),
        Some(FoundCredential::Basic) => {
            format!("kind = \"basic\"\nuser = {}\npassword = {}", secret("USER"), secret("PASSWORD"))
        }
        Some(FoundCredential::Header(name)) => {
            format!("kind = \"api-key\"\nheader = {}\nvalue = {}", quoted(name), secret("KEY"))
        }
        Some(FoundCredential::Query(name)) => {
            format!("kind = \"api-key\"\nquery = {}\nvalue = {}", quoted(name), secret("KEY"))
        }
        Some(FoundCredential::ClientCredentials { token_url, scope }) => {
            format!("kind = \"client-credentials\"\n{}", client(token_url, scope, &secret))
        }
        Some(FoundCredential::RefreshToken { token_url, scope }) => format!(
            "kind = \"refresh-token\"\n{}\nrefresh_token = {}",
            client(token_url, scope, &secret),
            secret("REFRESH_TOKEN")
        ),
    };
    line(out, format_args!("\n[auth]\n{lines}"));
}

fn client(token_url: &str, scope: &str, secret: &dyn Fn(&str) -> String) -> String {
    let mut lines = format!(
        "token_url = {}\nclient_id = {}\nclient_secret = {}",
        quoted(token_url),
        secret("CLIENT_ID"),
        secret("CLIENT_SECRET")
    );
    if !scope.is_empty() {
        let _ = write!(lines, "\nscope = {}  # guess: all that there are; ask for less", quoted(scope));
    }
    lines
}

fn one(out: &mut String, collection: &DraftCollection) {
    let name = key(&collection.name);
    line(out, format_args!("\n[collections.{name}]"));
    for note in &collection.notes {
        line(out, format_args!("# decide: {}", one_line(note)));
    }
    parts(out, &collection.own);
    if !collection.fields.is_empty() {
        line(out, format_args!("\n[collections.{name}.fields]"));
        for field in &collection.fields {
            let sample = field.sample.as_ref().map(|sample| format!("  # looks like {}", one_line(sample)));
            line(out, format_args!("{} = {}{}", key(&field.name), field.kind, sample.unwrap_or_default()));
        }
    }
    for (call, list) in &collection.calls {
        line(out, format_args!("\n[collections.{name}.{call}]"));
        parts(out, list);
    }
}

fn parts(out: &mut String, parts: &[Part]) {
    for Part { toml, sure, why } in parts {
        match sure {
            Sure::Said => line(out, format_args!("{toml}")),
            Sure::Guessed => line(out, format_args!("{toml}  # guess: {}", one_line(why))),
            Sure::Open => line(out, format_args!("{toml}  # decide: {}", one_line(why))),
        }
    }
}

fn line(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = writeln!(out, "{arguments}");
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A text in TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key in TOML: bare where it can be.
pub(super) fn key(text: &str) -> String {
    let is_bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { text.to_owned() } else { quoted(text) }
}
