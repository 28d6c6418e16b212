//! The server as apps and people meet it.

use serde_json::{Value, json};

use super::*;
use crate::PortalConfig;

const REDIRECT: &str = "https://kit.example/callback?from=hubspot";
const SCOPES: &str = "crm.objects.contacts.read%20crm.objects.contacts.write";

/// A portal with one app, and the time it is there.
struct Bench {
    portal: Portal,
    now: Timestamp,
}

struct Answered {
    status: u16,
    body: Value,
    text: String,
    location: Option<String>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut OAuthApp)) -> Bench {
        let mut portal = Portal::new(PortalConfig::new("static"));
        let scopes = ["crm.objects.contacts.read", "crm.objects.contacts.write"];
        let mut app = OAuthApp::new(77, "client", "secret", REDIRECT, &scopes);
        app.optional_scopes = ["tickets", "crm.objects.custom.read"].map(str::to_owned).into();
        app.app_scopes = ["developer.webhooks_journal.read"].map(str::to_owned).into();
        change(&mut app);
        portal.add_app(app);
        Bench { portal, now: "2026-11-21T10:00:00Z".parse().unwrap() }
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    }

    fn send(&mut self, request: http::request::Builder, body: &str) -> Answered {
        let request = request.body(Bytes::from(body.to_owned())).unwrap();
        let response = self.portal.handle(self.now, &request).response;
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        Answered {
            status: response.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            location: response.headers().get("location").map(|value| value.to_str().unwrap().to_owned()),
        }
    }

    fn form(&mut self, path: &str, fields: &str) -> Answered {
        let request = http::Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        self.send(request, &format!("client_id=client&client_secret=secret&{fields}"))
    }

    fn link(extra: &str) -> String {
        let redirect = "https%3A%2F%2Fkit.example%2Fcallback%3Ffrom%3Dhubspot";
        format!(
            "/oauth/authorize?client_id=client&redirect_uri={redirect}&scope={SCOPES}&state=a%20%26b{extra}"
        )
    }

    fn consent(&mut self, extra: &str) -> String {
        let answered = self.send(http::Request::post(Self::link(extra)), "answer=allow");
        assert_eq!(answered.status, 302, "{}", answered.text);
        let location = answered.location.unwrap();
        let rest =
            location.strip_prefix("https://kit.example/callback?from=hubspot&code=").unwrap().to_owned();
        let (code, state) = rest.split_once("&state=").unwrap();
        assert_eq!(state, "a%20%26b");
        percent_encoding::percent_decode_str(code).decode_utf8_lossy().into_owned()
    }

    fn exchange(&mut self, path: &str, code: &str) -> Answered {
        let fields = "grant_type=authorization_code&redirect_uri=https://kit.example/callback?from%3Dhubspot";
        self.form(path, &format!("{fields}&code={code}"))
    }

    /// Access and refresh token of a new install.
    fn installed(&mut self) -> (String, String) {
        let code = self.consent("");
        let answer = self.exchange("/oauth/2026-03/token", &code);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        (token("access_token"), token("refresh_token"))
    }

    fn refresh(&mut self, token: &str) -> Answered {
        self.form("/oauth/2026-03/token", &format!("grant_type=refresh_token&refresh_token={token}"))
    }

    fn contacts(&mut self, access: &str) -> Answered {
        let path = "/crm/objects/2026-03/contacts";
        self.send(http::Request::get(path).header("authorization", format!("Bearer {access}")), "")
    }
}

#[test]
fn an_install_gives_tokens_that_work_for_half_an_hour() {
    let mut bench = Bench::new(|_| {});
    let code = bench.consent("&optional_scope=tickets");
    let answer = bench.exchange("/oauth/2026-03/token", &code);
    assert_eq!(answer.body["token_type"], "bearer");
    assert_eq!(answer.body["expires_in"], 1800);
    assert_eq!(answer.body["hub_id"], 51_234_567);
    let scopes = json!(["crm.objects.contacts.read", "crm.objects.contacts.write", "oauth", "tickets"]);
    assert_eq!(answer.body["scopes"], scopes);
    let access = answer.body["access_token"].as_str().unwrap().to_owned();
    assert!(access.len() > 100 && access.len() < 512);
    assert_eq!(bench.contacts(&access).status, 200);
    bench.pass(1_799);
    assert_eq!(bench.contacts(&access).status, 200);
    bench.pass(6);
    let late = bench.contacts(&access);
    assert_eq!((late.status, &late.body["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    assert_eq!(late.body["message"], "The OAuth token used to make this call expired 5 second(s) ago.");
    assert_eq!(late.body["context"]["expire time"], json!(["2026-11-21T10:30:00.000Z"]));
}

#[test]
fn scopes_bind_each_endpoint() {
    let mut bench = Bench::new(|_| {});
    let (access, _) = bench.installed();
    let path = "/crm/objects/2026-03/deals";
    let refused =
        bench.send(http::Request::get(path).header("authorization", format!("Bearer {access}")), "");
    assert_eq!((refused.status, &refused.body["category"]), (403, &json!("MISSING_SCOPES")));
    let needed = &refused.body["errors"][0]["context"]["requiredGranularScopes"];
    assert_eq!(needed, &json!(["crm.objects.deals.read"]));
}

#[test]
fn every_version_of_the_token_endpoint_answers_in_its_shape() {
    for (path, whole) in [
        ("/oauth/2026-03/token", true),
        ("/oauth/2026-09/token", true),
        ("/oauth/v3/token", true),
        ("/oauth/v1/token", false),
    ] {
        let mut bench = Bench::new(|_| {});
        let code = bench.consent("");
        let answer = bench.exchange(path, &code);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body.get("hub_id").is_some(), whole, "{path}");
        assert_eq!(answer.body.get("scopes").is_some(), whole, "{path}");
    }
    let mut bench = Bench::new(|_| {});
    assert_eq!(bench.form("/oauth/v2/token", "").status, 401);
}

#[test]
fn wrong_requests_get_hubspots_errors() {
    let mut bench = Bench::new(|_| {});
    let (_, refresh) = bench.installed();
    let redirect = "redirect_uri=https://kit.example/callback?from%3Dhubspot";
    let form = "client_id=client&client_secret=secret&";
    for (body, status, error) in [
        ("".to_owned(), "BAD_GRANT_TYPE", "unsupported_grant_type"),
        (format!("{form}grant_type=password"), "BAD_GRANT_TYPE", "unsupported_grant_type"),
        (
            "client_id=x&client_secret=secret&grant_type=refresh_token".to_owned(),
            "BAD_CLIENT_ID",
            "invalid_client",
        ),
        ("client_id=client&grant_type=refresh_token".to_owned(), "BAD_CLIENT_SECRET", "invalid_client"),
        (format!("{form}grant_type=refresh_token"), "BAD_REFRESH_TOKEN", "invalid_grant"),
        (
            format!("{form}grant_type=refresh_token&refresh_token={refresh}x"),
            "BAD_REFRESH_TOKEN",
            "invalid_grant",
        ),
        (format!("{form}grant_type=authorization_code&code=x"), "BAD_REDIRECT_URI", "invalid_request"),
        (format!("{form}grant_type=authorization_code&{redirect}"), "BAD_AUTH_CODE", "invalid_grant"),
        (format!("{form}grant_type=client_credentials&scope=tickets"), "BAD_SCOPE", "invalid_scope"),
        (format!("{form}grant_type=client_credentials"), "BAD_SCOPE", "invalid_scope"),
    ] {
        let request = http::Request::post("/oauth/2026-03/token")
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = bench.send(request, &body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(
            (&answer.body["status"], &answer.body["error"]),
            (&json!(status), &json!(error)),
            "{body}"
        );
        assert_eq!(answer.body["message"], answer.body["error_description"]);
    }
    let json = http::Request::post("/oauth/2026-03/token").header("content-type", "application/json");
    assert_eq!(bench.send(json, "{}").status, 415);
}

#[test]
fn a_code_works_once_for_its_app_and_address_and_not_for_long() {
    let mut bench = Bench::new(|_| {});
    let code = bench.consent("");
    assert_eq!(bench.exchange("/oauth/v3/token", &code).status, 200);
    assert_eq!(bench.exchange("/oauth/v3/token", &code).body["status"], "BAD_AUTH_CODE");

    let code = bench.consent("");
    let other = format!("grant_type=authorization_code&redirect_uri=https://kit.example/other&code={code}");
    assert_eq!(bench.form("/oauth/v3/token", &other).body["status"], "MISMATCH_REDIRECT_URI_AUTH_CODE");

    let code = bench.consent("");
    bench.pass(300);
    assert_eq!(bench.exchange("/oauth/v3/token", &code).body["status"], "BAD_AUTH_CODE");
}

#[test]
fn a_proof_key_is_checked() {
    // RFC 7636, appendix B.
    let challenge = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    for (challenge, verifier, good) in [
        (challenge, verifier, true),
        (challenge, "", false),
        (challenge, "guess", false),
        ("", verifier, false),
    ] {
        let mut bench = Bench::new(|_| {});
        let code = bench.consent(challenge);
        let answer = bench.exchange("/oauth/v3/token", &format!("{code}&code_verifier={verifier}"));
        assert_eq!(answer.status == 200, good, "{challenge} {verifier}: {}", answer.text);
    }
}

#[test]
fn refresh_tokens_stay_or_rotate_as_the_app_is_set() {
    for rotates in [false, true] {
        let mut bench = Bench::new(|app| app.rotate_refresh_tokens = rotates);
        let (first_access, first) = bench.installed();
        let answer = bench.refresh(&first);
        assert_eq!(answer.status, 200);
        let second = answer.body["refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(first != second, rotates);
        assert_eq!(bench.contacts(&first_access).status, 200, "several access tokens live side by side");
        assert_eq!(bench.contacts(answer.body["access_token"].as_str().unwrap()).status, 200);
        assert_eq!(bench.refresh(&first).status == 400, rotates);
        assert_eq!(bench.refresh(&second).status, 200);
    }
}

#[test]
fn introspection_tells_what_a_token_is() {
    let mut bench = Bench::new(|_| {});
    let (access, refresh) = bench.installed();
    let path = "/oauth/2026-03/token/introspect";
    for field in ["token", "access_token"] {
        let facts = bench.form(path, &format!("{field}={access}&token_type_hint=access_token")).body;
        assert_eq!((&facts["active"], &facts["token_use"]), (&json!(true), &json!("access_token")));
        assert_eq!((&facts["hub_id"], &facts["app_id"]), (&json!(51_234_567), &json!(77)));
        assert_eq!(facts["client_id"], "client");
        assert_eq!(facts["expires_in"], 1800);
        assert_eq!(facts["signed_access_token"]["hubId"], 51_234_567);
    }
    let facts = bench.form(path, &format!("refresh_token={refresh}")).body;
    assert_eq!(facts["token_use"], "refresh_token");
    assert!(facts.get("expires_in").is_none() && facts.get("signed_access_token").is_none());
    assert_eq!(bench.form(path, "token=unknown").body, json!({"active": false}));
    assert_eq!(bench.form(path, "").status, 400);
    let stranger = "client_id=client&client_secret=guess";
    let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        bench.send(request, &format!("{stranger}&token={access}")).body["status"],
        "BAD_CLIENT_SECRET"
    );
    bench.pass(1_800);
    assert_eq!(bench.form(path, &format!("token={access}")).body, json!({"active": false}));
}

#[test]
fn v1_tells_it_by_path_and_the_log_keeps_no_token() {
    let mut bench = Bench::new(|_| {});
    let (access, refresh) = bench.installed();
    let facts = bench.send(http::Request::get(format!("/oauth/v1/access-tokens/{access}")), "");
    assert_eq!((facts.status, &facts.body["token_type"]), (200, &json!("access")));
    let path = format!("/oauth/v1/refresh-tokens/{refresh}");
    assert_eq!(bench.send(http::Request::get(&path), "").body["hub_id"], 51_234_567);
    assert_eq!(bench.send(http::Request::delete(&path), "").status, 204);
    assert_eq!(bench.send(http::Request::get(&path), "").status, 404);
    assert_eq!(bench.contacts(&access).status, 200, "access tokens live on");
    assert_eq!(bench.refresh(&refresh).body["status"], "BAD_REFRESH_TOKEN");
    let logged: Vec<&str> = bench.portal.requests().map(|request| request.path.as_str()).collect();
    assert!(logged.contains(&"/oauth/v1/refresh-tokens/{token}"), "{logged:?}");
    assert!(logged.iter().all(|path| !path.contains(&access) && !path.contains(&refresh)));
}

#[test]
fn a_revoked_grant_keeps_its_access_tokens_and_an_uninstalled_one_nothing() {
    let mut bench = Bench::new(|_| {});
    let (access, refresh) = bench.installed();
    assert_eq!(bench.form("/oauth/2026-03/token/revoke", &format!("token={refresh}")).status, 200);
    assert_eq!(bench.refresh(&refresh).body["status"], "BAD_REFRESH_TOKEN");
    assert_eq!(bench.contacts(&access).status, 200);
    assert_eq!(bench.form("/oauth/2026-03/token/revoke", "token=unknown").status, 200);

    let (access, refresh) = bench.installed();
    let path = "/appinstalls/2026-03/external-install";
    let uninstall =
        |token: &str| http::Request::delete(path).header("authorization", format!("Bearer {token}"));
    assert_eq!(bench.send(uninstall("static"), "").status, 403);
    assert_eq!(bench.send(uninstall(&access), "").status, 204);
    assert_eq!(bench.contacts(&access).body["category"], "INVALID_AUTHENTICATION");
    assert_eq!(bench.refresh(&refresh).body["status"], "BAD_REFRESH_TOKEN");
    assert!(!bench.portal.uninstall_app(77));
}

#[test]
fn a_closed_account_gives_no_token_until_it_is_open_again() {
    let mut bench = Bench::new(|_| {});
    let (access, refresh) = bench.installed();
    let code = bench.consent("");
    let control = |body: &str| (http::Request::put("/_sandbox/account"), body.to_owned());
    let (request, body) = control(r#"{"closed":true}"#);
    assert_eq!(bench.send(request, &body).status, 200);
    let refused = bench.refresh(&refresh);
    assert_eq!(
        (refused.status, &refused.body["status"], &refused.body["error"]),
        (400, &json!("BAD_HUB"), &json!("invalid_grant"))
    );
    assert_eq!(
        bench.refresh("unknown").body["status"],
        "BAD_REFRESH_TOKEN",
        "who asks with nothing learns nothing"
    );
    assert_eq!(bench.exchange("/oauth/v3/token", &code).body["status"], "BAD_HUB");
    for token in [access.as_str(), "static"] {
        assert_eq!(bench.contacts(token).status, 401);
    }
    assert_eq!(bench.send(http::Request::get(Bench::link("")), "").status, 400);
    let journal = "grant_type=client_credentials&scope=developer.webhooks_journal.read";
    assert_eq!(bench.form("/oauth/v3/token", journal).status, 200, "the app itself is none of the account's");
    let (request, body) = control(r#"{"closed":false}"#);
    bench.send(request, &body);
    assert_eq!(bench.refresh(&refresh).status, 200);
    assert_eq!(bench.contacts(&access).status, 200);
}

#[test]
fn client_credentials_are_for_the_apps_own_apis() {
    let mut bench = Bench::new(|_| {});
    let fields = "grant_type=client_credentials&scope=developer.webhooks_journal.read";
    let answer = bench.form("/oauth/2026-03/token", fields);
    assert_eq!(answer.status, 200);
    assert!(answer.body.get("refresh_token").is_none() && answer.body.get("hub_id").is_none());
    let token = answer.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(bench.contacts(&token).body["category"], "MISSING_SCOPES");
}

#[test]
fn a_wrong_install_link_sends_nobody_anywhere() {
    let good = Bench::link("");
    for (link, says) in [
        (good.replace("client_id=client", "client_id=other"), "client ID"),
        (good.replace("kit.example", "evil.example"), "redirect URL"),
        (good.replace("callback", "callback%2F.."), "redirect URL"),
        (good.replace("from%3Dhubspot", ""), "redirect URL"),
        (good.replace("contacts.write", "deals.write"), "mismatch between the scopes"),
        (Bench::link("&optional_scope=files"), "mismatch between the scopes"),
        (good.replace("/oauth/authorize", "/oauth/999/authorize"), "do not have access"),
    ] {
        let mut bench = Bench::new(|_| {});
        for method in ["GET", "POST"] {
            let answered = bench.send(http::Request::builder().method(method).uri(&link), "answer=allow");
            assert_eq!((answered.status, answered.location), (400, None), "{method} {link}");
            assert!(answered.text.contains(says), "{link}: {}", answered.text);
        }
    }
}

#[test]
fn scopes_that_the_subscription_lacks_stop_the_install_or_are_left_out() {
    let starter = |change: fn(&mut OAuthApp)| {
        let mut bench = Bench::new(change);
        bench.portal.state.config.tier = crate::Tier::Starter;
        bench
    };
    let link = Bench::link("&optional_scope=tickets%20crm.objects.custom.read");
    let page = starter(|_| {}).send(http::Request::get(&link), "");
    assert!(page.text.contains("Left out: not in this account’s subscription"), "{}", page.text);
    let answered = starter(|_| {}).consent("&optional_scope=tickets%20crm.objects.custom.read");
    assert!(answered.starts_with("na1-"));

    let custom = |app: &mut OAuthApp| app.required_scopes.extend(["crm.objects.custom.read".to_owned()]);
    let link = Bench::link("").replace(SCOPES, &format!("{SCOPES}%20crm.objects.custom.read"));
    let page = starter(custom).send(http::Request::get(&link), "");
    assert_eq!(page.status, 400);
    assert!(page.text.contains("subscription does not include"), "{}", page.text);
}

#[test]
fn the_page_shows_what_is_asked_and_values_stay_text() {
    let mut bench = Bench::new(|app| app.name = "<b>Loud</b> & Co".to_owned());
    let link = Bench::link("&extra=%22%3E%3Cscript%3E");
    let page = bench.send(http::Request::get(&link), "").text;
    assert!(page.contains("Connect &lt;b&gt;Loud&lt;&#x2f;b&gt; &amp; Co"), "{page}");
    assert!(page.contains("Create, change and delete contacts"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    let portal = bench.send(http::Request::get(link.replace("/oauth/", "/oauth/51234567/")), "");
    assert_eq!(portal.status, 200);
    let style = bench.send(http::Request::get("/oauth/assets/consent.css"), "");
    assert!(style.text.contains(".consent"));
    let denied = bench.send(http::Request::post(&link), "answer=deny").location.unwrap();
    assert!(denied.contains("&error=access%5Fdenied&"), "{denied}");
}

#[test]
fn grants_survive_a_snapshot() {
    let mut bench = Bench::new(|_| {});
    let (access, refresh) = bench.installed();
    bench.portal = Portal::from_snapshot(&bench.portal.snapshot()).unwrap();
    assert_eq!(bench.contacts(&access).status, 200);
    assert_eq!(bench.refresh(&refresh).status, 200);
}

#[test]
fn the_control_api_registers_uninstalls_and_expires() {
    let mut bench = Bench::new(|_| {});
    let app =
        json!({"appId": 78, "name": "Other", "clientId": "other", "clientSecret": "s", "redirectUris": []});
    let control = |path: &str| http::Request::post(format!("/_sandbox/apps{path}"));
    assert_eq!(bench.send(control(""), &app.to_string()).status, 200);
    assert_eq!(bench.portal.config().apps.len(), 2);
    let (access, refresh) = bench.installed();
    assert_eq!(bench.send(control("/77/expire"), "").body["expired"], 1);
    assert_eq!(bench.contacts(&access).body["category"], "EXPIRED_AUTHENTICATION");
    assert_eq!(bench.refresh(&refresh).status, 200);
    assert_eq!(bench.send(control("/77/uninstall"), "").status, 200);
    assert_eq!(bench.refresh(&refresh).status, 400);
    assert_eq!(bench.send(control("/77/uninstall"), "").status, 404);
}
