//! Where an app's webhooks go, and what they tell of.
//!
//! Of legacy public apps only: a project app states its webhooks in its project file, and a private app's are set in
//! HubSpot's pages (HubSpot docs: webhooks). Subscriptions belong to the app: every portal that installs it fires them.

use bytes::Bytes;
use http::Method;
use http_transport::Idempotency;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::wire::{Collection, optional_text, to_body};

/// Webhooks of one app.
#[derive(Clone, Debug)]
pub struct Webhooks {
    client: Client,
    app_id: u64,
    developer_key: Option<SecretString>,
}

/// Where a developer API key is good, whatever version the client speaks (HubSpot docs: only for legacy apps).
const BY_DEVELOPER_KEY: &str = "/webhooks/v3";

/// Where webhooks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// The URL that HubSpot calls.
    pub target_url: String,
    /// Requests under way for one portal: more than 5, 10 if it was never set (HubSpot docs).
    pub concurrent_max: u32,
}

/// A subscription to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewWebhookSubscription {
    /// Such as `contact.propertyChange`.
    pub event_type: String,
    /// With `object.*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_type_id: Option<String>,
    /// With `*.propertyChange`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property_name: Option<String>,
    /// Whether it begins at once. HubSpot may leave it paused all the same (HubSpot docs: new ones start paused).
    pub active: bool,
}

/// A subscription that the app has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookSubscription {
    /// HubSpot's id.
    #[serde(deserialize_with = "crate::wire::text")]
    pub id: Box<str>,
    /// Such as `contact.propertyChange`.
    pub event_type: Box<str>,
    /// With `object.*`.
    #[serde(default, deserialize_with = "optional_text")]
    pub object_type_id: Option<Box<str>>,
    /// With `*.propertyChange`.
    #[serde(default, deserialize_with = "optional_text")]
    pub property_name: Option<Box<str>>,
    /// Paused if not.
    #[serde(default)]
    pub active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    target_url: String,
    #[serde(default)]
    throttling: Throttling,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Throttling {
    max_concurrent_requests: u32,
}

impl Default for Throttling {
    fn default() -> Self {
        Self { max_concurrent_requests: 10 }
    }
}

impl Webhooks {
    pub(crate) fn new(client: Client, app_id: u64) -> Self {
        Self { client, app_id, developer_key: None }
    }

    /// With the developer API key of the account in which a legacy public app was made, in the place of the client's token:
    /// what HubSpot's guide to legacy apps asks for (HubSpot docs: webhooks). The calls go to `/webhooks/v3`.
    #[must_use]
    pub fn with_developer_key(mut self, key: SecretString) -> Self {
        self.developer_key = Some(key);
        self
    }

    /// Where webhooks go; `None` before it was set.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn settings(&self) -> Result<Option<WebhookSettings>, Error> {
        match self.fetch::<Settings>(Call::get(self.path("settings"))).await {
            Ok(found) => Ok(Some(WebhookSettings {
                target_url: found.target_url,
                concurrent_max: found.throttling.max_concurrent_requests,
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets where webhooks go. HubSpot may take 5 minutes to heed it (HubSpot docs).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_settings(&self, settings: &WebhookSettings) -> Result<(), Error> {
        let throttling = json!({ "maxConcurrentRequests": settings.concurrent_max });
        let body = to_body(&json!({ "targetUrl": settings.target_url, "throttling": throttling }), 256)?;
        self.perform(Call::new(Method::PUT, self.path("settings"), body)).await
    }

    /// Every subscription of the app.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn subscriptions(&self) -> Result<Vec<WebhookSubscription>, Error> {
        let found: Collection<WebhookSubscription> =
            self.fetch(Call::get(self.path("subscriptions"))).await?;
        Ok(found.results)
    }

    /// Makes a subscription.
    ///
    /// # Errors
    /// When the call fails, or its outcome is unknown.
    pub async fn subscribe(
        &self,
        subscription: &NewWebhookSubscription,
    ) -> Result<WebhookSubscription, Error> {
        let body = to_body(subscription, 256)?;
        self.fetch(Call::post(self.path("subscriptions"), body)).await
    }

    /// Starts or pauses subscriptions.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_active(&self, ids: &[u64], active: bool) -> Result<(), Error> {
        let inputs: Vec<_> = ids.iter().map(|id| json!({ "id": id, "active": active })).collect();
        let body = to_body(&json!({ "inputs": inputs }), 64 * ids.len())?;
        let call = Call::post(self.path("subscriptions/batch/update"), body);
        self.perform(call.idempotency(Idempotency::Idempotent)).await
    }

    /// Deletes a subscription; one that is not there is as good as deleted.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn unsubscribe(&self, id: u64) -> Result<(), Error> {
        let call = Call::new(Method::DELETE, self.path(&format!("subscriptions/{id}")), Bytes::new());
        match self.perform(call).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            ended => ended,
        }
    }

    fn path(&self, rest: &str) -> String {
        let version = match &self.developer_key {
            Some(_) => BY_DEVELOPER_KEY,
            None => self.client.version().webhooks.as_ref(),
        };
        format!("{version}/{}/{rest}", self.app_id)
    }

    async fn fetch<T: for<'de> Deserialize<'de>>(&self, call: Call) -> Result<T, Error> {
        self.client.fetch(call.developer_key(self.developer_key.clone())).await
    }

    async fn perform(&self, call: Call) -> Result<(), Error> {
        self.client.perform(call.developer_key(self.developer_key.clone())).await
    }
}
