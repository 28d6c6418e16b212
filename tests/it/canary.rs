//! No value leaves the two sides: marked ones are planted everywhere, everything is done with them that can be done, and
//! none is found in the state, a backup, the logs, plans, reports, errors or certificates.

use std::cell::Cell;
use std::fmt::Debug;
use std::io::{BufReader, Write};
use std::sync::{Arc, Mutex};

use hubspot_sandbox::{Fault, FaultKind, Matcher};
use sync_core::decide::Side;
use sync_core::explain::Of;
use sync_core::stores::{Binding, SqliteStore};
use sync_core::{Level, PlanFile, Which};
use sync_testkit::CrashPlan;
use sync_types::Value;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::DynFilterFn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use workspace_tests::{FINGERPRINT_KEY, World};

use crate::both_ways::{MAPPING, contact, edit, pass, world_of};

/// Everything that is a value in this test holds it.
const CANARY: &str = "canary";

thread_local! {
    static LISTENS: Cell<bool> = const { Cell::new(false) };
}

/// What was written or said, to be looked through.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn note(&self, what: &impl Debug) {
        self.clone().write_all(format!("{what:?}\n").as_bytes()).unwrap();
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Nothing of it holds the mark, in whatever case.
    fn is_silent(&self, what: &str) {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).to_lowercase();
        let around = text.find(CANARY).map(|at| {
            let before = text[..at].chars().count();
            text.chars().skip(before.saturating_sub(200)).take(400).collect::<String>()
        });
        assert_eq!(around, None, "a value in {what}");
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Said;
    fn make_writer(&'a self) -> Said {
        self.clone()
    }
}

fn row(email: &str, name: &str, points: &str) -> Vec<Value> {
    let text = |word: &str| Value::text(format!("{CANARY} {word}"));
    vec![format!("{CANARY}-{email}@example.com").into(), text(name), text("town"), text("job"), points.into()]
}

/// A world whose values are all marked, with everything in it that goes wrong.
async fn planted() -> World {
    let world = world_of(MAPPING, 0).await;
    for n in 0..8 {
        world.source.put("people", &format!("P{n}"), row(&n.to_string(), &format!("Person {n}"), "1"));
    }
    // The same address twice, which HubSpot refuses by its value; a number that is none; a row that HubSpot refuses.
    world.source.put("people", "TWIN", row("3", "Twin", "1"));
    world.source.put("people", "BAD", row("bad", "Bad", CANARY));
    let refused = Fault::once(
        Matcher { path_contains: Some("/contacts/batch/".into()), ..Matcher::default() },
        FaultKind::RefuseRow { row: 5 },
    );
    world.portal().inject(refused).unwrap();
    world
}

/// Everything that an operator can look at of a run.
async fn look(world: &World, said: &Said) {
    let mut engine = world.engine();
    said.note(&engine.totals());
    said.note(&engine.runs(99));
    said.note(&engine.dead_letters(&Default::default()));
    for settled in [false, true] {
        said.note(&engine.conflicts(&Which { settled, ..Which::default() }));
    }
    for id in world.source.ids("people") {
        said.note(&engine.explain("people", &Of::Source(id.as_str().into())).await);
    }
    let report = engine.verify_to(Level::Samples, 1).await.unwrap();
    let certificate = engine.certify(&report).unwrap();
    said.note(&(&report, &certificate, serde_json::to_string(&certificate)));
    said.note(&engine);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_kept_or_said_holds_a_value() {
    let (logs, said) = (Said::default(), Said::default());
    // One for the whole process, because those of single threads miss what another thread was first to log; it hears
    // this thread alone.
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(logs.clone())
        .with_filter(DynFilterFn::new(|_, _| LISTENS.get()));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    LISTENS.set(true);
    let world = planted().await;
    let first = world.run().await;
    assert!(first.links[0].parked.len() >= 3, "every kind of fault was met: {first:?}");
    said.note(&first);
    look(&world, &said).await;
    pass(&world, 60).await;

    // Both sides change, to different values and to the same; one in the very moment of our write.
    for (id, column, property) in [("1", "name", "lastname"), ("2", "job", "jobtitle"), ("4", "city", "city")]
    {
        world.source.set("people", &format!("P{id}"), column, format!("{CANARY} left"));
        edit(&world, &format!("{CANARY}-{id}@example.com"), property, &format!("{CANARY} right"));
    }
    edit(&world, &format!("{CANARY}-0@example.com"), "city", &format!("{CANARY} alone"));
    let ada = [("email", "canary-ada@example.com"), ("lastname", "Canary Ada")];
    world.portal().create_as_user(world.clock.now(), "contacts", ada).unwrap();
    pass(&world, 60).await;
    let plan = said_plan(&world, &said).await;
    said.note(&plan);
    let moment = contact(&world, &format!("{CANARY}-6@example.com")).id;
    world.source.set("people", "P6", "job", format!("{CANARY} ours"));
    let (portal, clock) = (Arc::clone(&world.portal), Arc::clone(&world.clock));
    let mut done = false;
    let crash = CrashPlan::before_each(move |step| {
        if step == "write" && !done {
            done = true;
            let hers = format!("{CANARY} hers");
            portal
                .lock()
                .unwrap()
                .edit_as_user(clock.now(), "contacts", moment, [("jobtitle", hers.as_str())])
                .unwrap();
        }
    });
    let report = world.engine_with(&crash, Default::default()).run_once().await.unwrap();
    assert!(report.links[0].overridden > 0 && report.links[0].held > 0, "{report:?}");
    said.note(&report);
    look(&world, &said).await;
    pass(&world, 60).await;

    // A person decides; the run is taken back, but for what she has touched.
    said.note(&world.engine().resolve_conflicts(&Which::default(), Side::Right));
    said.note(&world.run().await);
    edit(&world, &format!("{CANARY}-2@example.com"), "jobtitle", &format!("{CANARY} since"));
    for run in [report.run, first.run] {
        let undo = world.engine().plan_undo(run).await.unwrap();
        assert!(!undo.is_empty() && !undo.kept.is_empty(), "{undo:?}");
        undo.write(said.clone()).unwrap();
        said.note(&undo);
        said.note(&world.engine().undo(undo).await);
    }
    // What is refused as a whole.
    let revoked = Fault::once(Matcher::default(), FaultKind::Status { status: 401, retry_after: None });
    world.portal().inject(revoked).unwrap();
    said.note(&world.engine().verify().await.map_err(|error| error.to_string()));
    look(&world, &said).await;

    let binding = Binding { engagement: "acme".into(), portal: "1".into() };
    let backup = world.state().with_extension("backup");
    SqliteStore::open(&world.state(), &binding, FINGERPRINT_KEY).unwrap().backup(&backup).unwrap();
    let kept = Said::default();
    for entry in std::fs::read_dir(world.state().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        kept.note(&path);
        kept.clone().write_all(&std::fs::read(path).unwrap()).unwrap();
    }
    for (what, said, least) in
        [("the state", kept, 100_000), ("what was said", said, 50_000), ("the logs", logs, 100)]
    {
        assert!(said.len() > least, "{what} was looked through: {} bytes", said.len());
        said.is_silent(what);
    }
}

/// A plan in full, read back.
async fn said_plan(world: &World, said: &Said) -> PlanFile {
    let (summary, text) = crate::plans::plan(world).await;
    said.note(&summary);
    said.clone().write_all(text.as_bytes()).unwrap();
    PlanFile::read(BufReader::new(text.as_bytes())).unwrap()
}
