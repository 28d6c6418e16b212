//! What was recorded or written down: cURL commands, HAR files, JSON samples, CSV headers.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value as Json;

use super::form::{Form, Kind};
use super::operation::{Found, FoundCredential, Operation, Parameter};
use super::words;

/// Most requests of a recording that are looked at.
const ENTRIES_MAX: usize = 5_000;

/// Stands where no address is known.
pub(super) const NOWHERE: &str = "https://api.example.com";

/// One request as it was recorded.
#[derive(Debug)]
pub(super) struct Sampled<'h> {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: &'h [(String, String)],
    pub(super) sent: Option<Json>,
    pub(super) answer: Option<Form>,
    pub(super) links: bool,
}

/// Adds a recorded request to what was found. Values of its query are kept only where they are harmless words.
pub(super) fn operation(sampled: Sampled<'_>, found: &mut Found) {
    let Some(url) = Url::of(&sampled.url) else { return };
    match found.bases.first() {
        None => {
            if url.origin == NOWHERE {
                found.notes.push(String::from("the file names no host: set `base_url`"));
            }
            found.bases.push((String::new(), url.origin.clone()));
        }
        Some((_, known)) if *known != url.origin => {
            let note = format!("calls to {} are left out: one description is about one server", url.origin);
            if !found.notes.contains(&note) {
                found.notes.push(note);
            }
            return;
        }
        Some(_) => {}
    }
    let query = url.query.into_iter().map(|(name, value)| {
        let value = Some(value).filter(|value| is_harmless(value) && !is_secret(&name));
        Parameter { name, required: false, value, max: None }
    });
    found.add(Operation {
        method: sampled.method,
        path: url.path,
        query: query.collect(),
        headers: sampled.headers.iter().map(|(name, _)| name.to_lowercase()).collect(),
        sent: sampled.sent.as_ref().map(Form::of_sample),
        answer: sampled.answer,
        links: sampled.links,
    });
}

fn is_secret(name: &str) -> bool {
    words::find(std::iter::once(name), words::SECRET).is_some()
}

/// A word, a list of words or a small number: nothing that names a person.
fn is_harmless(value: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | ',' | '.' | '-');
    let is_small = value.len() <= 4 && value.chars().all(|c| c.is_ascii_digit());
    !value.is_empty() && value.len() <= 60 && (is_small || value.chars().all(is_word))
}

/// An address taken apart, its changing parts named.
struct Url {
    origin: String,
    path: String,
    query: Vec<(String, String)>,
}

impl Url {
    fn of(text: &str) -> Option<Url> {
        let text = text.trim();
        let (origin, rest) = match text.split_once("://") {
            Some((scheme, rest)) if matches!(scheme, "http" | "https") => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (host, path) = rest.split_at(end);
                // A name or password in the address is not copied.
                let host = host.rsplit('@').next().unwrap_or(host);
                if host.contains("{{") {
                    (NOWHERE.to_owned(), path)
                } else {
                    (format!("{scheme}://{host}"), path)
                }
            }
            _ => {
                let rest = text
                    .strip_prefix("{{")
                    .and_then(|rest| rest.split_once("}}"))
                    .map_or(text, |(_, rest)| rest);
                (NOWHERE.to_owned(), rest)
            }
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(segment).collect();
        let query = query.split('&').filter(|pair| !pair.is_empty());
        let query = query.map(|pair| {
            let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
            decoded.map(|(name, value)| (name.into_owned(), value.into_owned())).unwrap_or_default()
        });
        Some(Url { origin, path: format!("/{}", segments.join("/")), query: query.collect() })
    }
}

/// A segment of a path; one that looks like an id becomes a place.
fn segment(segment: &str) -> String {
    if let Some(name) = segment.strip_prefix(':') {
        return format!("{{{name}}}");
    }
    if let Some(name) = segment.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
        return format!("{{{name}}}");
    }
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let hex = segment.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_hash = segment.len() >= 16 && hex + segment.matches('-').count() == segment.len();
    let has_address = segment.contains('@') || segment.contains("%40");
    let is_mixed = segment.len() >= 12
        && segment.bytes().any(|byte| byte.is_ascii_digit())
        && segment.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_number || is_hash || has_address || is_mixed { String::from("{id}") } else { segment.to_owned() }
}

/// The kind of credential that a recorded request carried.
pub(super) fn credential_of(sampled: &Sampled<'_>) -> Option<FoundCredential> {
    for (name, value) in sampled.headers {
        let lower = name.to_lowercase();
        if lower == "authorization" {
            let scheme = value.split_ascii_whitespace().next().unwrap_or_default().to_lowercase();
            return Some(match scheme.as_str() {
                "basic" => FoundCredential::Basic,
                "bearer" => FoundCredential::Bearer,
                _ => FoundCredential::Header(String::from("Authorization")),
            });
        }
        let parts = ["api-key", "apikey", "auth-token", "access-token", "x-token", "api-token"];
        if parts.iter().any(|part| lower.contains(part)) {
            return Some(FoundCredential::Header(name.clone()));
        }
    }
    let url = Url::of(&sampled.url)?;
    let key = url.query.into_iter().map(|(name, _)| name).find(|name| is_secret(name));
    key.map(FoundCredential::Query)
}

/// HTTP as a browser recorded it (HAR 1.2).
pub(super) fn of_har(har: &Json) -> Found {
    let mut found = Found::default();
    let entries = har["log"]["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let entries: Vec<(&Json, Json)> =
        entries.iter().take(ENTRIES_MAX).filter_map(|entry| Some((entry, recorded_json(entry)?))).collect();
    // A page calls many servers: the one that gives the most JSON is meant.
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (entry, _) in &entries {
        if let Some(url) = entry["request"]["url"].as_str().and_then(Url::of) {
            *counts.entry(url.origin).or_default() += 1;
        }
    }
    let most = counts.iter().max_by_key(|(_, count)| **count).map(|(origin, _)| origin.clone());
    found.bases.extend(most.map(|origin| (String::new(), origin)));
    for (entry, json) in entries {
        let request = &entry["request"];
        let headers = pairs(&request["headers"]);
        let Some(url) = request["url"].as_str() else { continue };
        let links =
            pairs(&entry["response"]["headers"]).iter().any(|(name, _)| name.eq_ignore_ascii_case("link"));
        let sent = request["postData"]["text"].as_str().and_then(|text| serde_json::from_str(text).ok());
        let sampled = Sampled {
            method: request["method"].as_str().unwrap_or("GET").to_uppercase(),
            url: url.to_owned(),
            headers: &headers,
            sent,
            answer: Some(Form::of_sample(&json)),
            links,
        };
        if found.credential.is_none() {
            found.credential = credential_of(&sampled);
        }
        operation(sampled, &mut found);
    }
    found
}

fn pairs(list: &Json) -> Vec<(String, String)> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|pair| Some((pair["name"].as_str()?.to_owned(), pair["value"].as_str()?.to_owned())))
        .collect()
}

/// The JSON of a recorded answer, where it was a good one.
fn recorded_json(entry: &Json) -> Option<Json> {
    let status = entry["response"]["status"].as_u64()?;
    let content = &entry["response"]["content"];
    let text = content["text"].as_str()?;
    if !(200..300).contains(&status) {
        return None;
    }
    let json: Json = if content["encoding"] == "base64" {
        serde_json::from_slice(&BASE64_STANDARD.decode(text).ok()?).ok()?
    } else {
        serde_json::from_str(text).ok()?
    };
    (json.is_object() || json.is_array()).then_some(json)
}

/// cURL commands, one after the other; a backslash continues a line.
pub(super) fn of_curl(text: &str) -> Found {
    let mut found = Found::default();
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    for line in text.lines() {
        let words = shell_words(line.trim().trim_start_matches("$ "));
        let mut words = words.into_iter();
        if words.next().as_deref() != Some("curl") {
            continue;
        }
        let (mut url, mut method, mut headers, mut sent) = (None, None, Vec::new(), None);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-X" | "--request" => method = words.next(),
                "-H" | "--header" => {
                    let header = words.next().unwrap_or_default();
                    if let Some((name, value)) = header.split_once(':') {
                        headers.push((name.trim().to_owned(), value.trim().to_owned()));
                    }
                }
                "-u" | "--user" => {
                    words.next();
                    headers.push((String::from("Authorization"), String::from("Basic")));
                }
                "-d" | "--data" | "--data-raw" | "--data-binary" | "--json" => {
                    sent = words.next().and_then(|body| serde_json::from_str::<Json>(&body).ok());
                    method = method.or_else(|| Some(String::from("POST")));
                }
                "--url" => url = words.next(),
                "-o" | "--output" | "-b" | "--cookie" | "-A" | "--user-agent" | "-m" | "--max-time"
                | "-e" => {
                    words.next();
                }
                flag if flag.starts_with('-') => {}
                _ if url.is_none() => url = Some(word),
                _ => {}
            }
        }
        let Some(url) = url else { continue };
        let method = method.unwrap_or_else(|| String::from("GET")).to_uppercase();
        let sampled = Sampled { method, url, headers: &headers, sent, answer: None, links: false };
        if found.credential.is_none() {
            found.credential = credential_of(&sampled);
        }
        operation(sampled, &mut found);
    }
    found
}

/// The words of a command line, as a shell takes them apart.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.extend(chars.next()),
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => (quote, begun) = (Some(c), true),
            (c, None) if c.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (c, _) => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Records, or an answer that holds them.
pub(super) fn of_json(json: &Json) -> Found {
    let mut form = Form::of_sample(json);
    // One record by itself stands for a list of such.
    let holds_list = |form: &Form| {
        let is_list = |form: &Form| {
            form.kind == Kind::List && form.item.as_ref().is_some_and(|item| item.kind == Kind::Object)
        };
        form.entries
            .iter()
            .any(|(_, below)| is_list(below) || below.entries.iter().any(|(_, below)| is_list(below)))
    };
    if form.kind == Kind::Object && !holds_list(&form) {
        form = Form { item: Some(Box::new(form)), ..Form::of(Kind::List) };
    }
    nameless(form)
}

/// The header of a CSV file and rows, if there are any.
///
/// # Errors
/// There is no header.
pub(super) fn of_csv(text: &str) -> Result<Found, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().ok_or("the file is empty")?;
    let delimiter =
        [';', '\t', '|', ','].into_iter().max_by_key(|mark| (header.matches(*mark).count(), *mark == ','));
    let delimiter = delimiter.filter(|mark| header.contains(*mark));
    let names = cells(header, delimiter);
    let is_name =
        |name: &String| !name.is_empty() && name.len() <= 100 && !name.contains(['{', '}', '<', '>']);
    if names.is_empty() || !names.iter().all(is_name) {
        return Err(String::from(
            "this is none of: OpenAPI or Swagger as JSON, a Postman or Insomnia collection, a HAR file, cURL commands, a \
             JSON sample, the header of a CSV file",
        ));
    }
    let rows: Vec<Vec<String>> = lines.take(50).map(|line| cells(line, delimiter)).collect();
    let entries = names.iter().enumerate().map(|(place, name)| {
        let cells = rows.iter().filter_map(|row| row.get(place)).filter(|cell| !cell.is_empty());
        let forms = cells.map(|cell| Form::of_sample(&typed(cell)));
        (name.clone(), forms.reduce(Form::merged).unwrap_or_else(|| Form::of(Kind::Text)))
    });
    let record = Form { entries: entries.collect(), ..Form::of(Kind::Object) };
    Ok(nameless(Form { item: Some(Box::new(record)), ..Form::of(Kind::List) }))
}

/// A cell as an API would write it; leading zeros are part of a text.
fn typed(cell: &str) -> Json {
    let is_plain = !cell.starts_with('0') || cell.len() == 1 || cell.starts_with("0.");
    match serde_json::from_str::<Json>(cell) {
        Ok(json @ (Json::Number(_) | Json::Bool(_))) if is_plain => json,
        _ => Json::from(cell),
    }
}

fn cells(line: &str, delimiter: Option<char>) -> Vec<String> {
    let Some(delimiter) = delimiter else { return vec![line.trim().trim_matches('"').to_owned()] };
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c == delimiter && !quoted => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

/// A list of which only the records are known.
fn nameless(answer: Form) -> Found {
    let mut found = Found::default();
    found.bases.push((String::new(), NOWHERE.to_owned()));
    found.notes.push(String::from(
        "a sample says nothing of addresses: set `base_url`, and the `path` of each call",
    ));
    found.add(Operation {
        method: String::from("GET"),
        path: String::from("/records"),
        answer: Some(answer),
        ..Operation::default()
    });
    found
}
