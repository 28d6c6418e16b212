//! Postman collections, version 2.0 and 2.1.

use serde_json::Value as Json;

use super::form::Form;
use super::openapi::slug;
use super::operation::{Found, FoundCredential};
use super::samples::{Sampled, credential_of, operation};

/// Deepest nesting of folders.
const DEPTH_MAX: usize = 10;

pub(super) fn read(collection: &Json) -> Found {
    let mut found =
        Found { name: slug(collection["info"]["name"].as_str().unwrap_or_default()), ..Found::default() };
    found.credential = auth(&collection["auth"]);
    let mut variables = Vec::new();
    for variable in collection["variable"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (variable["key"].as_str(), variable["value"].as_str()) {
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
    items(&collection["item"], &variables, &mut found, 0);
    found
}

fn items(list: &Json, variables: &[(String, String)], found: &mut Found, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    for item in list.as_array().into_iter().flatten() {
        if item["item"].is_array() {
            items(&item["item"], variables, found, depth + 1);
        } else if item["request"].is_object() || item["request"].is_string() {
            request(item, variables, found);
        }
    }
}

fn request(item: &Json, variables: &[(String, String)], found: &mut Found) {
    let request = &item["request"];
    let url = [&request["url"]["raw"], &request["url"], request].into_iter().find_map(Json::as_str);
    let Some(url) = url else { return };
    let mut url = url.to_owned();
    for (name, value) in variables {
        url = url.replace(&format!("{{{{{name}}}}}"), value);
    }
    let pairs = |list: &Json| -> Vec<(String, String)> {
        let list = list.as_array().into_iter().flatten().filter(|pair| pair["disabled"] != true);
        let pair = |pair: &Json| Some((pair["key"].as_str()?.to_owned(), pair["value"].as_str()?.to_owned()));
        list.filter_map(pair).collect()
    };
    let headers = pairs(&request["header"]);
    let answers = item["response"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|answer| answer["code"].as_u64().is_none_or(|code| (200..300).contains(&code)));
    let mut links = false;
    let mut form: Option<Form> = None;
    for answer in answers.take(20) {
        links |= pairs(&answer["header"]).iter().any(|(name, _)| name.eq_ignore_ascii_case("link"));
        if let Some(json) = answer["body"].as_str().and_then(|body| serde_json::from_str::<Json>(body).ok()) {
            let read = Form::of_sample(&json);
            form = Some(form.map_or(read.clone(), |form| form.merged(read)));
        }
    }
    let body = request["body"]["raw"].as_str().and_then(|body| serde_json::from_str::<Json>(body).ok());
    let method = request["method"].as_str().unwrap_or("GET").to_uppercase();
    let sampled = Sampled { method, url, headers: &headers, sent: body, answer: form, links };
    if found.credential.is_none() {
        found.credential = auth(&request["auth"]).or_else(|| credential_of(&sampled));
    }
    operation(sampled, found);
}

fn auth(auth: &Json) -> Option<FoundCredential> {
    let entry = |kind: &str, name: &str| -> Option<String> {
        let list = auth[kind].as_array().into_iter().flatten();
        list.into_iter().find(|pair| pair["key"] == name)?["value"].as_str().map(str::to_owned)
    };
    Some(match auth["type"].as_str()? {
        "bearer" => FoundCredential::Bearer,
        "basic" => FoundCredential::Basic,
        "apikey" => {
            let name = entry("apikey", "key").unwrap_or_else(|| String::from("X-Api-Key"));
            match entry("apikey", "in").as_deref() {
                Some("query") => FoundCredential::Query(name),
                _ => FoundCredential::Header(name),
            }
        }
        "oauth2" => {
            let token_url = entry("oauth2", "accessTokenUrl").unwrap_or_default();
            let scope = entry("oauth2", "scope").unwrap_or_default();
            match entry("oauth2", "grant_type").as_deref() {
                Some("client_credentials") => FoundCredential::ClientCredentials { token_url, scope },
                _ => FoundCredential::RefreshToken { token_url, scope },
            }
        }
        _ => return None,
    })
}
