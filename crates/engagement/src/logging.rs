//! The log: on standard error, for a person or for machines, without tearing the progress bars.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::Failure;
use crate::settings::Log;

/// Starts the log of this process. In a process that has one already, that one stays.
///
/// # Errors
/// The level is no level and no directives.
pub(crate) fn start(log: &Log, bars: &MultiProgress) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(&log.level).map_err(|error| {
        Failure::new("`log.level` cannot be read")
            .remedy("use error, warn, info, debug or trace, or directives such as warn,sync_core=debug")
            .caused_by(&error)
    })?;
    let writer = BesideBars(bars.clone());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let ansi = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let started = if log.json {
        builder.json().try_init()
    } else {
        builder.with_ansi(ansi).with_target(false).compact().try_init()
    };
    // An error says that this process logs already, such as a test that runs two commands.
    let _ = started;
    Ok(())
}

/// Writes to standard error while the bars are away.
#[derive(Clone, Debug)]
struct BesideBars(MultiProgress);

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

impl<'a> MakeWriter<'a> for BesideBars {
    type Writer = BesideBars;

    fn make_writer(&'a self) -> BesideBars {
        self.clone()
    }
}
