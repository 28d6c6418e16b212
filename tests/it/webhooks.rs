//! The whole loop of events without a socket: the portal tells, the receiver believes and stores, the journal is read,
//! and both come to the same work, whatever is dropped, repeated or late.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use http_transport::TokioClock;
use hubspot_adapter::{HubSpotJournal, HubSpotPush};
use hubspot_client::{Client, Limits as ClientLimits};
use hubspot_sandbox::{Limits, Portal, PortalConfig, Server, WebhookApp, WebhookFaults, WebhookSignature};
use jiff::Timestamp;
use oauth::StaticCredential;
use secrecy::SecretString;
use serde_json::{Value, json};
use sync_types::Clock;
use webhooks::{
    AppId, Endpoint, FileHosts, Inbox as _, JournalReader, JournalSettings, JournalStore as _,
    JournalSubscriptionApi as _, PortalId, PushSettings, PushSubscriptionApi as _, Receiver, ServeLimits,
    SqliteInbox, Surplus, Verifier, Wanted, Work, apply_journal, apply_push, plan_journal, plan_push, serve,
};
use workspace_tests::PortalTransport;

const TOKEN: &str = "pat-test";
const APP: u64 = 1_000_001;
const TARGET: &str = "https://hooks.example.com/hubspot/events";

/// A clock that only the test moves.
#[derive(Debug)]
struct Hand(Mutex<Timestamp>);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

impl Hand {
    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

/// The app's view of the portal: the calls that its client would make.
#[derive(Clone)]
struct App {
    portal: Arc<Mutex<Portal>>,
    clock: Arc<Hand>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

impl App {
    fn portal(&self) -> std::sync::MutexGuard<'_, Portal> {
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut request = http::Request::builder().method(method).uri(path);
        request = request.header("authorization", format!("Bearer {TOKEN}"));
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let reply = self.portal().handle(self.clock.now(), &request.body(body).unwrap());
        let answer = serde_json::from_slice(reply.response.body()).unwrap_or(Value::Null);
        (reply.response.status().as_u16(), answer)
    }

    fn client(&self) -> Client {
        let transport = PortalTransport::new(self.portal.clone(), self.clock.clone());
        Client::builder("http://portal.test")
            .transport(Arc::new(transport))
            .clock(self.clock.clone())
            .token_provider(Arc::new(StaticCredential::new(&TOKEN.into()).unwrap()))
            .limits(ClientLimits::unlimited())
            .build()
            .unwrap()
    }

    fn push(&self) -> HubSpotPush {
        HubSpotPush::new(self.client(), APP)
    }

    fn journal(&self) -> HubSpotJournal {
        let files = PortalTransport::new(self.portal.clone(), self.clock.clone());
        HubSpotJournal::new(self.client(), Arc::new(files))
    }
}

/// A portal, its app, and what the app has put together to hear from it.
struct Loop {
    app: App,
    inbox: Arc<SqliteInbox>,
    receiver: Receiver,
    reader: JournalReader,
    portal_id: PortalId,
}

fn wanted() -> Vec<Wanted> {
    vec![
        Wanted::lifecycle("0-1").with_properties(["city", "phone"]).with_associations(["0-2"]),
        Wanted::lifecycle("0-2").with_properties(["city"]).with_associations(["0-1"]),
        Wanted::lifecycle("0-3").with_properties(["amount"]),
    ]
}

impl Loop {
    async fn new() -> Loop {
        let mut config = PortalConfig::new(TOKEN);
        config.limits = Limits::Off;
        let portal_id = PortalId(config.portal_id);
        let clock = Arc::new(Hand(Mutex::new("2026-11-02T09:30:00Z".parse().unwrap())));
        let mut portal = Portal::new(config);
        portal.set_webhook_app(WebhookApp {
            app_id: APP,
            client_secret: "the secret".to_owned(),
            developer_key: None,
            signature: WebhookSignature::V3,
        });
        let app = App { portal: Arc::new(Mutex::new(portal)), clock: clock.clone() };
        let settings = PushSettings { target_url: TARGET.to_owned(), concurrent_max: 10 };
        let (push, journal) = (app.push(), app.journal());
        for left in [true, false] {
            let plan = plan_push(
                &settings,
                &wanted(),
                push.settings().await.unwrap().as_ref(),
                &push.list().await.unwrap(),
                Surplus::Delete,
            )
            .unwrap();
            assert_eq!(!plan.is_empty(), left, "the second time there is nothing to do");
            apply_push(&plan, &push).await.unwrap();
            let current = journal.list().await.unwrap();
            let plan = plan_journal(portal_id, &wanted(), &current);
            assert_eq!(!plan.is_empty(), left, "{plan:?}");
            apply_journal(&plan, &journal).await.unwrap();
        }
        let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
        let receiver = Receiver::new(
            Endpoint::at(TARGET).unwrap(),
            Verifier::new(vec![SecretString::from("the secret")]),
            inbox.clone(),
            clock.clone(),
        );
        let hosts = FileHosts::default();
        let settings = JournalSettings { hosts, ..JournalSettings::new("app") };
        let reader = JournalReader::new(Arc::new(app.journal()), inbox.clone(), clock, settings);
        Loop { app, inbox, receiver, reader, portal_id }
    }

    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// A person's day: a hundred contacts and companies are made, changed, linked, merged and deleted. Returns the
    /// records that something happened to, by type id and id.
    fn people_work(&self) -> BTreeSet<(String, String)> {
        let mut touched = BTreeSet::new();
        let mut portal = self.app.portal();
        let now = self.now();
        let mut contacts = Vec::new();
        let mut companies = Vec::new();
        for number in 0..50 {
            let email = format!("{number}@example.com");
            contacts.push(portal.create_as_user(now, "contacts", [("email", &*email)]).unwrap());
            companies.push(portal.create_as_user(now, "companies", [("name", &*email)]).unwrap());
        }
        for (number, id) in contacts.iter().enumerate() {
            portal.edit_as_user(now, "contacts", *id, [("city", &*format!("city {number}"))]).unwrap();
        }
        portal.archive_record(now, "contacts", contacts[7]).unwrap();
        drop(portal);
        let merge =
            json!({"primaryObjectId": companies[0].to_string(), "objectIdToMerge": companies[1].to_string()});
        let (status, merged) = self.app.call("POST", "/crm/objects/2026-03/companies/merge", &merge);
        assert_eq!(status, 200, "{merged}");
        let link = format!(
            "/crm/objects/2026-03/contacts/{}/associations/default/companies/{}",
            contacts[3], companies[5]
        );
        assert_eq!(self.app.call("PUT", &link, &Value::Null).0, 200);
        touched.extend(contacts.iter().map(|id| ("0-1".to_owned(), id.to_string())));
        touched.extend(companies.iter().map(|id| ("0-2".to_owned(), id.to_string())));
        touched.insert(("0-2".to_owned(), merged["id"].as_str().unwrap().to_owned()));
        touched
    }

    /// Carries webhooks to the receiver until none is due within a day; `answer` may spoil the answer.
    async fn deliver(&self, mut spoil: impl FnMut() -> bool) {
        let end = self.now() + Duration::from_secs(86_400);
        loop {
            let due = self.app.portal().webhook_requests(self.now());
            for request in due {
                let (mut head, body) = request.request.into_parts();
                head.headers.insert("host", "hooks.example.com".parse().unwrap());
                head.uri = head.uri.path().parse().unwrap();
                let response = self.receiver.receive(http::Request::from_parts(head, Full::new(body))).await;
                let status = (!spoil()).then_some(response.status().as_u16());
                self.app.portal().webhook_answered(self.now(), request.id, status);
            }
            let next = self.app.portal().next_webhook_at();
            match next {
                Some(at) if at <= end => {
                    let wait = Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
                    self.app.clock.advance(wait);
                }
                _ => return,
            }
        }
    }

    async fn read_journal(&self) {
        self.app.clock.advance(Duration::from_secs(2));
        while !self.reader.step().await.unwrap().caught_up {}
    }

    async fn work(&self) -> Work {
        Work::of(self.inbox.take(self.portal_id, usize::MAX).await.unwrap(), &[AppId(APP)])
    }
}

fn touched(work: &Work) -> BTreeSet<(String, String)> {
    let key = |dirty: &webhooks::Dirty| (dirty.record.object.to_string(), dirty.record.id.to_string());
    work.dirty.iter().map(key).collect()
}

#[tokio::test]
async fn push_and_journal_come_to_the_same_work() {
    let by_push = Loop::new().await;
    let expected = by_push.people_work();
    by_push.deliver(|| false).await;
    let push = by_push.work().await;
    assert_eq!(touched(&push), expected);
    let stats = by_push.receiver.stats();
    assert_eq!(stats.events, by_push.app.portal().webhook_stats().events);
    assert_eq!((stats.unbelieved, stats.malformed), (0, 0));

    let by_journal = Loop::new().await;
    by_journal.people_work();
    by_journal.read_journal().await;
    let journal = by_journal.work().await;
    assert_eq!(touched(&journal), expected);
    assert_eq!(journal.merges, push.merges);
    let reasons = |work: &Work| -> Vec<_> {
        work.dirty.iter().map(|dirty| (dirty.record.clone(), dirty.reasons.clone())).collect()
    };
    // A creation tells the values that it came with: as events of their own by push, within the event in the journal.
    let without_set = |work: &Work| {
        let mut all = reasons(work);
        all.iter_mut().for_each(|(_, reasons)| {
            reasons.remove(&webhooks::Reason::Set);
        });
        all
    };
    assert_eq!(without_set(&journal), without_set(&push));
    assert!(push.unplaced.is_empty() && journal.unplaced.is_empty());
}

#[tokio::test]
async fn what_push_loses_the_journal_brings_and_nothing_is_done_twice() {
    let world = Loop::new().await;
    let faults = WebhookFaults { drop: 0.1, duplicate: 0.1, shuffle: 0.1 };
    world.app.portal().set_webhook_faults(faults);
    let expected = world.people_work();
    let mut count = 0;
    // Every third answer is lost: HubSpot sends what is stored already once more.
    world
        .deliver(|| {
            count += 1;
            count % 3 == 0
        })
        .await;
    let stats = world.app.portal().webhook_stats();
    assert!(stats.dropped > 0 && stats.duplicated > 0 && stats.lost == 0, "{stats:?}");
    assert!(world.receiver.stats().repeated > 0);
    let first = world.work().await;
    world.inbox.done(world.portal_id, first.events.clone(), world.now()).await.unwrap();
    assert_eq!(world.work().await, Work::default());

    world.read_journal().await;
    let all: BTreeSet<_> = touched(&first).union(&touched(&world.work().await)).cloned().collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn an_outage_of_four_days_leaves_a_gap_that_is_known() {
    let world = Loop::new().await;
    world.people_work();
    world.read_journal().await;
    let left_off = world.now();
    let contact =
        world.app.portal().create_as_user(world.now(), "contacts", [("email", "lost@example.com")]).unwrap();
    world.app.clock.advance(Duration::from_secs(4 * 86_400));
    world.app.portal().edit_as_user(world.now(), "contacts", contact, [("city", "found")]).unwrap();
    world.read_journal().await;
    let gaps = world.inbox.gaps().await.unwrap();
    assert_eq!(gaps.len(), 1);
    assert!(gaps[0].from <= left_off && gaps[0].to >= left_off + Duration::from_secs(4 * 86_400), "{gaps:?}");
    assert!(touched(&world.work().await).contains(&("0-1".to_owned(), contact.to_string())));
}

#[tokio::test]
async fn our_own_writes_are_marked_and_kept() {
    let world = Loop::new().await;
    let body = json!({"properties": {"email": "ours@example.com", "city": "Ulm"}});
    assert_eq!(world.app.call("POST", "/crm/objects/2026-03/contacts", &body).0, 201);
    let theirs = world
        .app
        .portal()
        .create_as_user(world.now(), "contacts", [("email", "theirs@example.com")])
        .unwrap();
    world.deliver(|| false).await;
    let work = world.work().await;
    assert_eq!(work.dirty.len(), 2);
    for dirty in work.dirty {
        assert_eq!(dirty.maybe_echo, dirty.record.id.as_str() != theirs.to_string());
    }
}

/// A legacy public app's subscriptions, by its developer's key and with a token that may not.
#[tokio::test]
async fn a_developer_key_manages_the_subscriptions_and_stands_in_no_log() {
    let world = Loop::new().await;
    let app_id = 4_711;
    world.app.portal().set_webhook_app(WebhookApp {
        app_id,
        client_secret: "the secret".to_owned(),
        developer_key: Some("canary-0123".to_owned()),
        signature: WebhookSignature::V3,
    });
    let by_token = HubSpotPush::new(world.app.client(), app_id);
    assert!(by_token.list().await.is_err(), "the token is another app's");
    let guessed = by_token.clone().with_developer_key(SecretString::from("canary-guess"));
    let refused = guessed.list().await.unwrap_err().to_string();
    assert!(!refused.contains("canary"), "{refused}");

    let by_key = by_token.with_developer_key(SecretString::from("canary-0123"));
    let settings = PushSettings { target_url: TARGET.to_owned(), concurrent_max: 10 };
    for left in [true, false] {
        let (there, current) = (by_key.settings().await.unwrap(), by_key.list().await.unwrap());
        let plan = plan_push(&settings, &wanted(), there.as_ref(), &current, Surplus::Delete).unwrap();
        assert_eq!(!plan.is_empty(), left);
        apply_push(&plan, &by_key).await.unwrap();
    }
    let portal = world.app.portal();
    assert!(portal.requests().any(|request| request.path.starts_with("/webhooks/v3/4711/")));
    assert!(portal.requests().all(|request| !request.path.contains("canary")));
    assert!(!format!("{by_key:?}").contains("canary"));
}

/// As a developer runs it: two servers on this machine, and HubSpot calls.
#[tokio::test(flavor = "multi_thread")]
async fn a_local_portal_calls_a_local_receiver_over_sockets() {
    let clock = Arc::new(TokioClock::start());
    let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/hubspot/events", listener.local_addr().unwrap());
    let verifier = Verifier::new(vec![SecretString::from("the secret")]);
    let receiver = Receiver::new(Endpoint::at(&target).unwrap(), verifier, inbox.clone(), clock.clone());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, receiver, ServeLimits::default(), clock, async {
        drop(stopped.await);
    }));

    let mut config = PortalConfig::new(TOKEN);
    config.limits = Limits::Off;
    let mut portal = Portal::new(config);
    portal.set_webhook_app(WebhookApp {
        app_id: APP,
        client_secret: "the secret".to_owned(),
        developer_key: None,
        signature: WebhookSignature::V3,
    });
    let server = Server::start("127.0.0.1:0".parse().unwrap(), portal).await.unwrap();
    let hand = Arc::new(Hand(Mutex::new(TokioClock::start().now())));
    let app = App { portal: server.portal(), clock: hand.clone() };
    let settings = PushSettings { target_url: target, concurrent_max: 10 };
    let plan = plan_push(&settings, &wanted(), None, &[], Surplus::Keep).unwrap();
    apply_push(&plan, &app.push()).await.unwrap();

    let mut arrivals = inbox.arrivals();
    let made =
        app.portal().create_as_user(hand.now(), "deals", [("dealname", "d"), ("dealstage", "closedwon")]);
    let arrived = tokio::time::timeout(Duration::from_secs(20), arrivals.wait_for(|count| *count > 0));
    arrived.await.expect("the webhook arrives").unwrap();
    let portal_id = PortalId(app.portal().config().portal_id);
    let events = inbox.take(portal_id, 10).await.unwrap();
    assert_eq!(
        touched(&Work::of(events, &[])),
        BTreeSet::from([("0-3".to_owned(), made.unwrap().to_string())])
    );
    server.stop().await;
    stop.send(()).unwrap();
    serving.await.unwrap();
}
