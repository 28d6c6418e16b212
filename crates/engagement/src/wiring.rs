//! The one place where settings become clients, sources, stores and engines.

mod facts;
pub(crate) mod rest;
pub(crate) mod runnable;
mod source;

use std::path::Path;
use std::sync::Arc;

use http_transport::{Clock, TokenProvider, TokioClock};
use hubspot_adapter::{HubSpotDestination, RepairedFeed, SearchFeed};
use hubspot_client::{ApiVersion, Client, ErrorKind, Limits};
use mapping_engine::{Check, CheckedMapping, Functions, Portal, Problems, Schemas};
use sync_core::stores::{Binding, SqliteStore};
use sync_core::{Engine, Options, Parts};
use sync_types::{
    Destination, DestinationErrorKind, Feed, Mapper, ObjectType, ReadRequest, Record, Schema, Source,
};

pub(crate) use self::source::source;
use crate::engagement::Engagement;
use crate::settings::{LimitsName, Settings};
use crate::{Failure, credential};

/// A portal that answered, and is the one that is meant.
#[derive(Debug)]
pub(crate) struct Wired {
    /// The client, for its counts and for provisioning.
    pub(crate) client: Client,
    /// The portal's id.
    pub(crate) portal: String,
    /// The portal as the engine's destination.
    pub(crate) destination: Arc<dyn Destination>,
    /// The mapping, checked against the source alone.
    pub(crate) mapping: CheckedMapping,
    /// The source and what it says of itself.
    pub(crate) source: Arc<dyn Source>,
    pub(crate) source_schemas: Vec<Schema>,
}

/// The clock of this process.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock::start())
}

/// Opens the source, checks the mapping against it, and asks the portal who it is.
pub(crate) async fn connect(engagement: &Engagement, settings: &Settings) -> Result<Wired, Failure> {
    connect_over(engagement, settings, || client(settings)).await
}

/// As [`connect`], by a clock of the caller's.
pub(crate) async fn connect_at(
    engagement: &Engagement,
    settings: &Settings,
    clock: Arc<dyn Clock>,
) -> Result<Wired, Failure> {
    connect_over(engagement, settings, || {
        client_over(settings, credential::provider(settings, Arc::clone(&clock))?, clock)
    })
    .await
}

/// As [`connect`], with a client of the caller's making.
pub(crate) async fn connect_over(
    engagement: &Engagement,
    settings: &Settings,
    client: impl FnOnce() -> Result<Client, Failure>,
) -> Result<Wired, Failure> {
    let source = source(engagement, settings)?;
    let source_schemas = source.describe().await?;
    // What the mapping alone gets wrong is told before anybody is asked.
    mapping(engagement, settings, Some(&source_schemas), None)?;
    let client = client()?;
    let portal = portal(&client, settings).await?;
    let known = Portal { id: portal.parse().ok(), ..Portal::default() };
    let schemas = Schemas { source: Some(&source_schemas), hubspot: None };
    let mapping = mapping_at(engagement, settings, schemas, known)?;
    let destination = destination(&client);
    Ok(Wired { client, portal, destination, mapping, source, source_schemas })
}

/// An engine that is ready to run: the mapping is checked against both sides.
pub(crate) async fn engine(engagement: &Engagement, settings: &Settings) -> Result<Engine, Failure> {
    let wired = connect(engagement, settings).await?;
    engine_of(engagement, settings, wired).await
}

/// The engine of a portal that is connected.
pub(crate) async fn engine_of(
    engagement: &Engagement,
    settings: &Settings,
    wired: Wired,
) -> Result<Engine, Failure> {
    engine_at(engagement, settings, wired, clock()).await
}

/// As [`engine_of`], by a clock of the caller's.
pub(crate) async fn engine_at(
    engagement: &Engagement,
    settings: &Settings,
    wired: Wired,
    clock: Arc<dyn Clock>,
) -> Result<Engine, Failure> {
    let mapping = mapping_of(engagement, settings, &wired).await?;
    assemble(settings, mapping, wired.source, &wired.client, wired.portal, clock)
}

/// An engine to look into the state of, or to change it, without a call where the settings name the portal.
pub(crate) async fn engine_at_rest(engagement: &Engagement, settings: &Settings) -> Result<Engine, Failure> {
    let client = client(settings)?;
    let portal = match settings.hubspot.portal {
        Some(portal) => portal.to_string(),
        None => portal(&client, settings).await?,
    };
    let known = Portal { id: portal.parse().ok(), ..Portal::default() };
    let mapping = mapping_at(engagement, settings, Schemas::default(), known)?;
    assemble(settings, mapping, source(engagement, settings)?, &client, portal, clock())
}

fn assemble(
    settings: &Settings,
    mapping: CheckedMapping,
    source: Arc<dyn Source>,
    client: &Client,
    portal: String,
    clock: Arc<dyn Clock>,
) -> Result<Engine, Failure> {
    let destination = Arc::new(HubSpotDestination::new(client.clone()));
    // Changes in HubSpot matter to a link that brings them to the source.
    let listens = mapping.links().iter().any(|link| link.direction.to_left());
    // By search alone, but in the terms of a service over the same state file, which may hear of changes sooner.
    let search = Arc::new(SearchFeed::new(Arc::clone(&destination), Arc::clone(&clock)));
    let feed = RepairedFeed::new(None, search, settings.hearing.repair, Arc::clone(&clock));
    let feed: Option<Arc<dyn Feed>> = listens.then(|| Arc::new(feed) as Arc<dyn Feed>);
    let mut options = Options::default();
    options.sweep = runnable::needs_sweep(&mapping, feed.as_ref().is_some_and(|feed| feed.sees().deletes));
    let run = Runnable { mapping: Arc::new(mapping), source, destination, feed, portal };
    engine_over(settings, &run, clock, options)
}

/// What an engine is made of, beside its state file. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Runnable {
    pub(crate) mapping: Arc<CheckedMapping>,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) destination: Arc<HubSpotDestination>,
    pub(crate) feed: Option<Arc<dyn Feed>>,
    pub(crate) portal: String,
}

/// An engine on the state file in the settings, which it holds until it is dropped.
pub(crate) fn engine_over(
    settings: &Settings,
    run: &Runnable,
    clock: Arc<dyn Clock>,
    mut options: Options,
) -> Result<Engine, Failure> {
    options.settle = settings.hubspot.settle;
    options.rescan = settings.source.rescan;
    options.calendar.clone_from(&settings.calendar);
    runnable::check(&run.mapping, &run.source, settings)?;
    let run = run.clone();
    let engagement = run.mapping.name().to_owned();
    let store = open_store(&settings.state, &engagement, &run.portal)?;
    Ok(Engine::new(Parts {
        engagement,
        portal: run.portal,
        mapper: run.mapping,
        writer: Arc::clone(&run.source).writer(),
        source: run.source,
        destination: run.destination,
        feed: run.feed,
        store: Box::new(store),
        clock,
        options,
    })?)
}

/// What the state file of these settings belongs to, without a call where the settings name the portal.
pub(crate) async fn binding(engagement: &Engagement, settings: &Settings) -> Result<Binding, Failure> {
    let portal = match settings.hubspot.portal {
        Some(portal) => portal.to_string(),
        None => portal(&client(settings)?, settings).await?,
    };
    let known = Portal { id: portal.parse().ok(), ..Portal::default() };
    let mapping = mapping_at(engagement, settings, Schemas::default(), known)?;
    Ok(Binding { engagement: mapping.name().to_owned(), portal })
}

/// Opens the state file, or makes it with a secret of its own.
pub(crate) fn open_store(path: &Path, engagement: &str, portal: &str) -> Result<SqliteStore, Failure> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::new(format!("the folder {} of the state file cannot be made", folder.display()))
                .remedy("set `state.file` to a place that can be written")
                .caused_by(&error)
        })?;
    }
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| {
        Failure::new("this machine gives no random bytes for the state file's secret").caused_by(&error)
    })?;
    let binding = Binding { engagement: engagement.to_owned(), portal: portal.to_owned() };
    Ok(SqliteStore::open(path, &binding, key)?)
}

/// The client of the portal in the settings.
pub(crate) fn client(settings: &Settings) -> Result<Client, Failure> {
    client_over(settings, credential::provider(settings, clock())?, clock())
}

/// The same with tokens and a clock of the caller's.
pub(crate) fn client_over(
    settings: &Settings,
    tokens: Arc<dyn TokenProvider>,
    clock: Arc<dyn Clock>,
) -> Result<Client, Failure> {
    let hubspot = &settings.hubspot;
    let mut limits = match hubspot.limits {
        LimitsName::Starter => Limits::starter(),
        LimitsName::Professional => Limits::professional(),
        LimitsName::Increased => Limits::increased(),
        LimitsName::OAuth => Limits::oauth(),
        LimitsName::Off => Limits::unlimited(),
    };
    limits.share = hubspot.share;
    limits.live_reserve = hubspot.live_reserve;
    Ok(Client::builder(&hubspot.url)
        .token_provider(tokens)
        .api_version(api_version(settings))
        .clock(clock)
        .limits(limits)
        .build()?)
}

/// The version of HubSpot's API to speak.
pub(crate) fn api_version(settings: &Settings) -> ApiVersion {
    match settings.hubspot.api_version.as_str() {
        "legacy" => ApiVersion::legacy(),
        date => ApiVersion::dated(date),
    }
}

/// The portal's id, asked of the portal itself.
///
/// # Errors
/// The portal cannot be reached, refuses the credential, or is another one than the settings name.
pub(crate) async fn portal(client: &Client, settings: &Settings) -> Result<String, Failure> {
    let details = client.account().details().await.map_err(|error| {
        let gone = error.kind() == ErrorKind::RevokedCredential && settings.oauth.is_some();
        let failure = Failure::from(error);
        let again = "open the install page of this integration, choose that account and grant access again; nothing \
                     that waits for it is lost";
        if gone { failure.remedy(again) } else { failure }
    })?;
    let found = details.portal_id.to_string();
    tracing::info!(portal = %found, url = %settings.hubspot.url, "the portal answered");
    match settings.hubspot.portal {
        Some(expected) if expected.to_string() != found => Err(Failure::new(format!(
            "this credential belongs to portal {found}, but `hubspot.portal` says {expected}: nothing was written"
        ))
        .remedy("use the credential of the right portal, or correct `hubspot.portal`")),
        _ => Ok(found),
    }
}

fn destination(client: &Client) -> Arc<dyn Destination> {
    Arc::new(HubSpotDestination::new(client.clone()))
}

/// What the portal says of the object types that the mapping names. One that is not there is left out.
pub(crate) async fn hubspot_schemas(wired: &Wired) -> Result<Vec<Schema>, Failure> {
    let mut objects: Vec<&ObjectType> = wired.mapping.links().iter().map(|link| &link.object).collect();
    objects.sort();
    objects.dedup();
    let mut schemas = Vec::new();
    for object in objects {
        match wired.destination.describe(object).await {
            Ok(schema) => schemas.push(schema),
            Err(error) if error.kind == DestinationErrorKind::NotProvisioned => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(schemas)
}

/// The mapping, checked against everything that it needs to know of a portal that is connected.
pub(crate) async fn mapping_of(
    engagement: &Engagement,
    settings: &Settings,
    wired: &Wired,
) -> Result<CheckedMapping, Failure> {
    refusing(settings, verdict_of(engagement, settings, wired, &[]).await?)
}

/// As [`mapping_of`], with the checker's problems as they are, and with fields that go both ways tried on these
/// records of the source.
pub(crate) async fn verdict_of(
    engagement: &Engagement,
    settings: &Settings,
    wired: &Wired,
    samples: &[(String, Vec<Record>)],
) -> Result<Result<CheckedMapping, Problems>, Failure> {
    let hubspot = hubspot_schemas(wired).await?;
    let facts = facts::PortalFacts::read(&wired.client, &wired.portal, wired.mapping.needs()).await?;
    let schemas = Schemas { source: Some(&wired.source_schemas), hubspot: Some(&hubspot) };
    let (name, text) = mapping_text(engagement, settings)?;
    let samples: Vec<(&str, &[Record])> =
        samples.iter().map(|(name, records)| (name.as_str(), records.as_slice())).collect();
    let beside = beside(engagement, settings);
    let functions = functions(engagement);
    let check = Check::new(&name, &text).files(&beside).functions(&functions).samples(&samples);
    Ok(check.schemas(schemas).portal(facts.portal()).run())
}

/// Records of each collection that is written, too: a first page is enough to try a mapping on.
pub(crate) async fn samples(wired: &Wired) -> Result<Vec<(String, Vec<Record>)>, Failure> {
    let mut samples: Vec<(String, Vec<Record>)> = Vec::new();
    for link in wired.mapping.links().iter().filter(|link| link.direction.to_left()) {
        if samples.iter().any(|(known, _)| known == link.collection.as_str()) {
            continue;
        }
        let request = ReadRequest { collection: link.collection.clone(), after: None, max: SAMPLE_ROWS };
        let page = wired.source.read_page(&request).await?;
        samples.push((link.collection.to_string(), page.records.into_iter().flatten().collect()));
    }
    Ok(samples)
}

/// Records of a collection that a mapping is tried on.
const SAMPLE_ROWS: usize = 200;

/// The mapping, checked against what is known of both sides' properties, and for the portal in the settings.
pub(crate) fn mapping(
    engagement: &Engagement,
    settings: &Settings,
    source: Option<&[Schema]>,
    hubspot: Option<&[Schema]>,
) -> Result<CheckedMapping, Failure> {
    let known = Portal { id: settings.hubspot.portal, ..Portal::default() };
    mapping_at(engagement, settings, Schemas { source, hubspot }, known)
}

/// The mapping, checked against what is known of both sides and of the portal.
fn mapping_at(
    engagement: &Engagement,
    settings: &Settings,
    schemas: Schemas<'_>,
    portal: Portal<'_>,
) -> Result<CheckedMapping, Failure> {
    refusing(settings, verdict(engagement, settings, schemas, portal)?)
}

/// A verdict whose problems end the command.
fn refusing(
    settings: &Settings,
    verdict: Result<CheckedMapping, Problems>,
) -> Result<CheckedMapping, Failure> {
    verdict.map_err(|problems| {
        Failure::new(problems.to_string()).remedy(match &settings.mapping {
            Some(path) => format!("correct {}, then `check`", path.display()),
            None => {
                "correct the mapping that is built in, or name another by `mapping.file`; then `check`".into()
            }
        })
    })
}

/// The checker's verdict on the mapping, with its problems as they are. Files that the mapping names are read from
/// its folder.
pub(crate) fn verdict(
    engagement: &Engagement,
    settings: &Settings,
    schemas: Schemas<'_>,
    portal: Portal<'_>,
) -> Result<Result<CheckedMapping, Problems>, Failure> {
    let (name, text) = mapping_text(engagement, settings)?;
    let beside = beside(engagement, settings);
    let functions = functions(engagement);
    let check = Check::new(&name, &text).files(&beside).functions(&functions);
    Ok(check.schemas(schemas).portal(portal).run())
}

/// As [`verdict`], with what HubSpot brings along for everybody in place of a portal's answer.
pub(crate) fn verdict_by_heart(
    engagement: &Engagement,
    settings: &Settings,
    source: &[Schema],
) -> Result<Result<CheckedMapping, Problems>, Failure> {
    let (name, text) = mapping_text(engagement, settings)?;
    let beside = beside(engagement, settings);
    let functions = functions(engagement);
    let standard = mapping_tools::standard::schemas();
    let schemas = Schemas { source: Some(source), hubspot: Some(&standard) };
    let portal = Portal { id: settings.hubspot.portal, ..Portal::default() };
    let check = Check::new(&name, &text).files(&beside).functions(&functions);
    Ok(check.schemas(schemas).portal(portal).hubspot_is_in_part().run())
}

/// Files beside the mapping, or those that are built in with it.
fn beside(engagement: &Engagement, settings: &Settings) -> impl Fn(&str) -> Result<String, String> {
    let folder = settings.mapping.as_deref().map(|file| file.parent().unwrap_or(Path::new("")).to_path_buf());
    let built_in = engagement.mapping_files;
    move |path| match &folder {
        Some(folder) => std::fs::read_to_string(folder.join(path)).map_err(|error| error.to_string()),
        None => match built_in.iter().find(|(known, _)| *known == path) {
            Some((_, text)) => Ok((*text).to_owned()),
            None => Err(String::from("it is not built in: give it to `Engagement::with_mapping_files`")),
        },
    }
}

/// The engagement's own transforms.
fn functions(engagement: &Engagement) -> Functions {
    engagement.functions.map(|make| make()).unwrap_or_default()
}

/// The mapping's name for messages, and its text.
pub(crate) fn mapping_text(
    engagement: &Engagement,
    settings: &Settings,
) -> Result<(String, String), Failure> {
    let Some(path) = &settings.mapping else {
        return Ok(("mapping.toml (built in)".to_owned(), engagement.mapping.to_owned()));
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("the mapping {} cannot be read", path.display()))
            .remedy("check `mapping.file`")
            .caused_by(&error)
    })?;
    Ok((path.display().to_string(), text))
}

impl From<hubspot_client::Error> for Failure {
    fn from(error: hubspot_client::Error) -> Failure {
        let remedy = match error.kind() {
            ErrorKind::RevokedCredential | ErrorKind::NoToken => {
                "make a new token in HubSpot and set it as KIT_HUBSPOT_TOKEN"
            }
            ErrorKind::MissingScope => "give the private app the scopes it lacks, then use its new token",
            ErrorKind::Unreachable | ErrorKind::NoAnswer => {
                "check `hubspot.url` and the network, then run again: nothing is lost"
            }
            ErrorKind::RateLimited | ErrorKind::DailyLimit => "run again later, or lower `hubspot.share`",
            _ => "run `doctor`; if HubSpot is at fault, run again later",
        };
        let failure = Failure::new(format!("HubSpot at its API: {error}"));
        let failure = match std::error::Error::source(&error) {
            Some(cause) => failure.caused_by(cause),
            None => failure,
        };
        failure.remedy(remedy)
    }
}

#[cfg(test)]
mod tests;
