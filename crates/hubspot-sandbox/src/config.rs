//! What a portal is made of before the first request: its identity, tier, credentials, limits and delays.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::oauth::OAuthApp;

/// The subscription level of a portal. It decides the request limits and whether custom objects exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// 100 calls per 10 s and app, 250,000 a day.
    Free,
    /// The same limits as [`Tier::Free`].
    Starter,
    /// 190 calls per 10 s and app, 625,000 a day.
    Professional,
    /// 190 calls per 10 s and app, 1,000,000 a day; custom object schemas may be written.
    Enterprise,
    /// No limits at all and every feature. No such portal exists at HubSpot; it is for benchmarks and demos.
    Unlimited,
}

impl Tier {
    /// Whether custom object schemas may be created (HubSpot docs: Enterprise only).
    pub fn allows_custom_objects(self) -> bool {
        matches!(self, Tier::Enterprise | Tier::Unlimited)
    }

    /// Cap of labels per pair of object types. The docs say 10, 50 were observed on a paid account.
    pub(crate) fn label_cap(self) -> usize {
        match self {
            Tier::Free | Tier::Starter => 10,
            Tier::Professional | Tier::Enterprise | Tier::Unlimited => 50,
        }
    }
}

/// How a credential was made. It decides the burst limit and the rate headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialKind {
    /// A private app's static token. Its calls count against the account's day.
    PrivateApp,
    /// A service key. Limits and headers of a private app.
    ServiceKey,
    /// An access token of a public app: 110 calls per 10 s, no daily limit, no daily headers.
    OAuth,
}

/// What a credential may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scopes {
    /// Everything.
    All,
    /// Exactly these scopes, e.g. `crm.objects.contacts.read`.
    Some(BTreeSet<String>),
}

/// One credential that the portal accepts.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// The bearer token.
    pub token: String,
    /// How it was made.
    pub kind: CredentialKind,
    /// The app it belongs to. Credentials of one app share its burst limit; property history names it as `sourceId`.
    pub app_id: u64,
    /// What it may do.
    pub scopes: Scopes,
    /// A revoked credential is answered with 401.
    #[serde(default)]
    pub revoked: bool,
}

impl Credential {
    /// A private-app token with every scope.
    pub fn private_app(token: impl Into<String>) -> Credential {
        Credential {
            token: token.into(),
            kind: CredentialKind::PrivateApp,
            app_id: 1_000_001,
            scopes: Scopes::All,
            revoked: false,
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("kind", &self.kind)
            .field("app_id", &self.app_id)
            .field("scopes", &self.scopes)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

/// The request limits in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limits {
    /// What HubSpot documents for the portal's [`Tier`] and the credential's kind.
    ByTier,
    /// None; answers carry no rate headers.
    Off,
    /// These numbers for every credential.
    Custom(LimitTable),
}

/// Numbers of calls allowed. `None` means not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitTable {
    /// Calls of one app in any 10 seconds.
    pub burst: Option<u32>,
    /// Calls of the association endpoints of one app in any 10 seconds.
    pub association_burst: Option<u32>,
    /// Search calls of the whole account in any second.
    pub search_per_second: Option<u32>,
    /// Calls of all private apps and service keys in one day of the portal's time zone.
    pub daily: Option<u32>,
    /// Calls of the association endpoints in one day of the portal's time zone.
    pub association_daily: Option<u32>,
}

impl LimitTable {
    /// No limit anywhere.
    pub const OFF: LimitTable = LimitTable {
        burst: None,
        association_burst: None,
        search_per_second: None,
        daily: None,
        association_daily: None,
    };

    /// HubSpot docs, usage guidelines: the limits of a credential kind in a portal of a tier.
    pub fn by_tier(tier: Tier, kind: CredentialKind) -> LimitTable {
        let (burst, daily, association_burst, association_daily) = match tier {
            Tier::Free | Tier::Starter => (100, 250_000, 100, None),
            // A changelog entry said 650,000; the smaller documented number is the safer one.
            Tier::Professional => (190, 625_000, 150, Some(500_000)),
            Tier::Enterprise => (190, 1_000_000, 150, Some(500_000)),
            Tier::Unlimited => return LimitTable::OFF,
        };
        let oauth = kind == CredentialKind::OAuth;
        LimitTable {
            burst: Some(if oauth { 110 } else { burst }),
            association_burst: Some(association_burst),
            search_per_second: Some(5),
            daily: if oauth { None } else { Some(daily) },
            association_daily,
        }
    }
}

/// Everything that defines a portal at its start. Build one with [`PortalConfig::new`] and change fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortalConfig {
    /// Seeds record ids, correlation ids and the order of batch results.
    pub seed: u64,
    /// The portal's number (`hub_id`).
    pub portal_id: u64,
    /// Subscription level.
    pub tier: Tier,
    /// Where the portal's day begins and ends; the daily counter resets at its midnight.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub time_zone: TimeZone,
    /// How long a write stays invisible to search.
    pub search_lag: Duration,
    /// Reported as [`Reply::delay`](crate::Reply::delay) of every API answer.
    pub latency: Duration,
    /// Accepted credentials.
    pub credentials: Vec<Credential>,
    /// Apps that can be installed through OAuth.
    #[serde(default)]
    pub apps: Vec<OAuthApp>,
    /// Request limits.
    pub limits: Limits,
    /// Whether batch results come back in another order than the inputs, as HubSpot's may. On by default, so that
    /// a client that matches by position is found out.
    pub shuffle_batch_results: bool,
    /// What `account-info` says the portal is.
    pub account_type: String,
    /// The company currency of the portal.
    pub currency: String,
    /// People to whom records can be assigned. Owner ids are given out in order.
    pub owners: Vec<OwnerSeed>,
}

/// One owner that the portal starts with.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerSeed {
    /// E-mail address of the user.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

impl fmt::Debug for OwnerSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnerSeed(..)")
    }
}

impl PortalConfig {
    /// An Enterprise portal in UTC with one all-scope private-app credential, tier limits, a search lag of 5 s, no
    /// latency and two owners.
    pub fn new(token: impl Into<String>) -> PortalConfig {
        let owner = |email: &str, first: &str, last: &str| OwnerSeed {
            email: email.to_owned(),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
        };
        PortalConfig {
            seed: 1,
            portal_id: 51_234_567,
            tier: Tier::Enterprise,
            time_zone: TimeZone::UTC,
            search_lag: Duration::from_secs(5),
            latency: Duration::ZERO,
            credentials: vec![Credential::private_app(token)],
            apps: Vec::new(),
            limits: Limits::ByTier,
            shuffle_batch_results: true,
            account_type: "DEVELOPER_TEST".to_owned(),
            currency: "USD".to_owned(),
            owners: vec![
                owner("robin.keller@example.com", "Robin", "Keller"),
                owner("sam.okafor@example.com", "Sam", "Okafor"),
            ],
        }
    }
}
