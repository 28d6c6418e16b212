//! What to do, from the command line.

use std::path::PathBuf;

use sync_core::mutation::Bug;
use workspace_tests::simulate::{Crash, Setup, StoreKind, Strike, When};

pub(crate) const USAGE: &str = "\
simulate [--seeds N] [--from SEED] [--seconds MAX] [--threads N]   a survey: no seed may go wrong
         [--seeds-min N] [--twice PERCENT] [--days N]
simulate --nightly                         a survey of a million seeds, as long as it takes
simulate --boundaries [--seeds N]          one run of a seed after the other is struck at each of its boundaries
simulate --laws [--cases N]                the laws of the engine's pure parts
simulate --bugs [--seeds N] [--note FILE]  every planted bug has to be caught
simulate --replay SEED [--bug NAME] [--days N] [--steps N] [--without KIND,KIND]
         [--strike RUN,STEP,WHEN] [--sqlite]";

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Survey,
    Boundaries,
    Laws,
    Bugs,
    Replay,
}

/// What to do.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    /// So many seeds, or cases of laws.
    pub(crate) seeds: u64,
    /// So many there have to be before the time is up.
    pub(crate) seeds_min: u64,
    pub(crate) from: u64,
    pub(crate) seconds: u64,
    pub(crate) threads: usize,
    /// Percent of the seeds that are run twice.
    pub(crate) twice: u64,
    /// Every so many seeds one lasts as many days as is said; 0: none.
    pub(crate) long_every: u64,
    pub(crate) long_days: u32,
    /// Where the seeds that catch planted bugs are noted.
    pub(crate) note: Option<PathBuf>,
    /// What all worlds have in common; for a replay, all of it.
    pub(crate) setup: Setup,
}

impl Settings {
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Settings, String> {
        let mut settings = Settings {
            mode: Mode::Survey,
            seeds: 1_000,
            seeds_min: 0,
            from: 1,
            seconds: 900,
            threads: 2,
            twice: 1,
            long_every: 250,
            long_days: 45,
            note: None,
            setup: Setup::default(),
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut text = || arguments.next().ok_or_else(|| format!("{argument} wants more\n{USAGE}"));
            let number = |text: String| {
                text.parse::<u64>().map_err(|_| format!("{argument} wants a number, not `{text}`\n{USAGE}"))
            };
            match argument.as_str() {
                "--seeds" | "--cases" => settings.seeds = number(text()?)?,
                "--seeds-min" => settings.seeds_min = number(text()?)?,
                "--from" => settings.from = number(text()?)?,
                "--seconds" => settings.seconds = number(text()?)?,
                "--threads" => settings.threads = number(text()?)?.clamp(1, 64) as usize,
                "--twice" => settings.twice = number(text()?)?,
                "--days" => settings.setup.days = u32::try_from(number(text()?)?).unwrap_or(u32::MAX),
                "--steps" => settings.setup.steps_max = usize::try_from(number(text()?)?).ok(),
                "--without" => settings.setup.without = text()?.split(',').map(str::to_owned).collect(),
                "--sqlite" => settings.setup.store = StoreKind::Sqlite,
                "--strike" => {
                    let text = text()?;
                    let strike = strike(&text).ok_or_else(|| format!("`{text}` is no strike\n{USAGE}"))?;
                    settings.setup.strike = Some(strike);
                }
                "--note" => settings.note = Some(text()?.into()),
                "--boundaries" => settings.mode = Mode::Boundaries,
                "--laws" => settings.mode = Mode::Laws,
                "--bugs" => settings.mode = Mode::Bugs,
                "--nightly" => {
                    (settings.seeds, settings.seconds) = (1_000_000, 14 * 3_600);
                    (settings.long_every, settings.long_days) = (5_000, 365);
                }
                "--replay" => {
                    settings.mode = Mode::Replay;
                    settings.setup.seed = number(text()?)?;
                }
                "--bug" => {
                    let name = text()?;
                    let found = Bug::ALL.iter().find(|bug| bug.name() == name);
                    let found = found.ok_or_else(|| format!("no bug is called `{name}`"))?;
                    settings.setup.bug = Some(*found);
                }
                _ => return Err(format!("`{argument}` is not understood\n{USAGE}")),
            }
        }
        Ok(settings)
    }

    /// The world of a seed.
    pub(crate) fn world(&self, seed: u64) -> Setup {
        let is_long = self.long_every > 0 && seed.is_multiple_of(self.long_every);
        let days = if is_long && self.setup.days == 0 { self.long_days } else { self.setup.days };
        Setup { seed, days, ..self.setup.clone() }
    }
}

/// Run, step, and what happens there.
fn strike(text: &str) -> Option<Strike> {
    let mut parts = text.split(',');
    let (run, step, name) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    let all = [When::Before, When::After, When::Fails, When::Late];
    let when = all.into_iter().find(|when| format!("{when:?}") == name)?;
    Some(Strike { run, crash: Crash { step, when } })
}
