//! Paths to operations: every endpoint of every supported version, in one table.

use std::borrow::Cow;

use serde::Serialize;

use crate::limits::CallClass;

/// The rules a call is answered by, taken from its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    /// `/crm/v3`, `/crm/v4` and their like.
    Legacy,
    /// `2026-03`.
    V2026_03,
    /// `2026-09`: administrators' rules bind API writes, dates are normalised with a warning, pipelines in use
    /// cannot be deleted.
    V2026_09,
}

/// What an operation does to the portal, for limits, scopes and statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationClass {
    /// Reads records or metadata.
    Read,
    /// Creates, changes, archives, merges or links.
    Write,
    /// Batch upsert.
    Upsert,
    /// Search.
    Search,
}

macro_rules! operations {
    ($($name:ident $text:literal $class:ident $rate:ident;)*) => {
        /// One thing a client can ask for, independent of the path's version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Operation { $($name),* }

        impl Operation {
            /// Stable name in the request log and in statistics.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Operation::$name => $text),* }
            }

            pub(crate) fn class(self) -> OperationClass {
                match self { $(Operation::$name => OperationClass::$class),* }
            }

            pub(crate) fn call_class(self) -> CallClass {
                match self { $(Operation::$name => CallClass::$rate),* }
            }
        }
    };
}

operations! {
    ObjectList "objects.list" Read Ordinary;
    ObjectCreate "objects.create" Write Ordinary;
    ObjectGet "objects.get" Read Ordinary;
    ObjectUpdate "objects.update" Write Ordinary;
    ObjectArchive "objects.archive" Write Ordinary;
    ObjectBatchRead "objects.batch_read" Read Ordinary;
    ObjectBatchCreate "objects.batch_create" Write Ordinary;
    ObjectBatchUpdate "objects.batch_update" Write Ordinary;
    ObjectBatchUpsert "objects.batch_upsert" Upsert Ordinary;
    ObjectBatchArchive "objects.batch_archive" Write Ordinary;
    ObjectSearch "objects.search" Search Search;
    ObjectMerge "objects.merge" Write Ordinary;
    ObjectGdprDelete "objects.gdpr_delete" Write Ordinary;
    LinkDefault "associations.create_default" Write Association;
    LinkPut "associations.put" Write Association;
    LinkPutTyped "associations.put_typed" Write Association;
    LinkDeleteTyped "associations.delete_typed" Write Association;
    LinkList "associations.list" Read Association;
    LinkDelete "associations.delete" Write Association;
    LinkBatchDefault "associations.batch_create_default" Write Association;
    LinkBatchCreate "associations.batch_create" Write Association;
    LinkBatchRead "associations.batch_read" Read Association;
    LinkBatchArchive "associations.batch_archive" Write Association;
    LinkBatchLabelsArchive "associations.batch_labels_archive" Write Association;
    LegacyLinkBatchCreate "associations_v3.batch_create" Write Association;
    LegacyLinkBatchRead "associations_v3.batch_read" Read Association;
    LegacyLinkBatchArchive "associations_v3.batch_archive" Write Association;
    LegacyLinkTypes "associations_v3.types" Read Association;
    LabelList "labels.list" Read Association;
    LabelCreate "labels.create" Write Association;
    LabelUpdate "labels.update" Write Association;
    LabelDelete "labels.delete" Write Association;
    LinkLimitsAll "association_limits.list" Read Association;
    LinkLimitsPair "association_limits.list_pair" Read Association;
    LinkLimitsCreate "association_limits.create" Write Association;
    LinkLimitsUpdate "association_limits.update" Write Association;
    LinkLimitsPurge "association_limits.purge" Write Association;
    PropertyList "properties.list" Read Ordinary;
    PropertyCreate "properties.create" Write Ordinary;
    PropertyGet "properties.get" Read Ordinary;
    PropertyUpdate "properties.update" Write Ordinary;
    PropertyArchive "properties.archive" Write Ordinary;
    PropertyBatchCreate "properties.batch_create" Write Ordinary;
    PropertyBatchRead "properties.batch_read" Read Ordinary;
    PropertyBatchArchive "properties.batch_archive" Write Ordinary;
    GroupList "property_groups.list" Read Ordinary;
    GroupCreate "property_groups.create" Write Ordinary;
    GroupGet "property_groups.get" Read Ordinary;
    GroupUpdate "property_groups.update" Write Ordinary;
    GroupArchive "property_groups.archive" Write Ordinary;
    SchemaList "schemas.list" Read Ordinary;
    SchemaCreate "schemas.create" Write Ordinary;
    SchemaGet "schemas.get" Read Ordinary;
    SchemaUpdate "schemas.update" Write Ordinary;
    SchemaDelete "schemas.delete" Write Ordinary;
    SchemaLink "schemas.create_association" Write Ordinary;
    SchemaUnlink "schemas.delete_association" Write Ordinary;
    OwnerList "owners.list" Read Ordinary;
    OwnerGet "owners.get" Read Ordinary;
    PipelineList "pipelines.list" Read Ordinary;
    PipelineCreate "pipelines.create" Write Ordinary;
    PipelineGet "pipelines.get" Read Ordinary;
    PipelineReplace "pipelines.replace" Write Ordinary;
    PipelineUpdate "pipelines.update" Write Ordinary;
    PipelineDelete "pipelines.delete" Write Ordinary;
    StageList "stages.list" Read Ordinary;
    StageCreate "stages.create" Write Ordinary;
    StageGet "stages.get" Read Ordinary;
    StageReplace "stages.replace" Write Ordinary;
    StageUpdate "stages.update" Write Ordinary;
    StageDelete "stages.delete" Write Ordinary;
    AccountDetails "account.details" Read Ordinary;
    AccountDailyUsage "account.daily_usage" Read Ordinary;
    TokenInfo "account.token_info" Read Ordinary;
    OAuthToken "oauth.token" Write Ordinary;
    OAuthTokenV1 "oauth.token_v1" Write Ordinary;
    OAuthIntrospect "oauth.introspect" Read Ordinary;
    OAuthRevoke "oauth.revoke" Write Ordinary;
    OAuthAccessTokenInfo "oauth.access_token" Read Ordinary;
    OAuthRefreshTokenInfo "oauth.refresh_token" Read Ordinary;
    OAuthRefreshTokenDelete "oauth.refresh_token_delete" Write Ordinary;
    AppUninstall "apps.uninstall" Write Ordinary;
    LimitRecords "limits.records" Read Ordinary;
    LimitCustomProperties "limits.custom_properties" Read Ordinary;
    LimitCustomObjects "limits.custom_object_types" Read Ordinary;
    LimitPipelines "limits.pipelines" Read Ordinary;
    LimitLabels "limits.association_labels" Read Ordinary;
    EnablementAll "object_library.enablement" Read Ordinary;
    EnablementOne "object_library.enablement_of_type" Read Ordinary;
    WebhookSettingsGet "webhooks.get_settings" Read Ordinary;
    WebhookSettingsPut "webhooks.put_settings" Write Ordinary;
    WebhookSettingsDelete "webhooks.delete_settings" Write Ordinary;
    WebhookList "webhooks.list" Read Ordinary;
    WebhookCreate "webhooks.create" Write Ordinary;
    WebhookBatchUpdate "webhooks.batch_update" Write Ordinary;
    WebhookGet "webhooks.get" Read Ordinary;
    WebhookUpdate "webhooks.update" Write Ordinary;
    WebhookDelete "webhooks.delete" Write Ordinary;
    JournalSubscriptionList "journal.list_subscriptions" Read Ordinary;
    JournalSubscriptionCreate "journal.create_subscription" Write Ordinary;
    JournalSubscriptionGet "journal.get_subscription" Read Ordinary;
    JournalSubscriptionDelete "journal.delete_subscription" Write Ordinary;
    JournalSubscriptionDeletePortal "journal.delete_portal_subscriptions" Write Ordinary;
    JournalEarliest "journal.earliest" Read Ordinary;
    JournalLatest "journal.latest" Read Ordinary;
    JournalNext "journal.next" Read Ordinary;
    JournalBatchEarliest "journal.batch_earliest" Read Ordinary;
    JournalBatchLatest "journal.batch_latest" Read Ordinary;
    JournalBatchNext "journal.batch_next" Read Ordinary;
    JournalBatchRead "journal.batch_read" Read Ordinary;
    JournalFile "journal.file" Read Ordinary;
}

impl Operation {
    /// Whether it is the app's own: no portal's limits count it, and no portal's token is needed.
    pub(crate) fn is_app_level(self) -> bool {
        self.name().starts_with("webhooks.") || self.name().starts_with("journal.")
    }
}

/// Path families: the same endpoints stand behind different prefixes in different versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Objects,
    Associations,
    AssociationsV3,
    Properties,
    Schemas,
    Owners,
    Pipelines,
    Account,
    PrivateApps,
    OAuth,
    OAuthV1,
    AppInstalls,
    Limits,
    ObjectLibrary,
    Webhooks,
    Journal,
    JournalSubscriptions,
    JournalFiles,
}

/// `{}` stands for one segment. Earlier rows win.
const ROUTES: &[(Api, &str, &str, Operation)] = &[
    (Api::Objects, "GET", "{}", Operation::ObjectList),
    (Api::Objects, "POST", "{}", Operation::ObjectCreate),
    (Api::Objects, "POST", "{}/search", Operation::ObjectSearch),
    (Api::Objects, "POST", "{}/merge", Operation::ObjectMerge),
    (Api::Objects, "POST", "{}/gdpr-delete", Operation::ObjectGdprDelete),
    (Api::Objects, "POST", "{}/batch/read", Operation::ObjectBatchRead),
    (Api::Objects, "POST", "{}/batch/create", Operation::ObjectBatchCreate),
    (Api::Objects, "POST", "{}/batch/update", Operation::ObjectBatchUpdate),
    (Api::Objects, "POST", "{}/batch/upsert", Operation::ObjectBatchUpsert),
    (Api::Objects, "POST", "{}/batch/archive", Operation::ObjectBatchArchive),
    (Api::Objects, "GET", "{}/{}", Operation::ObjectGet),
    (Api::Objects, "PATCH", "{}/{}", Operation::ObjectUpdate),
    (Api::Objects, "DELETE", "{}/{}", Operation::ObjectArchive),
    (Api::Objects, "PUT", "{}/{}/associations/default/{}/{}", Operation::LinkDefault),
    (Api::Objects, "GET", "{}/{}/associations/{}", Operation::LinkList),
    (Api::Objects, "PUT", "{}/{}/associations/{}/{}", Operation::LinkPut),
    (Api::Objects, "DELETE", "{}/{}/associations/{}/{}", Operation::LinkDelete),
    (Api::Objects, "PUT", "{}/{}/associations/{}/{}/{}", Operation::LinkPutTyped),
    (Api::Objects, "DELETE", "{}/{}/associations/{}/{}/{}", Operation::LinkDeleteTyped),
    (Api::Associations, "GET", "definitions/configurations/all", Operation::LinkLimitsAll),
    (Api::Associations, "GET", "definitions/configurations/{}/{}", Operation::LinkLimitsPair),
    (Api::Associations, "POST", "definitions/configurations/{}/{}/batch/create", Operation::LinkLimitsCreate),
    (Api::Associations, "POST", "definitions/configurations/{}/{}/batch/update", Operation::LinkLimitsUpdate),
    (Api::Associations, "POST", "definitions/configurations/{}/{}/batch/purge", Operation::LinkLimitsPurge),
    (Api::Associations, "POST", "{}/{}/batch/associate/default", Operation::LinkBatchDefault),
    (Api::Associations, "POST", "{}/{}/batch/create", Operation::LinkBatchCreate),
    (Api::Associations, "POST", "{}/{}/batch/read", Operation::LinkBatchRead),
    (Api::Associations, "POST", "{}/{}/batch/archive", Operation::LinkBatchArchive),
    (Api::Associations, "POST", "{}/{}/batch/labels/archive", Operation::LinkBatchLabelsArchive),
    (Api::Associations, "GET", "{}/{}/labels", Operation::LabelList),
    (Api::Associations, "POST", "{}/{}/labels", Operation::LabelCreate),
    (Api::Associations, "PUT", "{}/{}/labels", Operation::LabelUpdate),
    (Api::Associations, "DELETE", "{}/{}/labels/{}", Operation::LabelDelete),
    (Api::AssociationsV3, "POST", "{}/{}/batch/create", Operation::LegacyLinkBatchCreate),
    (Api::AssociationsV3, "POST", "{}/{}/batch/read", Operation::LegacyLinkBatchRead),
    (Api::AssociationsV3, "POST", "{}/{}/batch/archive", Operation::LegacyLinkBatchArchive),
    (Api::AssociationsV3, "GET", "{}/{}/types", Operation::LegacyLinkTypes),
    (Api::Properties, "GET", "{}", Operation::PropertyList),
    (Api::Properties, "POST", "{}", Operation::PropertyCreate),
    (Api::Properties, "POST", "{}/batch/create", Operation::PropertyBatchCreate),
    (Api::Properties, "POST", "{}/batch/read", Operation::PropertyBatchRead),
    (Api::Properties, "POST", "{}/batch/archive", Operation::PropertyBatchArchive),
    (Api::Properties, "GET", "{}/groups", Operation::GroupList),
    (Api::Properties, "POST", "{}/groups", Operation::GroupCreate),
    (Api::Properties, "GET", "{}/groups/{}", Operation::GroupGet),
    (Api::Properties, "PATCH", "{}/groups/{}", Operation::GroupUpdate),
    (Api::Properties, "DELETE", "{}/groups/{}", Operation::GroupArchive),
    (Api::Properties, "GET", "{}/{}", Operation::PropertyGet),
    (Api::Properties, "PATCH", "{}/{}", Operation::PropertyUpdate),
    (Api::Properties, "DELETE", "{}/{}", Operation::PropertyArchive),
    (Api::Schemas, "GET", "", Operation::SchemaList),
    (Api::Schemas, "POST", "", Operation::SchemaCreate),
    (Api::Schemas, "GET", "{}", Operation::SchemaGet),
    (Api::Schemas, "PATCH", "{}", Operation::SchemaUpdate),
    (Api::Schemas, "DELETE", "{}", Operation::SchemaDelete),
    (Api::Schemas, "POST", "{}/associations", Operation::SchemaLink),
    (Api::Schemas, "DELETE", "{}/associations/{}", Operation::SchemaUnlink),
    (Api::Owners, "GET", "", Operation::OwnerList),
    (Api::Owners, "GET", "{}", Operation::OwnerGet),
    (Api::Pipelines, "GET", "{}", Operation::PipelineList),
    (Api::Pipelines, "POST", "{}", Operation::PipelineCreate),
    (Api::Pipelines, "GET", "{}/{}", Operation::PipelineGet),
    (Api::Pipelines, "PUT", "{}/{}", Operation::PipelineReplace),
    (Api::Pipelines, "PATCH", "{}/{}", Operation::PipelineUpdate),
    (Api::Pipelines, "DELETE", "{}/{}", Operation::PipelineDelete),
    (Api::Pipelines, "GET", "{}/{}/stages", Operation::StageList),
    (Api::Pipelines, "POST", "{}/{}/stages", Operation::StageCreate),
    (Api::Pipelines, "GET", "{}/{}/stages/{}", Operation::StageGet),
    (Api::Pipelines, "PUT", "{}/{}/stages/{}", Operation::StageReplace),
    (Api::Pipelines, "PATCH", "{}/{}/stages/{}", Operation::StageUpdate),
    (Api::Pipelines, "DELETE", "{}/{}/stages/{}", Operation::StageDelete),
    (Api::Account, "GET", "details", Operation::AccountDetails),
    (Api::Account, "GET", "api-usage/daily/private-apps", Operation::AccountDailyUsage),
    (Api::PrivateApps, "POST", "private-apps/get/access-token-info", Operation::TokenInfo),
    (Api::OAuth, "POST", "token", Operation::OAuthToken),
    (Api::OAuth, "POST", "token/introspect", Operation::OAuthIntrospect),
    (Api::OAuth, "POST", "token/revoke", Operation::OAuthRevoke),
    (Api::OAuthV1, "POST", "token", Operation::OAuthTokenV1),
    (Api::OAuthV1, "GET", "access-tokens/{}", Operation::OAuthAccessTokenInfo),
    (Api::OAuthV1, "GET", "refresh-tokens/{}", Operation::OAuthRefreshTokenInfo),
    (Api::OAuthV1, "DELETE", "refresh-tokens/{}", Operation::OAuthRefreshTokenDelete),
    (Api::AppInstalls, "DELETE", "external-install", Operation::AppUninstall),
    (Api::Limits, "GET", "records", Operation::LimitRecords),
    (Api::Limits, "GET", "custom-properties", Operation::LimitCustomProperties),
    (Api::Limits, "GET", "custom-object-types", Operation::LimitCustomObjects),
    (Api::Limits, "GET", "pipelines", Operation::LimitPipelines),
    (Api::Limits, "GET", "associations/labels", Operation::LimitLabels),
    (Api::ObjectLibrary, "GET", "enablement", Operation::EnablementAll),
    (Api::ObjectLibrary, "GET", "enablement/{}", Operation::EnablementOne),
    (Api::Webhooks, "GET", "{}/settings", Operation::WebhookSettingsGet),
    (Api::Webhooks, "PUT", "{}/settings", Operation::WebhookSettingsPut),
    (Api::Webhooks, "DELETE", "{}/settings", Operation::WebhookSettingsDelete),
    (Api::Webhooks, "GET", "{}/subscriptions", Operation::WebhookList),
    (Api::Webhooks, "POST", "{}/subscriptions", Operation::WebhookCreate),
    (Api::Webhooks, "POST", "{}/subscriptions/batch/update", Operation::WebhookBatchUpdate),
    (Api::Webhooks, "GET", "{}/subscriptions/{}", Operation::WebhookGet),
    (Api::Webhooks, "PATCH", "{}/subscriptions/{}", Operation::WebhookUpdate),
    (Api::Webhooks, "DELETE", "{}/subscriptions/{}", Operation::WebhookDelete),
    (Api::JournalSubscriptions, "GET", "", Operation::JournalSubscriptionList),
    (Api::JournalSubscriptions, "POST", "", Operation::JournalSubscriptionCreate),
    (Api::JournalSubscriptions, "DELETE", "portals/{}", Operation::JournalSubscriptionDeletePortal),
    (Api::JournalSubscriptions, "GET", "{}", Operation::JournalSubscriptionGet),
    (Api::JournalSubscriptions, "DELETE", "{}", Operation::JournalSubscriptionDelete),
    (Api::Journal, "GET", "earliest", Operation::JournalEarliest),
    (Api::Journal, "GET", "latest", Operation::JournalLatest),
    (Api::Journal, "GET", "offset/{}/next", Operation::JournalNext),
    (Api::Journal, "GET", "batch/earliest/{}", Operation::JournalBatchEarliest),
    (Api::Journal, "GET", "batch/latest/{}", Operation::JournalBatchLatest),
    (Api::Journal, "GET", "batch/{}/next/{}", Operation::JournalBatchNext),
    (Api::Journal, "POST", "batch/read", Operation::JournalBatchRead),
    (Api::JournalFiles, "GET", "{}/{}", Operation::JournalFile),
];

/// A recognised request line.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    pub(crate) version: Version,
    /// What stood at the `{}` of the pattern, percent-decoded.
    pub(crate) args: Vec<String>,
}

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    UnknownPath,
    WrongMethod,
}

pub(crate) fn route(method: &str, path: &str) -> Result<Route, NoRoute> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (api, version, rest) = prefix(&segments).ok_or(NoRoute::UnknownPath)?;
    let mut seen = false;
    for &(row_api, row_method, pattern, operation) in ROUTES {
        if row_api != api {
            continue;
        }
        let Some(args) = matches(pattern, rest) else { continue };
        if row_method == method {
            let args = args.into_iter().map(|arg| percent_decode(arg).into_owned()).collect();
            return Ok(Route { operation, version, args });
        }
        seen = true;
    }
    Err(if seen { NoRoute::WrongMethod } else { NoRoute::UnknownPath })
}

fn prefix<'a>(segments: &'a [&'a str]) -> Option<(Api, Version, &'a [&'a str])> {
    let legacy = Version::Legacy;
    Some(match segments {
        ["crm", "v3" | "v4", "objects", rest @ ..] => (Api::Objects, legacy, rest),
        ["crm", "v4", "associations", rest @ ..] => (Api::Associations, legacy, rest),
        ["crm", "v3", "associations", rest @ ..] => (Api::AssociationsV3, legacy, rest),
        ["crm", "v3", "properties", rest @ ..] => (Api::Properties, legacy, rest),
        ["crm", "v3", "schemas", rest @ ..] | ["crm-object-schemas", "v3", "schemas", rest @ ..] => {
            (Api::Schemas, legacy, rest)
        }
        ["crm", "v3", "owners", rest @ ..] => (Api::Owners, legacy, rest),
        ["crm", "v3", "pipelines", rest @ ..] => (Api::Pipelines, legacy, rest),
        ["crm", "v3", "limits", rest @ ..] => (Api::Limits, legacy, rest),
        ["account-info", "v3", rest @ ..] => (Api::Account, legacy, rest),
        ["oauth", "v1", rest @ ..] => (Api::OAuthV1, legacy, rest),
        ["oauth", "v2", rest @ ..] => (Api::PrivateApps, legacy, rest),
        ["oauth", "v3", rest @ ..] => (Api::OAuth, legacy, rest),
        ["oauth", v, rest @ ..] => (Api::OAuth, dated(v)?, rest),
        ["appinstalls", "v3", rest @ ..] => (Api::AppInstalls, legacy, rest),
        ["appinstalls", v, rest @ ..] => (Api::AppInstalls, dated(v)?, rest),
        ["crm", "objects", v, rest @ ..] => (Api::Objects, dated(v)?, rest),
        ["crm", "associations", v, rest @ ..] => (Api::Associations, dated(v)?, rest),
        ["crm", "properties", v, rest @ ..] => (Api::Properties, dated(v)?, rest),
        ["crm-object-schemas", v, "schemas", rest @ ..] => (Api::Schemas, dated(v)?, rest),
        ["crm", "owners", v, rest @ ..] => (Api::Owners, dated(v)?, rest),
        ["crm", "pipelines", v, rest @ ..] => (Api::Pipelines, dated(v)?, rest),
        ["crm", "limits", v, rest @ ..] => (Api::Limits, dated(v)?, rest),
        ["crm", "object-library", v, rest @ ..] => (Api::ObjectLibrary, dated(v)?, rest),
        ["account-info", v, rest @ ..] => (Api::Account, dated(v)?, rest),
        ["webhooks", "v3", rest @ ..] => (Api::Webhooks, legacy, rest),
        ["webhooks", v, rest @ ..] => (Api::Webhooks, dated(v)?, rest),
        ["webhooks-journal", "subscriptions", v, rest @ ..] => (Api::JournalSubscriptions, dated(v)?, rest),
        ["webhooks-journal", "journal" | "journal-local", v, rest @ ..] => (Api::Journal, dated(v)?, rest),
        ["_journal-files", rest @ ..] => (Api::JournalFiles, legacy, rest),
        _ => return None,
    })
}

fn dated(segment: &str) -> Option<Version> {
    match segment {
        "2026-03" => Some(Version::V2026_03),
        "2026-09" => Some(Version::V2026_09),
        _ => None,
    }
}

fn matches<'a>(pattern: &str, segments: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut args = Vec::new();
    let mut given = segments.iter();
    for wanted in pattern.split('/').filter(|part| !part.is_empty()) {
        let segment = given.next()?;
        if wanted == "{}" {
            args.push(*segment);
        } else if wanted != *segment {
            return None;
        }
    }
    given.next().is_none().then_some(args)
}

/// Decodes `%XX`; anything malformed stays as it is. `+` is not a space in a path.
pub(crate) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

/// The query string as decoded pairs, in order.
pub(crate) fn query_pairs(query: Option<&str>) -> Vec<(String, String)> {
    query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| percent_decode(&text.replace('+', " ")).into_owned();
            (decode(key), decode(value))
        })
        .collect()
}
