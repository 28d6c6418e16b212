//! The real program under `kill -9`: an engagement and a portal as processes, a state file on a disk, people who go on
//! editing on both sides, and a hand that ends the program without a warning, over and over.
//!
//! In the end it is left alone: then both sides must agree, nobody may be there twice, and what people entered last must
//! stand on both sides.

mod club;
mod people;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http_transport::{Clock as _, SplitMix64, TokioClock};

use self::club::{Club, State};
use self::people::People;
use crate::connected::Failure;

/// Runs after which the program, left alone, must have come to rest.
const ROUNDS_MAX: u32 = 60;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The engagement's program, `club`.
    pub program: PathBuf,
    /// The portal's program, `hubspot-sandbox`.
    pub portal: PathBuf,
    /// Where the files are made: a folder on a disk.
    pub folder: PathBuf,
    /// How often the program is ended while it is alive.
    pub kills: u64,
    /// After this long it is enough.
    pub limit: Duration,
    /// Decides on what people do, and when the hand falls.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Processes that were ended.
    pub kills: u64,
    /// Of them, before the run had begun.
    pub before: u64,
    /// In a run, with no write under way.
    pub inside: u64,
    /// In a run, with writes under way whose outcome nobody has noted.
    pub in_doubt: u64,
    /// After the run had ended.
    pub after: u64,
    /// Processes that came to their end before the hand fell.
    pub finished: u64,
    /// Edits of people.
    pub edits: u64,
    /// Members in the end.
    pub members: usize,
    /// How long a run takes that nobody ends.
    pub whole: Duration,
    /// Runs that it took to come to rest.
    pub rounds: u32,
    /// How long all of it took.
    pub took: Duration,
    /// What is wrong in the end; empty is good.
    pub problems: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kills          {} in {:.0} s", self.kills, self.took.as_secs_f64())?;
        writeln!(
            f,
            "they fell      {} before a run, {} inside one, {} inside one with writes in doubt, {} after one",
            self.before, self.inside, self.in_doubt, self.after
        )?;
        writeln!(f, "not killed     {} runs, each {} ms long", self.finished, self.whole.as_millis())?;
        writeln!(f, "people         {} members, {} edits", self.members, self.edits)?;
        write!(f, "at rest        after {} runs; {} problems", self.rounds, self.problems.len())
    }
}

/// Ends the program so often, then lets it come to its end and looks at both sides.
///
/// # Errors
/// When a program cannot be started, or fails by itself.
pub async fn kill(plan: &Plan) -> Result<Figures, Failure> {
    let clock = TokioClock::start();
    let rng = SplitMix64::new(plan.seed);
    let club = Club::open(plan).await?;
    let mut people = People::default();
    for _ in 0..30 {
        people.join_left(&club)?;
    }
    club.complete(&["init", "--yes"], &[0])?;
    club.complete(&["run", "--once"], &[0])?;
    let mut figures = Figures::default();
    let began = clock.monotonic();
    people.edit(&club, &rng).await?;
    club.complete(&["run", "--once"], &[0, 2])?;
    figures.whole = clock.monotonic().saturating_sub(began);
    while figures.kills < plan.kills && clock.monotonic() < plan.limit {
        for _ in 0..1 + rng.next_u64() % 3 {
            people.edit(&club, &rng).await?;
        }
        let before = club.state()?;
        let mut child = club.start(&["run", "--once"])?;
        let longest = u64::try_from(figures.whole.as_micros()).unwrap_or(u64::MAX).max(1) * 5 / 4;
        let delay = Duration::from_micros(rng.next_u64() % longest);
        let half = delay / 2;
        clock.sleep(half).await;
        if rng.next_u64().is_multiple_of(2) {
            people.edit(&club, &rng).await?;
        }
        clock.sleep(delay.saturating_sub(half)).await;
        if child.end()? {
            figures.finished += 1;
            continue;
        }
        figures.kills += 1;
        let State { run, has_ended, open } = club.state()?;
        match (run > before.run, has_ended, open) {
            (false, ..) => figures.before += 1,
            (true, true, _) => figures.after += 1,
            (true, false, 0) => figures.inside += 1,
            (true, false, _) => figures.in_doubt += 1,
        }
    }
    loop {
        figures.rounds += 1;
        club.complete(&["run", "--once"], &[0, 2])?;
        if club.complete(&["verify"], &[0, 2])? == 0 {
            break;
        }
        if figures.rounds == ROUNDS_MAX {
            figures.problems.push(format!("the two sides still differ after {ROUNDS_MAX} runs"));
            break;
        }
        clock.sleep(Duration::from_millis(250)).await;
    }
    figures.problems.extend(people.wrong(&club).await?);
    (figures.edits, figures.members) = (people.edits(), people.count());
    figures.took = clock.monotonic();
    Ok(figures)
}
