//! Insomnia's exports: format 4, a list of resources in JSON, and format 5, a tree in YAML. Neither has answers.

use serde_json::Value as Json;

use super::openapi::slug;
use super::operation::{Found, FoundCredential};
use super::samples::{Sampled, credential_of, operation};

/// Deepest nesting of folders.
const DEPTH_MAX: usize = 10;

/// Variables of the environments, by name.
type Variables = Vec<(String, String)>;

/// Whether the text is one of these exports.
pub(super) fn is_export(json: &Json) -> bool {
    (json["_type"] == "export" && json["resources"].is_array())
        || json["type"].as_str().is_some_and(|kind| kind.starts_with("collection.insomnia.rest/"))
}

pub(super) fn read(export: &Json) -> Found {
    let mut found = Found::default();
    let mut variables = Variables::new();
    if let Some(resources) = export["resources"].as_array() {
        let of = |kind: &'static str| resources.iter().filter(move |resource| resource["_type"] == kind);
        if let Some(workspace) = of("workspace").next() {
            found.name = slug(workspace["name"].as_str().unwrap_or_default());
        }
        of("environment").for_each(|environment| keep(&environment["data"], &mut variables));
        for call in of("request") {
            request(call, &variables, &mut found);
        }
        // A folder's credential stands for its requests.
        let folders = of("request_group").find_map(|folder| credential(&folder["authentication"]));
        found.credential = found.credential.take().or(folders);
        return found;
    }
    found.name = slug(export["name"].as_str().unwrap_or_default());
    keep(&export["environments"]["data"], &mut variables);
    for environment in export["environments"]["subEnvironments"].as_array().into_iter().flatten() {
        keep(&environment["data"], &mut variables);
    }
    tree(&export["collection"], &variables, &mut found, 0);
    found
}

fn tree(list: &Json, variables: &Variables, found: &mut Found, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    for item in list.as_array().into_iter().flatten() {
        if item["children"].is_array() {
            found.credential = found.credential.take().or_else(|| credential(&item["authentication"]));
            tree(&item["children"], variables, found, depth + 1);
        } else {
            request(item, variables, found);
        }
    }
}

/// Keeps what stands for an address or a part of one; anything else could be a secret. The first of a name counts.
fn keep(data: &Json, variables: &mut Variables) {
    for (name, value) in data.as_object().into_iter().flatten() {
        let is_known = variables.iter().any(|(known, _)| known == name);
        if let Some(value) = value.as_str().filter(|value| value.starts_with("http") && !is_known) {
            variables.push((name.clone(), value.to_owned()));
        }
    }
}

fn request(item: &Json, variables: &Variables, found: &mut Found) {
    let Some(url) = item["url"].as_str().filter(|url| !url.is_empty()) else { return };
    let pairs = |list: &Json| -> Vec<(String, String)> {
        let list = list.as_array().into_iter().flatten().filter(|pair| pair["disabled"] != true);
        let pair = |pair: &Json| {
            Some((pair["name"].as_str()?.to_owned(), pair["value"].as_str().unwrap_or_default().to_owned()))
        };
        list.filter_map(pair).filter(|(name, _)| !name.is_empty()).collect()
    };
    let mut url = filled(url, variables);
    let query = pairs(&item["parameters"]);
    if !query.is_empty() {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish());
    }
    let headers = pairs(&item["headers"]);
    let sent = item["body"]["text"].as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
    let method = item["method"].as_str().unwrap_or("GET").to_uppercase();
    let sampled = Sampled { method, url, headers: &headers, sent, answer: None, links: false };
    if found.credential.is_none() {
        found.credential = credential(&item["authentication"]).or_else(|| credential_of(&sampled));
    }
    operation(sampled, found);
}

/// The address with its variables, which are written `{{ name }}` or `{{ _.name }}`; unknown ones become places.
fn filled(url: &str, variables: &Variables) -> String {
    let mut out = String::new();
    let mut rest = url;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            rest = after;
            continue;
        };
        let name = name.trim().trim_start_matches("_.");
        match variables.iter().find(|(known, _)| known == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                out.push_str("{{");
                out.push_str(name);
                out.push_str("}}");
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn credential(said: &Json) -> Option<FoundCredential> {
    if said["disabled"] == true {
        return None;
    }
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    Some(match said["type"].as_str()? {
        "bearer" => FoundCredential::Bearer,
        "basic" => FoundCredential::Basic,
        "apikey" => {
            let name = Some(text("key")).filter(|name| !name.is_empty() && !name.contains('{'));
            let name = name.unwrap_or_else(|| String::from("X-Api-Key"));
            if said["addTo"] == "queryParams" {
                FoundCredential::Query(name)
            } else {
                FoundCredential::Header(name)
            }
        }
        "oauth2" => {
            let (token_url, scope) = (text("accessTokenUrl"), text("scope"));
            match said["grantType"].as_str() {
                Some("client_credentials") => FoundCredential::ClientCredentials { token_url, scope },
                _ => FoundCredential::RefreshToken { token_url, scope },
            }
        }
        _ => return None,
    })
}
