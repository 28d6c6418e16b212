//! The whole life of a grant at any OAuth server, on the command line: install, renewals, introspection, revocation.
//!
//! `flow AUTHORIZE TOKEN INTROSPECT REVOKE REDIRECT SCOPE…` with `CLIENT_ID` and `CLIENT_SECRET` in the environment.
//! It prints the address to open, reads the query that the browser brings back to `REDIRECT`, and prints one JSON line a
//! step; no token among them. The server must say `hub_id` in its token answer or introspection, as HubSpot's does.
#![allow(clippy::print_stdout, reason = "this program talks to the person who started it")]

use std::sync::Arc;

use http_transport::{Clock, ReqwestTransport, TokioClock, Transport};
use jiff::SignedDuration;
use oauth::{
    App, AppTokens, Callback, Endpoints, Grants, Installer, KeyId, Keys, MasterKey, MemoryStore,
    PortalTokens, SystemEntropy, TokenEndpoint, TokenUse, WantedScopes,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [authorize, token, introspect, revoke, redirect, scopes @ ..] = arguments.as_slice() else {
        return Err("usage: flow AUTHORIZE TOKEN INTROSPECT REVOKE REDIRECT SCOPE…".into());
    };
    let secret = SecretString::from(std::env::var("CLIENT_SECRET")?);
    let scopes = WantedScopes::required(scopes.iter().cloned());
    let app = App::new(&std::env::var("CLIENT_ID")?, &secret, redirect, scopes.clone())?;
    let transport: Arc<dyn Transport> = Arc::new(ReqwestTransport::builder().build()?);
    let endpoints = Endpoints::standard(authorize, token, introspect, revoke);
    let clock = ahead(0)?;
    let endpoint = Arc::new(TokenEndpoint::new(transport, endpoints, app, clock.clone())?);
    let store = Arc::new(MemoryStore::new());
    let key = MasterKey::from_base64(&MasterKey::generate(&SystemEntropy)?)?;
    let grants =
        Arc::new(Grants::new(store.clone(), Keys::new(KeyId::new("one")?, key), Arc::new(SystemEntropy)));

    let installer = Installer::new(endpoint.clone(), grants.clone(), store.clone(), clock.clone());
    let begun = installer.begin(None).await?;
    println!("{}", json!({"open": begun.url}));
    let mut query = String::new();
    std::io::stdin().read_line(&mut query)?;
    let cookies = begun.set_cookie.split(';').next();
    let installed = installer.complete(Callback { query: query.trim(), cookies }).await?;
    println!("{}", json!({"installed": installed.portal, "surplus": installed.scopes.surplus}));
    let again = installer.complete(Callback { query: query.trim(), cookies }).await;
    println!("{}", json!({"second callback": again.err().map(|error| error.to_string())}));

    let provider = |clock| {
        let (endpoint, grants) = (endpoint.clone(), grants.clone());
        PortalTokens::new(endpoint, grants, store.clone(), clock, installed.portal, "flow")
    };
    let mut seen = vec![provider(clock.clone()).get().await?];
    for hours in 1..=3 {
        // As a process that lives so much later, when the token of the one before has expired.
        seen.push(provider(ahead(hours * 3_600)?).get().await?);
    }
    let different: std::collections::BTreeSet<&str> =
        seen.iter().map(|token| token.expose_secret()).collect();
    println!("{}", json!({"renewals": different.len() - 1}));

    let last = seen.last().ok_or("no token")?;
    let known = endpoint.introspect(last, TokenUse::Access).await?;
    println!("{}", json!({"active": known.active, "client": known.client_id, "scopes": known.scopes}));
    let own = AppTokens::new(endpoint.clone(), clock, &scopes).get().await;
    println!("{}", json!({"app token": own.map_err(|error| error.to_string()).is_ok()}));

    let tokens = provider(ahead(3 * 3_600)?);
    tokens.revoke().await?;
    let known = endpoint.introspect(last, TokenUse::Access).await?;
    let after = tokens.get().await.err().map(|error| error.to_string());
    println!("{}", json!({"active": known.active, "after revocation": after}));
    Ok(())
}

/// A clock that is so many seconds ahead.
fn ahead(seconds: i64) -> Result<Arc<dyn Clock>, Failure> {
    let now = TokioClock::start().now().checked_add(SignedDuration::from_secs(seconds))?;
    Ok(Arc::new(TokioClock::starting_at(now)))
}
