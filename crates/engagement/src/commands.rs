//! The commands, one file each.

mod adapter;
mod apply;
mod certificate;
mod check;
mod conflicts;
mod dead_letters;
mod demo;
mod doctor;
mod explain;
pub(crate) mod init;
mod mapping;
mod plan;
mod run;
mod serve;
mod state;
mod status;
mod undo;
mod verify;
mod webhooks;

pub(crate) use adapter::Adapter;
pub(crate) use mapping::Mapping;
pub(crate) use webhooks::Webhooks;

use sync_core::EngineError;

use crate::cli::{Cli, Command};
use crate::engagement::Engagement;
use crate::interrupt::Interrupts;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome};

/// Does what the command line asks.
pub(crate) async fn dispatch(
    engagement: &Engagement,
    settings: &Settings,
    cli: Cli,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let Cli { common, command } = cli;
    // These may be asked to end as a matter of course, and see to it themselves.
    let ends_itself = matches!(&command, Command::Demo(_) | Command::Run(_) | Command::Serve);
    // Boxed: the commands' futures are large, and only one of them ever runs.
    let work = Box::pin(async {
        match command {
            Command::Demo(arguments) => demo::demo(engagement, settings, &arguments, screen).await,
            Command::Init(arguments) => init::init(engagement, settings, &arguments, screen).await,
            Command::Doctor => doctor::doctor(engagement, settings, screen).await,
            Command::Check(arguments) => check::check(engagement, settings, &arguments, screen).await,
            Command::Adapter(arguments) => adapter::adapter(engagement, settings, &arguments, screen).await,
            Command::Mapping(arguments) => mapping::mapping(engagement, settings, &arguments, screen).await,
            Command::Plan(arguments) => plan::plan(engagement, settings, &arguments, screen).await,
            Command::Apply(arguments) => apply::apply(engagement, settings, &arguments, screen).await,
            Command::Run(arguments) => run::run(engagement, settings, &arguments, screen).await,
            Command::Serve => serve::serve(engagement, settings, &common, screen).await,
            Command::Webhooks(arguments) => {
                webhooks::webhooks(engagement, settings, &arguments, screen).await
            }
            Command::Verify(arguments) => verify::verify(engagement, settings, &arguments, screen).await,
            Command::Certificate(arguments) => certificate::certificate(settings, &arguments, screen),
            Command::Status => status::status(engagement, settings, screen).await,
            Command::DeadLetters(arguments) => {
                dead_letters::dead_letters(engagement, settings, &arguments, screen).await
            }
            Command::Conflicts(arguments) => {
                conflicts::conflicts(engagement, settings, &arguments, screen).await
            }
            Command::Explain(arguments) => explain::explain(engagement, settings, &arguments, screen).await,
            Command::Undo(arguments) => undo::undo(engagement, settings, &arguments, screen).await,
            Command::State(arguments) => state::state(engagement, settings, &arguments, screen).await,
        }
    });
    if ends_itself { work.await } else { Interrupts::listen()?.unless_asked(work).await }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        match error {
            EngineError::Source(error) => error.into(),
            EngineError::Destination(error) => error.into(),
            EngineError::Store(error) => error.into(),
            other => {
                let failure = Failure::new(other.to_string());
                match std::error::Error::source(&other) {
                    Some(cause) => failure.caused_by(cause),
                    None => failure,
                }
            }
        }
    }
}

/// A report as the answer for a machine.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Failure> {
    serde_json::to_value(value)
        .map_err(|error| Failure::new("the answer cannot be written as JSON").caused_by(&error))
}
