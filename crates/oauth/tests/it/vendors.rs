//! Secret stores of others, by the shapes of their answers as their API references print them.

use std::sync::Arc;

use async_trait::async_trait;
use http_transport::{ReqwestTransport, TokenError, TokenProvider};
use oauth::{
    AwsSecret, GoogleSecret, MountedSecret, Revision, Sealed, SealedStore, SecretSource, SourcedToken,
    StoreErrorKind, VaultKv, VaultSecret,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// `first` until it is refused, then `second`.
#[derive(Debug)]
struct Renewing(std::sync::Mutex<&'static str>);

#[async_trait]
impl TokenProvider for Renewing {
    async fn token(&self) -> Result<SecretString, TokenError> {
        Ok(SecretString::from(*self.0.lock().unwrap()))
    }

    async fn rejected(&self, _: &SecretString) -> bool {
        std::mem::replace(&mut *self.0.lock().unwrap(), "second") == "first"
    }
}

fn tokens() -> Arc<Renewing> {
    Arc::new(Renewing(std::sync::Mutex::new("first")))
}

fn transport() -> Arc<ReqwestTransport> {
    Arc::new(ReqwestTransport::builder().build().unwrap())
}

fn json_answer(status: u16, body: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

async fn text(source: &dyn SecretSource) -> Result<String, String> {
    match source.read().await {
        Ok(secret) => Ok(secret.expose_secret().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn a_google_secret_is_decoded_and_a_refused_token_renewed_once() {
    let server = MockServer::start().await;
    let at = "/v1/projects/p/secrets/s/versions/latest:access";
    Mock::given(method("GET"))
        .and(path(at))
        .and(header("authorization", "Bearer first"))
        .respond_with(json_answer(401, json!({"error": {"code": 401, "status": "UNAUTHENTICATED"}})))
        .expect(1)
        .mount(&server)
        .await;
    let payload = json!({
        "name": "projects/1/secrets/s/versions/4",
        "payload": {"data": "Y2FuYXJ5Cg==", "dataCrc32c": "1"},
    });
    Mock::given(method("GET"))
        .and(path(at))
        .and(header("authorization", "Bearer second"))
        .respond_with(json_answer(200, payload))
        .expect(1)
        .mount(&server)
        .await;
    let source =
        GoogleSecret::new(transport(), tokens(), &server.uri(), "projects/p/secrets/s/versions/latest");
    assert_eq!(text(&source).await.unwrap(), "canary");
    let missing = GoogleSecret::new(transport(), tokens(), &server.uri(), "projects/p/secrets/x/versions/1");
    assert!(text(&missing).await.unwrap_err().ends_with("there is no such secret"));
    let open = GoogleSecret::new(transport(), tokens(), "http://secretmanager.example", "x");
    assert!(text(&open).await.unwrap_err().contains("must be an https://"));
}

#[tokio::test]
async fn an_aws_secret_comes_through_the_agent() {
    let server = MockServer::start().await;
    let answered = json!({
        "ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:kit/master-AbCdEf", "Name": "kit/master",
        "VersionId": "v", "SecretString": "canary", "VersionStages": ["AWSCURRENT"], "CreatedDate": "1700000000",
    });
    Mock::given(method("GET"))
        .and(path("/secretsmanager/get"))
        .and(query_param("secretId", "kit/master"))
        .and(header("x-aws-parameters-secrets-token", "first"))
        .respond_with(json_answer(200, answered))
        .mount(&server)
        .await;
    let source = AwsSecret::new(transport(), tokens(), &server.uri(), "kit/master");
    assert_eq!(text(&source).await.unwrap(), "canary");
    Mock::given(query_param("secretId", "binary"))
        .respond_with(json_answer(200, json!({"Name": "binary", "SecretBinary": "AAAA"})))
        .mount(&server)
        .await;
    let binary = AwsSecret::new(transport(), tokens(), &server.uri(), "binary");
    assert!(text(&binary).await.unwrap_err().contains("binary, not text"));
}

#[tokio::test]
async fn vault_excludes_writers_by_version_and_gives_back_what_it_got() {
    let server = MockServer::start().await;
    let at = "/v1/secret/data/grant/app/7";
    let vault = Arc::new(VaultKv::new(transport(), tokens(), &server.uri(), "/secret/").namespace("team"));
    let metadata = |version: u64, deleted: &str| json!({"created_time": "2026-11-21T10:00:00Z", "deletion_time": deleted, "destroyed": false, "version": version});
    {
        let empty = Mock::given(method("GET"))
            .and(path(at))
            .and(header("x-vault-token", "first"))
            .and(header("x-vault-namespace", "team"))
            .respond_with(json_answer(404, json!({"errors": []})))
            .mount_as_scoped(&server)
            .await;
        assert_eq!(vault.get("grant/app/7").await.unwrap(), None);
        let first = json!({"options": {"cas": 0}, "data": {"sealed": "c2VhbGVk"}});
        Mock::given(method("POST"))
            .and(path(at))
            .and(body_json(first))
            .respond_with(json_answer(200, json!({"data": metadata(1, "")})))
            .expect(1)
            .mount(&server)
            .await;
        let sealed = Sealed::from_bytes(b"sealed".to_vec());
        assert_eq!(vault.put("grant/app/7", &sealed, None).await.unwrap(), Revision(1));
        drop(empty);
    }
    {
        let there = json!({"data": {"data": {"sealed": "c2VhbGVk"}, "metadata": metadata(1, "")}});
        let _there = Mock::given(method("GET"))
            .and(path(at))
            .respond_with(json_answer(200, there))
            .mount_as_scoped(&server)
            .await;
        let entry = vault.get("grant/app/7").await.unwrap().unwrap();
        assert_eq!((entry.sealed.as_bytes(), entry.revision), (&b"sealed"[..], Revision(1)));
        let error = vault.put("grant/app/7", &entry.sealed, None).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Conflict);
        let stale = "check-and-set parameter did not match the current version";
        let _stale = Mock::given(method("POST"))
            .and(path(at))
            .respond_with(json_answer(400, json!({"errors": [stale]})))
            .mount_as_scoped(&server)
            .await;
        let error = vault.put("grant/app/7", &entry.sealed, Some(Revision(9))).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Conflict);
    }
    {
        let gone = json!({"data": {"data": null, "metadata": metadata(3, "2026-11-21T11:00:00Z")}});
        let _gone = Mock::given(method("GET"))
            .and(path(at))
            .respond_with(json_answer(404, gone))
            .mount_as_scoped(&server)
            .await;
        assert_eq!(vault.get("grant/app/7").await.unwrap(), None);
        let over = json!({"options": {"cas": 3}, "data": {"sealed": "c2VhbGVk"}});
        Mock::given(method("POST"))
            .and(body_json(over))
            .respond_with(json_answer(200, json!({"data": metadata(4, "")})))
            .expect(1)
            .mount(&server)
            .await;
        let sealed = Sealed::from_bytes(b"sealed".to_vec());
        assert_eq!(vault.put("grant/app/7", &sealed, None).await.unwrap(), Revision(4));
    }
    Mock::given(method("DELETE"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(204))
        .expect(1)
        .mount(&server)
        .await;
    vault.delete("grant/app/7").await.unwrap();
    for (folder, keys) in [("grant", json!(["app/", "odd"])), ("grant/app", json!(["7", "8"]))] {
        Mock::given(method("GET"))
            .and(path(format!("/v1/secret/metadata/{folder}")))
            .and(query_param("list", "true"))
            .respond_with(json_answer(200, json!({"data": {"keys": keys}})))
            .mount(&server)
            .await;
    }
    assert_eq!(vault.names().await.unwrap(), ["grant/app/7", "grant/app/8"]);

    let fields = json!({"data": {"data": {"key": "canary", "other": "x"}, "metadata": metadata(1, "")}});
    Mock::given(method("GET"))
        .and(path("/v1/secret/data/kit/master"))
        .respond_with(json_answer(200, fields))
        .mount(&server)
        .await;
    assert_eq!(text(&VaultSecret::new(vault.clone(), "kit/master", "key")).await.unwrap(), "canary");
    assert!(
        text(&VaultSecret::new(vault, "kit/master", "lost")).await.unwrap_err().contains("no such field")
    );
}

#[tokio::test]
async fn a_store_in_trouble_is_unavailable_and_says_nothing_of_its_content() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(json_answer(503, json!({"errors": ["canary: sealed"]})))
        .mount(&server)
        .await;
    let vault = VaultKv::new(transport(), tokens(), &server.uri(), "secret");
    let error = vault.get("grant/app/7").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(!format!("{error} {error:?}").contains("canary"));
    let odd = MockServer::start().await;
    let body = json!({"data": {"data": {"sealed": 7, "secret": "canary"}, "metadata": {"version": 1}}});
    Mock::given(method("GET")).respond_with(json_answer(200, body)).mount(&odd).await;
    let vault = VaultKv::new(transport(), tokens(), &odd.uri(), "secret");
    let error = vault.get("grant/app/7").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn a_mounted_token_that_was_replaced_is_picked_up_when_the_former_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let tokens = SourcedToken::new(Arc::new(MountedSecret::new(&file)));
    assert!(matches!(tokens.token().await, Err(TokenError::Unavailable(Some(_)))));
    std::fs::write(&file, "canary-1\n").unwrap();
    let first = tokens.token().await.unwrap();
    assert_eq!(first.expose_secret(), "canary-1");
    assert!(!tokens.rejected(&first).await, "it is still the same");
    std::fs::write(&file, "canary-2").unwrap();
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "canary-1");
    assert!(tokens.rejected(&first).await);
    assert_eq!(tokens.token().await.unwrap().expose_secret(), "canary-2");
    assert!(tokens.rejected(&first).await, "an old token is no news");
    for bad in ["", " \n", "two words"] {
        std::fs::write(&file, bad).unwrap();
        let fresh = SourcedToken::new(Arc::new(MountedSecret::new(&file)));
        assert!(fresh.token().await.is_err(), "{bad:?}");
    }
    assert!(!format!("{tokens:?}").contains("canary"));
}
