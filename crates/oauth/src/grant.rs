//! What is kept for each portal that installed the app, and the pure decision what to do with it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::time::{between, later};
use crate::token::TokenAnswer;

/// The number of a HubSpot account, also called hub id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortalId(pub u64);

impl fmt::Display for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tokens are renewed this long before they expire, or after four fifths of a life that is short.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// One portal's consent to one app, with the tokens that came of it. `Debug` hides them.
#[derive(Clone)]
pub struct Grant {
    pub(crate) client_id: String,
    pub(crate) portal: PortalId,
    pub(crate) access: SecretString,
    pub(crate) refresh: SecretString,
    pub(crate) obtained_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) scopes: Vec<String>,
    pub(crate) status: GrantStatus,
    pub(crate) refreshing: Option<Refreshing>,
}

/// Whether a grant can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
#[non_exhaustive]
pub enum GrantStatus {
    /// Tokens can be had.
    Active,
    /// Somebody must install the app again. Everything else about the portal is kept.
    NeedsReauthorisation {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: Reason,
    },
}

/// Why a portal has to be connected again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum Reason {
    /// The server refuses the refresh token: the app was uninstalled or the token revoked.
    Revoked {
        /// The server's word, such as `BAD_REFRESH_TOKEN`.
        code: Option<String>,
    },
    /// The server refuses the refresh token after a renewal whose answer was never saved: it may have given out another
    /// one that is lost.
    InterruptedRefresh {
        /// When that renewal began.
        since: Timestamp,
    },
    /// A renewal answered with another portal's token, which was dropped.
    WrongPortal {
        /// Whose it was.
        found: PortalId,
    },
    /// The app was taken out of the portal, or its grant taken back, from this side.
    Disconnected,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Revoked { code } => {
                f.write_str("HubSpot refuses the refresh token")?;
                if let Some(code) = code {
                    write!(f, " ({code})")?;
                }
                f.write_str(": the app was uninstalled or its access revoked")
            }
            Reason::InterruptedRefresh { since } => write!(
                f,
                "a renewal that began at {since} was cut off before its answer was saved, and HubSpot no longer takes \
                 the refresh token from before it"
            ),
            Reason::WrongPortal { found } => {
                write!(f, "a renewal answered with a token of portal {found}, which was dropped")
            }
            Reason::Disconnected => f.write_str("it was disconnected from here"),
        }
    }
}

/// A renewal that began and of which no end is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshing {
    /// When it began.
    pub since: Timestamp,
    /// Which process.
    pub by: String,
}

/// What to do about a token that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The access token is good.
    Use,
    /// Renew it; until `usable_until` the present one still serves.
    Renew { usable_until: Option<Timestamp> },
    /// No token can be had until the app is installed again.
    Stop { since: Timestamp, reason: Reason },
}

impl Grant {
    /// A fresh grant. `asked_at` is when the request for the token left, so that its life is never overrated.
    pub(crate) fn new(
        client_id: &str,
        portal: PortalId,
        access: SecretString,
        refresh: SecretString,
        asked_at: Timestamp,
        life: Duration,
        scopes: Vec<String>,
    ) -> Self {
        Self {
            client_id: client_id.to_owned(),
            portal,
            access,
            refresh,
            obtained_at: asked_at,
            expires_at: later(asked_at, life),
            scopes,
            status: GrantStatus::Active,
            refreshing: None,
        }
    }

    /// The portal.
    #[must_use]
    pub fn portal(&self) -> PortalId {
        self.portal
    }

    /// The app's client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What was granted, as last heard.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// When the present access token expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether tokens can be had.
    #[must_use]
    pub fn status(&self) -> &GrantStatus {
        &self.status
    }

    /// The renewal that began and has no known end, if there is one.
    #[must_use]
    pub fn refreshing(&self) -> Option<&Refreshing> {
        self.refreshing.as_ref()
    }

    /// From when on the access token is to be renewed.
    pub(crate) fn renew_at(&self) -> Timestamp {
        let life = between(self.obtained_at, self.expires_at);
        later(self.obtained_at, life.saturating_sub(AHEAD.min(life / 5)))
    }

    /// What to do at `now` when the server has refused the access token `rejected`.
    pub(crate) fn step(&self, now: Timestamp, rejected: Option<&SecretString>) -> Step {
        if let GrantStatus::NeedsReauthorisation { since, reason } = &self.status {
            return Step::Stop { since: *since, reason: reason.clone() };
        }
        // Somebody else may have renewed it since it was refused.
        if rejected.is_some_and(|token| token.expose_secret() == self.access.expose_secret()) {
            return Step::Renew { usable_until: None };
        }
        if now < self.renew_at() {
            return Step::Use;
        }
        Step::Renew { usable_until: (now < self.expires_at).then_some(self.expires_at) }
    }

    /// This grant with the tokens of a renewal asked for at `asked_at`.
    pub(crate) fn renewed(&self, answer: &TokenAnswer, asked_at: Timestamp) -> Self {
        Self {
            access: answer.access.clone(),
            // RFC 6749: without a new one, the old one goes on.
            refresh: answer.refresh.clone().unwrap_or_else(|| self.refresh.clone()),
            obtained_at: asked_at,
            expires_at: later(asked_at, answer.life),
            scopes: answer.scopes.clone().unwrap_or_else(|| self.scopes.clone()),
            status: GrantStatus::Active,
            refreshing: None,
            ..self.clone()
        }
    }

    /// This grant, stopped. Its access token goes; its refresh token stays only if it may still be of use.
    pub(crate) fn stopped(&self, since: Timestamp, reason: Reason) -> Self {
        let keeps = !matches!(reason, Reason::Disconnected);
        Self {
            access: SecretString::from(""),
            refresh: if keeps { self.refresh.clone() } else { SecretString::from("") },
            expires_at: self.obtained_at,
            status: GrantStatus::NeedsReauthorisation { since, reason },
            refreshing: None,
            ..self.clone()
        }
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("client_id", &self.client_id)
            .field("portal", &self.portal)
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .field("status", &self.status)
            .field("refreshing", &self.refreshing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + seconds).unwrap()
    }

    fn grant(life: u64) -> Grant {
        let [access, refresh] = ["canary-access", "canary-refresh"].map(SecretString::from);
        Grant::new("app", PortalId(7), access, refresh, at(0), Duration::from_secs(life), vec![])
    }

    #[test]
    fn a_token_is_renewed_five_minutes_ahead_or_after_four_fifths_of_a_short_life() {
        let valid = |until| Step::Renew { usable_until: Some(at(until)) };
        let over = Step::Renew { usable_until: None };
        for (life, now, expected) in [
            (1_800, 0, Step::Use),
            (1_800, 1_499, Step::Use),
            (1_800, 1_500, valid(1_800)),
            (1_800, 1_799, valid(1_800)),
            (1_800, 1_800, over.clone()),
            (100, 79, Step::Use),
            (100, 80, valid(100)),
            (0, 0, over.clone()),
            // The clock went back: better too old a token than none.
            (1_800, -5_000, Step::Use),
        ] {
            assert_eq!(grant(life).step(at(now), None), expected, "{life} s, at {now}");
        }
    }

    #[test]
    fn a_refused_token_is_renewed_unless_it_was_replaced_meanwhile() {
        let refused = |token: &str| grant(1_800).step(at(0), Some(&SecretString::from(token)));
        assert_eq!(refused("canary-access"), Step::Renew { usable_until: None });
        assert_eq!(refused("an-older-one"), Step::Use);
    }

    #[test]
    fn a_stopped_grant_gives_nothing_and_tells_why() {
        let stopped = grant(1_800).stopped(at(9), Reason::Disconnected);
        assert_eq!(stopped.step(at(10), None), Step::Stop { since: at(9), reason: Reason::Disconnected });
        assert_eq!(stopped.refresh.expose_secret(), "");
        let revoked = grant(1_800).stopped(at(9), Reason::Revoked { code: None });
        assert_eq!(revoked.refresh.expose_secret(), "canary-refresh");
    }

    #[test]
    fn debug_hides_the_tokens() {
        assert!(!format!("{:?}", grant(1)).contains("canary"));
    }
}
