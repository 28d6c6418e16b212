//! The command line that every engagement shares.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

/// Everything that can be said on the command line.
#[derive(Debug, Parser)]
#[command(version, about, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Settings file [default: settings.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// One setting, over file and environment, such as `hubspot.share=0.5`; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Answer with one JSON document on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How to write the log, which goes to standard error
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For a person.
    Pretty,
    /// One object per line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole cycle on a local portal, with data of its own and no account
    Demo(Demo),
    /// Show what the mapping needs in the portal, and create it with --yes
    Init(Init),
    /// Look at everything that must be right before a sync: settings, source, portal, state
    Doctor,
    /// Check the mapping against the source and HubSpot's own properties, and against the portal where a credential is set
    Check(Check),
    /// Begin and try the description of an API that is the source
    Adapter(crate::commands::Adapter),
    /// Try a mapping, prove it, watch for drift, begin one, hand it over
    Mapping(crate::commands::Mapping),
    /// Show what would be written, and what it costs; write nothing
    Plan(Plan),
    /// Write what is planned
    Apply(Apply),
    /// Plan and write, once or for ever
    Run(Run),
    /// Keep portals in step as a service: install pages, webhooks or the journal, a pass at news and by interval
    Serve,
    /// What the app hears of: subscriptions by the mapping, what waits, events to be worked once more
    Webhooks(crate::commands::Webhooks),
    /// Compare both sides: counts, records, every mapped property, associations
    Verify(Verify),
    /// Check certificates that `verify --certificate` wrote
    Certificate(Certificate),
    /// Show what is in sync, what waits, what is parked and what the last runs did
    Status,
    /// Records that could not be brought over
    DeadLetters(DeadLetters),
    /// Values that both sides changed, and whose wins
    Conflicts(Conflicts),
    /// Why a record is as it is: both sides, what was agreed, which rule decides, who set what and when
    Explain(Explain),
    /// Show what of a run can be taken back; with --yes take it back
    Undo(Undo),
    /// Back up, check and restore what the engine remembers
    State(State),
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Tell more about a problem code, such as `unknown-column`, and check nothing
    #[arg(long, value_name = "CODE")]
    pub(crate) explain: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep the portal up after the last step, until Ctrl-C
    #[arg(long)]
    pub(crate) stay: bool,
    /// How large the generated business is [default: the engagement's own]
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// Where to put the generated files and the state; kept afterwards [default: a temporary folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Where the portal listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Create what is missing
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Save the plan, to be applied later
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// A plan saved by `plan --out` or `undo --out`; what has moved since is skipped. Without one: whatever there is to
    /// write now
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// One pass, then end
    #[arg(long)]
    pub(crate) once: bool,
    /// Seconds to wait between two passes
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// How deep to look: counts, ids, fields, edges, or samples, which reads some records once more with their history
    #[arg(long, value_name = "LEVEL", default_value_t)]
    pub(crate) level: sync_core::Level,
    /// Write what was found to this new file, signed and chained to the certificate before it, and to a page for
    /// people beside it; in a folder each certificate gets a name of its own
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Certificate {
    #[command(subcommand)]
    pub(crate) command: CertificateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Check their signatures and that they form one chain
    Check {
        /// Certificates, in any order
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The public key that they must be signed with [default: this engagement's own, where it is here]
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Show the public key, for others to check certificates by
    Key,
}

#[derive(Debug, Args)]
pub(crate) struct DeadLetters {
    #[command(subcommand)]
    pub(crate) command: DeadLettersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List them, grouped by cause
    List(Which),
    /// Show one with everything that is known
    Show(One),
    /// Have them tried again by the next run
    Retry(Which),
    /// Forget them; they come back if they still cannot be brought over
    Discard(Which),
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only those of this link of the mapping
    #[arg(long)]
    pub(crate) link: Option<String>,
    /// Only those of this cause
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// Only this record, by its id in the source
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Conflicts {
    #[command(subcommand)]
    pub(crate) command: ConflictsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConflictsCommand {
    /// List them, grouped by cause and property
    List {
        #[command(flatten)]
        which: WhichConflicts,
        /// Those that were settled by a rule, in place of those that wait for a person
        #[arg(long)]
        settled: bool,
    },
    /// Show one record's conflicts with what both sides show now
    Show {
        #[command(flatten)]
        one: One,
        /// Show the values themselves, read anew; those of sensitive properties stay hidden
        #[arg(long)]
        values: bool,
    },
    /// Say whose value wins; the next run carries it out, unless a side has moved again
    Resolve {
        /// Whose value to take, or, of a deleted record, whose word
        #[arg(long, value_name = "SIDE")]
        take: Take,
        #[command(flatten)]
        which: WhichConflicts,
        /// All that wait
        #[arg(long, conflicts_with_all = ["link", "cause", "property", "id"])]
        all: bool,
    },
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Take {
    /// The customer's system.
    Source,
    /// HubSpot.
    Hubspot,
}

/// Which conflicts.
#[derive(Debug, Args)]
pub(crate) struct WhichConflicts {
    /// Only those of this link of the mapping
    #[arg(long)]
    pub(crate) link: Option<String>,
    /// Only those of this cause
    #[arg(long)]
    pub(crate) cause: Option<String>,
    /// Only those about this property
    #[arg(long)]
    pub(crate) property: Option<String>,
    /// Only this record's, by its id in the source
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) one: One,
    /// The id is the record's in HubSpot
    #[arg(long)]
    pub(crate) record: bool,
    /// Show the values themselves, read anew; those of sensitive properties stay hidden
    #[arg(long)]
    pub(crate) values: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The run's number, as `status` shows it
    pub(crate) run: u64,
    /// Save what would be taken back, to be applied later
    #[arg(long, value_name = "FILE", conflicts_with = "yes")]
    pub(crate) out: Option<PathBuf>,
    /// Take it back now
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct State {
    #[command(subcommand)]
    pub(crate) command: StateCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Copy the state file to a new file, and check the copy
    Backup {
        /// The file to write; it must not be there yet
        file: PathBuf,
    },
    /// Put a backup in the state file's place; what was there is kept beside it
    Restore {
        /// A file that `state backup` wrote
        file: PathBuf,
    },
    /// Check every page, index and constraint of the state file
    Check,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The link of the mapping
    pub(crate) link: String,
    /// The record's id in the source
    pub(crate) id: String,
}

/// Reads the command line of the engagement of this name.
///
/// # Errors
/// It cannot be understood, or asks for help or the version: clap's own message, ready to print.
pub(crate) fn parse(
    name: &'static str,
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<Cli, clap::Error> {
    let command = Cli::command()
        .name(name)
        .bin_name(name)
        .about(format!("{name}: a HubSpot integration"))
        .after_long_help(format!("{}\n\n{EXIT_CODES}", crate::settings::help()));
    Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

const EXIT_CODES: &str =
    "Exit codes: 0 nothing to do, or done · 1 error · 2 there are changes to make or differences";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        parse("acme", line.split(' ').map(Into::into))
    }

    #[test]
    fn the_definition_is_sound_and_every_command_parses() {
        Cli::command().debug_assert();
        for line in [
            "acme demo --stay --rows 100",
            "acme init --yes",
            "acme serve --set serve.listen=127.0.0.1:0",
            "acme webhooks plan --surplus pause",
            "acme webhooks replay --from 2026-11-22T08:00:00Z --all",
            "acme doctor --json",
            "acme check --settings a.toml",
            "acme check --explain unknown-column",
            "acme adapter try --collection people",
            "acme adapter import openapi.json --collection people --out shop.toml --force",
            "acme mapping preview P-1 --link people",
            "acme mapping preview people.csv --max 3 --json",
            "acme mapping test --bless",
            "acme mapping drift --pin",
            "acme mapping suggest a.csv b.json --name acme --region DE --out mapping.toml",
            "acme mapping suggest --dictionary columns.csv",
            "acme mapping import sheet.csv",
            "acme mapping doc --format html --out book.html",
            "acme plan --out p.json --set a=b --set c=d",
            "acme apply",
            "acme apply p.json",
            "acme run --once",
            "acme --log json run --every 5",
            "acme verify",
            "acme verify --level samples --certificate proof.json",
            "acme certificate check a.json b.json --key abc",
            "acme certificate key",
            "acme status",
            "acme dead-letters list --link people",
            "acme dead-letters show people P-1",
            "acme dead-letters retry --cause bad-email",
            "acme dead-letters discard --id P-1",
            "acme conflicts list --settled --property city",
            "acme conflicts show people P-1 --values",
            "acme conflicts resolve --take hubspot --cause both-changed",
            "acme conflicts resolve --take source --all",
            "acme explain people P-1 --values",
            "acme explain people 1234 --record --json",
            "acme undo 12",
            "acme undo 12 --out undo.jsonl",
            "acme undo 12 --yes",
            "acme state backup copy.db",
            "acme state restore copy.db",
            "acme state check",
        ] {
            assert!(read(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn help_names_the_engagement_the_settings_and_the_exit_codes() {
        let help = read("acme --help").unwrap_err().to_string();
        for word in ["acme", "dead-letters", "hubspot.token", "Exit codes"] {
            assert!(help.contains(word), "{word} in {help}");
        }
        assert!(read("acme run --every 0").is_err());
        assert!(read("acme verify --level deep").is_err());
        assert!(read("acme conflicts resolve --take source --all --link people").is_err());
        assert!(read("acme mapping suggest a.csv --force").is_err(), "force replaces a file that is named");
    }
}
