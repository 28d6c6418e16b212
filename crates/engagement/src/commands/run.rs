//! `run`: plans and writes, once or again and again.

use std::time::Duration;

use crate::cli;
use crate::engagement::Engagement;
use crate::progress::Sizes;
use crate::screen::{Screen, spoken};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

use super::apply;

pub(super) async fn run(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Run,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let clock = wiring::clock();
    let pause = Duration::from_secs(arguments.every);
    loop {
        // Opened anew for each pass: a changed portal is seen, and the state file is free in between.
        let mut engine = wiring::engine(engagement, settings).await?;
        let report = apply::once(&mut engine, screen, Sizes::default()).await?;
        drop(engine);
        let ended = apply::ended(&report, screen)?;
        if arguments.once {
            return Ok(ended);
        }
        screen.line(format_args!("Next pass in {}; Ctrl-C ends.", spoken(pause)));
        clock.sleep(pause).await;
    }
}
