//! `mapping …`: what people do with a mapping. The thinking is in `mapping-tools`; here are files and screens.

mod arguments;
mod doc;
mod drift;
pub(super) mod files;
mod import;
mod preview;
mod suggest;
mod test;

pub(crate) use arguments::Mapping;

use crate::engagement::Engagement;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::{Failure, Outcome};
use arguments::MappingCommand;

pub(super) async fn mapping(
    engagement: &Engagement,
    settings: &Settings,
    arguments: &Mapping,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    match &arguments.command {
        MappingCommand::Preview(arguments) => preview::preview(engagement, settings, arguments, screen).await,
        MappingCommand::Test(arguments) => test::test(engagement, settings, arguments, screen),
        MappingCommand::Drift(arguments) => drift::drift(engagement, settings, arguments, screen).await,
        MappingCommand::Suggest(arguments) => suggest::suggest(engagement, settings, arguments, screen).await,
        MappingCommand::Import(arguments) => import::import(engagement, settings, arguments, screen).await,
        MappingCommand::Doc(arguments) => doc::doc(engagement, settings, arguments, screen),
    }
}
