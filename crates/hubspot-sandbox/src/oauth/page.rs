//! The consent page: what a person sees and the answer to its two buttons.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use jiff::Timestamp;
use minijinja::{Environment, context};

use super::Form;
use super::consent::{self, Consent};
use crate::state::State;

const STYLE: &str = "/oauth/assets/consent.css";

static ENVIRONMENT: LazyLock<Result<Environment<'static>, String>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    for (name, source) in [
        ("shell.html", include_str!("templates/shell.html")),
        ("consent.html", include_str!("templates/consent.html")),
        ("broken.html", include_str!("templates/broken.html")),
    ] {
        environment.add_template(name, source).map_err(|error| format!("{error:#}"))?;
    }
    Ok(environment)
});

/// The page at `/oauth/authorize` or `/oauth/{portal}/authorize`, and what follows from its buttons. `None` for every
/// other address.
pub(crate) fn answer(state: &mut State, now: Timestamp, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let path = request.uri().path();
    if path == STYLE {
        let style = Bytes::from_static(include_bytes!("assets/consent.css"));
        return Some(respond(StatusCode::OK, "text/css; charset=utf-8", style, None));
    }
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let portal = match segments.as_slice() {
        ["oauth", "authorize"] => None,
        ["oauth", portal, "authorize"] if portal.bytes().all(|byte| byte.is_ascii_digit()) => Some(*portal),
        _ => return None,
    };
    let query = request.uri().query().unwrap_or_default();
    Some(match *request.method() {
        Method::GET | Method::HEAD => match consent::check(state, portal, query) {
            Ok(consent) => {
                let origin = origin(&consent.redirect_uri);
                html(StatusCode::OK, "consent.html", view(state, &consent, query), origin)
            }
            Err(message) => broken(&message),
        },
        Method::POST => {
            let allowed = Form::of(request.body()).get("answer") == "allow";
            match consent::decide(state, now.as_millisecond(), portal, query, allowed) {
                Ok(address) => redirect(&address),
                Err(message) => broken(&message),
            }
        }
        _ => broken("This page is opened in a browser."),
    })
}

fn view(state: &State, consent: &Consent<'_>, query: &str) -> minijinja::Value {
    let owner = state.config.owners.first();
    context! {
        app => consent.app.name.as_str(),
        portal => state.config.portal_id,
        user => owner.map(|owner| format!("{} {}", owner.first_name, owner.last_name)),
        email => owner.map(|owner| owner.email.as_str()),
        target => consent.redirect_uri.as_str(),
        action => format!("?{query}"),
        required => described(&consent.required),
        optional => described(&consent.optional),
        dropped => described(&consent.dropped),
    }
}

fn described(scopes: &BTreeSet<String>) -> Vec<minijinja::Value> {
    let one = |scope: &String| context! { name => scope, means => meaning(scope) };
    scopes.iter().map(one).collect()
}

/// What a scope allows, in words.
fn meaning(scope: &str) -> String {
    let words = |text: &str| match text {
        "custom" => "custom objects".to_owned(),
        text => text.replace(['_', '-'], " "),
    };
    match scope.split('.').collect::<Vec<_>>().as_slice() {
        ["oauth"] => "Know which account this is".to_owned(),
        ["tickets"] => "Read and change tickets".to_owned(),
        ["e-commerce"] => "Read and change products and line items".to_owned(),
        ["crm", "objects", what, "read"] => format!("Read {}", words(what)),
        ["crm", "objects", what, "write"] => format!("Create, change and delete {}", words(what)),
        ["crm", "schemas", what, "read"] => format!("Read property settings of {}", words(what)),
        ["crm", "schemas", what, "write"] => format!("Change property settings of {}", words(what)),
        parts => words(&parts.join(" ")),
    }
}

fn broken(message: &str) -> Response<Bytes> {
    html(StatusCode::BAD_REQUEST, "broken.html", context! { message }, None)
}

fn html(status: StatusCode, template: &str, view: minijinja::Value, target: Option<&str>) -> Response<Bytes> {
    let page = ENVIRONMENT.as_ref().map_err(Clone::clone).and_then(|environment| {
        let page = environment.get_template(template).and_then(|template| template.render(view));
        page.map_err(|error| format!("{error:#}"))
    });
    match page {
        Ok(page) => respond(status, "text/html; charset=utf-8", Bytes::from(page), target),
        Err(error) => {
            respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", Bytes::from(error), None)
        }
    }
}

/// Nothing runs on the page and nobody frames it. Browsers count the redirect after the form as its target, so the app's
/// origin has to be named.
fn respond(status: StatusCode, kind: &'static str, body: Bytes, target: Option<&str>) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; \
         frame-ancestors 'none'",
        target.unwrap_or_default()
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn redirect(address: &str) -> Response<Bytes> {
    match HeaderValue::from_str(address) {
        Ok(location) => {
            let mut response = respond(StatusCode::FOUND, "text/plain; charset=utf-8", Bytes::new(), None);
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => broken("The redirect URL of the app is no address."),
    }
}

/// Scheme, host and port of an address.
fn origin(address: &str) -> Option<&str> {
    let host = address.find("://")? + 3;
    let rest = address.get(host..)?;
    let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let origin = address.get(..host + length)?;
    // It becomes a part of a header with a grammar of its own.
    origin
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\''))
        .then_some(origin)
}
