//! From a list of wishes to calls, once and not again.

use std::sync::Mutex;

use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::event::PortalId;

/// An app as HubSpot keeps it: what is new starts paused.
#[derive(Default)]
struct App(Mutex<AppState>);

#[derive(Default)]
struct AppState {
    settings: Option<PushSettings>,
    push: Vec<StoredPushSubscription>,
    journal: Vec<StoredJournalSubscription>,
    next: u64,
    log: Vec<String>,
}

#[async_trait]
impl PushSubscriptionApi for App {
    async fn settings(&self) -> Result<Option<PushSettings>, SubscriptionError> {
        Ok(self.0.lock().unwrap().settings.clone())
    }
    async fn set_settings(&self, settings: &PushSettings) -> Result<(), SubscriptionError> {
        self.0.lock().unwrap().settings = Some(settings.clone());
        Ok(())
    }
    async fn list(&self) -> Result<Vec<StoredPushSubscription>, SubscriptionError> {
        Ok(self.0.lock().unwrap().push.clone())
    }
    async fn create(&self, wanted: &PushSubscription) -> Result<StoredPushSubscription, SubscriptionError> {
        let mut app = self.0.lock().unwrap();
        app.next += 1;
        let stored = StoredPushSubscription { id: app.next, subscription: wanted.clone(), active: false };
        app.push.push(stored.clone());
        Ok(stored)
    }
    async fn set_active(&self, ids: &[u64], active: bool) -> Result<(), SubscriptionError> {
        for stored in self.0.lock().unwrap().push.iter_mut().filter(|stored| ids.contains(&stored.id)) {
            stored.active = active;
        }
        Ok(())
    }
    async fn delete(&self, id: u64) -> Result<(), SubscriptionError> {
        self.0.lock().unwrap().push.retain(|stored| stored.id != id);
        Ok(())
    }
}

#[async_trait]
impl JournalSubscriptionApi for App {
    async fn list(&self) -> Result<Vec<StoredJournalSubscription>, SubscriptionError> {
        Ok(self.0.lock().unwrap().journal.clone())
    }
    async fn create(&self, wanted: &JournalSubscription) -> Result<u64, SubscriptionError> {
        let mut app = self.0.lock().unwrap();
        app.next += 1;
        let id = app.next;
        app.journal.push(StoredJournalSubscription { id, subscription: wanted.clone() });
        app.log.push(format!("create {id}"));
        Ok(id)
    }
    async fn delete(&self, id: u64) -> Result<(), SubscriptionError> {
        let mut app = self.0.lock().unwrap();
        app.journal.retain(|stored| stored.id != id);
        app.log.push(format!("delete {id}"));
        Ok(())
    }
}

fn settings() -> PushSettings {
    PushSettings { target_url: "https://hooks.example.com/x".to_owned(), concurrent_max: 10 }
}

fn text(subscription: &PushSubscription) -> String {
    let PushSubscription { event_type, object_type_id, property_name } = subscription;
    [Some(event_type), object_type_id.as_ref(), property_name.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn wishes_become_the_subscriptions_that_push_offers() {
    let wanted = [
        Wanted::lifecycle("0-1").with_properties(["email"]).with_associations(["0-2"]),
        Wanted::lifecycle("0-7").with_associations(["0-3"]),
        Wanted::lifecycle("2-4711").with_properties(["serial"]),
    ];
    let list: Vec<String> = wanted_push(&wanted).iter().map(text).collect();
    let expected = [
        "contact.associationChange",
        "contact.creation",
        "contact.deletion",
        "contact.merge",
        "contact.privacyDeletion",
        "contact.propertyChange email",
        "contact.restore",
        "object.creation 2-4711",
        "object.deletion 2-4711",
        "object.merge 2-4711",
        "object.propertyChange 2-4711 serial",
        "object.restore 2-4711",
        "product.creation",
        "product.deletion",
        "product.merge",
        "product.restore",
    ];
    assert_eq!(list, expected);
}

#[test]
fn what_push_does_not_offer_is_said_and_too_many_are_refused() {
    let wanted = [Wanted::lifecycle("0-1").with_properties(["hs_lastmodifieddate"])];
    let plan = plan_push(&settings(), &wanted, None, &[], Surplus::Keep).unwrap();
    assert_eq!(plan.not_offered.len(), 1);
    assert!(plan.create.iter().all(|made| made.property_name.is_none()));

    let names = (0..996).map(|number| format!("p{number}"));
    let wanted = [Wanted::lifecycle("0-1").with_properties(names)];
    let error = plan_push(&settings(), &wanted, None, &[], Surplus::Keep).unwrap_err();
    assert_eq!(error, SubscriptionError::TooMany { wanted: 1_001, max: 1_000 });
}

#[tokio::test]
async fn surplus_and_twins_go_as_asked() {
    let stored = |id, event_type: &str, active| StoredPushSubscription {
        id,
        subscription: PushSubscription {
            event_type: event_type.to_owned(),
            object_type_id: None,
            property_name: None,
        },
        active,
    };
    let current = [
        stored(1, "contact.creation", false),
        stored(2, "contact.creation", true),
        stored(3, "contact.deletion", false),
        stored(4, "deal.creation", true),
        stored(5, "deal.deletion", false),
    ];
    let mut wanted = Wanted::lifecycle("0-1");
    (wanted.restores, wanted.merges, wanted.erasures) = (false, false, false);
    let ids = |list: &[StoredPushSubscription]| list.iter().map(|stored| stored.id).collect::<Vec<_>>();
    for (surplus, pause, delete) in [
        (Surplus::Keep, vec![], vec![1]),
        (Surplus::Pause, vec![4], vec![1]),
        (Surplus::Delete, vec![], vec![1, 4, 5]),
    ] {
        let plan =
            plan_push(&settings(), std::slice::from_ref(&wanted), Some(&settings()), &current, surplus)
                .unwrap();
        assert_eq!(plan.settings, None);
        assert_eq!(plan.create, []);
        assert_eq!(
            (ids(&plan.start), ids(&plan.pause), ids(&plan.delete)),
            (vec![3], pause, delete),
            "{surplus:?}"
        );
    }
}

#[tokio::test]
async fn a_journal_subscription_is_replaced_and_no_moment_is_without_one() {
    let app = App::default();
    let portal = PortalId(33);
    let first = [Wanted::lifecycle("0-1").with_properties(["email"])];
    let list = async || JournalSubscriptionApi::list(&app).await.unwrap();
    apply_journal(&plan_journal(portal, &first, &[]), &app).await.unwrap();
    let second = [Wanted::lifecycle("0-1").with_properties(["email", "phone"])];
    app.0.lock().unwrap().log.clear();
    let plan = plan_journal(portal, &second, &list().await);
    assert_eq!((plan.create.len(), plan.delete.len()), (1, 1), "{plan:?}");
    apply_journal(&plan, &app).await.unwrap();
    assert_eq!(app.0.lock().unwrap().log, ["create 3", "delete 1"]);
    assert!(plan_journal(portal, &second, &list().await).is_empty());
    assert_eq!(
        plan_journal(PortalId(34), &[], &list().await),
        JournalPlan::default(),
        "others' are left alone"
    );
}

fn some_wishes() -> impl Strategy<Value = Vec<Wanted>> {
    let objects = prop::sample::select(vec!["0-1", "0-2", "0-3", "0-7", "2-1"]);
    let one = (objects, any::<[bool; 5]>(), prop::collection::vec("[a-c]", 0..3), any::<bool>()).prop_map(
        |(object, [creations, deletions, restores, merges, erasures], names, linked)| Wanted {
            creations,
            deletions,
            restores,
            merges,
            erasures,
            ..Wanted::lifecycle(object).with_properties(names).with_associations(linked.then_some("0-2"))
        },
    );
    prop::collection::vec(one, 0..4)
}

proptest! {
    #[test]
    fn applying_reaches_the_wish_and_then_nothing_is_left_to_do(first in some_wishes(), second in some_wishes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (app, portal) = (App::default(), PortalId(1));
            for wanted in [&first, &second] {
                let push = PushSubscriptionApi::list(&app).await.unwrap();
                let now = app.settings().await.unwrap();
                let plan = plan_push(&settings(), wanted, now.as_ref(), &push, Surplus::Delete).unwrap();
                apply_push(&plan, &app).await.unwrap();
                let push = PushSubscriptionApi::list(&app).await.unwrap();
                let now = app.settings().await.unwrap();
                assert!(plan_push(&settings(), wanted, now.as_ref(), &push, Surplus::Delete).unwrap().is_empty());
                assert!(push.iter().all(|stored| stored.active));

                let journal = JournalSubscriptionApi::list(&app).await.unwrap();
                apply_journal(&plan_journal(portal, wanted, &journal), &app).await.unwrap();
                let journal = JournalSubscriptionApi::list(&app).await.unwrap();
                assert!(plan_journal(portal, wanted, &journal).is_empty());
            }
        });
    }
}
