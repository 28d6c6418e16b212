//! The webhooks journal of an app: where its files are, and what is written into it.
//!
//! These calls take the app's own token (client credentials), not that of a portal, and count against no portal's
//! limits (HubSpot docs: webhooks journal). The files themselves are fetched from their URLs without a credential;
//! that is not a call of the API and not in here.

use std::fmt;

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Call, decode};
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::wire::{Collection, null_as_default, optional_text, to_body};

/// Files that one call offers at most (HubSpot docs: webhooks journal).
const FILES_MAX: usize = 100;

/// The journal of the app that the credential belongs to.
#[derive(Clone, Debug)]
pub struct Journal {
    client: Client,
}

/// A file of the journal. `Debug` hides its URL, which opens the file for whoever has it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JournalOffer {
    /// Its place in the journal.
    #[serde(rename = "currentOffset", deserialize_with = "crate::wire::text")]
    pub offset: Box<str>,
    /// Where it is fetched, without a credential.
    pub url: Box<str>,
    /// When the URL stops being good, where HubSpot says so in a way that can be read.
    #[serde(default, deserialize_with = "lenient_time")]
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for JournalOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalOffer")
            .field("offset", &self.offset)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A subscription to make. It cannot be changed afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewJournalSubscription {
    /// `OBJECT`, `ASSOCIATION` and so on.
    pub subscription_type: String,
    /// The portal.
    pub portal_id: u64,
    /// The object type, by type id.
    pub object_type_id: String,
    /// `CREATE`, `UPDATE` and so on.
    pub actions: Vec<String>,
    /// Properties, with `OBJECT`.
    pub properties: Vec<String>,
    /// Object types at the other end, with `ASSOCIATION`.
    pub associated_object_type_ids: Vec<String>,
}

/// A subscription that the app has, as far as HubSpot says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JournalSubscription {
    /// HubSpot's id.
    pub id: u64,
    /// `OBJECT`, `ASSOCIATION` and so on.
    pub subscription_type: String,
    /// The portal; none for some types.
    #[serde(default)]
    pub portal_id: Option<u64>,
    /// The object type, by type id.
    #[serde(default, deserialize_with = "optional_text")]
    pub object_type_id: Option<Box<str>>,
    /// `CREATE`, `UPDATE` and so on.
    #[serde(default, deserialize_with = "null_as_default")]
    pub actions: Vec<String>,
    /// Properties, with `OBJECT`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub properties: Vec<String>,
    /// Object types at the other end, with `ASSOCIATION`.
    #[serde(default, deserialize_with = "null_as_default")]
    pub associated_object_type_ids: Vec<String>,
}

impl Journal {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Up to `count` files (100 at most) behind `offset`, in their order; from the oldest that is kept without one. None
    /// when nothing is newer.
    ///
    /// # Errors
    /// When the call fails; kind [`NotFound`](ErrorKind::NotFound) most likely for an offset that HubSpot does not keep
    /// any more, which its docs leave open.
    pub async fn files_after(&self, offset: Option<&str>, count: usize) -> Result<Vec<JournalOffer>, Error> {
        let count = count.clamp(1, FILES_MAX);
        let base = &self.client.version().journal;
        let path = match offset {
            Some(offset) => format!("{base}/batch/{}/next/{count}", segment(offset)?),
            None => format!("{base}/batch/earliest/{count}"),
        };
        let found: Option<Collection<JournalOffer>> = self.ask(path).await?;
        Ok(found.map(|found| found.results).unwrap_or_default())
    }

    /// The newest file, if there is one.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn latest(&self) -> Result<Option<JournalOffer>, Error> {
        self.ask(format!("{}/latest", self.client.version().journal)).await
    }

    /// Every subscription of the app, in all portals.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn subscriptions(&self) -> Result<Vec<JournalSubscription>, Error> {
        let path = self.client.version().journal_subscriptions.to_string();
        let found: Collection<JournalSubscription> = self.client.fetch(Call::get(path)).await?;
        Ok(found.results)
    }

    /// Makes a subscription and returns its id. Repeating it makes another that tells the same.
    ///
    /// # Errors
    /// When the call fails, or its outcome is unknown.
    pub async fn subscribe(&self, subscription: &NewJournalSubscription) -> Result<u64, Error> {
        #[derive(Deserialize)]
        struct Made {
            id: u64,
        }
        let body = to_body(subscription, 512)?;
        let path = self.client.version().journal_subscriptions.to_string();
        let made: Made = self.client.fetch(Call::post(path, body)).await?;
        Ok(made.id)
    }

    /// Deletes a subscription; one that is not there is as good as deleted.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn unsubscribe(&self, id: u64) -> Result<(), Error> {
        let path = format!("{}/{id}", self.client.version().journal_subscriptions);
        let call = Call::new(Method::DELETE, path, bytes::Bytes::new());
        match self.client.perform(call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            ended => ended,
        }
    }

    /// An answer that may be 204: there is nothing.
    async fn ask<T: for<'de> Deserialize<'de>>(&self, path: String) -> Result<Option<T>, Error> {
        let answer = self.client.send(&Call::get(path)).await?;
        if answer.status == 204 || answer.body.is_empty() {
            return Ok(None);
        }
        decode(&answer.body).map(Some).map_err(|error| error.with_status(answer.status))
    }
}

/// An offset is HubSpot's own text; in a path it must stay one segment.
fn segment(offset: &str) -> Result<&str, Error> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if offset.is_empty() || matches!(offset, "." | "..") || !offset.bytes().all(plain) {
        return Err(Error::invalid_request("the journal's offset has characters that no offset has"));
    }
    Ok(offset)
}

/// ISO 8601 or epoch milliseconds; what is neither is as good as absent.
fn lenient_time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = optional_text(deserializer)?;
    Ok(text.and_then(|text| {
        text.parse().ok().or_else(|| Timestamp::from_millisecond(text.parse::<i64>().ok()?).ok())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_stays_one_segment_of_the_path() {
        for (offset, good) in [
            ("0197c3f0-5b5e-7d1a-9d53-2f8f6a1c0b11", true),
            ("a_b.c~d", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            ("a?b", false),
            ("a%2fb", false),
        ] {
            assert_eq!(segment(offset).is_ok(), good, "{offset}");
        }
    }

    #[test]
    fn an_offer_is_read_in_the_forms_it_may_have_and_its_url_is_not_shown() {
        let of = |expires: &str| -> JournalOffer {
            let text = format!(r#"{{"currentOffset":"o-1","url":"https://x/secret","expiresAt":{expires}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let expected = "2026-09-03T10:00:05Z".parse().ok();
        assert_eq!(of(r#""2026-09-03T10:00:05Z""#).expires_at, expected);
        assert_eq!(of("1788429605000").expires_at, expected);
        assert_eq!(of("null").expires_at, None);
        assert_eq!(of(r#""soon""#).expires_at, None);
        assert!(!format!("{:?}", of("null")).contains("secret"));
    }
}
