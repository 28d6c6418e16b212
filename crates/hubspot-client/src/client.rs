//! The client handle and its builder.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_transport::{
    Breaker, BreakerConfig, Clock, Intervals, Lane, RetryPolicy, SplitMix64, TokenProvider, TokioClock,
    Transport,
};

use crate::account::Account;
use crate::associations::Associations;
use crate::error::Error;
use crate::journal::Journal;
use crate::limits::{Budgets, Limits, LimitsStatus};
use crate::object_type::ObjectType;
use crate::objects::Objects;
use crate::owners::Owners;
use crate::pipelines::Pipelines;
use crate::properties::Properties;
use crate::quota::Quota;
use crate::schemas::Schemas;
use crate::version::ApiVersion;
use crate::webhooks::Webhooks;

/// HubSpot's API for one portal and credential. Cloning is cheap and shares limits, circuit breaker and connections.
///
/// Every call waits for its turn by [`Lane`], carries the token, is repeated where that is safe, and ends in an [`Error`]
/// that says whether it may have been executed. Dropping a call's future may leave it executed.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    lane: Lane,
}

pub(crate) struct Shared {
    pub(crate) base_url: String,
    pub(crate) version: ApiVersion,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) tokens: Arc<dyn TokenProvider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) budgets: Budgets,
    pub(crate) breaker: Breaker,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) intervals: Intervals,
    pub(crate) jitter: SplitMix64,
    pub(crate) counts: Counters,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) unanswered: AtomicU64,
}

/// Requests sent so far, repeats included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallCounts {
    /// Requests that only read, searches and batch reads included.
    pub reads: u64,
    /// Requests that write.
    pub writes: u64,
    /// Of all these, refused by a rate limit (429).
    pub throttled: u64,
    /// Of all these, answered with another error.
    pub refused: u64,
    /// Of all these, without a whole answer.
    pub unanswered: u64,
}

/// Settings of a [`Client`].
pub struct ClientBuilder {
    base_url: String,
    tokens: Option<Arc<dyn TokenProvider>>,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    version: ApiVersion,
    limits: Limits,
    retry_policy: RetryPolicy,
    intervals: Intervals,
    breaker: BreakerConfig,
    seed: Option<u64>,
}

impl ClientBuilder {
    /// Where tokens come from. Required.
    #[must_use]
    pub fn token_provider(mut self, tokens: Arc<dyn TokenProvider>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// How requests are sent. Default: reqwest, with feature `reqwest`.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The clock. Default: tokio's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The API version. Default: [`ApiVersion::v2026_03`].
    #[must_use]
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.version = version;
        self
    }

    /// The portal's request limits. Default: [`Limits::professional`], corrected by every answer.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Bounds of repeating a call.
    #[must_use]
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = policy;
        self
    }

    /// Waits between tries.
    #[must_use]
    pub fn retry_intervals(mut self, intervals: Intervals) -> Self {
        self.intervals = intervals;
        self
    }

    /// When to stop calling a portal that keeps failing.
    #[must_use]
    pub fn breaker(mut self, breaker: BreakerConfig) -> Self {
        self.breaker = breaker;
        self
    }

    /// Seed of the jitter between tries. Default: from the clock.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// Kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when the base URL is none, no token provider was given, or no transport can be
    /// made.
    pub fn build(self) -> Result<Client, Error> {
        let base_url = self.base_url.trim_end_matches('/').to_owned();
        let absolute = base_url.parse::<http::Uri>().is_ok_and(|uri| {
            uri.authority().is_some()
                && uri.query().is_none()
                && matches!(uri.scheme_str(), Some("http" | "https"))
        });
        if !absolute {
            return Err(Error::invalid_request("the base URL must look like https://api.hubapi.com"));
        }
        let tokens = self.tokens.ok_or_else(|| Error::invalid_request("a token provider is needed"))?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let clock: Arc<dyn Clock> = self.clock.unwrap_or_else(|| Arc::new(TokioClock::start()));
        let seed = self.seed.unwrap_or_else(|| clock.now().as_microsecond().unsigned_abs());
        let shared = Shared {
            base_url,
            version: self.version,
            transport,
            tokens,
            limits: self.limits,
            budgets: Budgets::new(&self.limits, Arc::clone(&clock)),
            clock,
            breaker: Breaker::new(self.breaker),
            retry_policy: self.retry_policy,
            intervals: self.intervals,
            jitter: SplitMix64::new(seed),
            counts: Counters::default(),
        };
        Ok(Client { shared: Arc::new(shared), lane: Lane::Live })
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    let transport = http_transport::ReqwestTransport::builder()
        .build()
        .map_err(|error| Error::transport(error, crate::error::Retry::Never))?;
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Err(Error::invalid_request("a transport is needed when feature `reqwest` is off"))
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("version", &self.version.name)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// HubSpot's own base URL.
    pub const HUBSPOT: &str = "https://api.hubapi.com";

    /// Settings of a client for the portal behind `base_url`, such as [`Client::HUBSPOT`].
    #[must_use]
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            base_url: base_url.into(),
            tokens: None,
            transport: None,
            clock: None,
            version: ApiVersion::default(),
            limits: Limits::default(),
            retry_policy: RetryPolicy::default(),
            intervals: Intervals::default(),
            breaker: BreakerConfig::default(),
            seed: None,
        }
    }

    /// A handle to the same client whose calls go by `lane`.
    #[must_use]
    pub fn lane(&self, lane: Lane) -> Self {
        Self { shared: Arc::clone(&self.shared), lane }
    }

    /// The lane of this handle. [`Lane::Live`] unless chosen.
    #[must_use]
    pub fn current_lane(&self) -> Lane {
        self.lane
    }

    /// The API version in use.
    #[must_use]
    pub fn version(&self) -> &ApiVersion {
        &self.shared.version
    }

    /// The clock in use.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Records of one type.
    #[must_use]
    pub fn objects(&self, object_type: &ObjectType) -> Objects {
        Objects::new(self.clone(), object_type.clone())
    }

    /// Property definitions and groups of one type.
    #[must_use]
    pub fn properties(&self, object_type: &ObjectType) -> Properties {
        Properties::new(self.clone(), object_type.clone())
    }

    /// Associations from one type to another.
    #[must_use]
    pub fn associations(&self, from: &ObjectType, to: &ObjectType) -> Associations {
        Associations::new(self.clone(), from.clone(), to.clone())
    }

    /// Schemas of custom objects.
    #[must_use]
    pub fn schemas(&self) -> Schemas {
        Schemas::new(self.clone())
    }

    /// Owners.
    #[must_use]
    pub fn owners(&self) -> Owners {
        Owners::new(self.clone())
    }

    /// Pipelines of one type.
    #[must_use]
    pub fn pipelines(&self, object_type: &ObjectType) -> Pipelines {
        Pipelines::new(self.clone(), object_type.clone())
    }

    /// Account details and daily usage.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::new(self.clone())
    }

    /// Usage against the account's limits on records and definitions.
    #[must_use]
    pub fn quota(&self) -> Quota {
        Quota::new(self.clone())
    }

    /// The webhooks journal of the app that the credential belongs to; of no portal.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::new(self.clone())
    }

    /// Webhook settings and subscriptions of an app.
    #[must_use]
    pub fn webhooks(&self, app_id: u64) -> Webhooks {
        Webhooks::new(self.clone(), app_id)
    }

    /// The request limits it was built with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// The request limits as they are now.
    #[must_use]
    pub fn limits_status(&self) -> Option<LimitsStatus> {
        self.shared.budgets.status()
    }

    /// Requests sent so far by all handles of this client.
    #[must_use]
    pub fn call_counts(&self) -> CallCounts {
        let counts = &self.shared.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CallCounts {
            reads: read(&counts.reads),
            writes: read(&counts.writes),
            throttled: read(&counts.throttled),
            refused: read(&counts.refused),
            unanswered: read(&counts.unanswered),
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.shared.base_url)
            .field("version", &self.shared.version.name)
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}
