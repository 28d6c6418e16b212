//! Who is calling, and whether they may.

use crate::config::{Credential, Scopes};
use crate::error::ApiError;
use crate::objects::types::ObjectType;
use crate::router::{Operation, OperationClass, Route};
use crate::state::State;
use crate::time::Millis;

/// The credential of the `Authorization` header: one of the configuration, or an access token that was granted.
pub(crate) fn authenticate(
    state: &State,
    now: Millis,
    headers: &http::HeaderMap,
) -> Result<Credential, ApiError> {
    let header = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let Some(token) = token else {
        return Err(invalid(
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more \
             details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        ));
    };
    if state.oauth.closed && !state.oauth.is_app_level(token) {
        return Err(invalid("The account of this access token is closed."));
    }
    let known = state.config.credentials.iter().find(|credential| credential.token == token);
    if let Some(granted) = state.oauth.credential(token, now) {
        return granted;
    }
    known
        .filter(|credential| !credential.revoked)
        .cloned()
        .ok_or_else(|| invalid("The access token is invalid, revoked or belongs to another account."))
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(401, "INVALID_AUTHENTICATION", message)
}

/// Refuses a call for which the credential has none of the scopes that would do.
pub(crate) fn authorize(state: &State, credential: &Credential, route: &Route) -> Result<(), ApiError> {
    let Scopes::Some(granted) = &credential.scopes else { return Ok(()) };
    for alternatives in required(state, route) {
        if !alternatives.iter().any(|scope| granted.contains(scope)) {
            return Err(ApiError::missing_scopes(&alternatives));
        }
    }
    Ok(())
}

/// Lists of alternatives; one scope of each list is needed.
fn required(state: &State, route: &Route) -> Vec<Vec<String>> {
    let write = matches!(route.operation.class(), OperationClass::Write | OperationClass::Upsert);
    let named = |index: usize| {
        let key = route.args.get(index).and_then(|name| state.lookup_type(name))?;
        Some(state.ty(key))
    };
    let both = |first: usize, second: usize| {
        [named(first), named(second)].into_iter().flatten().map(|ty| object_scopes(ty, write)).collect()
    };
    let name = route.operation.name();
    match name.split_once('.').map_or(name, |(family, _)| family) {
        "objects" => named(0).map(|ty| object_scopes(ty, write)).into_iter().collect(),
        "associations" => {
            // A record's own calls name the first type, the record and then the other type; batches name two types.
            let single = matches!(
                route.operation,
                Operation::LinkDefault
                    | Operation::LinkPut
                    | Operation::LinkPutTyped
                    | Operation::LinkDeleteTyped
                    | Operation::LinkList
                    | Operation::LinkDelete
            );
            if single { both(0, 2) } else { both(0, 1) }
        }
        "associations_v3" | "labels" | "association_limits" => both(0, 1),
        "properties" | "property_groups" | "pipelines" | "stages" => {
            named(0).map(|ty| schema_scopes(ty, write)).into_iter().collect()
        }
        "schemas" => {
            let scope = |access: &str| format!("crm.schemas.custom.{access}");
            vec![if write {
                vec![scope("write")]
            } else {
                vec![scope("read"), "crm.objects.custom.read".to_owned()]
            }]
        }
        "owners" => vec![vec!["crm.objects.owners.read".to_owned()]],
        // The account and its limits are open to every credential.
        _ => Vec::new(),
    }
}

fn object_scopes(ty: &ObjectType, write: bool) -> Vec<String> {
    let access = if write { "write" } else { "read" };
    let mut scopes = vec![format!("crm.objects.{}.{access}", ty.scope)];
    scopes.extend(ty.umbrella_scope.clone());
    scopes
}

/// Definitions can also be read with the scope of the records.
fn schema_scopes(ty: &ObjectType, write: bool) -> Vec<String> {
    let access = if write { "write" } else { "read" };
    let mut scopes = vec![format!("crm.schemas.{}.{access}", ty.scope)];
    if !write {
        scopes.push(format!("crm.objects.{}.read", ty.scope));
    }
    scopes.extend(ty.umbrella_scope.clone());
    scopes
}
