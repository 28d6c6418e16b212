//! The command line of `mapping …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Mapping {
    #[command(subcommand)]
    pub(super) command: MappingCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum MappingCommand {
    /// Show what the mapping makes of a record: before, each step, after
    Preview(Preview),
    /// Run the golden cases that are kept beside the mapping
    Test(Test),
    /// Compare both schemas with the pinned contract; 2 when something degrades a field or halts an object
    Drift(Drift),
    /// Write a first mapping from the source itself, a CSV file, a JSON sample or a data dictionary
    Suggest(Suggest),
    /// Write a first mapping from a field-mapping sheet (CSV, or XLSX where that is built in)
    Import(Import),
    /// Write the mapping book: every field with source, transforms, owner, sensitivity and open questions
    Doc(Doc),
}

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// A record's id in the source, or a file with records (.json, .jsonl, .csv). Without one: the first record of
    /// each link
    #[arg(value_name = "RECORD|FILE")]
    pub(super) what: Option<String>,
    /// Only through this link of the mapping
    #[arg(long)]
    pub(super) link: Option<String>,
    /// At most so many records of a file
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(super) max: usize,
    /// Width of the table in characters
    #[arg(long, value_name = "CHARACTERS", default_value_t = 140)]
    pub(super) width: u16,
}

#[derive(Debug, Args)]
pub(super) struct Test {
    /// The file of cases [default: beside the mapping file, with .cases.toml for .toml]
    #[arg(long, value_name = "FILE")]
    pub(super) cases: Option<PathBuf>,
    /// Write down what the mapping makes of the cases that are not as expected
    #[arg(long)]
    pub(super) bless: bool,
}

#[derive(Debug, Args)]
pub(super) struct Drift {
    /// The contract file [default: beside the mapping file, with .contract.json for .toml]
    #[arg(long, value_name = "FILE")]
    pub(super) contract: Option<PathBuf>,
    /// Pin both schemas as they are now
    #[arg(long)]
    pub(super) pin: bool,
}

#[derive(Debug, Args)]
pub(super) struct Suggest {
    /// CSV files with a header and JSON samples, one table each. Without one: the source of the settings
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The files are data dictionaries: CSV with a row for each column of the source
    #[arg(long, requires = "files")]
    pub(super) dictionary: bool,
    #[command(flatten)]
    pub(super) made: Made,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The sheet
    #[arg(value_name = "SHEET")]
    pub(super) sheet: PathBuf,
    #[command(flatten)]
    pub(super) made: Made,
}

/// What every first mapping needs.
#[derive(Debug, Args)]
pub(super) struct Made {
    /// The engagement's name [default: that of this program]
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Country of telephone numbers without a country code, such as DE
    #[arg(long)]
    pub(super) region: Option<String>,
    /// Time zone of times without one, such as Europe/Berlin
    #[arg(long)]
    pub(super) zone: Option<String>,
    /// Look at the portal's own properties, not only at those that HubSpot brings along
    #[arg(long)]
    pub(super) portal: bool,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Doc {
    /// How to write it [default: as the file's name says, else markdown]
    #[arg(long)]
    pub(super) format: Option<BookFormat>,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BookFormat {
    /// For a repository.
    Markdown,
    /// For a browser or a printer: one file.
    Html,
}
