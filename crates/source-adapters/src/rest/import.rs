//! A first description from what there is: OpenAPI 3.0 and 3.1, Swagger 2, a Postman or Insomnia collection, a HAR file,
//! cURL commands, a JSON sample, the header of a CSV file. Pure.
//!
//! Every guess is marked in the text that comes of it. No secret and no value of a record is copied: what was found in
//! a sample is shown by its shape.

mod draft;
mod form;
mod guess;
mod insomnia;
mod openapi;
mod operation;
mod postman;
mod samples;
mod words;
mod write;

use serde_json::Value as Json;

use super::Description;
pub(super) use guess::fields_of;
use operation::Found;

/// What a first description is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// OpenAPI 3.0 or 3.1, as JSON.
    OpenApi,
    /// Swagger 2, as JSON.
    Swagger,
    /// A Postman collection, version 2.
    Postman,
    /// Insomnia's export, format 4 or 5.
    Insomnia,
    /// HTTP as a browser recorded it.
    Har,
    /// One or more cURL commands.
    Curl,
    /// Records, or an answer that holds them.
    JsonSample,
    /// The header of a CSV file, and rows if there are any.
    Csv,
}

/// A first description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What it was made from.
    pub kind: ImportKind,
    /// The description, with every guess marked.
    pub text: String,
    /// The collections in it.
    pub collections: Vec<String>,
    /// What has to be decided by a person, one thing a line.
    pub to_decide: Vec<String>,
}

/// Why nothing could be imported, with what to do about it; no value of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ImportError(String);

/// Makes a first description from a file's text. `name` is what the API is called; `only` names the collections to
/// keep, all where it is empty.
///
/// # Errors
/// The text is none of the [`ImportKind`]s, or holds no list of records.
pub fn import(name: &str, text: &str, only: &[String]) -> Result<Imported, ImportError> {
    let (kind, mut found) = read(text)?;
    if found.name.is_empty() {
        name.clone_into(&mut found.name);
    }
    let mut draft = guess::draft(found);
    if !only.is_empty() {
        let known: Vec<String> = draft.collections.iter().map(|collection| collection.name.clone()).collect();
        if let Some(missing) = only.iter().find(|name| !known.contains(name)) {
            let known = known.join("`, `");
            return Err(ImportError(format!("there is no collection `{missing}` in it; there is `{known}`")));
        }
        draft.collections.retain(|collection| only.contains(&collection.name));
    }
    if draft.collections.is_empty() {
        let message = "no call that gives a list of records was found; give a file with answers, such as a HAR \
                       recording, or begin with a JSON sample";
        return Err(ImportError(String::from(message)));
    }
    draft.bound();
    let text = write::text(&draft);
    // What is written here has to be read there: a fault of ours is told rather than handed on.
    if let Err(problems) = Description::parse("the first description", &text) {
        return Err(ImportError(format!("what was made of it is no description: {problems}")));
    }
    let collections = draft.collections.iter().map(|collection| collection.name.clone()).collect();
    Ok(Imported { kind, text, collections, to_decide: draft.to_decide() })
}

fn read(text: &str) -> Result<(ImportKind, Found), ImportError> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("curl ") || text.starts_with("$ curl ") {
        return Ok((ImportKind::Curl, samples::of_curl(text)));
    }
    if !text.starts_with(['{', '[']) {
        let is_yaml = ["openapi:", "swagger:", "\"openapi\":", "type: collection.insomnia.rest/"]
            .iter()
            .any(|word| text.lines().any(|line| line.starts_with(word)));
        if is_yaml {
            let json = of_yaml(text)?;
            if insomnia::is_export(&json) {
                return Ok((ImportKind::Insomnia, insomnia::read(&json)));
            }
            let is_swagger = json["swagger"].is_string();
            let kind = if is_swagger { ImportKind::Swagger } else { ImportKind::OpenApi };
            return Ok((kind, openapi::read(&json)));
        }
        return samples::of_csv(text).map(|found| (ImportKind::Csv, found)).map_err(ImportError);
    }
    let json: Json = serde_json::from_str(text).map_err(|error| {
        ImportError(format!("this is no JSON: line {}, column {}", error.line(), error.column()))
    })?;
    Ok(if json["openapi"].as_str().is_some_and(|version| version.starts_with("3.")) {
        (ImportKind::OpenApi, openapi::read(&json))
    } else if json["swagger"].as_str().is_some_and(|version| version.starts_with("2.")) {
        (ImportKind::Swagger, openapi::read(&json))
    } else if json["info"]["schema"].as_str().is_some_and(|schema| schema.contains("postman")) {
        (ImportKind::Postman, postman::read(&json))
    } else if insomnia::is_export(&json) {
        (ImportKind::Insomnia, insomnia::read(&json))
    } else if json["log"]["entries"].is_array() {
        (ImportKind::Har, samples::of_har(&json))
    } else {
        (ImportKind::JsonSample, samples::of_json(&json))
    })
}

/// YAML as JSON.
#[cfg(feature = "yaml")]
fn of_yaml(text: &str) -> Result<Json, ImportError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map(|at| format!(": line {}, column {}", at.line(), at.column()));
        ImportError(format!("this is YAML and cannot be read{}", place.unwrap_or_default()))
    })
}

#[cfg(not(feature = "yaml"))]
fn of_yaml(_: &str) -> Result<Json, ImportError> {
    let message = "this is YAML, which this program was built without (feature `yaml` of `source-adapters`); give \
                   the JSON form of it";
    Err(ImportError(String::from(message)))
}
