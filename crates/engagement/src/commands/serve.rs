//! `serve`: install pages, webhooks or the journal, and a worker for each portal, until somebody asks it to end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_transport::{Clock, SystemClock};
use oauth::PortalId;
use source_adapters::rest::WebhookVerifier;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use webhooks::{Inbox as _, ServeLimits, SqliteInbox};

use crate::cli::Common;
use crate::engagement::{self, Engagement};
use crate::interrupt::Interrupts;
use crate::screen::{Screen, counted};
use crate::serve::{
    Bell, Board, Hearing, Housekeeping, Keeper, PortalPass, PortalState, Site, Web, on_own_thread, promise,
};
use crate::service::{Pace, Signals, keep_up};
use crate::settings::{FeedKind, Settings};
use crate::{Failure, Outcome, credential, wiring};

/// A worker that came to a fault in the program is begun anew after this.
const AFTER_A_FAULT: Duration = Duration::from_secs(60);

/// One portal to be kept.
struct Kept {
    id: PortalId,
    settings: Arc<Settings>,
    asked: watch::Sender<u64>,
    /// Tells the source's webhooks from forgeries, and what they ring.
    proof: Option<WebhookVerifier>,
    rung: watch::Sender<u64>,
}

pub(super) async fn serve(
    engagement: &Engagement,
    settings: &Settings,
    common: &Common,
    screen: &Screen,
) -> Result<Outcome, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let board = Arc::new(Board::default());
    let mut portals = portals(engagement, settings, common, &board)?;
    let ids: BTreeSet<webhooks::PortalId> =
        portals.iter().map(|kept| webhooks::PortalId(kept.id.0)).collect();
    if let Some(oauth) = &settings.oauth {
        let moved = credential::rotate(oauth).await?;
        if moved > 0 {
            tracing::info!(moved, "tokens are sealed with the present key; the former one is needed no more");
        }
    }
    let (stop, stopped) = watch::channel(false);
    let hearing = Hearing::open(settings, ids.clone(), &clock).await?.map(Arc::new);
    let site = site(engagement, settings, &mut portals, hearing.as_deref(), &board, &stopped, &clock)?;
    let listen = settings.service.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::new(format!("the service cannot listen on {listen}"))
            .remedy("set `serve.listen` to an address and port that are free")
            .caused_by(&error)
    })?;
    let address = listener.local_addr().unwrap_or(listen);
    announce(screen, address, settings, &portals, hearing.as_deref(), !site.bells.is_empty());

    let mut tasks = JoinSet::new();
    for kept in portals {
        let keeper = Keeper {
            engagement: *engagement,
            name: kept.id.to_string(),
            hearing: hearing.clone(),
            board: board.clone(),
            clock: clock.clone(),
            stop: stopped.clone(),
            settings: kept.settings,
        };
        let news = match &hearing {
            Some(hearing) => hearing.inbox.arrivals_of(webhooks::PortalId(kept.id.0)),
            None => watch::channel(0).1,
        };
        let (source, asked) = (kept.rung.subscribe(), kept.asked.subscribe());
        let signals = Signals { news, source, asked, stop: stopped.clone() };
        tasks.spawn(worker(keeper, signals));
    }
    if let Some(hearing) = &hearing {
        if hearing.journal.is_some() {
            tasks.spawn(read_journal(hearing.clone(), stopped.clone()));
        }
        tasks.spawn(keep_house(hearing.inbox.clone(), ids, clock.clone(), stopped.clone()));
    }
    let web = webhooks::serve(listener, Web::new(site), ServeLimits::default(), clock, is_true(stopped));
    tasks.spawn(web);

    let fault = until_asked(&mut interrupts, &mut tasks).await;
    screen.line("Stopping: calls under way are answered and recorded; once more ends it at once.");
    stop.send_replace(true);
    tokio::select! {
        () = async { while tasks.join_next().await.is_some() {} } => {}
        () = interrupts.asked_to_end() => return Err(Failure::interruption()),
    }
    // Last of all, when nobody can store or take any more.
    if let Some(inbox) = hearing.and_then(Arc::into_inner).and_then(close) {
        inbox.close().await;
    }
    fault.map_or(Ok(Outcome::Done), Err)
}

/// Returns once somebody asks to end, or with the reason once a part of the service is gone: a service that takes no
/// webhooks, or reads no journal, must not look as if it were well. Whoever watches over it starts it again.
async fn until_asked(interrupts: &mut Interrupts, tasks: &mut JoinSet<()>) -> Option<Failure> {
    tokio::select! {
        () = interrupts.asked_to_end() => None,
        Some(ended) = tasks.join_next() => {
            let fault = ended.err().map_or_else(String::new, |fault| format!(": {fault}"));
            let failure = Failure::new(format!("a part of the service ended by itself{fault}"));
            Some(failure.remedy("start it again: nothing that was acknowledged is lost; and report this, with the log"))
        }
    }
}

fn close(hearing: Hearing) -> Option<SqliteInbox> {
    let Hearing { inbox, journal, .. } = hearing;
    drop(journal);
    Arc::into_inner(inbox)
}

/// The portals that the settings name. One whose settings are wrong is left out and told, so that a slip of the pen
/// stops one portal; without any there is nothing to serve.
fn portals(
    engagement: &Engagement,
    settings: &Settings,
    common: &Common,
    board: &Board,
) -> Result<Vec<Kept>, Failure> {
    let Some(folder) = &settings.service.portals else {
        return Ok(vec![kept(engagement, settings.clone(), board)?]);
    };
    let mut all: Vec<Kept> = Vec::new();
    let mut states: BTreeSet<PathBuf> = BTreeSet::new();
    for path in files(folder)? {
        let one =
            engagement::load(engagement, common, Some(&path)).and_then(|one| kept(engagement, one, board));
        let one = one.and_then(|one| {
            let is_again = all.iter().any(|other| other.id == one.id);
            if is_again || !states.insert(one.settings.state.clone()) {
                board.note(&path.display().to_string(), PortalState::Failing);
                return Err(Failure::new(format!(
                    "{}: another file names this portal or state file",
                    path.display()
                ))
                .remedy("give each portal a `hubspot.portal` and a `state.file` of its own"));
            }
            Ok(one)
        });
        match one {
            Ok(one) => all.push(one),
            Err(failure) => {
                board.note(&path.display().to_string(), PortalState::Failing);
                tracing::error!(file = %path.display(), %failure, "this portal is not served");
            }
        }
    }
    if all.is_empty() {
        return Err(Failure::new(format!("no settings file in {} can be served", folder.display())).remedy(
            "put one .toml file for each portal there; the log says what is wrong with those there are",
        ));
    }
    Ok(all)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error: std::io::Error| {
        Failure::new(format!("the folder {} of `serve.portals` cannot be read", folder.display()))
            .caused_by(&error)
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn kept(engagement: &Engagement, settings: Settings, board: &Board) -> Result<Kept, Failure> {
    let id = settings.hubspot.portal.map(PortalId).ok_or_else(|| {
        Failure::new("`hubspot.portal` is not set: a service must know which portal is meant")
            .remedy("set it to the number of the HubSpot account; `doctor` shows it")
    })?;
    let proof = wiring::rest::webhooks(engagement, &settings)?;
    board.note(&id.to_string(), PortalState::Starting);
    let (asked, rung) = (watch::channel(0).0, watch::channel(0).0);
    Ok(Kept { id, settings: Arc::new(settings), asked, proof, rung })
}

fn site(
    engagement: &Engagement,
    settings: &Settings,
    portals: &mut [Kept],
    hearing: Option<&Hearing>,
    board: &Arc<Board>,
    stopped: &watch::Receiver<bool>,
    clock: &Arc<dyn Clock>,
) -> Result<Site, Failure> {
    let mut site = Site::new(engagement.name, settings, board.clone(), stopped.clone())?;
    site.portals = portals.iter().map(|kept| (kept.id, kept.asked.clone())).collect::<BTreeMap<_, _>>();
    for kept in portals.iter_mut() {
        if let Some(proof) = kept.proof.take() {
            site.bells.insert(kept.id, Bell::new(proof, kept.rung.clone(), clock.clone()));
        }
    }
    if let Some(oauth) = &settings.oauth {
        let ids = portals.iter().map(|kept| kept.id);
        site.installer = Some(credential::installer(settings, oauth, ids, clock.clone())?);
    }
    if let Some(hearing) = hearing {
        site.receiver = hearing.receiver(settings)?;
    }
    Ok(site)
}

fn announce(
    screen: &Screen,
    address: std::net::SocketAddr,
    settings: &Settings,
    portals: &[Kept],
    hearing: Option<&Hearing>,
    source_calls: bool,
) {
    let kind = hearing.map_or(FeedKind::Search, |hearing| hearing.kind);
    let ids: Vec<u64> = portals.iter().map(|kept| kept.id.0).collect();
    let hears = promise(kind, settings.hearing.repair);
    screen.answer(&serde_json::json!({
        "listening": format!("http://{address}"), "portals": ids, "hears_by": format!("{kind:?}").to_lowercase(),
        "source_webhooks": source_calls,
    }));
    screen.line(format_args!(
        "Serving {} on http://{address}. Ctrl-C ends.",
        counted(portals.len() as u64, "portal", "portals")
    ));
    screen.line(format_args!("Changes in HubSpot are heard of by {hears}."));
    if source_calls {
        screen.line("The source's webhooks are taken at /source, or at /source/ and the portal's number.");
    }
    if settings.oauth.is_some() {
        screen
            .line(format_args!("To connect an account, open http://{address}/ through its public address."));
    }
}

/// Keeps one portal until the service stops, on a thread of its own: its state file is written there, and a slow disk
/// holds up nobody else. A fault in the program ends this worker alone, and it is begun anew.
async fn worker(keeper: Keeper, signals: Signals) {
    let pace = Pace::every(keeper.settings.service.every);
    let stop = signals.stop.clone();
    loop {
        let (own, signals) = (keeper.clone(), signals.clone());
        let work = on_own_thread(format!("portal {}", keeper.name), move || async move {
            let clock = own.clock.clone();
            keep_up(pace, clock, signals, &mut PortalPass::new(own)).await;
        });
        let Err(fault) = work.await else { return };
        tracing::error!(portal = %keeper.name, %fault, "the portal's worker ended; it is begun anew");
        keeper.board.note(&keeper.name, PortalState::Failing);
        tokio::select! {
            () = is_true(stop.clone()) => return,
            () = keeper.clock.sleep(AFTER_A_FAULT) => {}
        }
    }
}

/// Ends at a stop alone, as everything that the service is made of.
async fn read_journal(hearing: Arc<Hearing>, stopped: watch::Receiver<bool>) {
    if let Some(journal) = &hearing.journal {
        journal.run(is_true(stopped)).await;
    }
}

async fn keep_house(
    inbox: Arc<SqliteInbox>,
    portals: BTreeSet<webhooks::PortalId>,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<bool>,
) {
    tokio::select! {
        () = Housekeeping { inbox, portals, clock }.keep() => {}
        () = is_true(stop) => {}
    }
}

async fn is_true(mut flag: watch::Receiver<bool>) {
    // A sender that is gone will never say so.
    if flag.wait_for(|is| *is).await.is_err() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_ends_by_itself_ends_the_service() {
        let mut interrupts = Interrupts::listen().unwrap();
        for fault in [false, true] {
            let mut tasks = JoinSet::new();
            tasks.spawn(std::future::pending());
            tasks.spawn(async move {
                if fault {
                    std::panic::resume_unwind(Box::new("a fault"));
                }
            });
            let failure = until_asked(&mut interrupts, &mut tasks).await.unwrap();
            assert!(failure.to_string().contains("ended by itself"), "{failure}");
        }
    }
}
