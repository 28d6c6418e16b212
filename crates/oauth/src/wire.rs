//! Requests to the authorization server as bytes.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use http_transport::TransportError;
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

/// A POST of a form. Credentials and tokens stand in its body, never in an address. What is wiped elsewhere is not here:
/// the transport copies bodies and headers into buffers of its own.
pub(crate) fn form(url: &str, fields: &[(&str, &str)]) -> Result<Request<Bytes>, TransportError> {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(url)
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body(Bytes::from(body)).map_err(|_| malformed())
}

/// A call about the token that is the last part of its path.
pub(crate) fn at_path(
    method: Method,
    url: &str,
    token: &SecretString,
) -> Result<Request<Bytes>, TransportError> {
    let token: String = url::form_urlencoded::byte_serialize(token.expose_secret().as_bytes()).collect();
    let request = Request::builder().method(method).uri(format!("{url}/{token}"));
    let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
    request.body(Bytes::new()).map_err(|_| malformed())
}

/// A DELETE with an access token.
pub(crate) fn delete_as(url: &str, access: &SecretString) -> Result<Request<Bytes>, TransportError> {
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", access.expose_secret())).map_err(|_| malformed())?;
    bearer.set_sensitive(true);
    let request = Request::delete(url).header(AUTHORIZATION, bearer);
    request.body(Bytes::new()).map_err(|_| malformed())
}

fn malformed() -> TransportError {
    TransportError::not_sent("the request is malformed")
}
