//! What an engagement gives, and the one call of its `main`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use mapping_engine::Functions;
use sync_types::Source;

use crate::cli::{self, Cli, Common, LogFormat};
use crate::outcome::exit_code;
use crate::screen::Screen;
use crate::settings::{Settings, Sources};
use crate::story::Story;
use crate::{Failure, Outcome, commands, logging};

/// The settings file that is read when none is named, if it is there.
const SETTINGS_FILE: &str = "settings.toml";

/// Builds an engagement's source from its settings.
pub type SourceBuilder = fn(&Settings) -> Result<Arc<dyn Source>, Failure>;

/// One customer's integration: its name, its mapping and its settings, built into one binary.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Engagement {
    /// What the binary is called on its command line.
    pub name: &'static str,
    /// The mapping file's text; `mapping.file` in the settings puts another file in its place.
    pub mapping: &'static str,
    /// The lowest layer of the settings, as TOML.
    pub settings: &'static str,
    /// What `demo` shows; without it and a story there is no `demo`.
    pub demo: Option<Demo>,
    /// What `demo` tells in its place.
    pub story: Option<Story>,
    /// The description of the API that is the source, as TOML; `source.file` puts another one in its place.
    pub description: Option<&'static str>,
    /// How the source is built; without it by `source.kind`.
    pub source: Option<SourceBuilder>,
    /// Files that the mapping includes or looks up in, by their paths from it, and their texts. A mapping that
    /// `mapping.file` names has its files beside it instead.
    pub mapping_files: &'static [(&'static str, &'static str)],
    /// Transforms of the engagement's own, which the mapping may name.
    pub functions: Option<fn() -> Functions>,
}

/// Data of its own that an engagement can be shown with.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// How large the data is unless the command line says otherwise.
    pub rows: usize,
    /// Writes the first state of data of this size into a folder: what `source.folder` then names.
    pub write: fn(&Path, usize) -> io::Result<()>,
    /// Changes the data that [`Demo::write`] wrote, and says in one line what changed.
    pub change: fn(&Path, usize) -> io::Result<String>,
}

impl Engagement {
    /// An engagement with a mapping and settings, usually from `include_str!`.
    #[must_use]
    pub fn new(name: &'static str, mapping: &'static str, settings: &'static str) -> Engagement {
        Engagement {
            name,
            mapping,
            settings,
            demo: None,
            story: None,
            description: None,
            source: None,
            mapping_files: &[],
            functions: None,
        }
    }

    /// The same with data for `demo`.
    #[must_use]
    pub fn with_demo(self, demo: Demo) -> Engagement {
        Engagement { demo: Some(demo), ..self }
    }

    /// The same with a story for `demo`: an engagement that flows both ways, over a file that the story writes.
    #[must_use]
    pub fn with_story(self, story: Story) -> Engagement {
        Engagement { story: Some(story), ..self }
    }

    /// The same with the description of an API, usually from `include_str!`, for `source.kind = "rest"`.
    #[must_use]
    pub fn with_description(self, description: &'static str) -> Engagement {
        Engagement { description: Some(description), ..self }
    }

    /// The same with files that the mapping includes or looks up in: paths from the mapping, and texts, usually from
    /// `include_str!`.
    #[must_use]
    pub fn with_mapping_files(self, mapping_files: &'static [(&'static str, &'static str)]) -> Engagement {
        Engagement { mapping_files, ..self }
    }

    /// The same with transforms of its own.
    #[must_use]
    pub fn with_functions(self, functions: fn() -> Functions) -> Engagement {
        Engagement { functions: Some(functions), ..self }
    }

    /// The same with a source of its own.
    #[must_use]
    pub fn with_source(self, source: SourceBuilder) -> Engagement {
        Engagement { source: Some(source), ..self }
    }
}

/// Runs the command line of this process for an engagement, from its first argument to its exit code: 0 nothing to
/// do or done, 1 error, 2 changes pending.
#[must_use]
pub fn run(engagement: Engagement) -> ExitCode {
    let cli = match cli::parse(engagement.name, std::env::args_os()) {
        Ok(cli) => cli,
        Err(message) => {
            // Help and version go to standard output and end well; a mistake goes to standard error.
            let _ = message.print();
            return if message.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    let screen = Screen::new(cli.common.json);
    let ended = start(&engagement, cli, &screen);
    if let Err(failure) = &ended {
        screen.failure(failure);
    }
    exit_code(&ended)
}

fn start(engagement: &Engagement, cli: Cli, screen: &Screen) -> Result<Outcome, Failure> {
    let settings = load(engagement, &cli.common, None)?;
    logging::start(&settings.log, screen.bars())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new("the program cannot start its threads")
            .remedy("look at the limits that this machine sets for processes and open files")
            .caused_by(&error)
    })?;
    runtime.block_on(commands::dispatch(engagement, &settings, cli, screen))
}

/// The settings of this command line, with those of one portal over them where a file of its own is given.
pub(crate) fn load(
    engagement: &Engagement,
    common: &Common,
    portal: Option<&Path>,
) -> Result<Settings, Failure> {
    let found = PathBuf::from(SETTINGS_FILE);
    let file = common.settings.clone().or_else(|| found.is_file().then_some(found));
    let mut assignments = common.set.clone();
    if let Some(format) = common.log {
        assignments.push(format!("log.format={}", if format == LogFormat::Json { "json" } else { "pretty" }));
    }
    Settings::load(&Sources {
        built_in: engagement.settings,
        file: file.as_deref(),
        portal,
        environment: variables(std::env::vars_os()),
        assignments: &assignments,
    })
}

/// Variables whose name or value is no Unicode cannot be settings of ours; where the name is, the value is kept as
/// far as it can be read, to be refused by its check.
fn variables(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(String, String)> {
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .collect()
}
