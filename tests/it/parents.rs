//! Records that are not made before another one is there.

use hubspot_client::Limits;
use hubspot_sandbox::{Limits as PortalLimits, PortalConfig};
use sync_types::Value;
use workspace_tests::{TOKEN, World};

use crate::plans::{plan, read};

/// People and their firms. At the first look at a person, the firm is on its way at best.
const MAPPING: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
fields = [{ from = "email", to = "email", transform = ["email"] }]
associations = [{ name = "works_at", to = "firms", key = "firm", kind = "primary", parent_first = true }]

[[links]]
name = "firms"
collection = "firms"
object = "companies"
sync_key = "acme_key"
fields = [{ from = "name", to = "name", required = true }]
"#;

fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { value.into() }
}

async fn world() -> World {
    let config = PortalConfig { limits: PortalLimits::Off, ..PortalConfig::new(TOKEN) };
    let world = World::new(config, MAPPING, Limits::unlimited()).await;
    world.source.collection("people", &["email", "firm"]);
    world.source.collection("firms", &["name"]);
    world
}

fn person(world: &World, id: &str, firm: &str) {
    world.source.put("people", id, vec![text(&format!("{id}@example.com")), text(firm)]);
}

fn made(world: &World) -> (usize, usize) {
    let portal = world.portal.lock().unwrap();
    let count = |object: &str| portal.records(object, 0, 1_000).unwrap().records.len();
    (count("contacts"), count("companies"))
}

/// The call in which each kind of record was made, in the order of the calls.
fn creations(world: &World) -> Vec<String> {
    let portal = world.portal.lock().unwrap();
    let paths = portal.requests().map(|request| request.path.clone());
    paths.filter(|path| path.contains("/batch/upsert") || path.contains("/batch/create")).collect()
}

#[tokio::test(start_paused = true)]
async fn parents_are_made_first_and_in_the_same_run() {
    let world = world().await;
    person(&world, "p1", "f1");
    person(&world, "p2", "");
    world.source.put("firms", "f1", vec!["Acme".into()]);
    let report = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(made(&world), (2, 1));
    assert_eq!(report.edges_written(), 1, "{report:?}");
    let calls = creations(&world);
    let first = |what: &str| calls.iter().position(|path| path.contains(what));
    let last = |what: &str| calls.iter().rposition(|path| path.contains(what));
    assert!(first("companies") < last("contacts"), "{calls:?}");
    let again = world.run().await;
    assert_eq!((again.written(), again.edges_written()), (0, 0), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn who_has_no_parent_is_parked_and_made_by_the_run_that_brings_the_parent() {
    let world = world().await;
    person(&world, "p1", "f1");
    person(&world, "p2", "f2");
    world.source.put("firms", "f1", vec![text("")]);
    for _ in 0..2 {
        let report = world.run().await;
        assert!(report.halted.is_none(), "{report:?}");
        assert_eq!(made(&world), (0, 0), "{report:?}");
        let letters = world.engine().dead_letters(&Default::default()).unwrap();
        let causes: Vec<_> =
            letters.iter().filter(|(link, _)| link == "people").map(|(_, of)| &*of.cause).collect();
        assert_eq!(causes, ["parent-missing"; 2], "{letters:?}");
    }
    world.source.put("firms", "f1", vec!["Acme".into()]);
    world.source.put("firms", "f2", vec!["Bolt".into()]);
    let report = world.run().await;
    assert_eq!(made(&world), (2, 2), "{report:?}");
    assert_eq!(report.edges_written(), 2, "{report:?}");
    assert!(world.engine().dead_letters(&Default::default()).unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_plan_has_both_and_its_apply_makes_both() {
    let world = world().await;
    person(&world, "p1", "f1");
    world.source.put("firms", "f1", vec!["Acme".into()]);
    let (summary, file) = plan(&world).await;
    assert_eq!(summary.links.iter().map(|link| link.create).sum::<u64>(), 2, "{summary:?}");
    let report = world.engine().apply(read(&file)).await.unwrap();
    assert!(report.moved.is_empty() && report.is_complete(), "{report:?}");
    assert_eq!(made(&world), (1, 1));
}
