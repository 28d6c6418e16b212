//! `verify`: proves that both sides agree, or names where they do not.

use sync_core::{Engine, VerifyReport};

use super::json;
use crate::engagement::Engagement;
use crate::progress::Reporter;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome, reports, wiring};

pub(super) async fn verify(
    engagement: &Engagement,
    settings: &Settings,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine(engagement, settings).await?;
    let report = compare(&mut engine, screen).await?;
    screen.answer(&json(&report)?);
    reports::verify(screen, &report);
    Ok(if report.is_clean() { Outcome::Done } else { Outcome::Pending })
}

/// Compares both sides and shows how far it has come.
pub(super) async fn compare(engine: &mut Engine, screen: &Screen) -> Result<VerifyReport, Failure> {
    let reporter = Reporter::that_only_reads(screen);
    engine.on_progress(reporter.callback());
    Ok(engine.verify().await?)
}
