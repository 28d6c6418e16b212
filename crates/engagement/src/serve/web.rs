//! What a stranger can reach: the install pages, the webhook endpoints, health and readiness.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{ALLOW, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use oauth::{Callback, Installer, PortalId};
use tokio::sync::watch;
use tower_service::Service;
use webhooks::Receiver;

use crate::Failure;
use crate::settings::Settings;

use super::pages::{self, Page, Trouble};
use super::{Bell, Board};

/// Paths that are taken.
const OWN: [&str; 7] = ["/", "/install", "/installed", "/style.css", "/health", "/ready", SOURCE];

/// Where a source's webhooks go; with several portals, each has its number below.
const SOURCE: &str = "/source";

/// Where an install that did not happen ends.
const FAILED: &str = "/failed/";

/// What is served.
pub(crate) struct Site {
    /// The integration's name.
    name: String,
    /// Where HubSpot sends the browser.
    callback: Option<String>,
    /// Where HubSpot's webhooks go.
    target: Option<String>,
    pub(crate) installer: Option<Installer>,
    pub(crate) receiver: Option<Receiver>,
    /// What the webhooks of a portal's source ring.
    pub(crate) bells: BTreeMap<PortalId, Bell>,
    /// The portals that may be connected, and what wakes their workers.
    pub(crate) portals: BTreeMap<PortalId, watch::Sender<u64>>,
    pub(crate) board: Arc<Board>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Site {
    /// A site without anything to install and anything to receive yet.
    ///
    /// # Errors
    /// Two of its paths are the same.
    pub(crate) fn new(
        name: &str,
        settings: &Settings,
        board: Arc<Board>,
        stop: watch::Receiver<bool>,
    ) -> Result<Site, Failure> {
        let path = |url: &str| url.parse::<http::Uri>().ok().map(|uri| uri.path().to_owned());
        let callback = settings.oauth.as_ref().and_then(|oauth| path(&oauth.redirect_url));
        let target = settings.hearing.target.as_deref().and_then(path);
        let taken = |path: &Option<String>| {
            path.as_deref().is_some_and(|path| {
                OWN.contains(&path) || path.starts_with(FAILED) || path.starts_with("/source/")
            })
        };
        for (place, path) in [("oauth.redirect_url", &callback), ("webhooks.target_url", &target)] {
            if taken(path) {
                return Err(Failure::new(format!(
                    "`{place}` leads to a page that the service has for itself"
                ))
                .remedy("give it a path of its own, such as /oauth/callback or /webhooks"));
            }
        }
        if callback.is_some() && callback == target {
            return Err(Failure::new("`oauth.redirect_url` and `webhooks.target_url` have the same path"));
        }
        Ok(Site {
            name: name.to_owned(),
            callback,
            target,
            installer: None,
            receiver: None,
            bells: BTreeMap::new(),
            portals: BTreeMap::new(),
            board,
            stop,
        })
    }

    async fn answer<B: Body<Data = Bytes>>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        if self.target.as_deref() == Some(path)
            && let Some(receiver) = &self.receiver
        {
            return receiver.receive(request).await;
        }
        if let Some(bell) = self.bell(path) {
            return bell.ring(request).await;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        // No body of a page's request is ever read.
        let (head, _) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        match head.uri.path() {
            "/" if self.installer.is_some() => pages::render(&self.name, Page::Welcome),
            "/" => pages::render(&self.name, Page::Settled),
            "/style.css" => pages::style(),
            "/health" => plain(StatusCode::OK, "ok"),
            "/ready" => self.readiness(),
            "/installed" => pages::render(&self.name, Page::Installed),
            "/install" => self.begin(query).await,
            path if self.callback.as_deref() == Some(path) => {
                let cookies = head.headers.get(COOKIE).and_then(|value| value.to_str().ok());
                self.complete(Callback { query, cookies }).await
            }
            path => {
                let trouble = path.strip_prefix(FAILED).and_then(Trouble::from_slug);
                pages::render(&self.name, trouble.map_or(Page::Missing, Page::Failed))
            }
        }
    }

    /// Whose source calls here: that of the portal in the path, or of the only one.
    fn bell(&self, path: &str) -> Option<&Bell> {
        match path.strip_prefix(SOURCE)? {
            "" if self.portals.len() == 1 => self.bells.values().next(),
            rest => self.bells.get(&PortalId(rest.strip_prefix('/')?.parse().ok()?)),
        }
    }

    fn readiness(&self) -> Response<Full<Bytes>> {
        let ready = self.board.is_ready() && !*self.stop.borrow();
        let body = serde_json::json!({ "ready": ready, "portals": self.board.counts() });
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        pages::respond(status, "application/json", Bytes::from(body.to_string()))
    }

    /// Sends the browser to HubSpot. Where one portal is kept, only that one is accepted; with several, the one that
    /// the link names as `portal`, or whichever of them is chosen.
    async fn begin(&self, query: &str) -> Response<Full<Bytes>> {
        let Some(installer) = &self.installer else { return pages::render(&self.name, Page::Missing) };
        let known: BTreeSet<PortalId> = self.portals.keys().copied().collect();
        let named = query.split('&').find_map(|pair| pair.strip_prefix("portal=")).map(str::parse::<u64>);
        let portal = match (named, known.len()) {
            (Some(Ok(named)), _) if known.contains(&PortalId(named)) => Some(PortalId(named)),
            (Some(_), _) => return pages::render(&self.name, Page::Failed(Trouble::Link)),
            (None, 1) => known.first().copied(),
            (None, _) => None,
        };
        match installer.begin(portal).await {
            Ok(begun) => {
                let mut answer = redirect(&begun.url);
                if let Ok(cookie) = HeaderValue::from_str(&begun.set_cookie) {
                    answer.headers_mut().insert(SET_COOKIE, cookie);
                }
                answer
            }
            Err(error) => {
                tracing::error!(%error, "an install could not begin");
                pages::render(&self.name, Page::Failed(Trouble::of(&error)))
            }
        }
    }

    /// Ends an install, and sends the browser to an address without the code.
    async fn complete(&self, callback: Callback<'_>) -> Response<Full<Bytes>> {
        let Some(installer) = &self.installer else { return pages::render(&self.name, Page::Missing) };
        match installer.complete(callback).await {
            Ok(installed) => {
                if let Some(worker) = self.portals.get(&installed.portal) {
                    worker.send_modify(|asked| *asked += 1);
                }
                redirect("/installed")
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "an install did not happen");
                failed(Trouble::of(&error))
            }
        }
    }
}

fn failed(trouble: Trouble) -> Response<Full<Bytes>> {
    redirect(&format!("{FAILED}{}", trouble.slug()))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    pages::respond(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn redirect(address: &str) -> Response<Full<Bytes>> {
    let Ok(location) = HeaderValue::from_str(address) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the address cannot be sent");
    };
    let mut response = plain(StatusCode::SEE_OTHER, "");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// The site as a service.
#[derive(Clone)]
pub(crate) struct Web(Arc<Site>);

impl Web {
    pub(crate) fn new(site: Site) -> Web {
        Web(Arc::new(site))
    }
}

impl<B> Service<Request<B>> for Web
where
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let site = self.0.clone();
        Box::pin(async move { Ok(site.answer(request).await) })
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Web")
    }
}
