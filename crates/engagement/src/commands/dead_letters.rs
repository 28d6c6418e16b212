//! `dead-letters`: records that could not be brought over, and what to do about them.

use sync_core::Select;

use crate::cli::{DeadLetters, DeadLettersCommand, Which};
use crate::engagement::Engagement;
use crate::reports;
use crate::screen::{Screen, counted};
use crate::settings::Settings;
use crate::{Failure, Outcome, wiring};

pub(super) async fn dead_letters(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &DeadLetters,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut engine = wiring::engine_at_rest(engagement, settings).await?;
    let select = |which: &Which| Select {
        link: which.link.clone(),
        cause: which.cause.clone(),
        id: which.id.clone(),
        max: 0,
    };
    match &arguments.command {
        DeadLettersCommand::List(which) => {
            let letters = engine.dead_letters(&select(which))?;
            let refused = engine.refused_edges(&select(which))?;
            let list = letters.iter().map(|(link, letter)| reports::dead_letter_json(link, letter));
            screen.answer(&list.chain(refused.iter().map(reports::refused_json)).collect());
            reports::dead_letters(screen, &letters);
            reports::refused(screen, &refused);
        }
        DeadLettersCommand::Show(one) => {
            let select =
                Select { link: Some(one.link.clone()), id: Some(one.id.clone()), ..Select::default() };
            let letters = engine.dead_letters(&select)?;
            let Some((link, letter)) = letters.first() else {
                return Err(Failure::new(format!("there is no dead letter {} of {}", one.id, one.link))
                    .remedy("see `dead-letters list`"));
            };
            screen.answer(&reports::dead_letter_json(link, letter));
            reports::dead_letter(screen, link, letter);
        }
        DeadLettersCommand::Retry(which) => {
            let count = engine.retry_dead_letters(&select(which))?;
            screen.answer(&serde_json::json!({ "retried": count }));
            screen.line(format_args!(
                "The next run tries {} again.",
                counted(count as u64, "record or association", "records and associations")
            ));
        }
        DeadLettersCommand::Discard(which) => {
            let count = engine.discard_dead_letters(&select(which))?;
            screen.answer(&serde_json::json!({ "discarded": count }));
            screen.line(format_args!("Forgot {}.", counted(count as u64, "dead letter", "dead letters")));
        }
    }
    Ok(Outcome::Done)
}
