//! From a recognised operation to the function that answers it.

use jiff::Timestamp;

use crate::account;
use crate::associations::{api as links, batch as link_batch, labels, legacy, limits as link_limits};
use crate::context::{Answer, Ctx};
use crate::counts;
use crate::error::ApiError;
use crate::objects::types::TypeKey;
use crate::objects::{batch, merge, read};
use crate::owners;
use crate::pipelines::api as pipelines;
use crate::properties::{api as properties, groups};
use crate::router::{Operation, Route};
use crate::schemas;
use crate::search;
use crate::state::State;

/// Answers the call. On an error nothing has changed but used-up ids.
pub(crate) fn dispatch(
    state: &mut State,
    ctx: &Ctx<'_>,
    route: &Route,
    now: Timestamp,
    calls_today: u32,
) -> Result<Answer, ApiError> {
    use Operation as Op;
    let arg = |index: usize| route.args.get(index).map_or("", String::as_str);
    match route.operation {
        Op::ObjectList => read::list(state, ctx, state.find_type(arg(0))?),
        Op::ObjectGet => read::get(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::ObjectBatchRead => read::batch_read(state, ctx, state.find_type(arg(0))?),
        Op::ObjectCreate => batch::create_one(state, ctx, state.find_type(arg(0))?),
        Op::ObjectUpdate => batch::update_one(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::ObjectArchive => batch::archive_one(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::ObjectBatchCreate => batch::batch_create(state, ctx, state.find_type(arg(0))?),
        Op::ObjectBatchUpdate => batch::batch_update(state, ctx, state.find_type(arg(0))?),
        Op::ObjectBatchUpsert => batch::batch_upsert(state, ctx, state.find_type(arg(0))?),
        Op::ObjectBatchArchive => batch::batch_archive(state, ctx, state.find_type(arg(0))?),
        Op::ObjectSearch => search::search(state, ctx, state.find_type(arg(0))?),
        Op::ObjectMerge => merge::merge(state, ctx, state.find_type(arg(0))?),
        Op::ObjectGdprDelete => merge::gdpr_delete(state, ctx, state.find_type(arg(0))?),
        Op::LinkDefault
        | Op::LinkPut
        | Op::LinkPutTyped
        | Op::LinkDeleteTyped
        | Op::LinkList
        | Op::LinkDelete => one_link(state, ctx, route.operation, &arg),
        Op::LinkBatchDefault
        | Op::LinkBatchCreate
        | Op::LinkBatchRead
        | Op::LinkBatchArchive
        | Op::LinkBatchLabelsArchive
        | Op::LegacyLinkBatchCreate
        | Op::LegacyLinkBatchRead
        | Op::LegacyLinkBatchArchive
        | Op::LegacyLinkTypes
        | Op::LabelList
        | Op::LabelCreate
        | Op::LabelUpdate
        | Op::LabelDelete
        | Op::LinkLimitsPair
        | Op::LinkLimitsCreate
        | Op::LinkLimitsUpdate
        | Op::LinkLimitsPurge => {
            let pair = (state.find_type(arg(0))?, state.find_type(arg(1))?);
            between_types(state, ctx, route.operation, pair, arg(2))
        }
        Op::LinkLimitsAll => Ok(link_limits::list(state, None)),
        Op::PropertyList => Ok(properties::list(state, ctx, state.find_type(arg(0))?)),
        Op::PropertyCreate => properties::create(state, ctx, state.find_type(arg(0))?),
        Op::PropertyGet => properties::get(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::PropertyUpdate => properties::update(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::PropertyArchive => properties::archive(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::PropertyBatchCreate => properties::batch_create(state, ctx, state.find_type(arg(0))?),
        Op::PropertyBatchRead => properties::batch_read(state, ctx, state.find_type(arg(0))?),
        Op::PropertyBatchArchive => properties::batch_archive(state, ctx, state.find_type(arg(0))?),
        Op::GroupList => Ok(groups::list(state, state.find_type(arg(0))?)),
        Op::GroupCreate => groups::create(state, ctx, state.find_type(arg(0))?),
        Op::GroupGet => groups::get(state, state.find_type(arg(0))?, arg(1)),
        Op::GroupUpdate => groups::update(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::GroupArchive => groups::archive(state, state.find_type(arg(0))?, arg(1)),
        Op::SchemaList => Ok(schemas::list(state, ctx)),
        Op::SchemaCreate => schemas::create(state, ctx),
        Op::SchemaGet => schemas::get(state, arg(0)),
        Op::SchemaUpdate => schemas::update(state, ctx, arg(0)),
        Op::SchemaDelete => schemas::delete(state, ctx, arg(0)),
        Op::SchemaLink => schemas::link(state, ctx, arg(0)),
        Op::SchemaUnlink => schemas::unlink(state, arg(0), arg(1)),
        Op::OwnerList => owners::list(&state.owners, ctx),
        Op::OwnerGet => owners::get(&state.owners, ctx, arg(0)),
        Op::PipelineList => Ok(pipelines::list(state, state.find_type(arg(0))?)),
        Op::PipelineCreate => pipelines::create(state, ctx, state.find_type(arg(0))?),
        Op::PipelineGet => pipelines::get(state, state.find_type(arg(0))?, arg(1)),
        Op::PipelineReplace => pipelines::replace(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::PipelineUpdate => pipelines::update(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::PipelineDelete => pipelines::delete(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::StageList => pipelines::stages(state, state.find_type(arg(0))?, arg(1)),
        Op::StageCreate => pipelines::create_stage(state, ctx, state.find_type(arg(0))?, arg(1)),
        Op::StageGet => pipelines::stage(state, state.find_type(arg(0))?, arg(1), arg(2)),
        Op::StageReplace | Op::StageUpdate => {
            pipelines::update_stage(state, ctx, state.find_type(arg(0))?, arg(1), arg(2))
        }
        Op::StageDelete => pipelines::delete_stage(state, ctx, state.find_type(arg(0))?, arg(1), arg(2)),
        Op::AccountDetails => Ok(account::details(state, ctx, now)),
        Op::AccountDailyUsage => Ok(account::daily_usage(state, ctx, now, calls_today)),
        Op::TokenInfo => account::token_info(state, ctx),
        // Answered before it comes to a record: see `oauth`.
        Op::OAuthToken
        | Op::OAuthTokenV1
        | Op::OAuthIntrospect
        | Op::OAuthRevoke
        | Op::OAuthAccessTokenInfo
        | Op::OAuthRefreshTokenInfo
        | Op::OAuthRefreshTokenDelete
        | Op::AppUninstall
        | Op::WebhookSettingsGet
        | Op::WebhookSettingsPut
        | Op::WebhookSettingsDelete
        | Op::WebhookList
        | Op::WebhookCreate
        | Op::WebhookBatchUpdate
        | Op::WebhookGet
        | Op::WebhookUpdate
        | Op::WebhookDelete
        | Op::JournalSubscriptionList
        | Op::JournalSubscriptionCreate
        | Op::JournalSubscriptionGet
        | Op::JournalSubscriptionDelete
        | Op::JournalSubscriptionDeletePortal
        | Op::JournalEarliest
        | Op::JournalLatest
        | Op::JournalNext
        | Op::JournalBatchEarliest
        | Op::JournalBatchLatest
        | Op::JournalBatchNext
        | Op::JournalBatchRead
        | Op::JournalFile => Err(ApiError::html_not_found()),
        Op::LimitRecords => Ok(counts::records(state)),
        Op::LimitCustomProperties => Ok(counts::custom_properties(state)),
        Op::LimitCustomObjects => Ok(counts::custom_types(state)),
        Op::LimitPipelines => Ok(counts::pipelines(state)),
        Op::LimitLabels => {
            let pair = match (ctx.query("fromObjectTypeId"), ctx.query("toObjectTypeId")) {
                (Some(from), Some(to)) => Some((state.find_type(from)?, state.find_type(to)?)),
                _ => None,
            };
            Ok(counts::labels(state, pair))
        }
        Op::EnablementAll => account::enablement(state, None),
        Op::EnablementOne => account::enablement(state, Some(arg(0))),
    }
}

fn one_link<'a>(
    state: &mut State,
    ctx: &Ctx<'_>,
    operation: Operation,
    arg: &impl Fn(usize) -> &'a str,
) -> Result<Answer, ApiError> {
    let from = (state.find_type(arg(0))?, arg(1));
    let to = (state.find_type(arg(2))?, arg(3));
    match operation {
        Operation::LinkDefault => links::put_default(state, ctx, from, to),
        Operation::LinkPut => links::put(state, ctx, from, to),
        Operation::LinkPutTyped => links::typed(state, ctx, from, to, arg(4), true),
        Operation::LinkDeleteTyped => links::typed(state, ctx, from, to, arg(4), false),
        Operation::LinkDelete => Ok(links::delete(state, from, to)),
        _ => links::list(state, ctx, from, to.0),
    }
}

fn between_types(
    state: &mut State,
    ctx: &Ctx<'_>,
    operation: Operation,
    (from, to): (TypeKey, TypeKey),
    last: &str,
) -> Result<Answer, ApiError> {
    match operation {
        Operation::LinkBatchDefault => link_batch::link_default(state, ctx, from, to),
        Operation::LinkBatchCreate => link_batch::link(state, ctx, from, to),
        Operation::LinkBatchRead => link_batch::read(state, ctx, from, to),
        Operation::LinkBatchArchive => link_batch::unlink(state, ctx, from, to),
        Operation::LinkBatchLabelsArchive => link_batch::remove_labels(state, ctx, from, to),
        Operation::LegacyLinkBatchCreate => legacy::write(state, ctx, from, to, true),
        Operation::LegacyLinkBatchArchive => legacy::write(state, ctx, from, to, false),
        Operation::LegacyLinkBatchRead => legacy::read(state, ctx, from, to),
        Operation::LegacyLinkTypes => Ok(legacy::types(state, from, to)),
        Operation::LabelCreate => labels::create(state, ctx, from, to),
        Operation::LabelUpdate => labels::update(state, ctx, from, to),
        Operation::LabelDelete => labels::delete(state, from, to, last),
        Operation::LinkLimitsPair => Ok(link_limits::list(state, Some((from, to)))),
        Operation::LinkLimitsCreate => link_limits::set(state, ctx, (from, to), false, 201),
        Operation::LinkLimitsUpdate => link_limits::set(state, ctx, (from, to), false, 200),
        Operation::LinkLimitsPurge => link_limits::set(state, ctx, (from, to), true, 204),
        _ => Ok(labels::list(state, from, to)),
    }
}
