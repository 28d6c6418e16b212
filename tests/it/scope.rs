//! Records that leave the scope of their link, and what `on_exit` makes of their counterparts.

use std::time::Duration;

use sync_core::Which;
use sync_core::decide::Side;
use workspace_tests::World;

use crate::both_ways::{contacts, edit, pass, right, world_of};

fn mapping(on_exit: &str, direction: &str) -> String {
    format!(
        r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
match = ["email"]
{direction}
scope = "job != 'left'"
on_exit = "{on_exit}"
on_delete = {{ conflict = "edit" }}
fields = [
    {{ from = "email", to = "email", transform = ["email"] }},
    {{ from = "name", to = "lastname" }},
    {{ from = "city", to = "city" }},
    {{ from = "job", to = "jobtitle" }},
]
"#
    )
}

const ONE_WAY: &str = r#"direction = "to-hubspot""#;
const BOTH_WAYS: &str = "direction = \"both\"\nconflict = \"source\"";
const WAYS: [&str; 2] = [ONE_WAY, BOTH_WAYS];

async fn run(world: &World) -> sync_core::report::LinkReport {
    let report = world.run().await;
    assert!(report.halted.is_none(), "{report:?}");
    pass(world, 60).await;
    report.links.into_iter().next().unwrap()
}

fn is_there(world: &World, email: &str) -> bool {
    contacts(world).iter().any(|contact| contact.properties["email"] == email)
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_scope_is_archived_and_made_anew_on_the_way_back() {
    for way in WAYS {
        let world = world_of(&mapping("delete", way), 3).await;
        world.source.set("people", "P0", "job", "left");
        let report = run(&world).await;
        assert_eq!((report.deleted, report.unexplained()), (1, 0), "{way}: {report:?}");
        assert!(!is_there(&world, "p0@example.com"), "{way}");
        pass(&world, 1_000).await;
        let report = run(&world).await;
        assert!(report.deleted + report.written() == 0 && report.excluded > 0, "{way}: {report:?}");

        world.source.set("people", "P0", "job", "clerk");
        run(&world).await;
        run(&world).await;
        assert!(is_there(&world, "p0@example.com"), "{way}");
        assert_eq!(contacts(&world).len(), 3, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_edited_in_hubspot_stays_there_and_is_kept_in_step_no_more() {
    for way in WAYS {
        let world = world_of(&mapping("delete", way), 3).await;
        edit(&world, "p0@example.com", "city", "Kiel");
        world.source.set("people", "P0", "job", "left");
        let report = run(&world).await;
        assert!(report.deleted == 0 && report.excluded > 0, "{way}: {report:?}");
        world.source.set("people", "P0", "name", "Other");
        let report = run(&world).await;
        assert!(report.deleted + report.written() == 0 && report.excluded > 0, "{way}: {report:?}");
        assert_eq!(right(&world, "p0@example.com", "lastname"), "Person 0");

        world.source.set("people", "P0", "job", "clerk");
        run(&world).await;
        run(&world).await;
        assert_eq!(right(&world, "p0@example.com", "lastname"), "Other", "{way}");
        assert_eq!(contacts(&world).len(), 3, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_decides_about_who_left_where_the_mapping_asks() {
    for (side, is_kept) in [(Side::Left, false), (Side::Right, true)] {
        let world = world_of(&mapping("ask", ONE_WAY), 3).await;
        world.source.set("people", "P0", "job", "left");
        let report = run(&world).await;
        assert_eq!((report.deleted, report.held), (0, 1), "{report:?}");
        let held = world.engine().conflicts(&Which::default()).unwrap();
        assert_eq!(held[0].2.cause, "left-scope");
        assert_eq!(world.engine().resolve_conflicts(&Which::default(), side).unwrap(), 1);
        run(&world).await;
        assert_eq!(is_there(&world, "p0@example.com"), is_kept);
        assert!(world.engine().conflicts(&Which::default()).unwrap().is_empty());
        let report = run(&world).await;
        assert!(report.deleted + report.held == 0 && report.excluded > 0, "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_that_leaves_out_too_many_deletes_nobody() {
    let world = world_of(&mapping("delete", ONE_WAY), 20).await;
    for n in 0..5 {
        world.source.set("people", &format!("P{n}"), "job", "left");
    }
    let report = world.run().await;
    assert!(report.halted.as_deref().is_some_and(|why| why.contains("5 of 20")), "{report:?}");
    world.clock.sleep(Duration::from_secs(1_000)).await;
    world.run().await;
    assert_eq!(contacts(&world).len(), 20);
}
