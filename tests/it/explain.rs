//! Why a record is as it is: what an operator is told, and that none of it is invented.

use sync_core::Which;
use sync_core::decide::Side;
use sync_core::explain::{Explanation, FieldStory, Of, Presence};
use sync_types::{Act, PairState};
use workspace_tests::World;

use crate::both_ways::{MAPPING, contact, edit, pass, settle, world, world_of};

async fn explain(world: &World, id: &str) -> Explanation {
    let mut engine = world.engine();
    // An operator's service may ask from any thread.
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    is_send(engine.explain("people", &Of::Source(id.into()))).await.unwrap()
}

fn field<'e>(told: &'e Explanation, name: &str) -> &'e FieldStory {
    told.fields.iter().find(|field| field.property.name.as_str() == name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_property_says_what_moved_which_rule_decides_and_who_set_it() {
    let world = world(3).await;
    let told = explain(&world, "P1").await;
    assert_eq!(
        (told.state, &told.source, &told.hubspot),
        (Some(PairState::Linked), &Presence::There, &Presence::There)
    );
    assert!(
        told.fields.iter().all(|field| field.is_agreed && field.verdict.contains("as agreed")),
        "{told:?}"
    );
    assert_eq!(told.writings.len(), 1);
    assert_eq!((told.writings[0].run, told.writings[0].act), (1, Act::Make));

    world.source.set("people", "P1", "city", "Ulm");
    edit(&world, "p1@example.com", "jobtitle", "chief");
    world.source.set("people", "P1", "name", "here");
    edit(&world, "p1@example.com", "lastname", "there");
    let told = explain(&world, "P1").await;
    let city = field(&told, "city");
    assert!(city.verdict.contains("the next run writes it to HubSpot"), "{city:?}");
    assert_eq!(
        (city.left.has_moved, city.right.has_moved, city.is_equal),
        (Some(true), Some(false), Some(false))
    );
    let job = field(&told, "jobtitle");
    assert!(job.verdict.contains("the next run brings it to the source"), "{job:?}");
    assert!(job.set_by.as_deref().is_some_and(|by| by.contains("CRM_UI")), "{job:?}");
    assert!(
        field(&told, "lastname").verdict.contains("holds it for a person (`conflict = ask`)"),
        "{told:?}"
    );

    world.run().await;
    let told = explain(&world, "P1").await;
    assert_eq!(field(&told, "city").written.map(|(_, side)| side), Some(Side::Right));
    assert_eq!(field(&told, "jobtitle").written.map(|(_, side)| side), Some(Side::Left));
    assert_eq!(field(&told, "city").set_by_us, Some(true));
    assert_eq!(field(&told, "jobtitle").set_by_us, Some(false));
    let held = field(&told, "lastname");
    assert!(held.verdict.contains("conflicts resolve") && held.conflict.is_some(), "{held:?}");
    // Nothing of what it says is a value, unless somebody takes it out on purpose.
    let said = format!("{told:?}");
    for value in ["Ulm", "chief", "there\""] {
        assert!(!said.contains(value), "{value} in {said}");
    }
    // The same by the record's id in HubSpot.
    let id = contact(&world, "p1@example.com").id.to_string();
    let by_record = world.engine().explain("people", &Of::HubSpot(id.as_str().into())).await.unwrap();
    assert_eq!(by_record.id.as_ref().map(|id| id.as_str()), Some("P1"));
    let unknown = world.engine().explain("poeple", &Of::Source("P1".into())).await.unwrap_err();
    assert!(unknown.to_string().contains("people"), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_gone_or_was_never_there_is_said_to_be_so() {
    let world = world_of(&MAPPING.replace(r#"hubspot = "delete""#, r#"hubspot = "keep""#), 3).await;
    let id = contact(&world, "p1@example.com").id;
    world.portal().archive_record(world.clock.now(), "contacts", id).unwrap();
    let told = explain(&world, "P1").await;
    assert_eq!((told.state, told.hubspot), (Some(PairState::Linked), Presence::Deleted));
    let told = explain(&world, "nobody").await;
    assert_eq!((told.state, told.source, told.hubspot), (None, Presence::Missing, Presence::Unknown));
    assert!(told.fields.iter().all(|field| !field.is_agreed && field.set_at.is_none()));
}

#[tokio::test(start_paused = true)]
async fn conflicts_are_resolved_by_property_and_cause() {
    let world = world_of(
        &MAPPING.replace(r#"to = "city", conflict = "source""#, r#"to = "city", conflict = "ask""#),
        3,
    )
    .await;
    for id in 0..3 {
        let email = format!("p{id}@example.com");
        for (column, property) in [("name", "lastname"), ("city", "city")] {
            world.source.set("people", &format!("P{id}"), column, "here");
            edit(&world, &email, property, "there");
        }
    }
    world.run().await;
    let mut engine = world.engine();
    let of = |property: &str| Which { property: Some(property.into()), ..Which::default() };
    assert_eq!(engine.conflicts(&Which::default()).unwrap().len(), 6);
    assert_eq!(engine.conflicts(&of("city")).unwrap().len(), 3);
    assert_eq!(engine.conflicts(&Which { max: 2, ..of("city") }).unwrap().len(), 2);
    assert_eq!(
        engine
            .resolve_conflicts(&Which { cause: Some("step-back".into()), ..of("city") }, Side::Left)
            .unwrap(),
        0
    );
    assert_eq!(engine.resolve_conflicts(&of("city"), Side::Right).unwrap(), 3);
    drop(engine);
    pass(&world, 60).await;
    settle(&world).await;
    let open = world.engine().conflicts(&Which::default()).unwrap();
    assert!(open.len() == 3 && open.iter().all(|(_, property, _)| property == "lastname"), "{open:?}");
}
