//! The crate's error: what happened, at which call, and whether to try again.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http_transport::{CircuitOpen, LimitError, Sent, TransportError};

use crate::object_type::RecordId;
use crate::refusal::{Refusal, RefusalDetail};

/// What a failed call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The credential is revoked, expired or wrong. Stop, and have the portal connected again.
    RevokedCredential,
    /// The credential lacks a scope; see [`Error::scopes`].
    MissingScope,
    /// Refused for another reason of rights.
    Forbidden,
    /// The record, property, type or path is unknown.
    NotFound,
    /// A unique value is taken; see [`Error::holder`].
    Duplicate,
    /// A definition of that name exists already.
    AlreadyExists,
    /// Another conflict with what is there.
    Conflict,
    /// Values break a rule of the portal; see [`Error::details`].
    Validation,
    /// The request is malformed in HubSpot's eyes.
    BadRequest,
    /// The request breaks a documented limit and was not sent.
    InvalidRequest,
    /// The URL or body is too long.
    TooLarge,
    /// A count limit of the portal is reached, such as labels per pair.
    LimitReached,
    /// A burst limit, after all tries.
    RateLimited,
    /// The day's calls are used up.
    DailyLimit,
    /// The record or portal is locked for a moment.
    Locked,
    /// The portal moves between data centres.
    Migrating,
    /// HubSpot failed.
    Server,
    /// The request never left.
    Unreachable,
    /// The request left, and no whole answer came.
    NoAnswer,
    /// An answer came that is not what the documentation says.
    Unreadable,
    /// The target failed too often lately, so the call was not made.
    CircuitOpen,
    /// No token could be had.
    NoToken,
    /// The credential belongs to another portal than the one expected.
    WrongPortal,
}

/// Whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// The call was not executed (or only reads) and may succeed after this long.
    After(Duration),
    /// The call may have been executed: look before writing again.
    OutcomeUnknown,
}

/// A failed call. Its texts hold no secret, no value and no address.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: String,
    status: Option<u16>,
    correlation_id: Option<String>,
    message: String,
    refusal: Option<Refusal>,
    retry: Retry,
    input: Option<usize>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether to try again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether the call may have been executed.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.0.retry == Retry::OutcomeUnknown
    }

    /// Method and redacted path of the call.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The answer's status, if an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// HubSpot's id for the request, to quote to its support.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// HubSpot's category.
    #[must_use]
    pub fn category(&self) -> Option<&str> {
        self.0.refusal.as_ref()?.category.as_deref()
    }

    /// HubSpot's sub-category.
    #[must_use]
    pub fn sub_category(&self) -> Option<&str> {
        self.0.refusal.as_ref()?.sub_category.as_deref()
    }

    /// The problems that HubSpot names one by one.
    #[must_use]
    pub fn details(&self) -> &[RefusalDetail] {
        self.0.refusal.as_ref().map_or(&[], |refusal| &refusal.details)
    }

    /// The record that holds a taken unique value, where HubSpot names it.
    #[must_use]
    pub fn holder(&self) -> Option<&RecordId> {
        self.0.refusal.as_ref()?.holder.as_ref()
    }

    /// Scopes of which any one would have sufficed.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.0.refusal.as_ref().map_or(&[], |refusal| &refusal.scopes)
    }

    /// The refusal, if HubSpot answered with one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.0.refusal.as_ref()
    }

    /// Index of the input that made HubSpot refuse the whole batch, where it can be told.
    #[must_use]
    pub fn offending_input(&self) -> Option<usize> {
        self.0.input
    }

    /// Whether the refusal is about the data sent, so that sending less of it can succeed.
    #[must_use]
    pub fn is_about_data(&self) -> bool {
        let by_kind = matches!(
            self.0.kind,
            ErrorKind::Duplicate | ErrorKind::Conflict | ErrorKind::Validation | ErrorKind::BadRequest
        );
        by_kind && !self.outcome_unknown()
    }

    /// One sentence for people, without the call it is about.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    fn new(kind: ErrorKind, message: impl Into<String>, retry: Retry) -> Self {
        Self(Box::new(Inner {
            kind,
            operation: String::new(),
            status: None,
            correlation_id: None,
            message: message.into(),
            refusal: None,
            retry,
            input: None,
            source: None,
        }))
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message, Retry::Never)
    }

    pub(crate) fn wrong_portal(expected: u64, found: u64) -> Self {
        let message = format!("the credential belongs to portal {found}, not to portal {expected}");
        Self::new(ErrorKind::WrongPortal, message, Retry::Never)
    }

    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unreadable, message, Retry::Never)
    }

    pub(crate) fn refused(status: u16, refusal: Refusal, retry: Retry) -> Self {
        let mut error = Self::new(refusal.kind, refusal.message.clone(), retry);
        if error.0.message.is_empty() {
            error.0.message = format!("status {status} without an explanation");
        }
        error.0.status = Some(status);
        error.0.refusal = Some(refusal);
        error
    }

    pub(crate) fn transport(source: TransportError, retry: Retry) -> Self {
        let kind = match source.sent() {
            Sent::No => ErrorKind::Unreachable,
            Sent::Perhaps => ErrorKind::NoAnswer,
        };
        let message = source.to_string();
        let mut error = Self::new(kind, message, retry);
        // The transport's own text is the message; what lies under it comes next in the chain.
        error.0.source = Some(Box::new(source));
        error
    }

    pub(crate) fn limited(limit: LimitError, retry: Retry) -> Self {
        let kind = if limit.daily { ErrorKind::DailyLimit } else { ErrorKind::RateLimited };
        Self::new(
            kind,
            format!("not called: no call is allowed for {} s", limit.retry_after.as_secs()),
            retry,
        )
    }

    pub(crate) fn circuit_open(open: CircuitOpen, retry: Retry) -> Self {
        Self::new(ErrorKind::CircuitOpen, open.to_string(), retry)
    }

    pub(crate) fn token(source: http_transport::TokenError, retry: Retry) -> Self {
        let kind = match source {
            http_transport::TokenError::Revoked => ErrorKind::RevokedCredential,
            _ => ErrorKind::NoToken,
        };
        let mut error = Self::new(kind, source.to_string(), retry);
        error.0.source = Some(Box::new(source));
        error
    }

    pub(crate) fn with_operation(mut self, operation: impl FnOnce() -> String) -> Self {
        if self.0.operation.is_empty() {
            self.0.operation = operation();
        }
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_correlation(mut self, correlation_id: Option<String>) -> Self {
        self.0.correlation_id = correlation_id;
        self
    }

    pub(crate) fn with_input(mut self, input: Option<usize>) -> Self {
        self.0.input = input;
        self
    }

    pub(crate) fn with_outcome_unknown(mut self) -> Self {
        self.0.retry = Retry::OutcomeUnknown;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.operation.is_empty() {
            write!(f, "{}: ", self.0.operation)?;
        }
        if let Some(status) = self.0.status {
            write!(f, "{status} ")?;
        }
        f.write_str(&self.0.message)?;
        if let Some(id) = &self.0.correlation_id {
            write!(f, " (correlation id {id})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("status", &self.0.status)
            .field("message", &self.0.message)
            .field("retry", &self.0.retry)
            .field("correlation_id", &self.0.correlation_id)
            .field("refusal", &self.0.refusal)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // Our message is the direct cause's own text, so the chain goes on below it.
        self.0.source.as_deref()?.source()
    }
}
