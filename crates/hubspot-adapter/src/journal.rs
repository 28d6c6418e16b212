//! The webhooks journal over the client: what `webhooks` asks of HubSpot, in HubSpot's calls.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hubspot_client::{Client, Error, ErrorKind, NewJournalSubscription, Retry, Transport};
use webhooks::{
    FileRef, FileUrl, JournalApi, JournalError, JournalErrorKind, JournalSubscription,
    JournalSubscriptionApi, JournalSubscriptionKind, Offset, PortalId, StoredJournalSubscription,
    SubscriptionError,
};

/// The journal of the app whose credential the client carries.
///
/// Give it a client of its own: the app's token opens no portal, and its calls count against no portal's limits.
#[derive(Clone)]
pub struct HubSpotJournal {
    client: Client,
    /// For files alone: they lie on other hosts and take no credential.
    files: Arc<dyn Transport>,
}

impl HubSpotJournal {
    /// A journal over this client. `files` fetches from wherever its files lie: it must follow no redirect, and its
    /// largest answer should be as large as the reader's largest file.
    #[must_use]
    pub fn new(client: Client, files: Arc<dyn Transport>) -> HubSpotJournal {
        HubSpotJournal { client, files }
    }
}

impl fmt::Debug for HubSpotJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HubSpotJournal")
    }
}

fn file_ref(offer: hubspot_client::JournalOffer) -> FileRef {
    FileRef { offset: Offset::new(offer.offset), url: offer.url.into(), expires_at: offer.expires_at }
}

fn journal_error(error: &Error) -> JournalError {
    let kind = match error.kind() {
        ErrorKind::RevokedCredential | ErrorKind::MissingScope | ErrorKind::Forbidden => {
            JournalErrorKind::Refused
        }
        _ => match error.retry() {
            Retry::After(wait) => JournalErrorKind::Later(Some(wait)),
            Retry::Never | Retry::OutcomeUnknown => JournalErrorKind::Later(None),
        },
    };
    JournalError::new(kind, error.to_string())
}

#[async_trait]
impl JournalApi for HubSpotJournal {
    async fn files_after(&self, offset: Option<&Offset>, count: usize) -> Result<Vec<FileRef>, JournalError> {
        match self.client.journal().files_after(offset.map(Offset::as_str), count).await {
            Ok(offers) => Ok(offers.into_iter().map(file_ref).collect()),
            // What HubSpot answers for an offset that aged out is not documented; that it does not know it is the
            // nearest.
            Err(error) if error.kind() == ErrorKind::NotFound && offset.is_some() => {
                Err(JournalError::new(JournalErrorKind::OffsetGone, error.to_string()))
            }
            Err(error) => Err(journal_error(&error)),
        }
    }

    async fn latest_file(&self) -> Result<Option<FileRef>, JournalError> {
        let found = self.client.journal().latest().await.map_err(|error| journal_error(&error))?;
        Ok(found.map(file_ref))
    }

    async fn fetch(&self, url: &FileUrl, bytes_max: usize) -> Result<Bytes, JournalError> {
        let request = http::Request::get(url.expose()).body(Bytes::new()).map_err(|_| {
            JournalError::new(JournalErrorKind::Unreadable, "the file's URL cannot be called")
        })?;
        let answer = self.files.send(request).await.map_err(|error| {
            let kind =
                if error.is_too_long() { JournalErrorKind::TooLarge } else { JournalErrorKind::Later(None) };
            JournalError::new(kind, format!("a journal file: {error}"))
        })?;
        let status = answer.status().as_u16();
        match status {
            200 if answer.body().len() <= bytes_max => Ok(answer.into_body()),
            200 => Err(JournalError::new(
                JournalErrorKind::TooLarge,
                format!("a journal file has {} bytes", answer.body().len()),
            )),
            // Object stores answer so for a presigned URL whose time is over.
            401 | 403 => {
                Err(JournalError::new(JournalErrorKind::Expired, "the file's URL is not good any more"))
            }
            300..=399 => Err(JournalError::new(
                JournalErrorKind::Unreadable,
                format!("a journal file is answered with a redirect ({status}), which is not followed"),
            )),
            _ => Err(JournalError::new(
                JournalErrorKind::Later(None),
                format!("a journal file is answered with {status}"),
            )),
        }
    }
}

fn subscription_error(error: &Error) -> SubscriptionError {
    SubscriptionError::Api(error.to_string())
}

#[async_trait]
impl JournalSubscriptionApi for HubSpotJournal {
    async fn list(&self) -> Result<Vec<StoredJournalSubscription>, SubscriptionError> {
        let all = self.client.journal().subscriptions().await.map_err(|error| subscription_error(&error))?;
        let managed = |found: hubspot_client::JournalSubscription| {
            Some(StoredJournalSubscription {
                id: found.id,
                subscription: JournalSubscription {
                    kind: JournalSubscriptionKind::from_name(&found.subscription_type)?,
                    portal: PortalId(found.portal_id?),
                    object_type_id: found.object_type_id?.into(),
                    actions: found.actions.into_iter().collect(),
                    properties: found.properties.into_iter().collect(),
                    associated_object_type_ids: found.associated_object_type_ids.into_iter().collect(),
                },
            })
        };
        Ok(all.into_iter().filter_map(managed).collect())
    }

    async fn create(&self, wanted: &JournalSubscription) -> Result<u64, SubscriptionError> {
        let new = NewJournalSubscription {
            subscription_type: wanted.kind.name().to_owned(),
            portal_id: wanted.portal.0,
            object_type_id: wanted.object_type_id.clone(),
            actions: wanted.actions.iter().cloned().collect(),
            properties: wanted.properties.iter().cloned().collect(),
            associated_object_type_ids: wanted.associated_object_type_ids.iter().cloned().collect(),
        };
        self.client.journal().subscribe(&new).await.map_err(|error| subscription_error(&error))
    }

    async fn delete(&self, id: u64) -> Result<(), SubscriptionError> {
        self.client.journal().unsubscribe(id).await.map_err(|error| subscription_error(&error))
    }
}
