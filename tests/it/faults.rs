//! Lost answers, poison rows, conflicts, missing parents: each in its place, the rest goes on.

use hubspot_sandbox::{Fault, FaultKind, Matcher, Scopes};
use sync_core::Select;
use sync_types::{BadRecord, Value};
use workspace_tests::TOKEN;

use crate::one_way::{contact, fill, live, person, world};

fn matching(path: &str) -> Matcher {
    Matcher { path_contains: Some(path.into()), ..Matcher::default() }
}

#[tokio::test(start_paused = true)]
async fn lost_answers_on_every_create_make_no_duplicate() {
    for kind in [FaultKind::LostAfterApply, FaultKind::LostBeforeApply, FaultKind::CutBody { bytes: 40 }] {
        let world = world().await;
        fill(&world, 5, 450);
        // Every first answer to a batch write is lost, and every second one too.
        let fault =
            Fault { matcher: matching("/batch/upsert"), skip: 0, count: Some(12), kind: kind.clone() };
        world.portal().inject(fault).unwrap();
        let mut runs = 0;
        while !world.run().await.is_complete() {
            runs += 1;
            assert!(runs < 5, "{kind:?} does not converge");
        }
        assert_eq!(live(&world, "contacts").len(), 450, "{kind:?}");
        let verdict = world.engine().verify().await.unwrap();
        assert!(verdict.is_clean(), "{kind:?}: {:#?}", verdict.differences);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poison_row_is_parked_with_its_cause_and_the_rest_goes_on() {
    let world = world().await;
    // Read in full each time, as a source is that cannot tell what changed.
    world.source.promise(None);
    fill(&world, 3, 150);
    let refused = FaultKind::RefuseRow { row: 17 };
    world.portal().inject(Fault::once(matching("/contacts/batch/upsert"), refused)).unwrap();
    // Mapping faults: a number that is none, a name that is required.
    world.source.put(
        "people",
        "P5",
        vec!["p5@example.com".into(), "P".into(), "many".into(), "F1".into(), Value::Null],
    );
    world.source.put("firms", "F9", vec![Value::Null, "nine.example".into()]);
    let bad = BadRecord {
        code: "bad-row",
        id: None,
        place: "people.csv line 17".into(),
        reason: "4 fields instead of 5".into(),
        remedy: "correct the row".into(),
    };
    world.source.spoil("people", bad);
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.links[1].created, 148);
    assert_eq!(report.links[1].parked_total(), 3, "{report:?}");
    assert_eq!(report.links[0].parked_total(), 1);
    let letters = world.engine().dead_letters(&Select::default()).unwrap();
    assert_eq!(letters.len(), 4);
    for (link, letter) in &letters {
        assert!(!letter.detail.is_empty() && !letter.remedy.is_empty(), "{link} {letter:?}");
        assert!(
            !letter.detail.contains("@") && !letter.detail.contains("many"),
            "a value leaked: {}",
            letter.detail
        );
    }
    // Parked rows cost nothing until they change; then they are tried again and the letter goes.
    let again = world.run().await;
    assert_eq!((again.written(), again.links[1].parked_total()), (0, 3));
    world.source.put("people", "P5", person(5, "F1", Value::Null, 5));
    let healed = world.run().await;
    assert_eq!(healed.links[1].created, 1);
    let asked =
        world.engine().retry_dead_letters(&Select { link: Some("people".into()), ..Select::default() });
    assert_eq!(asked.unwrap(), 1, "the refused row, not the unreadable one");
    let retried = world.run().await;
    assert_eq!(retried.links[1].created, 1, "{retried:?}");
    let left = world.engine().dead_letters(&Select::default()).unwrap();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_was_there_before_is_recognised_and_not_doubled() {
    let world = world().await;
    fill(&world, 2, 6);
    let now = world.clock.now();
    let there = [("email", "person3@example.com"), ("lastname", "By hand"), ("points", "")];
    world.portal().create_as_user(now, "contacts", there).unwrap();
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.links[1].created, report.links[1].adopted), (5, 1));
    assert_eq!(live(&world, "contacts").len(), 6);
    assert!(world.engine().verify().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_appears_later_is_recognised_by_hubspots_own_refusal() {
    let world = world().await;
    fill(&world, 2, 6);
    world.run().await;
    let now = world.clock.now();
    world.portal().create_as_user(now, "contacts", [("email", "person7@example.com")]).unwrap();
    world.source.put("people", "P7", person(7, "F1", Value::Null, 7));
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.links[1].adopted, 1, "{report:?}");
    assert_eq!(live(&world, "contacts").len(), 7);
    assert!(world.engine().verify().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn two_source_records_with_one_email_are_told_apart_and_named() {
    let world = world().await;
    fill(&world, 1, 3);
    world.source.put("people", "TWIN", person(1, "F0", Value::Null, 1));
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.links[1].created, 3);
    assert_eq!(report.links[1].parked.get("duplicate"), Some(&1), "{report:?}");
    assert_eq!(live(&world, "contacts").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_association_waits_for_its_parent_and_is_made_when_it_comes() {
    let world = world().await;
    fill(&world, 1, 2);
    world.source.put("people", "ORPHAN", person(50, "LATE", Value::Null, 0));
    let report = world.run().await;
    assert_eq!(
        (report.links[1].created, report.edges[0].waiting),
        (3, 1),
        "the record itself is brought over"
    );
    world.source.put("firms", "LATE", vec!["Late Ltd".into(), "late.example".into()]);
    let report = world.run().await;
    assert_eq!((report.edges[0].added, report.edges[0].waiting), (1, 0));
    assert!(world.engine().verify().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_changed_parent_moves_the_association_and_leaves_others_alone() {
    let world = world().await;
    fill(&world, 3, 5);
    world.run().await;
    // P0 works at F0 and bills F0: the employer changes, the billing stays.
    world.source.put("people", "P0", person(0, "F2", "F0".into(), 0));
    let report = world.run().await;
    assert_eq!((report.edges[0].added, report.edges[0].removed), (1, 1), "{report:?}");
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);
    world.source.put("people", "P0", person(0, "F2", Value::Null, 0));
    assert_eq!(world.run().await.edges[1].removed, 1);
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);
}

#[tokio::test(start_paused = true)]
async fn a_record_deleted_in_hubspot_is_named_by_verify_and_made_anew_when_the_source_changes() {
    let world = world().await;
    fill(&world, 2, 5);
    world.run().await;
    let now = world.clock.now();
    let gone = contact(&world, "person1@example.com").unwrap().id;
    world.portal().archive_record(now, "contacts", gone).unwrap();
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.differences.iter().any(|d| d.id.as_deref() == Some("P1") && d.why.contains("deleted")));
    world.source.put("people", "P1", person(1, "F1", Value::Null, 99));
    let report = world.run().await;
    assert_eq!(report.links[1].recreated, 1, "{report:?}");
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);
}

#[tokio::test(start_paused = true)]
async fn verify_names_an_edit_and_a_lost_association() {
    let world = world().await;
    fill(&world, 2, 4);
    world.run().await;
    let now = world.clock.now();
    let id = contact(&world, "person2@example.com").unwrap().id;
    world.portal().edit_as_user(now, "contacts", id, [("lastname", "Edited")]).unwrap();
    let firms = live(&world, "companies");
    let client = world.client();
    let types = |name: &str| hubspot_client::ObjectType::new(name).unwrap();
    let links = client.associations(&types("contacts"), &types("companies"));
    for firm in &firms {
        links.unlink(&id.to_string(), &firm.id.to_string()).await.unwrap();
    }
    let verdict = world.engine().verify().await.unwrap();
    let named: Vec<_> = verdict.differences.iter().filter(|d| d.id.as_deref() == Some("P2")).collect();
    assert!(named.iter().any(|d| d.what.as_deref() == Some("lastname")), "{named:?}");
    assert!(named.iter().any(|d| d.why.contains("missing in HubSpot")), "{named:?}");
    assert!(!format!("{named:?}").contains("Edited"), "a value leaked");
}

#[tokio::test(start_paused = true)]
async fn a_revoked_credential_and_a_missing_scope_halt_with_a_remedy_and_lose_nothing() {
    let world = world().await;
    fill(&world, 2, 120);
    world.portal().revoke_credential(TOKEN);
    let report = world.run().await;
    let why = report.halted.clone().expect("the run halts");
    assert!(why.contains("credential") && why.contains("make a new one"), "{why}");
    assert!(!report.is_complete());

    let world = crate::one_way::world().await;
    fill(&world, 2, 120);
    let scopes = [
        "crm.objects.contacts.read",
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        "crm.schemas.custom.read",
        "crm.objects.custom.read",
        "crm.objects.custom.write",
    ];
    let scopes = Scopes::Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    world.portal().set_scopes(TOKEN, scopes);
    let report = world.run().await;
    let why = report.halted.clone().expect("the run halts");
    assert!(why.contains("crm.objects.contacts.write"), "{why}");
    world.portal().set_scopes(TOKEN, Scopes::All);
    assert!(world.run().await.is_complete());
    assert!(world.engine().verify().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn two_new_records_that_match_one_of_hubspots_are_not_both_linked_to_it() {
    let world = world().await;
    fill(&world, 1, 2);
    assert!(world.run().await.is_complete());
    let now = world.clock.now();
    world.portal().create_as_user(now, "contacts", [("email", "person70@example.com")]).unwrap();
    world.source.put("people", "A", person(70, "F0", Value::Null, 1));
    world.source.put("people", "B", person(70, "F0", Value::Null, 2));
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(
        (report.links[1].adopted, report.links[1].parked.get("duplicate")),
        (1, Some(&1)),
        "{report:?}"
    );
    assert_eq!(live(&world, "contacts").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_first_load_that_was_halted_recognises_records_when_it_goes_on() {
    let world = world().await;
    fill(&world, 150, 0);
    let now = world.clock.now();
    // A company's domain is not unique in HubSpot: only reading the portal recognises it.
    world
        .portal()
        .create_as_user(now, "companies", [("name", "Hand"), ("domain", "firm149.example")])
        .unwrap();
    let denied = FaultKind::Status { status: 401, retry_after: None };
    world
        .portal()
        .inject(Fault { matcher: matching("/batch/"), skip: 0, count: None, kind: denied })
        .unwrap();
    assert!(world.run().await.halted.is_some());
    world.portal().clear_faults();
    assert!(world.run().await.is_complete());
    assert_eq!(live(&world, "companies").len(), 150);
    assert!(world.engine().verify().await.unwrap().is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_parent_made_anew_gets_its_children_back() {
    let world = world().await;
    fill(&world, 2, 10);
    world.run().await;
    let now = world.clock.now();
    let gone =
        live(&world, "companies").into_iter().find(|firm| firm.properties["domain"] == "firm1.example");
    world.portal().archive_record(now, "companies", gone.unwrap().id).unwrap();
    world.source.put("firms", "F1", vec!["Firm 1 again".into(), "firm1.example".into()]);
    let report = world.run().await;
    assert_eq!((report.links[0].recreated, report.edges[0].added), (1, 5), "{report:?}");
    let verdict = world.engine().verify().await.unwrap();
    assert!(verdict.is_clean(), "{:#?}", verdict.differences);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_was_asked_for_outlives_a_plan_and_a_halt() {
    let world = world().await;
    fill(&world, 1, 5);
    let refused = FaultKind::RefuseRow { row: 0 };
    world.portal().inject(Fault::once(matching("/contacts/batch/upsert"), refused)).unwrap();
    assert_eq!(world.run().await.links[1].created, 4);
    world.engine().retry_dead_letters(&Select::default()).unwrap();
    let planned = crate::plans::plan(&world).await.0;
    assert_eq!(planned.links[1].create, 1, "{planned:?}");
    let denied = FaultKind::Status { status: 401, retry_after: None };
    world
        .portal()
        .inject(Fault { matcher: matching("/batch/"), skip: 0, count: Some(9), kind: denied })
        .unwrap();
    assert!(world.run().await.halted.is_some());
    world.portal().clear_faults();
    assert_eq!(world.run().await.links[1].created, 1);
}

#[tokio::test(start_paused = true)]
async fn a_label_that_a_person_made_survives_the_end_of_our_association() {
    let world = world().await;
    fill(&world, 2, 2);
    world.run().await;
    let id = contact(&world, "person1@example.com").unwrap().id.to_string();
    let firm =
        live(&world, "companies").into_iter().find(|firm| firm.properties["domain"] == "firm1.example");
    let firm = firm.unwrap().id.to_string();
    let types = |name: &str| hubspot_client::ObjectType::new(name).unwrap();
    let links = world.client().associations(&types("contacts"), &types("companies"));
    let new = hubspot_client::NewLabel {
        name: "decides".into(),
        label: "Decision maker".into(),
        inverse_label: None,
    };
    links.create_label(&new).await.unwrap();
    let made = links.labels().await.unwrap();
    let made = made.iter().find(|label| label.label.as_deref() == Some("Decision maker")).unwrap();
    let label = [made.association_type()];
    let pair = hubspot_client::LabelledPair { from: &id, to: &firm, types: &label };
    links.batch_link(&[pair]).await.unwrap();

    world.source.put("people", "P1", person(1, "F0", Value::Null, 1));
    assert!(world.run().await.is_complete());
    let left = links.batch_read(&[&id]).await.unwrap();
    let kept = left.by_record.values().flatten().find(|record| record.to.as_str() == firm).unwrap();
    assert!(kept.types.iter().any(|kind| kind.label.as_deref() == Some("Decision maker")), "{kept:?}");
    // P0 keeps its association, and a person's label on it is no difference.
    let id = contact(&world, "person0@example.com").unwrap().id.to_string();
    let firm =
        live(&world, "companies").into_iter().find(|firm| firm.properties["domain"] == "firm0.example");
    let firm = firm.unwrap().id.to_string();
    links.batch_link(&[hubspot_client::LabelledPair { from: &id, to: &firm, types: &label }]).await.unwrap();
    let verdict = world.engine().verify().await.unwrap();
    let about_p0: Vec<_> = verdict.differences.iter().filter(|d| d.id.as_deref() == Some("P0")).collect();
    assert!(about_p0.is_empty(), "{about_p0:#?}");
}

#[tokio::test(start_paused = true)]
async fn verify_sees_an_association_that_changed_at_the_source_only() {
    let world = world().await;
    fill(&world, 3, 3);
    world.run().await;
    world.source.put("people", "P0", person(0, "F2", "F0".into(), 0));
    let verdict = world.engine().verify().await.unwrap();
    assert!(!verdict.is_clean() && verdict.links[1].pending == 1, "{verdict:?}");
}
