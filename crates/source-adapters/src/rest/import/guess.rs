//! Calls become collections: which lists what, how its pages follow each other, what identifies a record.

use super::draft::{Draft, DraftCollection, DraftField, Part, Sure};
use super::form::{Form, Kind};
use super::operation::{Found, Operation, Parameter};
use super::samples::NOWHERE;
use super::words;
use super::write::{key, quoted};

/// Most records of a page that are asked for.
const SIZE: u64 = 100;

pub(super) fn draft(found: Found) -> Draft {
    let mut draft = Draft {
        name: found.name.clone(),
        bases: bases(&found),
        variables: found.variables.clone(),
        credential: found.credential.clone(),
        collections: Vec::new(),
        notes: found.notes.clone(),
    };
    for operation in &found.operations {
        if let Some((path, renamed)) = list_path(operation, &found) {
            let mut collection = collection(operation, &path, &found);
            collection.name = free_name(&draft, &path);
            for name in renamed {
                if draft.variables.iter().all(|(known, _)| *known != name) {
                    draft.variables.push((name, String::new()));
                }
            }
            draft.collections.push(collection);
        }
    }
    draft
}

fn bases(found: &Found) -> Vec<(String, String)> {
    let mut bases: Vec<(String, String)> = Vec::new();
    for (place, (name, url)) in found.bases.iter().enumerate() {
        if bases.iter().any(|(_, known)| known == url) {
            continue;
        }
        let mut name = if name.is_empty() { format!("server-{}", place + 1) } else { name.clone() };
        if bases.iter().any(|(known, _)| *known == name) {
            name = format!("{name}-{}", place + 1);
        }
        bases.push((name, url.clone()));
    }
    if bases.is_empty() {
        bases.push((String::from("production"), NOWHERE.to_owned()));
    }
    bases
}

/// The path of an operation that lists records, with places that are left as variables, and their names.
fn list_path(operation: &Operation, found: &Found) -> Option<(String, Vec<String>)> {
    let has_records = operation.answer.as_ref().is_some_and(|answer| records(answer, "").is_some());
    // Where nothing is known of the answer, a call for one record below it speaks for a list.
    let prefix = format!("{}/{{", operation.path);
    let has_single = || {
        found.operations.iter().any(|other| {
            other.method == "GET" && other.path.strip_prefix(&prefix).is_some_and(|rest| !rest.contains('/'))
        })
    };
    // `/items/{kind}` lists records where `/items/{kind}/{id}` gives one.
    let is_list =
        operation.method == "GET" && (!operation.path.ends_with('}') || (has_records && has_single()));
    let is_unknown = operation.answer.is_none() && (has_single() || found.operations.len() == 1);
    if !is_list || !(has_records || is_unknown) {
        return None;
    }
    let (path, places) = placed(&operation.path, None);
    Some((path, places))
}

/// A path whose places are named as a description may name them; the last one is `{id}` if so asked.
fn placed(path: &str, last: Option<&str>) -> (String, Vec<String>) {
    let mut places = Vec::new();
    let count = path.split('/').count();
    let segments = path.split('/').enumerate().map(|(at, segment)| {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            // A brace within a segment would be read as a place.
            return segment.replace('{', "{{").replace('}', "}}");
        };
        if let (Some(last), true) = (last, at + 1 == count) {
            return format!("{{{last}}}");
        }
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
            .collect();
        // These are filled in by the adapter itself.
        let taken = ["id", "ids", "from", "to", "token"].contains(&name.as_str());
        let name = if taken || name.is_empty() { format!("{name}_above") } else { name };
        places.push(name.clone());
        format!("{{{name}}}")
    });
    let path: Vec<String> = segments.collect();
    (path.join("/"), places)
}

/// A name after the last segments of a path, which no other collection has.
fn free_name(draft: &Draft, path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty() && !segment.contains('{'));
    let clean = |segment: &str| -> String {
        let segment = segment.strip_suffix(".json").unwrap_or(segment);
        segment
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
            .collect()
    };
    let segments: Vec<String> = segments.map(clean).collect();
    let is_free = |name: &str| draft.collections.iter().all(|collection| collection.name != name);
    for count in 1..=segments.len() {
        let name = segments.get(segments.len() - count..).unwrap_or_default().join("_");
        if is_free(&name) {
            return name;
        }
    }
    let base = segments.last().cloned().unwrap_or_else(|| String::from("records"));
    (2..).map(|number| format!("{base}_{number}")).find(|name| is_free(name)).unwrap_or(base)
}

/// Where records stand in an answer, and what one looks like.
fn records<'f>(answer: &'f Form, name: &str) -> Option<(String, &'f Form)> {
    let item = |form: &'f Form| {
        let item = form.item.as_deref()?;
        (form.kind == Kind::List && matches!(item.kind, Kind::Object | Kind::Any)).then_some(item)
    };
    if answer.kind == Kind::List {
        return item(answer).map(|item| (String::new(), item));
    }
    let lists = |form: &'f Form| {
        let lists = form.entries.iter().filter_map(move |(name, form)| Some((name.as_str(), item(form)?)));
        lists.filter(|(_, item)| item.kind == Kind::Object).collect::<Vec<_>>()
    };
    let choose = |found: &[(&'f str, &'f Form)]| {
        let names = found.iter().map(|(name, _)| *name);
        let wanted = std::iter::once(name).chain(words::RECORDS.iter().copied()).collect::<Vec<_>>();
        let only = (found.len() == 1).then(|| found.first().map(|(name, _)| *name)).flatten();
        let chosen = words::find(names, &wanted).or(only)?;
        found.iter().find(|(name, _)| *name == chosen).copied()
    };
    if let Some((name, item)) = choose(&lists(answer)) {
        return Some((format!("/{}", escaped(name)), item));
    }
    // One level down: {"data": {"items": […]}}.
    answer.entries.iter().find_map(|(outer, form)| {
        let (name, item) = choose(&lists(form))?;
        Some((format!("/{}/{}", escaped(outer), escaped(name)), item))
    })
}

fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

fn collection(operation: &Operation, path: &str, found: &Found) -> DraftCollection {
    let mut made = DraftCollection::default();
    let last = path.rsplit('/').find(|segment| !segment.contains('{')).unwrap_or_default();
    let listed = operation.answer.as_ref().and_then(|answer| records(answer, last));
    let empty = Form::default();
    let (at, record) = listed.clone().unwrap_or((String::new(), &empty));
    let names = || record.entries.iter().map(|(name, _)| name.as_str());
    let id = identify(record, last);
    match id {
        Some((id, sure)) => {
            let why = format!("`{id}` is what most APIs call it");
            made.own.push(Part::new(format!("key = {}", quoted(&format!("/{}", escaped(id)))), sure, why));
        }
        None => made.own.push(Part::new("key = \"/id\"", Sure::Open, "which field identifies a record?")),
    }
    let modified = words::find(names(), words::MODIFIED);
    let format = modified.and_then(|name| record.entry(name)).and_then(time_format);
    if let Some(name) = modified {
        let at = quoted(&format!("/{}", escaped(name)));
        let toml = match format {
            Some(format) if format != "rfc3339" => {
                format!("modified = {{ at = {at}, format = \"{format}\" }}")
            }
            _ => format!("modified = {at}"),
        };
        made.own.push(Part::new(toml, Sure::Guessed, "by its name"));
    }
    if let Some(name) = words::find(names(), words::DELETED) {
        let toml = format!("deleted = {}", quoted(&format!("/{}", escaped(name))));
        made.own.push(Part::new(toml, Sure::Guessed, "by its name: such records count as deleted"));
    }
    made.fields = record.entries.iter().map(|(name, form)| field(name, form)).collect();

    let paging = paging(operation, &at, id.map(|(id, _)| id));
    let mut list = vec![Part::new(format!("path = {}", quoted(path)), Sure::Said, "")];
    let (query, notes) = query(operation, &paging);
    list.extend(query);
    made.notes.extend(notes);
    list.push(match &listed {
        Some(_) => Part::new(format!("records = {}", quoted(&at)), Sure::Said, ""),
        None => Part::new("records = \"\"", Sure::Open, "where does the list stand in the answer?"),
    });
    list.push(paging.part.clone());
    made.calls.push(("list", list));
    if modified.is_some() {
        made.calls.extend(since(operation, path, &at, &paging));
    }
    singles(&mut made, operation, found, record);
    made
}

fn identify<'f>(record: &'f Form, collection: &str) -> Option<(&'f str, Sure)> {
    let names = record.entries.iter().map(|(name, _)| name.as_str());
    if let Some(id) = words::find(names.clone(), words::KEY.get(..3).unwrap_or_default()) {
        return Some((id, Sure::Said));
    }
    let single = collection.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let single = single
        .or_else(|| collection.strip_suffix('s').map(str::to_owned))
        .unwrap_or_else(|| collection.to_owned());
    let own = [format!("{single}_id"), format!("{single}Id"), format!("{single}ID")];
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    words::find(names.clone(), &own)
        .or_else(|| words::find(names.clone(), words::KEY))
        .or_else(|| names.clone().find(|name| name.to_lowercase().ends_with("id")))
        .map(|id| (id, Sure::Guessed))
}

/// How a time is written, as a description calls it.
fn time_format(form: &Form) -> Option<&'static str> {
    match (form.kind, form.format.as_deref()) {
        (Kind::Text, Some("utc")) => Some("utc"),
        (Kind::Text, Some("date")) => Some("date"),
        (Kind::Text, _) => Some("rfc3339"),
        (Kind::Number, _) => {
            // Thirteen digits are milliseconds.
            let digits =
                form.sample.as_ref().map_or(10, |sample| sample.chars().filter(|c| *c == '9').count());
            Some(if digits >= 12 { "epoch-ms" } else { "epoch" })
        }
        _ => None,
    }
}

/// The lines of `fields` for records that were seen.
pub(in crate::rest) fn fields_of(records: &[serde_json::Value]) -> String {
    let form = records.iter().map(Form::of_sample).reduce(Form::merged).unwrap_or_default();
    let fields = form.entries.iter().map(|(name, form)| field(name, form));
    fields.map(|field| format!("{} = {}\n", key(&field.name), field.kind)).collect()
}

fn field(name: &str, form: &Form) -> DraftField {
    let kind = match (form.kind, form.format.as_deref()) {
        (Kind::Text, _) if !form.options.is_empty() => "option",
        (Kind::Text, Some("date-time" | "utc")) => "date-time",
        (Kind::Text, Some("date")) => "date",
        (Kind::Text, _) => "text",
        (Kind::Number, _) => "number",
        (Kind::Bool, _) => "bool",
        (Kind::List, _) if form.item.as_ref().is_some_and(|item| !item.options.is_empty()) => "options",
        (Kind::List | Kind::Object | Kind::Any, _) => "json",
    };
    let options = match form.kind {
        Kind::List => form.item.as_ref().map(|item| item.options.as_slice()).unwrap_or_default(),
        _ => form.options.as_slice(),
    };
    let mut more = Vec::new();
    if form.format.as_deref() == Some("utc") {
        more.push(String::from("format = \"utc\""));
    }
    if !options.is_empty() {
        let options: Vec<String> = options.iter().take(200).map(|option| quoted(option)).collect();
        more.push(format!("options = [{}]", options.join(", ")));
    }
    if form.read_only {
        more.push(String::from("read_only = true"));
    }
    let kind = match more.as_slice() {
        [] => quoted(kind),
        more => format!("{{ kind = \"{kind}\", {} }}", more.join(", ")),
    };
    DraftField { name: name.to_owned(), kind, sample: form.sample.clone() }
}

/// How pages follow each other, and the names of the query that are spent on it.
struct Paging {
    part: Part,
    names: Vec<String>,
}

fn paging(operation: &Operation, records: &str, id: Option<&str>) -> Paging {
    let names = || operation.query.iter().map(|parameter| parameter.name.as_str());
    let answer = operation.answer.as_ref();
    let below = |words: &[&str], kinds: &[Kind]| answer.and_then(|answer| place_of(answer, words, kinds, 2));
    let mut spent = Vec::new();
    let mut keys: Vec<String> = Vec::new();
    if let Some(size) = words::find(names(), words::SIZE) {
        let max = operation
            .query
            .iter()
            .find(|parameter| parameter.name == size)
            .and_then(|parameter| parameter.max);
        let value = max.map_or(SIZE, |max| max.clamp(1, 1_000));
        spent.push(size.to_owned());
        keys.push(format!("size = {{ parameter = {}, value = {value} }}", quoted(size)));
    }
    if let Some(more) = below(words::MORE, &[Kind::Bool]) {
        keys.push(format!("more = {}", quoted(&more)));
    }
    let mut parameter = |words: &[&str]| {
        let found = words::find(names(), words)?;
        spent.push(found.to_owned());
        Some(quoted(found))
    };
    let next_url = below(words::NEXT_URL, &[Kind::Text, Kind::Any]);
    let next_cursor = below(words::NEXT_CURSOR, &[Kind::Text, Kind::Number, Kind::Any]);
    let (kind, sure, why) = if operation.links {
        (String::from("kind = \"link\""), Sure::Said, String::new())
    } else if let Some((name, next)) = parameter(words::CURSOR).zip(next_cursor.clone().or(next_url.clone()))
    {
        let kind = format!("kind = \"cursor\", parameter = {name}, next = {}", quoted(&next));
        (kind, Sure::Guessed, String::from("the query and the answer name a cursor"))
    } else if let (Some(name), Some(id)) = (parameter(words::AFTER_ID), id) {
        let from = quoted(&format!("/{}", escaped(id)));
        let kind = format!("kind = \"keyset\", parameter = {name}, from = {from}");
        (kind, Sure::Guessed, String::from("the query names the last id"))
    } else if let Some(name) = parameter(words::OFFSET) {
        (
            format!("kind = \"offset\", parameter = {name}"),
            Sure::Guessed,
            String::from("by the name of the query"),
        )
    } else if let Some(name) = parameter(words::PAGE) {
        let last = below(words::PAGES, &[Kind::Number, Kind::Any]);
        let last = last.map(|last| format!(", last = {}", quoted(&last))).unwrap_or_default();
        (
            format!("kind = \"page\", parameter = {name}{last}"),
            Sure::Guessed,
            String::from("by the name of the query"),
        )
    } else if let Some(next) = next_url {
        let kind = format!("kind = \"next-url\", next = {}", quoted(&next));
        (
            kind,
            Sure::Guessed,
            String::from("the answer names the next address; `stable = false` if that is a page number"),
        )
    } else if records.is_empty() && answer.is_some() && keys.is_empty() {
        (String::from("kind = \"none\""), Sure::Open, String::from("is everything in one answer?"))
    } else {
        keys.clear();
        (String::from("kind = \"none\""), Sure::Open, String::from("how do the pages follow each other?"))
    };
    let is_none = kind.ends_with("\"none\"");
    if !is_none && let Some(total) = below(words::TOTAL, &[Kind::Number]) {
        keys.push(format!("total = {}", quoted(&total)));
    }
    if is_none {
        keys.clear();
    }
    keys.insert(0, kind);
    Paging { part: Part::new(format!("paging = {{ {} }}", keys.join(", ")), sure, why), names: spent }
}

/// The place of the first of these names in an answer, at most so deep; not within its records.
fn place_of(form: &Form, words: &[&str], kinds: &[Kind], depth: usize) -> Option<String> {
    let names = form.entries.iter().map(|(name, _)| name.as_str());
    let here = words.iter().find_map(|word| {
        let name = words::find(names.clone(), &[word])?;
        let fits = form.entry(name).is_some_and(|below| kinds.contains(&below.kind));
        fits.then(|| format!("/{}", escaped(name)))
    });
    here.or_else(|| {
        let objects = form.entries.iter().filter(|(_, below)| below.kind == Kind::Object && depth > 0);
        objects.into_iter().find_map(|(name, below)| {
            Some(format!("/{}{}", escaped(name), place_of(below, words, kinds, depth - 1)?))
        })
    })
}

/// What is always sent, and what has to be decided about it.
fn query(operation: &Operation, paging: &Paging) -> (Option<Part>, Vec<String>) {
    let mut notes = Vec::new();
    let spent = |parameter: &&Parameter| {
        let name = &parameter.name;
        !paging.names.contains(name) && words::find(std::iter::once(name.as_str()), words::SECRET).is_none()
    };
    let mut pairs = Vec::new();
    for parameter in operation.query.iter().filter(spent) {
        let is_time = [words::SINCE, words::UNTIL].iter().any(|list| list.contains(&parameter.name.as_str()));
        match (&parameter.value, parameter.required) {
            (Some(value), true) => pairs.push(format!("{} = {}", key(&parameter.name), braced(value))),
            (None, true) => notes.push(format!("the list wants `{}` in its query", parameter.name)),
            _ if is_time => {}
            (Some(value), false) if operation.answer.is_none() || is_sampled(operation) => {
                pairs.push(format!("{} = {}", key(&parameter.name), braced(value)));
            }
            _ => {}
        }
    }
    let part = (!pairs.is_empty())
        .then(|| Part::new(format!("query = {{ {} }}", pairs.join(", ")), Sure::Guessed, "as it was called"));
    (part, notes)
}

/// Whether the call was recorded rather than specified: what it said then is said again.
fn is_sampled(operation: &Operation) -> bool {
    operation.query.iter().all(|parameter| !parameter.required && parameter.max.is_none())
        && operation
            .headers
            .iter()
            .any(|name| name == "accept" || name == "user-agent" || name == "authorization")
}

fn braced(value: &str) -> String {
    quoted(&value.replace('{', "{{").replace('}', "}}"))
}

fn since(operation: &Operation, path: &str, at: &str, paging: &Paging) -> Option<(&'static str, Vec<Part>)> {
    let names = operation.query.iter().map(|parameter| parameter.name.as_str());
    let from = words::find(names.clone(), words::SINCE)?;
    let until = words::find(names, words::UNTIL);
    let to = until.map(|until| format!(", {} = \"{{to}}\"", key(until))).unwrap_or_default();
    let parts = vec![
        Part::new(format!("path = {}", quoted(path)), Sure::Said, ""),
        Part::new(
            format!("query = {{ {} = \"{{from}}\"{to} }}", key(from)),
            Sure::Guessed,
            "by the name; `adapter try` tells whether the API obeys it",
        ),
        Part::new(format!("records = {}", quoted(at)), Sure::Said, ""),
        Part { sure: Sure::Said, why: String::new(), ..paging.part.clone() },
    ];
    Some(("since", parts))
}

/// Calls for single records, below a list.
fn singles(made: &mut DraftCollection, list: &Operation, found: &Found, record: &Form) {
    let below = |operation: &&Operation| {
        let rest = operation.path.strip_prefix(&list.path).and_then(|rest| rest.strip_prefix("/{"));
        rest.is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
    };
    let of =
        |method: &str| found.operations.iter().filter(below).find(|operation| operation.method == method);
    let Some(get) = of("GET") else {
        if of("PATCH").or(of("PUT")).or(of("DELETE")).is_some() {
            made.notes
                .push(String::from("there is no call for a single record, so that it cannot be written"));
        }
        return;
    };
    let (path, _) = placed(&get.path, Some("id"));
    let path = Part::new(format!("path = {}", quoted(&path)), Sure::Said, "");
    let mut parts = vec![path.clone()];
    match get.answer.as_ref().map(|answer| single_place(answer, record)) {
        Some(Some(at)) if at.is_empty() => {}
        Some(Some(at)) => parts.push(Part::new(format!("record = {}", quoted(&at)), Sure::Said, "")),
        Some(None) | None => {
            parts.push(Part::new("record = \"\"", Sure::Open, "where does the record stand in the answer?"));
        }
    }
    made.calls.push(("get", parts));
    if let Some(update) = of("PATCH").or(of("PUT")) {
        let mut parts = vec![path.clone()];
        if update.method == "PUT" {
            parts.push(Part::new("method = \"PUT\"", Sure::Said, ""));
            parts.push(Part::new("send = \"whole\"", Sure::Guessed, "PUT replaces a record"));
        }
        parts.extend(wrap(update));
        made.calls.push(("update", parts));
    }
    if of("DELETE").is_some() {
        made.calls.push(("delete", vec![path]));
    }
    let create = found.operations.iter().find(|other| other.method == "POST" && other.path == list.path);
    if let Some(create) = create {
        match create.headers.iter().find(|name| name.contains("idempotency")) {
            Some(header) => {
                let (path, _) = placed(&create.path, None);
                let at = create.answer.as_ref().and_then(|answer| single_place(answer, record)).unwrap_or_default();
                let mut parts = vec![
                    Part::new(format!("path = {}", quoted(&path)), Sure::Said, ""),
                    Part::new(format!("idempotency_header = {}", quoted(header)), Sure::Said, ""),
                    Part::new(format!("record = {}", quoted(&at)), Sure::Guessed, "by the form of the answer"),
                ];
                parts.extend(wrap(create));
                made.calls.push(("create", parts));
            }
            None => made.notes.push(String::from(
                "records can be made, but the file names no header that keeps a repeated creation from being done \
                 twice: see `create` with `token_field` in the reference",
            )),
        }
    }
}

/// Where a record stands in an answer about it alone.
fn single_place(answer: &Form, record: &Form) -> Option<String> {
    let is_it = |form: &Form| {
        let common = form.entries.iter().filter(|(name, _)| record.entry(name).is_some()).count();
        form.kind == Kind::Object && common * 2 > record.entries.len().min(form.entries.len())
    };
    if record.entries.is_empty() || is_it(answer) {
        return (answer.kind == Kind::Object).then(String::new);
    }
    let found = answer.entries.iter().find(|(_, below)| is_it(below));
    found.map(|(name, _)| format!("/{}", escaped(name)))
}

/// `{"customer": {…}}`: the fields stand one level down.
fn wrap(operation: &Operation) -> Option<Part> {
    match operation.sent.as_ref()?.entries.as_slice() {
        [(name, form)] if form.kind == Kind::Object => {
            let toml = format!("wrap = {}", quoted(&format!("/{}", escaped(name))));
            Some(Part::new(toml, Sure::Guessed, "the body holds nothing else"))
        }
        _ => None,
    }
}
