//! Plans: what they say, what they touch, and what an apply does when the world has moved on.

use std::io::{BufReader, Write};
use std::sync::{Arc, Mutex};

use sync_core::{PlanFile, PlanSink};
use sync_types::Value;
use workspace_tests::World;

use crate::one_way::{contact, fill, person, world, writes};

/// A file in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) async fn plan(world: &World) -> (sync_core::PlanSummary, String) {
    let memory = Memory::default();
    let mut engine = world.engine();
    let sink = PlanSink::new(&engine, Box::new(memory.clone())).unwrap();
    let summary = engine.plan(sink).await.unwrap();
    let bytes = memory.0.lock().unwrap().clone();
    (summary, String::from_utf8(bytes).unwrap())
}

pub(crate) fn read(text: &str) -> PlanFile {
    PlanFile::read(BufReader::new(text.as_bytes())).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_plan_writes_nothing_and_says_what_the_run_then_does() {
    let world = world().await;
    fill(&world, 7, 230);
    world.portal().clear_stats();
    let (summary, text) = plan(&world).await;
    assert_eq!(writes(&world), 0);
    let create: Vec<u64> = summary.links.iter().map(|link| link.create).collect();
    assert_eq!(create, [7, 230, 7]);
    assert_eq!(summary.rules.iter().map(|rule| rule.add).collect::<Vec<_>>(), [230, 46, 7]);
    assert_eq!(summary.write_calls, 1 + 3 + 1 + 1 + 1 + 1);
    assert!(!text.contains("example.com") && !text.contains("Person"), "a plan holds no values");

    world.portal().clear_stats();
    let report = world.engine().apply(read(&text)).await.unwrap();
    assert!(report.is_complete() && report.moved.is_empty(), "{report:?}");
    assert_eq!(writes(&world), summary.write_calls);
    assert!(world.engine().verify().await.unwrap().is_clean());
    let (summary, _) = plan(&world).await;
    assert!(summary.is_empty(), "a converged world plans nothing: {summary:?}");
}

#[tokio::test(start_paused = true)]
async fn an_apply_skips_and_lists_what_moved_on_either_side() {
    let world = world().await;
    fill(&world, 3, 20);
    world.run().await;
    for n in 0..4 {
        world.source.put("people", &format!("P{n}"), person(n, "F1", Value::Null, 900));
    }
    let (summary, text) = plan(&world).await;
    assert_eq!(summary.links[1].update, 4);
    // P0: changed again at the source. P1: changed by a person in HubSpot. P2: deleted there. P19: not planned.
    world.source.put("people", "P0", person(0, "F1", Value::Null, 901));
    let now = world.clock.now();
    let edited = contact(&world, "person1@example.com").unwrap().id;
    world.portal().edit_as_user(now, "contacts", edited, [("points", "77")]).unwrap();
    let deleted = contact(&world, "person2@example.com").unwrap().id;
    world.portal().archive_record(now, "contacts", deleted).unwrap();
    world.source.put("people", "P19", person(19, "F1", Value::Null, 902));

    let report = world.engine().apply(read(&text)).await.unwrap();
    let mut moved: Vec<(&str, &str)> = report.moved.iter().map(|m| (m.id.as_str(), m.why.as_str())).collect();
    moved.sort_unstable();
    assert_eq!(
        moved,
        [
            ("P0", "the source record changed since the plan was made"),
            ("P1", "points was changed in HubSpot since both last agreed"),
            ("P19", "it is not in the plan"),
            ("P2", "the record is gone from HubSpot"),
        ]
    );
    assert_eq!(report.links[1].updated, 1);
    assert_eq!(
        contact(&world, "person1@example.com").unwrap().properties["points"],
        "77",
        "the person's edit stays"
    );
    assert_eq!(contact(&world, "person3@example.com").unwrap().properties["points"], "900");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_cut_off_foreign_or_outdated_is_refused_with_a_remedy() {
    let world = world().await;
    fill(&world, 2, 2);
    let (_, text) = plan(&world).await;
    let refuse = |text: String| PlanFile::read(BufReader::new(text.as_bytes())).unwrap_err().to_string();
    let lines: Vec<&str> = text.lines().collect();
    let cut = refuse(lines[..lines.len() - 1].join("\n"));
    assert!(cut.contains("cut off") && cut.contains("plan --out"), "{cut}");
    let half = refuse(text[..text.len() - 10].to_owned());
    assert!(half.contains("line"), "{half}");
    let foreign = refuse("{}".to_owned());
    assert!(foreign.contains("line 1"), "{foreign}");
    let other = read(&text.replacen("\"acme\"", "\"other\"", 1));
    let error = world.engine().apply(other).await.unwrap_err().to_string();
    assert!(error.contains("engagement other") && error.contains("again"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_apply_names_a_duplicate_within_the_source_as_what_it_is() {
    let world = world().await;
    fill(&world, 1, 3);
    world.source.put("people", "TWIN", person(1, "F0", Value::Null, 1));
    let (_, text) = plan(&world).await;
    let report = world.engine().apply(read(&text)).await.unwrap();
    assert_eq!(report.moved, []);
    assert_eq!(report.links[1].parked.get("duplicate"), Some(&1), "{report:?}");
}
