//! `hubspot-sandbox serve`: a local HubSpot portal on a socket, until a signal.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who started it"
)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::PoisonError;
use std::time::Duration;
use std::{fmt, fs, io};

use clap::{Args, Parser, ValueEnum};
use hubspot_sandbox::{Limits, OAuthApp, Portal, PortalConfig, Scopes, Server, Tier};
use jiff::SignedDuration;

/// A local HubSpot portal for development, tests and demonstrations.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Serve a portal over HTTP, with a record browser at `/`, until SIGINT or SIGTERM.
    Serve(Serve),
}

#[derive(Args)]
#[command(args_override_self = true)]
struct Serve {
    /// Address and port; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8765")]
    listen: SocketAddr,
    /// Subscription level: decides limits and features.
    #[arg(long, value_enum, default_value_t = TierName::Professional)]
    tier: TierName,
    /// Private-app token that the portal accepts.
    #[arg(long, env = "HUBSPOT_SANDBOX_TOKEN", hide_env_values = true)]
    token: String,
    /// Scopes of the token, separated by commas; every scope if not given.
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// File with an OAuth app that can be installed, as JSON; may be given several times. See the crate's page.
    #[arg(long = "app", value_name = "FILE", action = clap::ArgAction::Append)]
    apps: Vec<PathBuf>,
    /// Record ids, correlation ids and batch order follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File that keeps the portal: read at the start if it is there, written at the end. The other options apply to
    /// the portal read as well, except its seed.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// How long a write stays invisible to search, such as `5s` or `300ms`.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    search_lag: Duration,
    /// How long every answer takes.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    latency: Duration,
    /// Switch request limits off, whatever the tier.
    #[arg(long)]
    no_limits: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum TierName {
    Free,
    Starter,
    Professional,
    Enterprise,
    Unlimited,
}

impl From<TierName> for Tier {
    fn from(name: TierName) -> Tier {
        match name {
            TierName::Free => Tier::Free,
            TierName::Starter => Tier::Starter,
            TierName::Professional => Tier::Professional,
            TierName::Enterprise => Tier::Enterprise,
            TierName::Unlimited => Tier::Unlimited,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(settings) = Command::parse();
    match serve(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: Serve) -> Result<(), Failure> {
    let snapshot = settings.snapshot.clone();
    let listen = settings.listen;
    let portal = load(settings)?;
    // Installed before the address is printed, so that a signal right after it is not missed.
    let signal = Signal::listen().map_err(|error| Failure::new("cannot listen for signals", error))?;
    let server = Server::start(listen, portal).await.map_err(|error| {
        Failure::new(format!("cannot listen on {listen} (is another program there?)"), error)
    })?;
    announce(&server).map_err(|error| Failure::new("cannot write to standard output", error))?;
    signal.received().await;
    let portal = server.portal();
    server.stop().await;
    let Some(path) = snapshot else { return Ok(()) };
    let portal = portal.lock().unwrap_or_else(PoisonError::into_inner);
    save(&portal, &path)
}

/// A program that starts this one waits for the line, so it must not stay in a buffer.
fn announce(server: &Server) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", server.url())?;
    out.flush()
}

/// The records come from the snapshot, if there is one yet; the settings always from the command line.
fn load(settings: Serve) -> Result<Portal, Failure> {
    let apps = settings.apps.iter().map(|path| app(path)).collect::<Result<Vec<_>, _>>()?;
    let mut portal = load_portal(settings)?;
    apps.into_iter().for_each(|app| portal.add_app(app));
    Ok(portal)
}

fn app(path: &Path) -> Result<OAuthApp, Failure> {
    let tried = || format!("cannot take the app in {}", path.display());
    let text = fs::read(path).map_err(|error| Failure::new(tried(), error))?;
    serde_json::from_slice(&text).map_err(|error| Failure::new(tried(), error))
}

fn load_portal(settings: Serve) -> Result<Portal, Failure> {
    let Some(path) = settings.snapshot.clone() else { return Ok(Portal::new(config(settings))) };
    let saved = match fs::read(&path) {
        Ok(saved) => saved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let portal = Portal::new(config(settings));
            // A place that cannot be written must come out now, not when there is work to lose.
            save(&portal, &path)?;
            return Ok(portal);
        }
        Err(error) => return Err(Failure::new(format!("cannot read {}", path.display()), error)),
    };
    let mut portal = Portal::from_snapshot(&saved)
        .map_err(|error| Failure::new(format!("cannot start from {}", path.display()), error))?;
    portal.apply_settings(config(settings));
    Ok(portal)
}

fn config(settings: Serve) -> PortalConfig {
    let mut config = PortalConfig::new(settings.token);
    config.seed = settings.seed;
    config.tier = settings.tier.into();
    config.search_lag = settings.search_lag;
    config.latency = settings.latency;
    if settings.no_limits {
        config.limits = Limits::Off;
    }
    if let Some(scopes) = settings.scopes {
        let scopes = Scopes::Some(scopes.into_iter().collect());
        for credential in &mut config.credentials {
            credential.scopes = scopes.clone();
        }
    }
    config
}

fn save(portal: &Portal, path: &Path) -> Result<(), Failure> {
    replace(path, &portal.snapshot())
        .map_err(|error| Failure::new(format!("cannot write {}", path.display()), error))
}

/// Writes beside `path` and renames, so that a failure half-way leaves the former file as it was.
fn replace(path: &Path, data: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(data)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// `5s`, `1m 30s`, `300ms`: never negative.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration =
        text.parse().map_err(|_| "write a duration such as 5s or 300ms".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a duration must not be negative".to_owned())
}

/// What went wrong, for a person: what was tried, then the cause.
struct Failure {
    tried: String,
    cause: Box<dyn std::error::Error>,
}

impl Failure {
    fn new(tried: impl Into<String>, cause: impl std::error::Error + 'static) -> Self {
        Self { tried: tried.into(), cause: Box::new(cause) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.tried, self.cause)
    }
}

/// SIGINT and SIGTERM on Unix, Ctrl-C elsewhere.
struct Signal {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signal {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn received(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signal {
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn received(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
