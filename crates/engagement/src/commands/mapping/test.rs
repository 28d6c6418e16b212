//! `mapping test`: the golden cases beside the mapping.

use mapping_tools::cases::{CaseFile, CaseOutcome};

use super::{arguments, files};
use crate::engagement::Engagement;
use crate::screen::{Screen, Tone, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) fn test(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &arguments::Test,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let path = arguments.cases.clone().unwrap_or_else(|| files::beside(settings, "cases.toml"));
    if !path.exists() {
        return Err(Failure::new(format!("there is no file of cases {}", path.display())).remedy(
            "begin it with `[[cases]]`, `name`, `link` and `record = { … }`; `mapping test --bless` writes the rest",
        ));
    }
    let text = files::read(&path, "the file of cases")?;
    let mapping = wiring::mapping(engagement, settings, None, None)?;
    let mut cases = CaseFile::read(&text).map_err(|error| {
        Failure::new(format!("{}: {error}", path.display()))
            .remedy("write each case as `[[cases]]` with `name`, `link`, `record` and `expect`")
    })?;
    let blessed = if arguments.bless { cases.bless(&mapping) } else { Vec::new() };
    if !blessed.is_empty() {
        files::write(&path, &cases.to_toml(), true)?;
    }
    let outcomes = cases.run(&mapping);
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    screen.answer(&serde_json::json!({
        "file": path,
        "passed": outcomes.len() - failed,
        "failed": failed,
        "blessed": blessed,
        "cases": outcomes.iter().map(CaseOutcome::to_json).collect::<Vec<_>>(),
    }));
    for outcome in outcomes.iter().filter(|outcome| !outcome.passed()) {
        screen.line(outcome);
    }
    for name in &blessed {
        screen.line(format_args!("blessed: {name}"));
    }
    let passed = counted((outcomes.len() - failed) as u64, "case is", "cases are");
    if failed == 0 {
        screen.line(screen.tone(Tone::Good, format_args!("{passed} as expected.")));
        return Ok(Outcome::Done);
    }
    let others = counted(failed as u64, "is not", "are not");
    screen.line(screen.tone(Tone::Bad, format_args!("{passed} as expected, {others}.")));
    screen.line("If the mapping is right: `mapping test --bless` writes down what it makes of them.");
    Ok(Outcome::Failed)
}
