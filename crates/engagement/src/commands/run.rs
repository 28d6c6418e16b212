//! `run`: plans and writes, once or again and again.

use std::time::Duration;

use crate::cli;
use crate::engagement::Engagement;
use crate::interrupt::Interrupts;
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
    let mut interrupts = Interrupts::listen()?;
    if arguments.once {
        return interrupts.unless_asked(pass(engagement, settings, screen)).await;
    }
    let clock = wiring::clock();
    let pause = Duration::from_secs(arguments.every);
    let mut first = true;
    loop {
        match interrupts.unless_asked(pass(engagement, settings, screen)).await {
            // What is wrong from the start will not mend itself; what was right may be again.
            Err(failure) if first || failure.is_interruption() => return Err(failure),
            Err(failure) => screen.failure(&failure),
            Ok(_) => {}
        }
        first = false;
        screen.line(format_args!("Next pass in {}; Ctrl-C ends.", spoken(pause)));
        tokio::select! {
            () = clock.sleep(pause) => {}
            // Between two passes this is how such a run ends.
            () = interrupts.asked_to_end() => return Ok(Outcome::Done),
        }
    }
}

/// One pass. Everything is opened anew: a changed portal is seen, and the state file is free in between.
async fn pass(engagement: &Engagement, settings: &Settings, screen: &Screen) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine(engagement, settings).await?;
    let report = apply::once(&mut engine, screen, Sizes::default()).await?;
    apply::ended(&report, screen)
}
