//! The verifying layer around an axum router, and the receiver as one of its routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::routing::any;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower_service::Service as _;
use webhooks::{
    Endpoint, Inbox as _, Receiver, ReceiverLimits, SignatureVersion, SqliteInbox, VerifyLayer, sign_v3,
};

use crate::support::{TestClock, creations, endpoint, now, secret, signed, verifier};

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.clone().call(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn card(url: &str, target: &str, body: &'static str) -> Request<Body> {
    let headers = sign_v3(&secret(), "POST", url, body.as_bytes(), now());
    Request::post(target)
        .header("host", "hooks.example.com")
        .header("x-hubspot-signature-v3", headers.signature)
        .header("x-hubspot-request-timestamp", headers.timestamp)
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn what_is_behind_the_layer_sees_verified_requests_only() {
    let behind = any(|Extension(version): Extension<SignatureVersion>, body: String| async move {
        format!("{version:?} {body}")
    });
    let public = Endpoint::below("https://hooks.example.com/hubspot").unwrap();
    let layer = VerifyLayer::new(public, verifier(), TestClock::new(), ReceiverLimits::default());
    let router: Router = Router::new().route("/card", behind).layer(layer);
    let url = "https://hooks.example.com/hubspot/card?portalId=33&at=a%3Ab";
    let (target, body) = ("/card?portalId=33&at=a%3Ab", "card");
    assert_eq!(send(&router, card(url, target, body)).await, (StatusCode::OK, "V3 card".to_owned()));
    for (name, request, status) in [
        ("another query", card(url, "/card?portalId=34&at=a%3Ab", body), 401),
        ("another path", card(url, "/other?portalId=33&at=a%3Ab", body), 401),
        ("the proxied URL", card("https://hooks.example.com/card", "/card", body), 401),
        (
            "no signature",
            Request::post("/card").header("host", "hooks.example.com").body(Body::empty()).unwrap(),
            401,
        ),
        ("no host", Request::post("/card").body(Body::empty()).unwrap(), 421),
    ] {
        assert_eq!(send(&router, request).await.0, status, "{name}");
    }
}

#[tokio::test]
async fn a_receiver_is_a_route() {
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let receiver = Receiver::new(endpoint(), verifier(), inbox.clone(), TestClock::new());
    let router: Router = Router::new().route_service("/hubspot/events", receiver);
    let (head, body) = signed(&creations(1..=2), now()).into_parts();
    let request = Request::from_parts(head, Body::new(body));
    assert_eq!(send(&router, request).await.0, StatusCode::OK);
    assert_eq!(inbox.waiting().await.unwrap()[0].events, 2);
}
