//! What a command ends with when it cannot go on: place and reason, then what to do about it.

use std::error::Error;
use std::fmt;

use sync_types::{DestinationError, SourceError, StoreError};

/// Why a command failed, in words for the person at the terminal. Holds no secret and no customer's value.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
    causes: Vec<String>,
    remedy: Option<String>,
    interrupted: bool,
}

impl Failure {
    /// A failure at a place, for a reason.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), causes: Vec::new(), remedy: None, interrupted: false }
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Failure {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same failure with the whole chain below it. What a message above already says is not said again.
    #[must_use]
    pub fn caused_by(mut self, cause: &dyn Error) -> Failure {
        let mut next = Some(cause);
        while let Some(cause) = next {
            let text = cause.to_string();
            let said = std::iter::once(&self.message).chain(&self.causes).any(|above| above.contains(&text));
            if !said {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// Somebody asked the process to end.
    pub(crate) fn interruption() -> Failure {
        let failure = Failure::new("interrupted").remedy("nothing is lost: the next run goes on from here");
        Failure { interrupted: true, ..failure }
    }

    /// Whether this is [`Failure::interruption`].
    pub(crate) fn is_interruption(&self) -> bool {
        self.interrupted
    }

    /// Place and reason.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The failure as machines read it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "error": self.message, "causes": self.causes, "remedy": self.remedy })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        if let Some(remedy) = &self.remedy {
            write!(f, "\n  what to do: {remedy}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Failure {}

macro_rules! from_role_error {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                let failure = Failure::new(error.message.clone());
                match error.source() {
                    Some(cause) => failure.caused_by(cause),
                    None => failure,
                }
            }
        }
    )*};
}

from_role_error!(SourceError, DestinationError, StoreError);

#[cfg(test)]
mod tests {
    use super::*;
    use sync_types::SourceErrorKind;

    #[test]
    fn the_chain_is_told_once_and_ends_with_the_remedy() {
        #[derive(Debug, thiserror::Error)]
        #[error("disk on fire")]
        struct Inner;
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read: disk on fire")]
        struct Outer(#[source] Inner);
        let failure = Failure::new("orders.csv").caused_by(&Outer(Inner)).remedy("put it out");
        assert_eq!(
            failure.to_string(),
            "orders.csv\n  because: cannot read: disk on fire\n  what to do: put it out"
        );
        assert_eq!(failure.to_json()["remedy"], "put it out");
    }

    #[test]
    fn a_role_error_keeps_its_cause() {
        let error = SourceError::new(SourceErrorKind::Unavailable, "orders.csv cannot be read")
            .caused_by(std::io::Error::other("no such file"));
        assert_eq!(Failure::from(error).to_string(), "orders.csv cannot be read\n  because: no such file");
    }
}
