//! Reading the journal: offsets, batches, and files behind URLs that expire.

use http::Request;
use serde_json::{Value, json};

use super::{File, Journals, subscriptions};
use crate::auth;
use crate::config::Scopes;
use crate::context::{Answer, Ctx, Inputs, Text};
use crate::error::ApiError;
use crate::router::{Operation, Route};
use crate::state::State;
use crate::time::{Millis, iso};
use crate::webhooks::signing;

/// HubSpot docs: files in one batch.
const BATCH_MAX: usize = 100;

/// The app that calls, if its credential has the scope that the operation needs.
pub(crate) fn authenticate<B>(
    state: &State,
    request: &Request<B>,
    ctx: &Ctx<'_>,
    operation: Operation,
) -> Result<u64, ApiError> {
    let credential = auth::authenticate(state, ctx.now, request.headers())?;
    let scope = match operation {
        Operation::JournalSubscriptionList | Operation::JournalSubscriptionGet => {
            "developer.webhooks_journal.subscriptions.read"
        }
        Operation::JournalSubscriptionCreate
        | Operation::JournalSubscriptionDelete
        | Operation::JournalSubscriptionDeletePortal => "developer.webhooks_journal.subscriptions.write",
        _ => "developer.webhooks_journal.read",
    };
    match &credential.scopes {
        Scopes::Some(granted) if !granted.contains(scope) => {
            Err(ApiError::missing_scopes(&[scope.to_owned()]))
        }
        _ => Ok(credential.app_id),
    }
}

pub(crate) fn answer(
    state: &mut State,
    ctx: &Ctx<'_>,
    route: &Route,
    app_id: u64,
) -> Result<Answer, ApiError> {
    let arg = |index: usize| route.args.get(index).map_or("", String::as_str);
    state.journals.settle(ctx.now);
    let portal_id = state.config.portal_id;
    let journals = &mut state.journals;
    match route.operation {
        Operation::JournalSubscriptionCreate => return subscriptions::create(state, ctx, app_id),
        Operation::JournalSubscriptionList => {
            return Ok(subscriptions::list(journals.apps.get(&app_id), app_id));
        }
        Operation::JournalSubscriptionGet => {
            return subscriptions::get(journals.apps.get(&app_id), app_id, arg(0));
        }
        Operation::JournalSubscriptionDelete => {
            return subscriptions::delete(journals.apps.get_mut(&app_id), arg(0));
        }
        Operation::JournalSubscriptionDeletePortal => {
            return Ok(subscriptions::delete_portal(journals.apps.get_mut(&app_id), arg(0)));
        }
        _ => {}
    }
    // Narrowed to a portal that is not this one, the journal is empty.
    let other_portal = ctx.query("installPortalId").is_some_and(|id| id != portal_id.to_string());
    let files: Vec<&File> = match journals.apps.get(&app_id) {
        Some(journal) if !other_portal => journal.files.iter().collect(),
        _ => Vec::new(),
    };
    let count = |index: usize| match arg(index).parse::<usize>() {
        Ok(count) if (1..=BATCH_MAX).contains(&count) => Ok(count),
        _ => Err(ApiError::validation(format!("count must be between 1 and {BATCH_MAX}"))),
    };
    match route.operation {
        Operation::JournalEarliest => Ok(one(journals, ctx, app_id, files.first())),
        Operation::JournalLatest => Ok(one(journals, ctx, app_id, files.last())),
        Operation::JournalNext => Ok(one(journals, ctx, app_id, after(&files, arg(0))?.first())),
        Operation::JournalBatchEarliest => {
            let some: Vec<&File> = files.iter().take(count(0)?).copied().collect();
            Ok(batch(journals, ctx, app_id, &some, &[]))
        }
        Operation::JournalBatchLatest => {
            let skipped = files.len().saturating_sub(count(0)?);
            Ok(batch(journals, ctx, app_id, files.get(skipped..).unwrap_or_default(), &[]))
        }
        Operation::JournalBatchNext => {
            let wanted = count(1)?;
            let newer = after(&files, arg(0))?;
            Ok(batch(journals, ctx, app_id, newer.get(..wanted).unwrap_or(newer), &[]))
        }
        Operation::JournalBatchRead => {
            let Inputs { inputs } = ctx.json::<Inputs<Text>>()?;
            let find = |offset: &Text| files.iter().find(|file| file.offset == offset.0).copied();
            let found: Vec<&File> = inputs.iter().filter_map(find).collect();
            let missing: Vec<String> = inputs
                .iter()
                .filter(|offset| find(offset).is_none())
                .map(|offset| offset.0.clone())
                .collect();
            Ok(batch(journals, ctx, app_id, &found, &missing))
        }
        _ => Err(ApiError::not_found("resource not found")),
    }
}

/// What HubSpot answers for an offset that aged out is not documented; here it is unknown, as any other.
fn after<'a, 'f>(files: &'a [&'f File], offset: &str) -> Result<&'a [&'f File], ApiError> {
    let at = files.iter().position(|file| file.offset == offset);
    let at = at.ok_or_else(|| ApiError::not_found(format!("No journal entry with offset {offset}")))?;
    Ok(files.get(at + 1..).unwrap_or_default())
}

/// 204 when there is nothing.
fn one(journals: &Journals, ctx: &Ctx<'_>, app_id: u64, file: Option<&&File>) -> Answer {
    file.map_or_else(Answer::no_content, |file| Answer::json(200, &offer(journals, ctx.now, app_id, file)))
}

fn batch(journals: &Journals, ctx: &Ctx<'_>, app_id: u64, files: &[&File], missing: &[String]) -> Answer {
    let results: Vec<Value> = files.iter().map(|file| offer(journals, ctx.now, app_id, file)).collect();
    let at = iso(ctx.now);
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if missing.is_empty() {
        return Answer::json(200, &body);
    }
    let error = ApiError::not_found("No such journal entries").with("ids", missing.to_vec());
    body["numErrors"] = json!(1);
    body["errors"] = json!([error.entry()]);
    Answer::json(207, &body)
}

/// A URL that lets anybody read the file until it expires.
fn offer(journals: &Journals, now: Millis, app_id: u64, file: &File) -> Value {
    let expires = now.saturating_add(Millis::from(journals.timing.url_life_ms));
    let signature = sign(app_id, &file.offset, expires);
    let url = format!(
        "{}/_journal-files/{app_id}/{}?expires={expires}&signature={signature}",
        journals.base_url, file.offset
    );
    json!({"url": url, "expiresAt": iso(expires), "currentOffset": file.offset})
}

/// Good enough to tell a URL of ours from one that was altered; nothing here is secret.
fn sign(app_id: u64, offset: &str, expires: Millis) -> String {
    let text = format!("{app_id}/{offset}/{expires}");
    signing::hex(&signing::mac(b"journal files", text.as_bytes()))
}

/// The file behind a URL: no credential, but the right signature, in time.
pub(crate) fn file(state: &State, ctx: &Ctx<'_>, route: &Route) -> Result<Answer, ApiError> {
    let arg = |index: usize| route.args.get(index).map_or("", String::as_str);
    let refused = |message: &str| ApiError::new(403, "ACCESS_DENIED", message);
    let expires = ctx.query("expires").and_then(|text| text.parse::<Millis>().ok());
    let (Some(expires), Ok(app_id)) = (expires, arg(0).parse::<u64>()) else {
        return Err(refused("Access denied"));
    };
    if ctx.query("signature") != Some(&*sign(app_id, arg(1), expires)) {
        return Err(refused("The request signature we calculated does not match the signature you provided"));
    }
    if ctx.now >= expires {
        return Err(refused("Request has expired"));
    }
    let journal = state.journals.apps.get(&app_id);
    let found = journal.and_then(|journal| journal.files.iter().find(|file| file.offset == arg(1)));
    found.map(|file| Answer::json(200, &file.to_json())).ok_or_else(|| ApiError::not_found("No such file"))
}
