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

#[cfg(test)]
mod tests {
    use http_transport::TokioClock;
    use jiff::Timestamp;
    use webhooks::{ParseLimits, SqliteInbox, parse_events};

    use super::*;

    /// A creation in each of these portals at `at`.
    fn events(portals: &[u64], at: Timestamp) -> Vec<webhooks::Event> {
        let one = |portal: &u64| {
            format!(
                r#"{{"portalId":{portal},"subscriptionId":1,"occurredAt":{},"subscriptionType":"contact.creation","objectId":5}}"#,
                at.as_millisecond()
            )
        };
        let body = format!("[{}]", portals.iter().map(one).collect::<Vec<_>>().join(","));
        parse_events(body.as_bytes(), &ParseLimits::default()).unwrap()
    }

    #[tokio::test]
    async fn events_of_strangers_go_at_the_next_round_and_done_ones_after_four_days() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
        let tidy = async |at: Timestamp| {
            let clock = Arc::new(TokioClock::starting_at(at));
            let house = Housekeeping { inbox: inbox.clone(), portals: [PortalId(33)].into(), clock };
            house.tidy().await.unwrap();
        };
        inbox.store(events(&[33, 34, 35], start), start).await.unwrap();
        let ours = inbox.take(PortalId(33), 10).await.unwrap();
        inbox.done(PortalId(33), vec![ours[0].id], start).await.unwrap();
        let later = start + Duration::from_secs(60);
        inbox.store(events(&[33], later), later).await.unwrap();

        tidy(later).await;
        let waiting: Vec<PortalId> = inbox.waiting().await.unwrap().iter().map(|one| one.portal).collect();
        assert_eq!(waiting, [PortalId(33)], "only the portal that is kept here");
        assert_eq!(
            inbox.store(events(&[33], start), later).await.unwrap().repeated,
            1,
            "done ones are remembered"
        );
        tidy(start + Duration::from_secs(5 * 86_400)).await;
        assert_eq!(
            inbox.store(events(&[33], start), later).await.unwrap().new,
            1,
            "and forgotten after four days"
        );
        assert_eq!(inbox.waiting().await.unwrap()[0].events, 2, "what waits is never forgotten");
    }
}
