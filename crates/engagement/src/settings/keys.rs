//! Every setting there is: the one list that reading, refusing, environment names and help are made from.

use strsim::damerau_levenshtein;

/// One setting.
#[derive(Debug)]
pub(super) struct Key {
    /// Its place in the file; `*` stands for a name that the user chooses.
    pub(super) path: &'static str,
    /// Whether its value is a path, which in a file is relative to that file.
    pub(super) is_path: bool,
    /// What it means, for the help text.
    pub(super) help: &'static str,
}

const fn key(path: &'static str, help: &'static str) -> Key {
    Key { path, is_path: false, help }
}

const fn path(path: &'static str, help: &'static str) -> Key {
    Key { path, is_path: true, help }
}

pub(super) const KEYS: &[Key] = &[
    key("hubspot.url", "where HubSpot's API is; default https://api.hubapi.com"),
    key("hubspot.token", "private-app token or service key; better set as KIT_HUBSPOT_TOKEN than in a file"),
    path("hubspot.token_file", "file that holds the token, as container platforms mount secrets"),
    key("hubspot.credential", "static, a token, or oauth, an installed app; default static"),
    key("hubspot.api_version", "API version to speak; default 2026-03"),
    key("hubspot.portal", "id of the only portal that may be written; another one is refused"),
    key("hubspot.share", "share of the call limits that is ours, above 0 up to 1; default 1"),
    key("hubspot.live_reserve", "calls of each window kept for changes that somebody waits for; default 2"),
    key(
        "hubspot.limits",
        "starter, professional, increased, oauth or off: the limits to keep to; default professional",
    ),
    key(
        "hubspot.settle_ms",
        "milliseconds for which a write without an answer is left alone before it is looked for or sent again; default \
         5000",
    ),
    key("oauth.client_id", "client id of the app that is installed through OAuth"),
    key("oauth.client_secret", "its client secret; better set as KIT_OAUTH_CLIENT_SECRET than in a file"),
    path("oauth.client_secret_file", "file that holds the client secret"),
    key("oauth.redirect_url", "where HubSpot sends the browser after consent; one registered for the app"),
    key("oauth.consent_url", "where people consent; default https://app.hubspot.com"),
    key("oauth.scopes", "scopes that the app asks for, separated by spaces"),
    key("oauth.version", "version of the OAuth endpoints: a date, v3 or v1; default 2026-03"),
    path("oauth.tokens_file", "file of the sealed tokens; default tokens.db"),
    key("oauth.master_key", "key that seals the tokens, from `openssl rand -base64 32`"),
    path("oauth.master_key_file", "file that holds that key"),
    key("oauth.key_id", "name of that key, to be changed with it; default 1"),
    key("oauth.former_key", "key that sealed the tokens before; `serve` moves them to the present one"),
    path("oauth.former_key_file", "file that holds the former key"),
    key("oauth.former_key_id", "name of the former key; default 1"),
    key("serve.listen", "address and port of the service; default 127.0.0.1:8080"),
    key("serve.every", "seconds between two passes of the service when nothing is heard; default 60"),
    key(
        "serve.sweep",
        "seconds between two looks for deletions that nobody told of; 0: never; default 86400",
    ),
    path("serve.portals", "folder of settings files, one for each portal that the service keeps"),
    key("webhooks.feed", "auto, journal, push or search: how changes in HubSpot are heard of; default auto"),
    key("webhooks.app_id", "number of the app whose webhooks or journal it is"),
    key("webhooks.target_url", "URL that HubSpot calls, to the letter"),
    key("webhooks.client_secret", "secret that signs webhooks; default that of `oauth`"),
    path("webhooks.client_secret_file", "file that holds that secret"),
    key("webhooks.former_secret", "secret that was in use before, while it is changed"),
    path("webhooks.former_secret_file", "file that holds the former secret"),
    key(
        "webhooks.developer_key",
        "developer API key that manages the subscriptions of a legacy public app, where its token may not",
    ),
    path("webhooks.developer_key_file", "file that holds that key"),
    key("webhooks.app_scopes", "scopes of the app's own token; default those of the journal"),
    path("webhooks.inbox_file", "file in which events wait; default inbox.db"),
    key("webhooks.repair", "seconds between two searches for what was not told; default 300"),
    key("source.kind", "csv, files, sqlite, postgres, rest, or own for a source that the engagement builds"),
    path("source.folder", "folder of the CSV files"),
    path("source.file", "the SQLite file, or the description of an API or of dropped files"),
    key(
        "source.server",
        "address of the PostgreSQL database: postgres://user@host:5432/database?sslmode=require",
    ),
    key("source.password", "secret of the database; better set as KIT_SOURCE_PASSWORD than in a file"),
    path("source.password_file", "file that holds that secret"),
    path("source.ca_file", "PEM file of certificate authorities for the database, beside the machine's"),
    key("source.schema", "schema whose tables are collections; default public"),
    key("source.own.*", "whatever a source of the engagement's own wants to know"),
    key("source.environment", "which environment of the description; needed where it has several"),
    key("source.variables.*", "what a variable of the description stands for"),
    path("source.grant_file", "where a refresh token is kept that the API replaces; default source-grant"),
    key("source.grant_key", "key that seals it, from `openssl rand -base64 32`"),
    path("source.grant_key_file", "file that holds that key"),
    key(
        "source.write",
        "true or false: whether the source may be written, for links that flow to it; default false",
    ),
    key(
        "source.rescan",
        "seconds for which only what changed is read of a source that can tell, before all is read once; default 86400",
    ),
    key("source.delimiter", "what separates the columns of the CSV files; default a comma"),
    key("source.encoding", "utf-8 or latin-1; default utf-8"),
    key("source.collections.*.key", "column that identifies a record of this collection"),
    key("source.collections.*.file", "CSV file of this collection; default its name and .csv"),
    key("source.collections.*.table", "table of this collection; default the one of its name"),
    key(
        "source.collections.*.deleted",
        "column that marks a row of this collection as deleted, in PostgreSQL",
    ),
    key(
        "source.collections.*.changes",
        "rows, outbox, or the column with the time of change: how PostgreSQL tells what changed; default: it is not asked",
    ),
    key("source.collections.*.query", "SQL that gives this collection; default the table of its name"),
    key("blackout.*.side", "hubspot, source or both: who is left in peace in these hours; default both"),
    key("blackout.*.lane", "live, verify, backfill or all: which calls are not made then; default all"),
    key("blackout.*.zone", "whose time it is, such as Europe/Berlin; default UTC"),
    key("blackout.*.days", "days on which these hours begin, such as mon-fri or sat,sun; default every day"),
    key("blackout.*.from", "when they begin, such as 22:00"),
    key("blackout.*.to", "when they end: on the next day, where that is not later than their beginning"),
    path("mapping.file", "mapping to use in place of the one that is built in"),
    path("state.file", "where the engine remembers what both sides last agreed on"),
    key("certificate.key", "key that signs certificates, from `openssl rand -base64 32`"),
    path(
        "certificate.key_file",
        "file that holds that key, made when it is not there; default the state file's name and .key",
    ),
    key(
        "log.level",
        "error, warn, info, debug or trace, or directives such as sync_core=debug; default warn",
    ),
    key("log.format", "pretty or json; default pretty"),
];

/// The setting at this place, if there is one.
pub(super) fn find(place: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| matches(key.path, place))
}

fn matches(pattern: &str, place: &str) -> bool {
    let (mut pattern, mut place) = (pattern.split('.'), place.split('.'));
    loop {
        match (pattern.next(), place.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if (a == "*" && !b.is_empty()) || a == b => {}
            _ => return false,
        }
    }
}

/// The environment variable of a setting; those of collections have none, since names lose their case there.
pub(super) fn variable(key: &Key) -> Option<String> {
    (!key.path.contains('*')).then(|| format!("KIT_{}", key.path.replace('.', "_").to_uppercase()))
}

/// The known setting most like this one, to offer in place of a typing error.
pub(super) fn nearest(place: &str) -> Option<&'static str> {
    let measured =
        KEYS.iter().map(|key| (damerau_levenshtein(&with_names_of(key.path, place), place), key.path));
    measured
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, path)| path)
}

/// The pattern with the user's own names in place of its stars.
fn with_names_of(pattern: &str, place: &str) -> String {
    let names: Vec<&str> = place.split('.').collect();
    let parts = pattern.split('.').enumerate();
    let filled =
        parts.map(|(at, part)| if part == "*" { names.get(at).copied().unwrap_or(part) } else { part });
    filled.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_finds_itself_and_has_a_variable_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for key in KEYS {
            let place = key.path.replace('*', "orders");
            assert_eq!(find(&place).map(|found| found.path), Some(key.path));
            assert!(variable(key).is_none_or(|name| seen.insert(name)), "{}", key.path);
            assert!(!key.help.is_empty());
        }
        assert!(find("source.collections..key").is_none());
        assert!(find("hubspot").is_none());
    }

    #[test]
    fn a_typing_error_finds_its_key_and_a_stranger_none() {
        for (typed, meant) in [
            ("hubspot.tokn", Some("hubspot.token")),
            ("hubspt.url", Some("hubspot.url")),
            ("source.collections.orders.keys", Some("source.collections.*.key")),
            ("weather.today", None),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
    }
}
