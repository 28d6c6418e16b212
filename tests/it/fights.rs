//! A rule in the customer's system and a workflow in HubSpot that each set a value their way: it stops, and who does it in
//! HubSpot is named.

use sync_core::decide::Side;
use sync_core::{Select, Which};
use workspace_tests::World;

use crate::both_ways::{contact, edit, left, pass, right, settle, world};

/// What each side insists on for P1's job.
struct Fight {
    source: &'static str,
    hubspot: Option<&'static str>,
}

impl Fight {
    /// Each side has its way once, then the engine runs; so many times. Counts what the engine wrote on each side.
    async fn go_on(&self, world: &World, rounds: usize) -> (u64, u64) {
        let mut written = (0, 0);
        for _ in 0..rounds {
            if left(world, "P1", 3) != self.source {
                world.source.set("people", "P1", "job", self.source);
            }
            for step in 0..2 {
                pass(world, 60).await;
                let report = world.run().await;
                assert!(report.is_complete(), "{report:?}");
                written.0 += report.written();
                written.1 += report.links[0].written_left();
                if let Some(value) = self.hubspot.filter(|_| step == 0)
                    && right(world, "p1@example.com", "jobtitle") != value
                {
                    edit(world, "p1@example.com", "jobtitle", value);
                }
            }
        }
        written
    }
}

fn held(world: &World) -> Vec<(String, String, Option<String>)> {
    let held = world.engine().conflicts(&Which::default()).unwrap();
    held.into_iter().map(|(_, property, held)| (property, held.cause, held.opponent)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_fight_over_a_value_stops_and_names_who_sets_it_back() {
    let world = world(3).await;
    pass(&world, 7_200).await;
    let mut fight = Fight { source: "here", hubspot: Some("there") };
    let (to_hubspot, to_source) = fight.go_on(&world, 12).await;
    assert!((4..=5).contains(&to_hubspot) && (3..=5).contains(&to_source), "{to_hubspot} {to_source}");
    assert_eq!(fight.go_on(&world, 6).await, (0, 0), "it is left alone");
    let fought = held(&world);
    let [(property, cause, Some(opponent))] = fought.as_slice() else { panic!("{fought:?}") };
    assert_eq!((property.as_str(), cause.as_str()), ("jobtitle", "oscillation"));
    assert!(opponent.starts_with("CRM_UI"), "{opponent}");

    // Everything else of the record still flows, both ways.
    world.source.set("people", "P1", "city", "Ulm");
    edit(&world, "p1@example.com", "points", "7");
    pass(&world, 60).await;
    settle(&world).await;
    assert_eq!((right(&world, "p1@example.com", "city"), left(&world, "P1", 4)), ("Ulm".into(), "7".into()));
    assert_eq!(held(&world).len(), 1, "nobody has decided yet");

    // Whose value to take is said; the other side goes on, and is stopped at once.
    let whose = |side| world.engine().resolve_conflicts(&Which::default(), side).unwrap();
    assert_eq!(whose(Side::Left), 1);
    let (to_hubspot, _) = fight.go_on(&world, 6).await;
    assert!(to_hubspot <= 2, "{to_hubspot}");
    assert_eq!(held(&world).len(), 1);

    // HubSpot's workflow is switched off, and the word is given once more: that is the end of it.
    fight.hubspot = None;
    assert_eq!(whose(Side::Left), 1);
    fight.go_on(&world, 2).await;
    settle(&world).await;
    assert_eq!((right(&world, "p1@example.com", "jobtitle"), held(&world)), ("here".into(), Vec::new()));
    assert_eq!(contact(&world, "p1@example.com").properties["jobtitle"], left(&world, "P1", 3));
    assert!(world.engine().dead_letters(&Select::default()).unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn people_who_change_their_minds_are_no_fight() {
    let world = world(2).await;
    pass(&world, 7_200).await;
    for round in 0..6 {
        world.source.set("people", "P1", "job", format!("mine {round}"));
        pass(&world, 60).await;
        world.run().await;
        edit(&world, "p1@example.com", "jobtitle", &format!("hers {round}"));
        pass(&world, 60).await;
        world.run().await;
    }
    assert_eq!((left(&world, "P1", 3), held(&world)), ("hers 5".into(), Vec::new()));
}
