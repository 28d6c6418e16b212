//! Errors of the token endpoints.

use serde_json::{Value, json};

/// HubSpot's older status word, its text, and the error code of RFC 6749 that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TokenRefusal {
    pub(crate) http: u16,
    status: &'static str,
    error: &'static str,
    message: &'static str,
}

impl TokenRefusal {
    pub(crate) const BAD_REFRESH_TOKEN: TokenRefusal =
        grant("BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked");
    pub(crate) const BAD_AUTH_CODE: TokenRefusal =
        grant("BAD_AUTH_CODE", "missing or invalid auth code; it may be expired or used already");
    pub(crate) const BAD_HUB: TokenRefusal =
        grant("BAD_HUB", "the account is closed or does not exist any more");
    pub(crate) const BAD_VERIFIER: TokenRefusal =
        grant("BAD_AUTH_CODE", "code verifier does not match the code challenge");
    pub(crate) const MISMATCHED_REDIRECT: TokenRefusal = grant(
        "MISMATCH_REDIRECT_URI_AUTH_CODE",
        "redirect uri does not match the one used when getting the auth code",
    );
    pub(crate) const BAD_REDIRECT_URI: TokenRefusal =
        request("BAD_REDIRECT_URI", "invalid_request", "missing or invalid redirect uri");
    pub(crate) const BAD_CLIENT_ID: TokenRefusal =
        request("BAD_CLIENT_ID", "invalid_client", "missing or unknown client id");
    pub(crate) const BAD_CLIENT_SECRET: TokenRefusal =
        request("BAD_CLIENT_SECRET", "invalid_client", "missing or invalid client secret");
    pub(crate) const BAD_GRANT_TYPE: TokenRefusal =
        request("BAD_GRANT_TYPE", "unsupported_grant_type", "missing or unknown grant type");
    pub(crate) const BAD_SCOPE: TokenRefusal =
        request("BAD_SCOPE", "invalid_scope", "a scope is missing or not granted to the app");
    pub(crate) const NO_TOKEN: TokenRefusal =
        request("BAD_TOKEN", "invalid_request", "missing token parameter");
    pub(crate) const NOT_A_FORM: TokenRefusal = TokenRefusal {
        http: 415,
        status: "error",
        error: "invalid_request",
        message: "HTTP 415 Unsupported Media Type: send application/x-www-form-urlencoded",
    };
    /// v1 metadata of a token that is not there.
    pub(crate) const NOT_FOUND: TokenRefusal = TokenRefusal {
        http: 404,
        status: "error",
        error: "invalid_request",
        message: "the token is invalid, expired or revoked",
    };

    /// RFC 6749's fields with HubSpot's older ones beside them.
    pub(crate) fn body(&self, correlation_id: &str) -> Value {
        json!({
            "error": self.error,
            "error_description": self.message,
            "status": self.status,
            "message": self.message,
            "correlationId": correlation_id,
        })
    }
}

const fn grant(status: &'static str, message: &'static str) -> TokenRefusal {
    request(status, "invalid_grant", message)
}

const fn request(status: &'static str, error: &'static str, message: &'static str) -> TokenRefusal {
    TokenRefusal { http: 400, status, error, message }
}
