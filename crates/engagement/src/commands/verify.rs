//! `verify`: proves that both sides agree, or names where they do not.

use std::path::Path;

use sync_core::certificate::Certificate;
use sync_core::{Engine, Level, VerifyReport};

use super::json;
use crate::certificate::{self, Signer};
use crate::cli;
use crate::engagement::Engagement;
use crate::progress::Reporter;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome, reports, wiring};

pub(super) async fn verify(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &cli::Verify,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine(engagement, settings).await?;
    // What would keep the certificate from being written is found before both sides are read.
    let newest = engine.newest_certificate()?;
    let number = newest.as_ref().map_or(0, |(number, _)| *number) + 1;
    let certified = match &arguments.certificate {
        Some(path) => Some((certificate::place(path, number)?, Signer::open(&settings.signing)?)),
        None => None,
    };
    let seed = Certificate::seed_after(newest.as_ref().map(|(_, hash)| hash.as_str()));
    let report = compare_to(&mut engine, arguments.level, seed, screen).await?;
    let mut answer = json(&report)?;
    reports::verify(screen, &report);
    if let Some((file, signer)) = certified {
        answer["certificate"] = write(&mut engine, &signer, &report, &file, screen)?;
    }
    screen.answer(&answer);
    Ok(if report.is_clean() { Outcome::Done } else { Outcome::Pending })
}

/// Certifies what a comparison has just found.
pub(super) fn certify(
    engine: &mut Engine,
    settings: &Settings,
    report: &VerifyReport,
    file: &Path,
    screen: &Screen,
) -> Result<serde_json::Value, Failure> {
    write(engine, &Signer::open(&settings.signing)?, report, &certificate::place(file, 1)?, screen)
}

fn write(
    engine: &mut Engine,
    signer: &Signer,
    report: &VerifyReport,
    file: &Path,
    screen: &Screen,
) -> Result<serde_json::Value, Failure> {
    let made = engine.certify(report)?;
    let written = certificate::write(&made, signer, file)?;
    engine.note_certificate(made.number, &written.hash)?;
    screen.line(format_args!(
        "Certificate {}: {}, and for people {}; signed with the key {}.",
        made.number,
        written.json.display(),
        written.html.display(),
        signer.public_key()
    ));
    Ok(serde_json::json!({
        "number": made.number,
        "file": written.json,
        "page": written.html,
        "hash": written.hash,
        "public_key": signer.public_key(),
    }))
}

/// Compares both sides and shows how far it has come.
pub(super) async fn compare(engine: &mut Engine, screen: &Screen) -> Result<VerifyReport, Failure> {
    compare_to(engine, Level::default(), 0, screen).await
}

async fn compare_to(
    engine: &mut Engine,
    level: Level,
    seed: u64,
    screen: &Screen,
) -> Result<VerifyReport, Failure> {
    let reporter = Reporter::that_only_reads(screen);
    engine.on_progress(reporter.callback());
    Ok(engine.verify_to(level, seed).await?)
}
