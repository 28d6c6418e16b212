//! What a verification counts at each of its levels, and what a certificate of it says.

use sync_core::{Level, LinkVerify, VerifyReport};
use sync_types::Value;
use workspace_tests::World;

use crate::both_ways::{self, MAPPING, contact, edit, pass, world_of};
use crate::one_way;

async fn verify(world: &World, level: Level) -> VerifyReport {
    let report = world.engine().verify_to(level, 7).await.unwrap();
    for link in &report.links {
        assert_eq!((link.source_unexplained(), link.records_unexplained()), (0, 0), "{link:?}");
    }
    report
}

#[tokio::test(start_paused = true)]
async fn every_level_finds_what_it_looks_for_and_nothing_deeper() {
    let world = one_way::world().await;
    one_way::fill(&world, 4, 60);
    world.run().await;
    for level in Level::ALL {
        assert!(verify(&world, level).await.is_clean(), "{level}");
    }
    // A value: seen from the fields on.
    let now = world.clock.now();
    let id = one_way::contact(&world, "person5@example.com").unwrap().id;
    world.portal().edit_as_user(now, "contacts", id, [("points", "77")]).unwrap();
    // A record that is gone: seen by every level, named from the ids on.
    let gone = one_way::contact(&world, "person6@example.com").unwrap().id;
    world.portal().archive_record(now, "contacts", gone).unwrap();
    // Its two associations go with it; the archived end is no difference of theirs.
    for (level, differences, named) in [
        (Level::Counts, 1, None),
        (Level::Ids, 1, Some("P6")),
        (Level::Fields, 2, Some("P6")),
        (Level::Samples, 2, Some("P6")),
    ] {
        let report = verify(&world, level).await;
        let about_records: Vec<_> =
            report.differences.iter().filter(|difference| difference.subject == "people").collect();
        assert!(about_records.len() >= differences, "{level}: {:#?}", report.differences);
        let names = about_records.iter().any(|difference| difference.id.as_deref() == Some("P6"));
        assert_eq!(names, named.is_some(), "{level}: {about_records:#?}");
        let sees_value = about_records.iter().any(|difference| difference.id.as_deref() == Some("P5"));
        assert_eq!(sees_value, level >= Level::Fields, "{level}");
        assert_eq!(report.links[1].sampled > 0, level == Level::Samples);
    }
}

fn people(report: &VerifyReport) -> &LinkVerify {
    &report.links[0]
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_person_or_is_gone_has_a_class_of_its_own() {
    let mapping = MAPPING.replace(r#"hubspot = "delete""#, r#"hubspot = "keep""#);
    let world = world_of(&mapping, 6).await;
    edit(&world, "p1@example.com", "lastname", "there");
    world.source.set("people", "P1", "name", "here");
    let id = contact(&world, "p2@example.com").id;
    world.portal().archive_record(world.clock.now(), "contacts", id).unwrap();
    for round in 0..3 {
        world.source.set("people", "P2", "city", format!("Town {round}"));
        world.run().await;
        pass(&world, 700).await;
    }
    let mut bad = world.source.get("people", "P3").unwrap();
    bad[4] = Value::text("many");
    world.source.put("people", "P3", bad);
    world.source.put(
        "people",
        "NEW",
        vec!["n@example.com".into(), "N".into(), Value::Null, Value::Null, "1".into()],
    );
    let report = verify(&world, Level::Samples).await;
    let found = people(&report);
    assert_eq!(
        (found.source, found.in_sync, found.pending, found.held, found.gone),
        (7, 3, 2, 1, 1),
        "{found:?} {:#?}",
        report.differences
    );
    assert_eq!((found.records, found.paired, found.values_held), (5, 5, 1), "{found:?}");
    assert_eq!(report.difference_count, 2, "{:#?}", report.differences);

    world.run().await;
    let report = verify(&world, Level::Edges).await;
    assert!(report.is_clean() && people(&report).parked == 1, "{report:#?}");
    let certificate = world.engine().certify(&report).unwrap();
    assert_eq!((certificate.agrees, certificate.number, &certificate.previous), (true, 1, &None));
    assert_eq!(certificate.open.conflicts["people both-changed"], 1, "{:?}", certificate.open);
    assert_eq!(certificate.open.dead_letters["people bad-number"], 1, "{:?}", certificate.open);
    assert_eq!(certificate.cursors.keys().collect::<Vec<_>>(), ["contacts"]);
}

#[tokio::test(start_paused = true)]
async fn the_chain_grows_only_by_what_was_kept_and_roots_tell_pairs_from_values() {
    let world = both_ways::world(8).await;
    let mut engine = world.engine();
    let report = engine.verify().await.unwrap();
    let first = engine.certify(&report).unwrap();
    assert_eq!(engine.certify(&report).unwrap().number, 1, "not kept, so not in the chain");
    engine.note_certificate(first.number, "abc0123456789abcdef").unwrap();
    let second = engine.certify(&report).unwrap();
    assert_eq!((second.number, second.previous.as_deref()), (2, Some("abc0123456789abcdef")));
    assert_eq!(second.links, first.links);
    drop(engine);
    let roots = |report: &VerifyReport| (people(report).pairs_root, people(report).values_root);
    edit(&world, "p1@example.com", "city", "Kiel");
    pass(&world, 60).await;
    world.run().await;
    let edited = verify(&world, Level::Edges).await;
    assert_eq!(roots(&edited).0, roots(&report).0, "the same pairs");
    assert_ne!(roots(&edited).1, roots(&report).1, "another value");
    edit(&world, "p1@example.com", "city", "Bonn");
    pass(&world, 60).await;
    world.run().await;
    assert_eq!(roots(&verify(&world, Level::Edges).await), roots(&report), "as before");
}
