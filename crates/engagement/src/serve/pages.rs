//! The pages that a person sees who connects a HubSpot account. Pure: what happened in, a page out.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use minijinja::{Environment, context};
use oauth::InstallError;

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// Where an install begins.
    Welcome,
    /// There is nothing to install: the credential is a token in the settings.
    Settled,
    /// The account is connected.
    Installed,
    /// It is not.
    Failed(Trouble),
    /// There is no such page.
    Missing,
}

/// Why an install did not happen, as a word of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The person said no.
    Denied,
    /// Too late, twice, in another browser, or a link that nobody made.
    Stale,
    /// Another account than the one that is meant.
    Account,
    /// An install link for an account that is not kept here.
    Link,
    /// Scopes are missing.
    Scopes,
    /// HubSpot could not be had.
    HubSpot,
    /// The fault is ours.
    Ours,
}

impl Trouble {
    const ALL: [Trouble; 7] = [
        Trouble::Denied,
        Trouble::Stale,
        Trouble::Account,
        Trouble::Link,
        Trouble::Scopes,
        Trouble::HubSpot,
        Trouble::Ours,
    ];

    /// What to tell of an error. Its details are for the log: a stranger may have made the request.
    pub(crate) fn of(error: &InstallError) -> Trouble {
        match error {
            InstallError::Denied(_) => Trouble::Denied,
            InstallError::Malformed(_)
            | InstallError::Unknown
            | InstallError::OtherBrowser
            | InstallError::SettingsChanged => Trouble::Stale,
            InstallError::OtherPortal { .. } | InstallError::UnexpectedPortal(_) => Trouble::Account,
            InstallError::MissingScopes(_) => Trouble::Scopes,
            InstallError::Exchange(_)
            | InstallError::NoPortal
            | InstallError::OtherApp
            | InstallError::NoRefreshToken => Trouble::HubSpot,
            // The store, the machine's randomness, and what a later version may add.
            _ => Trouble::Ours,
        }
    }

    pub(crate) fn slug(self) -> &'static str {
        match self {
            Trouble::Denied => "denied",
            Trouble::Stale => "stale",
            Trouble::Account => "account",
            Trouble::Link => "link",
            Trouble::Scopes => "scopes",
            Trouble::HubSpot => "hubspot",
            Trouble::Ours => "error",
        }
    }

    pub(crate) fn from_slug(slug: &str) -> Option<Trouble> {
        Trouble::ALL.into_iter().find(|trouble| trouble.slug() == slug)
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Trouble::Denied => ("Not connected", "Access was not granted in HubSpot. Nothing was changed."),
            Trouble::Stale => (
                "Please start again",
                "This install was finished already, took longer than ten minutes, or was begun in another browser or \
                 one that takes no cookies.",
            ),
            Trouble::Account => (
                "Another account is expected",
                "Access was granted for a HubSpot account that this integration is not set up for. It was not \
                 connected. Start again and choose the account that was agreed; in the other one, uninstall the app \
                 if it was not meant.",
            ),
            Trouble::Link => (
                "This link is for another account",
                "It names a HubSpot account that this integration is not set up for. Nothing was changed. Ask whoever \
                 sent it for the right one.",
            ),
            Trouble::Scopes => (
                "Some permissions are missing",
                "The account did not grant everything that the integration needs. A super admin can, or the account's \
                 subscription may not include it.",
            ),
            Trouble::HubSpot => (
                "HubSpot did not answer as expected",
                "The account could not be connected at the moment. Please try again in a few minutes.",
            ),
            Trouble::Ours => (
                "Something is wrong on our side",
                "The account could not be connected. The people who run this integration can see why in its log.",
            ),
        }
    }
}

static SHELL: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.add_template("shell.html", include_str!("templates/shell.html"))?;
    Ok(environment)
});

/// The page for an integration of this name.
pub(crate) fn render(name: &str, page: Page) -> Response<Full<Bytes>> {
    let again = context! { href => "/install", label => "Start again" };
    let (status, view) = match page {
        Page::Welcome => (
            StatusCode::OK,
            context! {
                title => "Connect your HubSpot account",
                texts => ["HubSpot will show what this integration may read and write, and ask for your consent. A \
                           super admin, or a user who may install apps, can give it."],
                button => context! { href => "/install", label => "Connect HubSpot" },
                note => "You can end it at any time in HubSpot under Settings, Integrations, Connected apps.",
            },
        ),
        Page::Settled => (
            StatusCode::OK,
            context! {
                title => "Nothing to connect",
                texts => ["This integration uses a token that its settings hold."],
            },
        ),
        Page::Installed => (
            StatusCode::OK,
            context! {
                title => "Connected",
                texts => ["Your HubSpot account is connected, and the first sync begins by itself.",
                          "You can close this page."],
                tone => "good",
            },
        ),
        Page::Failed(trouble) => {
            let (title, text) = trouble.words();
            (StatusCode::OK, context! { title, texts => [text], tone => "bad", button => again })
        }
        Page::Missing => (
            StatusCode::NOT_FOUND,
            context! { title => "There is no such page", texts => ["The address may be cut off."] },
        ),
    };
    let view = context! { name, ..view };
    let html = SHELL.as_ref().ok().and_then(|shell| shell.get_template("shell.html").ok()?.render(view).ok());
    match html {
        Some(html) => respond(status, "text/html; charset=utf-8", Bytes::from(html)),
        None => respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Bytes::from_static(b"no page")),
    }
}

/// The style of all pages.
pub(crate) fn style() -> Response<Full<Bytes>> {
    respond(
        StatusCode::OK,
        "text/css; charset=utf-8",
        Bytes::from_static(include_bytes!("templates/style.css")),
    )
}

/// Nothing runs on these pages, nobody frames them, nobody keeps them, and no address leaks from them.
pub(crate) fn respond(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'; \
                          base-uri 'none'; frame-ancestors 'none'";
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn text(page: Page) -> String {
        let body = render("A <b>&\"name", page).into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn every_page_is_whole_and_escapes_the_name() {
        let troubles = Trouble::ALL.map(Page::Failed);
        for page in [Page::Welcome, Page::Settled, Page::Installed, Page::Missing].into_iter().chain(troubles)
        {
            let html = text(page).await;
            assert!(html.contains("A &lt;b&gt;&amp;&quot;name"), "{page:?}: {html}");
            assert!(html.contains("<h1>") && html.trim_end().ends_with("</html>"), "{page:?}");
            assert!(!html.contains("<script") && !html.contains("style="), "{page:?}: nothing inline");
        }
    }

    #[test]
    fn every_trouble_has_an_address_of_its_own() {
        for trouble in Trouble::ALL {
            assert_eq!(Trouble::from_slug(trouble.slug()), Some(trouble));
        }
        assert_eq!(Trouble::from_slug("../install"), None);
    }
}
