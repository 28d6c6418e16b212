//! A description's text to [`Description`]: the top of the file.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::de::DeTable;

use super::super::problem::{Problems, Report};
use super::keys::{Keys, template, text};
use super::{Api, Auth, Description, auth, collection, limits, webhook};

/// Most collections of one description.
const COLLECTIONS_MAX: usize = 200;

/// Longest description. One of 200 collections with 100 fields each is a tenth of it.
const TEXT_MAX: usize = 4 * 1024 * 1024;

const TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 32 * 1024 * 1024;

pub(super) fn description(file: &str, text: &str) -> Result<Description, Problems> {
    let report = Report::default();
    let read = if text.len() > TEXT_MAX {
        report.tell(0..0, "too-long", "the description is longer than 4 MiB", "split it by API");
        None
    } else {
        match DeTable::parse(text) {
            Ok(table) => whole(&Keys::new("a description", table.get_ref(), 0..0, &report)),
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                report.tell(at, "no-toml", error.message(), "correct the line; descriptions are TOML");
                None
            }
        }
    };
    if read.is_none() {
        report.tell_if_silent("unreadable", "the description cannot be used", "begin with a smaller one");
    }
    match (report.finish(file, text), read) {
        (None, Some(read)) => Ok(read),
        (problems, _) => Err(problems.unwrap_or_else(|| Problems::none(file))),
    }
}

fn whole(top: &Keys<'_>) -> Option<Description> {
    let variables = variables(top);
    let names: Vec<&str> = variables.keys().map(String::as_str).collect();
    let api = top.table("api", "[api]");
    if api.is_none() && !top.has("api") {
        top.tell("missing-key", "there is no [api]", "add [api] with `name` and `base_url`");
    }
    let api = api.and_then(|keys| read_api(&keys, top, &names, &variables));
    let auth = match top.table("auth", "[auth]") {
        Some(keys) => auth::read(&keys, &names),
        None => Some(Auth::None),
    };
    let limits = top.table("limits", "[limits]").map(|keys| limits::read(&keys)).unwrap_or_default();
    let errors = top.table("errors", "[errors]").map(|keys| limits::errors(&keys)).unwrap_or_default();
    let maintenance =
        top.tables("maintenance", "a maintenance window").iter().filter_map(limits::maintenance).collect();
    let webhook = top.table("webhook", "[webhook]").and_then(|keys| webhook::read(&keys, &names));
    let mut collections = BTreeMap::new();
    if let Some(all) = top.table("collections", "[collections]") {
        let entries = all.take_all();
        if entries.len() > COLLECTIONS_MAX {
            all.tell("too-many", "there are more than 200 collections", "keep those that are mapped");
        }
        for (name, node) in entries.into_iter().take(COLLECTIONS_MAX) {
            let Some(keys) = Keys::of("a collection", node, top.report) else { continue };
            if let Some(read) = collection::read(name.value, &keys, &names) {
                collections.insert(name.value.to_owned(), read);
            }
        }
    } else if !top.has("collections") {
        top.tell("missing-key", "there is no collection", "add [collections.NAME] with `key` and `list`");
    }
    let calls = collections.values().flat_map(super::CollectionSpec::calls).map(|call| &call.limits);
    limits::count(top, &std::iter::once(&limits).chain(calls).collect::<Vec<_>>());
    Some(Description { api: api?, auth: auth?, limits, errors, maintenance, webhook, collections })
}

fn variables(top: &Keys<'_>) -> BTreeMap<String, String> {
    let Some(keys) = top.table("variables", "[variables]") else { return BTreeMap::new() };
    let all = keys.take_all().into_iter();
    all.filter_map(|(name, node)| Some((name.value.to_owned(), text(node, top.report)?.value))).collect()
}

fn read_api(
    keys: &Keys<'_>,
    top: &Keys<'_>,
    names: &[&str],
    variables: &BTreeMap<String, String>,
) -> Option<Api> {
    let name = keys.required_text("name");
    let base = keys.template("base_url", names);
    let mut bases = BTreeMap::new();
    if let Some(environments) = top.table("environments", "[environments]") {
        for (environment, node) in environments.take_all() {
            let read = text(node, top.report).and_then(|read| template(&read, names, top.report));
            if let Some(base) = read {
                bases.insert(environment.value.to_owned(), base);
            }
        }
    }
    match (base, bases.is_empty()) {
        (Some(base), true) => {
            bases.insert(String::from("production"), base);
        }
        (Some(_), false) => keys.tell_at(
            "base_url",
            "twice",
            "there is `base_url` and [environments]",
            "keep [environments], or only `base_url`",
        ),
        (None, true) if !keys.has("base_url") && !top.has("environments") => {
            keys.tell("missing-key", "[api] needs the key `base_url`", "add `base_url = \"https://…\"`");
        }
        (None, _) => {}
    }
    let headers =
        keys.table("headers", "`headers`").map(|all| auth::headers(&all, names)).unwrap_or_default();
    let answer_bytes_max = keys.count("answer_bytes_max", 1_024).unwrap_or(ANSWER_BYTES_MAX);
    Some(Api {
        bases,
        variables: variables.clone(),
        headers,
        timeout: keys.duration("timeout").unwrap_or(TIMEOUT),
        answer_bytes_max: usize::try_from(answer_bytes_max).unwrap_or(usize::MAX),
        private_network: keys.flag("private_network").unwrap_or(false),
        client_certificate: auth::optional_secret(keys, "client_certificate"),
        name: name?.value,
    })
}
