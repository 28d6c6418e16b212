//! Subscriptions of an app to push webhooks, over the client.

use async_trait::async_trait;
use hubspot_client::{Client, Error, NewWebhookSubscription, WebhookSettings, WebhookSubscription, Webhooks};
use secrecy::SecretString;
use webhooks::{
    PushSettings, PushSubscription, PushSubscriptionApi, StoredPushSubscription, SubscriptionError,
};

/// Push webhooks of one app, managed with a credential of that app.
#[derive(Clone, Debug)]
pub struct HubSpotPush {
    webhooks: Webhooks,
}

impl HubSpotPush {
    /// The app's webhooks over this client.
    #[must_use]
    pub fn new(client: Client, app_id: u64) -> HubSpotPush {
        HubSpotPush { webhooks: client.webhooks(app_id) }
    }

    /// By the developer API key of a legacy public app, in the place of the client's credential.
    #[must_use]
    pub fn with_developer_key(self, key: SecretString) -> HubSpotPush {
        HubSpotPush { webhooks: self.webhooks.with_developer_key(key) }
    }
}

fn failed(error: Error) -> SubscriptionError {
    SubscriptionError::Api(error.to_string())
}

fn stored(found: WebhookSubscription) -> Result<StoredPushSubscription, SubscriptionError> {
    let id = found.id.parse().map_err(|_| {
        SubscriptionError::Api("HubSpot names a subscription by something that is no number".to_owned())
    })?;
    Ok(StoredPushSubscription {
        id,
        subscription: PushSubscription {
            event_type: found.event_type.into(),
            object_type_id: found.object_type_id.map(Into::into),
            property_name: found.property_name.map(Into::into),
        },
        active: found.active,
    })
}

#[async_trait]
impl PushSubscriptionApi for HubSpotPush {
    async fn settings(&self) -> Result<Option<PushSettings>, SubscriptionError> {
        let found = self.webhooks.settings().await.map_err(failed)?;
        Ok(found
            .map(|found| PushSettings { target_url: found.target_url, concurrent_max: found.concurrent_max }))
    }

    async fn set_settings(&self, settings: &PushSettings) -> Result<(), SubscriptionError> {
        let settings = WebhookSettings {
            target_url: settings.target_url.clone(),
            concurrent_max: settings.concurrent_max,
        };
        self.webhooks.set_settings(&settings).await.map_err(failed)
    }

    async fn list(&self) -> Result<Vec<StoredPushSubscription>, SubscriptionError> {
        let found = self.webhooks.subscriptions().await.map_err(failed)?;
        found.into_iter().map(stored).collect()
    }

    async fn create(&self, wanted: &PushSubscription) -> Result<StoredPushSubscription, SubscriptionError> {
        let new = NewWebhookSubscription {
            event_type: wanted.event_type.clone(),
            object_type_id: wanted.object_type_id.clone(),
            property_name: wanted.property_name.clone(),
            active: true,
        };
        stored(self.webhooks.subscribe(&new).await.map_err(failed)?)
    }

    async fn set_active(&self, ids: &[u64], active: bool) -> Result<(), SubscriptionError> {
        self.webhooks.set_active(ids, active).await.map_err(failed)
    }

    async fn delete(&self, id: u64) -> Result<(), SubscriptionError> {
        self.webhooks.unsubscribe(id).await.map_err(failed)
    }
}
