//! What keeps the inbox small: old events are forgotten, and those of strangers are not kept.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http_transport::Clock;
use jiff::SignedDuration;
use webhooks::{Inbox, InboxError, PortalId};

/// How often.
const EVERY: Duration = Duration::from_secs(15 * 60);

/// How long done events are remembered: repetitions come for a day (HubSpot docs), and a backup of the state file
/// should not be older than this to find what was done since.
const KEEP: SignedDuration = SignedDuration::from_hours(4 * 24);

/// A round of the inbox.
#[derive(Debug)]
pub(crate) struct Housekeeping {
    pub(crate) inbox: Arc<dyn Inbox>,
    /// The portals that this process keeps.
    pub(crate) portals: BTreeSet<PortalId>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Housekeeping {
    /// Tidies at once and from time to time, for ever.
    pub(crate) async fn keep(self) {
        loop {
            if let Err(error) = self.tidy().await {
                tracing::error!(%error, "the inbox could not be tidied");
            }
            self.clock.sleep(EVERY).await;
        }
    }

    async fn tidy(&self) -> Result<(), InboxError> {
        for waiting in self.inbox.waiting().await? {
            if !self.portals.contains(&waiting.portal) {
                let events = self.inbox.forget_portal(waiting.portal).await?;
                tracing::warn!(portal = %waiting.portal, events, "events of a portal that has no settings here are dropped");
            }
        }
        while self.inbox.expire(self.clock.now() - KEEP).await? > 0 {}
        Ok(())
    }
}
