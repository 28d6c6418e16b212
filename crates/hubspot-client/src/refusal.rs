//! What a refusal says, read from HubSpot's error bodies without keeping any value.

use http_transport::redact_text;
use serde::Deserialize;

use crate::error::ErrorKind;
use crate::object_type::RecordId;
use crate::wire::{Context, null_as_default, optional_text};

/// Why HubSpot refused a call or one input of a batch. Texts are safe to log: values and addresses are taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What it comes to.
    pub kind: ErrorKind,
    /// HubSpot's category, such as `VALIDATION_ERROR`.
    pub category: Option<String>,
    /// HubSpot's sub-category, such as `Properties.PROPERTY_WITH_NAME_EXISTS`.
    pub sub_category: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// The problems named one by one.
    pub details: Vec<RefusalDetail>,
    /// The record that holds the unique value already, where the text names it.
    pub holder: Option<RecordId>,
    /// Scopes of which any one would have sufficed.
    pub scopes: Vec<String>,
    /// Which limit was met on 429, such as `TEN_SECONDLY_ROLLING` or `DAILY`.
    pub policy: Option<String>,
    /// Trace ids of the inputs concerned.
    pub(crate) trace_ids: Vec<String>,
}

/// One problem within a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalDetail {
    /// HubSpot's code, such as `INVALID_OPTION`.
    pub code: Option<String>,
    /// The property concerned.
    pub property: Option<String>,
    /// One sentence for people.
    pub message: String,
}

/// An error body, or an entry under `errors` of a batch. Every field may be absent, by HubSpot's own word.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorBody {
    #[serde(deserialize_with = "null_as_default")]
    message: String,
    #[serde(deserialize_with = "optional_text")]
    category: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    sub_category: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    error_type: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    policy_name: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    pub(crate) correlation_id: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    id: Option<Box<str>>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) context: Context,
    #[serde(deserialize_with = "null_as_default")]
    errors: Vec<DetailBody>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DetailBody {
    #[serde(deserialize_with = "null_as_default")]
    message: String,
    #[serde(deserialize_with = "optional_text")]
    code: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    sub_category: Option<Box<str>>,
    #[serde(deserialize_with = "null_as_default")]
    context: Context,
    // The same, in the list that HubSpot embeds as text in a message.
    #[serde(deserialize_with = "optional_text")]
    name: Option<Box<str>>,
    #[serde(deserialize_with = "optional_text")]
    error: Option<Box<str>>,
}

impl ErrorBody {
    /// Reads an error body; anything that is no JSON object (HTML, nothing) is an empty one.
    pub(crate) fn parse(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Texts of the context under any of `names`, here or in a detail.
    pub(crate) fn context_texts<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        std::iter::once(&self.context)
            .chain(self.errors.iter().map(|detail| &detail.context))
            .flat_map(move |context| names.iter().filter_map(|name| context.get(*name)))
            .flat_map(|texts| texts.0.iter().map(|text| &**text))
    }

    /// The id of the input concerned, where the entry has one of its own.
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn sub_category(&self) -> Option<&str> {
        self.sub_category
            .as_deref()
            .or_else(|| self.errors.iter().find_map(|detail| detail.sub_category.as_deref()))
    }

    /// The refusal this body describes; `status` is that of the answer, or 400 for an entry of a batch.
    pub(crate) fn refusal(&self, status: u16) -> Refusal {
        let duplicate = parse_duplicate(&self.message)
            .or_else(|| self.errors.iter().find_map(|detail| parse_duplicate(&detail.message)));
        let mut details: Vec<RefusalDetail> = self.errors.iter().map(DetailBody::detail).collect();
        if details.is_empty() {
            details = embedded_details(&self.message);
        }
        if let Some(duplicate) = &duplicate
            && details.is_empty()
            && let Some(property) = &duplicate.property
        {
            details.push(RefusalDetail {
                code: Some("CONFLICTING_UNIQUE_VALUE".to_owned()),
                property: Some(property.clone()),
                message: "the value is taken by another record".to_owned(),
            });
        }
        let scopes: Vec<String> = self
            .context_texts(&["requiredGranularScopes", "requiredScopes", "scopes"])
            .map(str::to_owned)
            .collect();
        let category = self.category.as_deref().or(self.error_type.as_deref());
        let conflicting =
            details.iter().any(|detail| detail.code.as_deref() == Some("CONFLICTING_UNIQUE_VALUE"));
        let daily = self.policy_name.as_deref() == Some("DAILY");
        let kind = kind_of(status, category, duplicate.is_some() || conflicting, !scopes.is_empty(), daily);
        Refusal {
            kind,
            message: self.safe_message(duplicate.as_ref(), &details),
            category: category.map(str::to_owned),
            sub_category: self.sub_category().map(str::to_owned),
            details,
            holder: duplicate.map(|duplicate| duplicate.holder),
            scopes,
            policy: self.policy_name.as_deref().map(str::to_owned),
            trace_ids: self.context_texts(&["objectWriteTraceId"]).map(str::to_owned).collect(),
        }
    }

    fn safe_message(&self, duplicate: Option<&Duplicate>, details: &[RefusalDetail]) -> String {
        if let Some(duplicate) = duplicate {
            let property = duplicate.property.as_deref().unwrap_or("a unique property");
            return format!("the value of {property} is taken by record {}", duplicate.holder);
        }
        // A detail speaks of values in a way we know; the outer text repeats them in a way we do not.
        if !details.is_empty() {
            let texts: Vec<String> = details
                .iter()
                .take(5)
                .map(|detail| match &detail.property {
                    Some(property) => format!("{property}: {}", detail.message),
                    None => detail.message.clone(),
                })
                .collect();
            return texts.join("; ");
        }
        redact_text(&self.message)
    }
}

impl DetailBody {
    fn detail(&self) -> RefusalDetail {
        let property = self
            .context
            .get("propertyName")
            .and_then(|names| names.0.first())
            .or(self.name.as_ref())
            .cloned();
        let code = self.code.as_deref().or(self.error.as_deref());
        RefusalDetail {
            message: safe_detail(&self.message, property.is_some()),
            code: code.map(str::to_owned),
            property: property.map(String::from),
        }
    }
}

/// A detail's text without the value it complains about. Only wordings known to hold no value are kept as they are.
fn safe_detail(message: &str, about_a_value: bool) -> String {
    const OPTIONS: &str = " was not one of the allowed options";
    const HARMLESS: [&str; 4] = ["is required", "must be provided", "read only", "cannot be set"];
    if let Some(at) = message.find(OPTIONS) {
        return redact_text(&format!("the value{}", &message[at..]));
    }
    if about_a_value && message.starts_with("Property ") && message.ends_with(" does not exist") {
        return "there is no such property".to_owned();
    }
    if !about_a_value || HARMLESS.iter().any(|text| message.contains(text)) {
        return redact_text(message);
    }
    "the value is not valid".to_owned()
}

/// `Property values were not valid: [{"isValid":false,"message":…,"error":…,"name":…}]`
fn embedded_details(message: &str) -> Vec<RefusalDetail> {
    let Some(list) = message.find("[{").and_then(|at| message.get(at..)) else { return Vec::new() };
    let mut stream = serde_json::Deserializer::from_str(list).into_iter::<Vec<DetailBody>>();
    match stream.next() {
        Some(Ok(details)) => details.iter().map(DetailBody::detail).collect(),
        _ => Vec::new(),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Duplicate {
    property: Option<String>,
    holder: RecordId,
}

/// Finds who holds a unique value. Two texts are known, both observed live:
/// `Contact already exists. Existing ID: 123` and
/// `Cannot set PropertyValueCoordinates{…, propertyName=email, value=…} on 1. 2 already has that value.`, where the second
/// number is the holder and the first, on a create, never comes to exist.
fn parse_duplicate(message: &str) -> Option<Duplicate> {
    if let Some((_, rest)) = message.split_once("Existing ID:") {
        return Some(Duplicate { property: None, holder: leading_digits(rest.trim_start())? });
    }
    // From the end, because the value before it is free text.
    let (before, _) = message.rsplit_once(" already has that value")?;
    let (before, holder) = before.rsplit_once([' ', '.'])?;
    let holder = leading_digits(holder)?;
    let property = before
        .split_once("propertyName=")
        .and_then(|(_, rest)| rest.split([',', '}']).next())
        .filter(|name| !name.is_empty() && name.len() <= 200)
        .map(str::to_owned);
    Some(Duplicate { property, holder })
}

fn leading_digits(text: &str) -> Option<RecordId> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).filter(|digits| !digits.is_empty()).map(RecordId::from)
}

fn kind_of(status: u16, category: Option<&str>, duplicate: bool, scopes: bool, daily: bool) -> ErrorKind {
    match status {
        401 => ErrorKind::RevokedCredential,
        403 if scopes || category == Some("MISSING_SCOPES") => ErrorKind::MissingScope,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        400 | 409 if duplicate => ErrorKind::Duplicate,
        409 if category == Some("OBJECT_ALREADY_EXISTS") => ErrorKind::AlreadyExists,
        409 => ErrorKind::Conflict,
        400 => match category {
            Some("VALIDATION_ERROR") => ErrorKind::Validation,
            Some("OBJECT_NOT_FOUND") => ErrorKind::NotFound,
            Some("OBJECT_ALREADY_EXISTS") => ErrorKind::AlreadyExists,
            Some("CONFLICT") => ErrorKind::Conflict,
            Some("MISSING_SCOPES") => ErrorKind::MissingScope,
            _ => ErrorKind::BadRequest,
        },
        413 | 414 => ErrorKind::TooLarge,
        423 => ErrorKind::Locked,
        429 if daily => ErrorKind::DailyLimit,
        429 => ErrorKind::RateLimited,
        437 => ErrorKind::LimitReached,
        477 => ErrorKind::Migrating,
        408 | 500..=599 => ErrorKind::Server,
        402..=499 => ErrorKind::BadRequest,
        _ => ErrorKind::Unreadable,
    }
}

#[cfg(test)]
mod tests;
