//! The API version as data: where each family of endpoints lives.

use std::borrow::Cow;

/// A version of HubSpot's API: the path under which each family of endpoints lives.
///
/// Since March 2026 a version is a date in the path; each is supported for 18 months. A new one is one call of
/// [`ApiVersion::dated`]; nothing else in the crate depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiVersion {
    /// Name for people: `2026-03`, or `legacy`.
    pub name: Cow<'static, str>,
    /// Records: `…/{type}/…`.
    pub objects: Cow<'static, str>,
    /// Associations of one record: `…/{type}/{id}/associations/…`.
    pub record_associations: Cow<'static, str>,
    /// Association batches, labels and limits: `…/{from}/{to}/…` and `…/definitions/…`.
    pub associations: Cow<'static, str>,
    /// Property definitions: `…/{type}/…`.
    pub properties: Cow<'static, str>,
    /// Object schemas.
    pub schemas: Cow<'static, str>,
    /// Pipelines: `…/{type}/…`.
    pub pipelines: Cow<'static, str>,
    /// Owners.
    pub owners: Cow<'static, str>,
    /// Usage against the account's limits.
    pub limits: Cow<'static, str>,
    /// Account details and daily usage.
    pub account: Cow<'static, str>,
    /// Webhooks of an app: `…/{appId}/…`.
    pub webhooks: Cow<'static, str>,
    /// Reading the webhooks journal.
    pub journal: Cow<'static, str>,
    /// Subscriptions to the webhooks journal.
    pub journal_subscriptions: Cow<'static, str>,
}

impl ApiVersion {
    /// The date-based version of March 2026, the default.
    #[must_use]
    pub fn v2026_03() -> Self {
        Self::dated("2026-03")
    }

    /// The date-based version of September 2026. It enforces the portal's own rules on writes.
    #[must_use]
    pub fn v2026_09() -> Self {
        Self::dated("2026-09")
    }

    /// Any date-based version, such as `2027-03`.
    #[must_use]
    pub fn dated(date: &str) -> Self {
        Self {
            name: date.to_owned().into(),
            objects: format!("/crm/objects/{date}").into(),
            record_associations: format!("/crm/objects/{date}").into(),
            associations: format!("/crm/associations/{date}").into(),
            properties: format!("/crm/properties/{date}").into(),
            schemas: format!("/crm-object-schemas/{date}/schemas").into(),
            pipelines: format!("/crm/pipelines/{date}").into(),
            owners: format!("/crm/owners/{date}").into(),
            limits: format!("/crm/limits/{date}").into(),
            account: format!("/account-info/{date}").into(),
            webhooks: format!("/webhooks/{date}").into(),
            journal: format!("/webhooks-journal/journal/{date}").into(),
            journal_subscriptions: format!("/webhooks-journal/subscriptions/{date}").into(),
        }
    }

    /// The numbered paths (v3, and v4 for associations), unsupported from September 2027.
    #[must_use]
    pub fn legacy() -> Self {
        Self {
            name: "legacy".into(),
            objects: "/crm/v3/objects".into(),
            record_associations: "/crm/v4/objects".into(),
            associations: "/crm/v4/associations".into(),
            properties: "/crm/v3/properties".into(),
            schemas: "/crm-object-schemas/v3/schemas".into(),
            pipelines: "/crm/v3/pipelines".into(),
            owners: "/crm/v3/owners".into(),
            limits: "/crm/v3/limits".into(),
            account: "/account-info/v3".into(),
            webhooks: "/webhooks/v3".into(),
            // The journal began with the date-based versions (HubSpot docs); what was before was a beta.
            journal: "/webhooks-journal/journal/2026-03".into(),
            journal_subscriptions: "/webhooks-journal/subscriptions/2026-03".into(),
        }
    }
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self::v2026_03()
    }
}
