//! OpenAPI 3.0 and 3.1, and Swagger 2.

use serde_json::Value as Json;

use super::form::Form;
use super::operation::{Found, FoundCredential, Operation, Parameter};

/// Most calls that are looked at.
const OPERATIONS_MAX: usize = 5_000;

pub(super) fn read(document: &Json) -> Found {
    let mut found =
        Found { name: slug(document["info"]["title"].as_str().unwrap_or_default()), ..Found::default() };
    servers(document, &mut found);
    if found.bases.is_empty() {
        found.notes.push(String::from("the file names no host: set `base_url`"));
    }
    found.credential = credential(document);
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, item) in paths.take(OPERATIONS_MAX) {
        let item = resolved(item, document);
        for method in ["get", "post", "put", "patch", "delete"] {
            let operation = &item[method];
            if operation.is_object() {
                found.add(read_operation(document, path, method, item, operation));
            }
        }
    }
    found
}

/// What a reference names, if it is one; only within the document.
fn resolved<'d>(node: &'d Json, document: &'d Json) -> &'d Json {
    let mut node = node;
    for _ in 0..8 {
        let Some(reference) = node["$ref"].as_str() else { break };
        match reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)) {
            Some(target) => node = target,
            None => break,
        }
    }
    node
}

fn servers(document: &Json, found: &mut Found) {
    if document["swagger"].is_string() {
        let host = document["host"].as_str().unwrap_or("api.example.com");
        let schemes: Vec<&str> =
            document["schemes"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let scheme = if schemes.is_empty() || schemes.contains(&"https") { "https" } else { "http" };
        let path = document["basePath"].as_str().unwrap_or_default().trim_end_matches('/');
        if !document["host"].is_string() {
            found.notes.push(String::from("the file names no host: set `base_url`"));
        }
        found.bases.push((String::new(), format!("{scheme}://{host}{path}")));
        return;
    }
    for server in document["servers"].as_array().into_iter().flatten().take(10) {
        let Some(url) = server["url"].as_str() else { continue };
        for (name, variable) in server["variables"].as_object().into_iter().flatten() {
            let value = variable["default"].as_str().unwrap_or_default();
            if found.variables.iter().all(|(known, _)| known != name) {
                found.variables.push((name.clone(), value.to_owned()));
            }
        }
        let url = url.trim_end_matches('/');
        let about = server["description"].as_str().unwrap_or_default();
        if url.starts_with('/') || url.is_empty() {
            found.notes.push(String::from("the file names no host: set `base_url`"));
            found.bases.push((slug(about), format!("https://api.example.com{url}")));
        } else {
            found.bases.push((slug(about), url.to_owned()));
        }
    }
}

fn credential(document: &Json) -> Option<FoundCredential> {
    let schemes = [&document["components"]["securitySchemes"], &document["securityDefinitions"]];
    let schemes: Vec<(&String, &Json)> = schemes.into_iter().filter_map(Json::as_object).flatten().collect();
    // What the whole API asks for comes before what only some calls do.
    let wanted: Vec<&String> = document["security"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_object)
        .flat_map(|one| one.keys())
        .collect();
    let first = schemes.iter().find(|(name, _)| wanted.contains(name)).or(schemes.first());
    let scheme = resolved(first?.1, document);
    let scopes = |flow: &Json| {
        let names: Vec<&str> =
            flow["scopes"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        names.into_iter().take(20).collect::<Vec<_>>().join(" ")
    };
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    Some(match scheme["type"].as_str()? {
        "basic" => FoundCredential::Basic,
        "http" if scheme["scheme"].as_str()?.eq_ignore_ascii_case("basic") => FoundCredential::Basic,
        "http" => FoundCredential::Bearer,
        "apiKey" if scheme["in"] == "query" => FoundCredential::Query(text(&scheme["name"])),
        "apiKey" if scheme["in"] == "header" => FoundCredential::Header(text(&scheme["name"])),
        "oauth2" => {
            let flows = &scheme["flows"];
            let (clients, code) = (&flows["clientCredentials"], &flows["authorizationCode"]);
            let swagger_is_code = scheme["flow"] == "accessCode";
            if clients["tokenUrl"].is_string() {
                FoundCredential::ClientCredentials {
                    token_url: text(&clients["tokenUrl"]),
                    scope: scopes(clients),
                }
            } else if code["tokenUrl"].is_string() {
                FoundCredential::RefreshToken { token_url: text(&code["tokenUrl"]), scope: scopes(code) }
            } else if scheme["tokenUrl"].is_string() && swagger_is_code {
                FoundCredential::RefreshToken { token_url: text(&scheme["tokenUrl"]), scope: scopes(scheme) }
            } else if scheme["tokenUrl"].is_string() {
                FoundCredential::ClientCredentials {
                    token_url: text(&scheme["tokenUrl"]),
                    scope: scopes(scheme),
                }
            } else {
                FoundCredential::Bearer
            }
        }
        "openIdConnect" => FoundCredential::Bearer,
        _ => return None,
    })
}

fn read_operation(document: &Json, path: &str, method: &str, item: &Json, operation: &Json) -> Operation {
    let mut read = Operation { method: method.to_uppercase(), path: path.to_owned(), ..Operation::default() };
    let parameters = [&item["parameters"], &operation["parameters"]];
    for parameter in parameters.into_iter().filter_map(Json::as_array).flatten() {
        let parameter = resolved(parameter, document);
        let name = parameter["name"].as_str().unwrap_or_default();
        match parameter["in"].as_str() {
            Some("query") => {
                let schema = resolved(
                    if parameter["schema"].is_object() { &parameter["schema"] } else { parameter },
                    document,
                );
                let value = match &schema["default"] {
                    Json::String(text) => Some(text.clone()),
                    Json::Number(number) => Some(number.to_string()),
                    Json::Bool(value) => Some(value.to_string()),
                    _ => None,
                };
                let required = parameter["required"] == true;
                let max = schema["maximum"].as_u64();
                read.query.push(Parameter { name: name.to_owned(), required, value, max });
            }
            Some("header") => read.headers.push(name.to_lowercase()),
            Some("body") => read.sent = Some(Form::of_schema(&parameter["schema"], document)),
            _ => {}
        }
    }
    let body = resolved(&operation["requestBody"], document);
    if let Some(schema) = json_schema(&body["content"]) {
        read.sent = Some(Form::of_schema(schema, document));
    }
    let answers = operation["responses"].as_object().into_iter().flatten();
    let good = answers.filter(|(status, _)| status.starts_with('2') || *status == "default");
    if let Some((_, answer)) = good.min_by_key(|(status, _)| *status == "default") {
        let answer = resolved(answer, document);
        let schema =
            json_schema(&answer["content"]).or(Some(&answer["schema"]).filter(|schema| schema.is_object()));
        read.answer = schema.map(|schema| Form::of_schema(schema, document));
        if read.answer.is_none() {
            let example = answer["content"]["application/json"]["example"].as_object();
            read.answer = example.map(|example| Form::of_sample(&Json::Object(example.clone())));
        }
        let mut headers = answer["headers"].as_object().into_iter().flatten();
        read.links = headers.any(|(name, _)| name.eq_ignore_ascii_case("link"));
    }
    read
}

/// The schema of the JSON among several kinds of content.
fn json_schema(content: &Json) -> Option<&Json> {
    let content = content.as_object()?;
    let json = content.iter().find(|(kind, _)| kind.contains("json")).or_else(|| content.iter().next())?.1;
    Some(&json["schema"]).filter(|schema| schema.is_object())
}

/// A name of small letters, digits and hyphens.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let cut: String = slug.chars().take(40).collect();
    cut.trim_end_matches('-').to_owned()
}
