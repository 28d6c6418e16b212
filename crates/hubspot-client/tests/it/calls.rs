//! What every call does: tokens, retries, errors, circuit breaker, escape hatch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hubspot_client::{
    Client, ErrorKind, GetOptions, Idempotency, ObjectType, RawRequest, RecordId, Retry, TokenError,
    TokenProvider,
};
use secrecy::SecretString;
use serde_json::json;

use crate::scripted::{Act, client, client_with};

fn contacts(client: &Client) -> hubspot_client::Objects {
    client.objects(&ObjectType::CONTACTS)
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_until_they_succeed() {
    let (client, transport) = client(|_, number| match number {
        1 => Act::NotSent,
        2 => Act::Lost,
        3 => Act::Text(502, "<html>"),
        4 => Act::AnswerWith(
            429,
            vec![("retry-after", "3".into())],
            json!({"policyName": "TEN_SECONDLY_ROLLING"}),
        ),
        _ => Act::Answer(200, json!({"id": "1", "properties": {"email": null}})),
    });
    let record = contacts(&client).get("1", &GetOptions::default()).await.unwrap();
    assert_eq!(record.id, RecordId::from("1"));
    let seen = transport.seen();
    assert_eq!(seen.len(), 5);
    assert!(seen[4].at - seen[3].at >= Duration::from_secs(3), "no call before the time the server gave");
    assert_eq!(client.call_counts().throttled, 1);
    assert_eq!(client.call_counts().unanswered, 2);
}

#[tokio::test(start_paused = true)]
async fn a_create_with_a_lost_answer_is_never_repeated() {
    for (act, kind) in [(Act::Lost, ErrorKind::NoAnswer), (Act::Text(502, ""), ErrorKind::Server)] {
        let mut act = Some(act);
        let (client, transport) =
            client(move |_, _| act.take().unwrap_or(Act::Answer(201, json!({"id": "1"}))));
        let error = contacts(&client).create(&[("email", "ann@example.com")], &[]).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::OutcomeUnknown));
        assert_eq!(transport.seen().len(), 1);
        assert!(!format!("{error} {error:?}").contains("ann@"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_never_left_is_repeated() {
    let (client, transport) = client(|_, number| match number {
        1 => Act::NotSent,
        _ => Act::Answer(201, json!({"id": "7"})),
    });
    assert_eq!(contacts(&client).create(&[], &[]).await.unwrap().id, RecordId::from("7"));
    assert_eq!(transport.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_cannot_be_read_has_an_unknown_outcome() {
    let (client, _) =
        client(|_, _| Act::Text(200, r#"{"id":{"x":1},"properties":{"email":"ann@example.com"}}"#));
    let error = contacts(&client).update("1", &[("a", "b")]).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Unreadable, true));
    assert!(!error.to_string().contains("ann@"), "{error}");
    let error = contacts(&client).get("1", &GetOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreadable, Retry::Never));
    assert!(error.to_string().contains("at `id`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn errors_name_kind_holder_scopes_and_correlation_id() {
    let (client, _) = client(|seen, _| match seen.path.rsplit('/').next() {
        Some("1") => Act::AnswerWith(
            400,
            vec![("x-hubspot-correlation-id", "abc".into())],
            json!({"category": "VALIDATION_ERROR", "message": "Cannot set PropertyValueCoordinates{portalId=1, \
                objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, propertyName=email, value=ann@example.com} on 5. \
                6 already has that value."}),
        ),
        Some("2") => Act::Answer(
            403,
            json!({"category": "MISSING_SCOPES",
            "errors": [{"message": "x", "context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}}]}),
        ),
        _ => Act::Answer(404, json!({})),
    });
    let objects = contacts(&client);
    let taken = objects.update("1", &[("email", "ann@example.com")]).await.unwrap_err();
    assert_eq!((taken.kind(), taken.holder()), (ErrorKind::Duplicate, Some(&RecordId::from("6"))));
    assert_eq!(taken.correlation_id(), Some("abc"));
    let text = "PATCH /crm/objects/2026-03/contacts/1: 400 the value of email is taken by record 6 (correlation id abc)";
    assert_eq!(taken.to_string(), text);
    let scope = objects.update("2", &[]).await.unwrap_err();
    assert_eq!(
        (scope.kind(), scope.scopes()),
        (ErrorKind::MissingScope, &["crm.objects.contacts.write".to_owned()][..])
    );
    let by_email = GetOptions { id_property: Some("email".into()), ..GetOptions::default() };
    assert_eq!(objects.find("ann@example.com", &by_email).await.unwrap(), None);
    let missing = objects.get("ann@example.com", &by_email).await.unwrap_err();
    assert!(!missing.to_string().contains("ann"), "{missing}");
}

/// Gives a new token each time the old one is refused.
#[derive(Debug, Default)]
struct Renewing(AtomicU32);

#[async_trait]
impl TokenProvider for Renewing {
    async fn token(&self) -> Result<SecretString, TokenError> {
        Ok(SecretString::from(format!("token-{}", self.0.load(Ordering::Relaxed))))
    }

    async fn rejected(&self, _token: &SecretString) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once() {
    let tokens =
        |builder: hubspot_client::ClientBuilder| builder.token_provider(Arc::new(Renewing::default()));
    let (client, transport) = client_with(Duration::ZERO, tokens, |seen, _| {
        if seen.authorization == "Bearer token-1" {
            Act::Answer(200, json!({"id": "1"}))
        } else {
            Act::Answer(401, json!({"category": "EXPIRED_AUTHENTICATION"}))
        }
    });
    assert!(contacts(&client).create(&[], &[]).await.is_ok());
    assert_eq!(transport.seen().len(), 2);

    let tokens =
        |builder: hubspot_client::ClientBuilder| builder.token_provider(Arc::new(Renewing::default()));
    let (client, transport) = client_with(Duration::ZERO, tokens, |_, _| Act::Answer(401, json!({})));
    let error = contacts(&client).create(&[], &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::RevokedCredential, Retry::Never));
    assert_eq!(transport.seen().len(), 2, "once, not for ever");
}

/// One token for all, until one of them says that it was refused.
#[derive(Debug, Default)]
struct Expiring(AtomicBool);

#[async_trait]
impl TokenProvider for Expiring {
    async fn token(&self) -> Result<SecretString, TokenError> {
        Ok(SecretString::from(if self.0.load(Ordering::Relaxed) { "fresh" } else { "expired" }))
    }

    async fn rejected(&self, _token: &SecretString) -> bool {
        self.0.store(true, Ordering::Relaxed);
        true
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_met_by_many_calls_at_once_opens_no_circuit() {
    let tokens =
        |builder: hubspot_client::ClientBuilder| builder.token_provider(Arc::new(Expiring::default()));
    let (client, transport) = client_with(Duration::from_millis(100), tokens, |seen, _| {
        if seen.authorization == "Bearer fresh" {
            Act::Answer(200, json!({"id": "1"}))
        } else {
            Act::Answer(401, json!({"category": "EXPIRED_AUTHENTICATION"}))
        }
    });
    let objects = contacts(&client);
    let calls = (0..8).map(|_| objects.create(&[], &[]));
    let outcomes = futures_util::future::join_all(calls).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let refused = transport.seen().iter().filter(|seen| seen.authorization == "Bearer expired").count();
    assert!(refused > 5, "too few to open a circuit: {refused}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_opens_the_circuit() {
    let (client, transport) = client(|_, _| Act::Answer(401, json!({})));
    for _ in 0..5 {
        let error = contacts(&client).get("1", &GetOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RevokedCredential);
    }
    let error = contacts(&client).get("1", &GetOptions::default()).await.unwrap_err();
    assert_eq!((error.kind(), transport.seen().len()), (ErrorKind::CircuitOpen, 5));
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn the_wrong_portal_is_noticed() {
    let (client, _) = client(|_, _| Act::Answer(200, json!({"portalId": 7, "timeZone": "UTC"})));
    assert_eq!(client.account().expect_portal(7).await.unwrap().portal_id, 7);
    let error = client.account().expect_portal(8).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongPortal);
}

#[tokio::test(start_paused = true)]
async fn the_escape_hatch_has_token_retries_and_errors() {
    let (client, transport) = client(|seen, number| match (seen.path.as_str(), number) {
        ("/x/y?z=1", 1) => Act::Lost,
        ("/x/y?z=1", _) => Act::Answer(200, json!({"a": 1})),
        _ => Act::Answer(400, json!({"message": "no"})),
    });
    let request = RawRequest::new(http::Method::POST, "/x/y?z=1").json(&json!({"b": 2})).unwrap();
    let answer = client.raw(request.idempotency(Idempotency::Safe)).await.unwrap();
    assert_eq!(answer.json::<serde_json::Value>().unwrap(), json!({"a": 1}));
    assert_eq!(transport.seen()[1].body, json!({"b": 2}));
    assert_eq!(transport.seen()[1].authorization, "Bearer pat-test-1");
    let error = client.raw(RawRequest::new(http::Method::GET, "/other")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    let error = client.raw(RawRequest::new(http::Method::GET, "other")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[test]
fn a_client_is_not_built_from_nonsense() {
    for url in ["", "api.hubapi.com", "ftp://x", "https://x/?a=b"] {
        let error = Client::builder(url).token_provider(Arc::new(Renewing::default())).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{url}");
    }
    assert!(Client::builder(Client::HUBSPOT).build().is_err(), "a token provider is needed");
}

#[tokio::test(start_paused = true)]
async fn a_developer_key_goes_in_the_query_alone_and_shows_nowhere() {
    let (client, transport) = client(|_, number| match number {
        1 => Act::Text(503, ""),
        2 => Act::Answer(200, json!({"results": []})),
        _ => Act::Answer(401, json!({"message": "The API key is not known"})),
    });
    let key = SecretString::from("canary 01/23");
    let webhooks = client.webhooks(7).with_developer_key(key);
    assert!(webhooks.subscriptions().await.unwrap().is_empty());
    let refused = webhooks.set_active(&[1], true).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::RevokedCredential);
    let seen = transport.seen();
    assert_eq!(seen.len(), 3, "a key cannot be renewed, so it is not tried twice");
    assert_eq!(seen[0].path, "/webhooks/v3/7/subscriptions?hapikey=canary%2001%2F23");
    assert_eq!(seen[2].path, "/webhooks/v3/7/subscriptions/batch/update?hapikey=canary%2001%2F23");
    assert!(seen.iter().all(|seen| seen.authorization.is_empty()), "the token is not sent with it");
    let shown = format!("{refused} {refused:?} {webhooks:?}");
    assert!(!shown.contains("canary"), "{shown}");
}
