//! HubSpot's error answers: status codes and JSON bodies.

use serde_json::{Map, Value, json};

/// An error answer before it gets its correlation id.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) category: &'static str,
    pub(crate) message: String,
    pub(crate) sub_category: Option<String>,
    pub(crate) context: Map<String, Value>,
    pub(crate) details: Vec<Detail>,
    pub(crate) scopes_link: bool,
    /// Some 404 answers have no JSON body at all; clients must decide on the status.
    pub(crate) html: bool,
}

/// One entry of `errors[]`.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) message: String,
    pub(crate) code: Option<&'static str>,
    pub(crate) context: Map<String, Value>,
}

/// One property value that was refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) property: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: u16, category: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            category,
            message: message.into(),
            sub_category: None,
            context: Map::new(),
            details: Vec::new(),
            scopes_link: false,
            html: false,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> ApiError {
        ApiError::new(400, "VALIDATION_ERROR", message)
    }

    /// 404 as the CRM object endpoints word it.
    pub(crate) fn object_not_found() -> ApiError {
        ApiError::new(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.")
    }

    pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(404, "OBJECT_NOT_FOUND", message)
    }

    /// A 404 in HTML, as unknown paths and missing pipelines answer.
    pub(crate) fn html_not_found() -> ApiError {
        ApiError { html: true, ..ApiError::new(404, "OBJECT_NOT_FOUND", "resource not found") }
    }

    /// Create of a contact whose primary e-mail is taken.
    pub(crate) fn contact_exists(holder: u64) -> ApiError {
        ApiError::new(409, "CONFLICT", format!("Contact already exists. Existing ID: {holder}"))
    }

    /// A unique value is taken. Observed live: no `errors[]`, and the second number is the holder.
    pub(crate) fn unique_value_taken(
        portal_id: u64,
        legacy_type: &str,
        property: &str,
        value: &str,
        writing: u64,
        holder: u64,
    ) -> ApiError {
        ApiError::validation(format!(
            "Cannot set PropertyValueCoordinates{{portalId={portal_id}, \
             objectTypeId=ObjectTypeId{{legacyObjectType={legacy_type}}}, propertyName={property}, \
             value={value}}} on {writing}. {holder} already has that value."
        ))
    }

    /// Refused property values: the list stands as JSON text inside `message` and again in `errors[]`.
    pub(crate) fn invalid_properties(portal_id: u64, refusals: &[Refusal]) -> ApiError {
        let listed: Vec<Value> = refusals
            .iter()
            .map(|refusal| {
                json!({
                    "isValid": false,
                    "message": refusal.message,
                    "error": refusal.code,
                    "name": refusal.property,
                    "localizedErrorMessage": refusal.message,
                    "portalId": portal_id,
                })
            })
            .collect();
        let mut error =
            ApiError::validation(format!("Property values were not valid: {}", Value::Array(listed)));
        error.details = refusals
            .iter()
            .map(|refusal| {
                Detail::coded(refusal.code, refusal.message.clone())
                    .with("propertyName", vec![refusal.property.clone()])
            })
            .collect();
        error
    }

    /// The credential lacks every one of the scopes that would do.
    pub(crate) fn missing_scopes(alternatives: &[String]) -> ApiError {
        let mut error = ApiError::new(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes \
             here: https://developers.hubspot.com/scopes.",
        );
        error.details = vec![
            Detail {
                message: "One or more of the following scopes are required.".to_owned(),
                code: None,
                context: Map::new(),
            }
            .with("requiredGranularScopes", alternatives.to_vec()),
        ];
        error.scopes_link = true;
        error
    }

    pub(crate) fn sub(mut self, sub_category: impl Into<String>) -> ApiError {
        self.sub_category = Some(sub_category.into());
        self
    }

    pub(crate) fn with(mut self, key: &str, values: Vec<String>) -> ApiError {
        self.context.insert(key.to_owned(), Value::from(values));
        self
    }

    pub(crate) fn detail(mut self, detail: Detail) -> ApiError {
        self.details.push(detail);
        self
    }

    /// The JSON body of a whole answer.
    pub(crate) fn body(&self, correlation_id: &str) -> Value {
        let mut body = self.entry();
        body.insert("correlationId".to_owned(), Value::from(correlation_id));
        Value::Object(body)
    }

    /// The error as one entry of a batch answer's `errors[]`.
    pub(crate) fn entry(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("status".to_owned(), Value::from("error"));
        body.insert("message".to_owned(), Value::from(self.message.as_str()));
        body.insert("category".to_owned(), Value::from(self.category));
        if let Some(sub_category) = &self.sub_category {
            body.insert("subCategory".to_owned(), Value::from(sub_category.as_str()));
        }
        if !self.context.is_empty() {
            body.insert("context".to_owned(), Value::Object(self.context.clone()));
        }
        if !self.details.is_empty() {
            body.insert("errors".to_owned(), self.details.iter().map(Detail::value).collect());
        }
        if self.scopes_link {
            body.insert("links".to_owned(), json!({"scopes": "https://developers.hubspot.com/scopes"}));
        }
        body
    }
}

impl Detail {
    pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> Detail {
        Detail { message: message.into(), code: Some(code), context: Map::new() }
    }

    pub(crate) fn with(mut self, key: &str, values: Vec<String>) -> Detail {
        self.context.insert(key.to_owned(), Value::from(values));
        self
    }

    fn value(&self) -> Value {
        let mut value = Map::new();
        value.insert("message".to_owned(), Value::from(self.message.as_str()));
        if let Some(code) = self.code {
            value.insert("code".to_owned(), Value::from(code));
        }
        if !self.context.is_empty() {
            value.insert("context".to_owned(), Value::Object(self.context.clone()));
        }
        Value::Object(value)
    }
}
