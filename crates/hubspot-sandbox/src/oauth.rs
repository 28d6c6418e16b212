//! The authorization server: consent, tokens, metadata, revocation and uninstall.
//!
//! State and decisions are here, with the time handed in; the only HTTP in it is what HubSpot's pages and bodies look
//! like. Tokens come from the portal's seed and are safe for nothing but a sandbox.

mod app;
mod consent;
mod grants;
mod metadata;
mod page;
mod refusal;
#[cfg(test)]
mod tests;
mod token;

use bytes::Bytes;
use jiff::Timestamp;

pub use self::app::OAuthApp;
pub(crate) use self::grants::Grants;
pub(crate) use self::metadata::uninstall;
pub(crate) use self::page::answer as consent_page;
pub(crate) use self::refusal::TokenRefusal;
use crate::context::Answer;
use crate::portal::Portal;
use crate::router::{Operation, Route, query_pairs};
use crate::state::State;

/// The parameters of a form body.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(body: &[u8]) -> Form {
        Form(query_pairs(std::str::from_utf8(body).ok()))
    }

    /// The parameter, empty if it is not there.
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Answers calls that carry the app's credentials or nothing instead of a bearer token; `None` for all others.
pub(crate) fn answer(
    state: &mut State,
    now: Timestamp,
    route: &Route,
    request: &http::Request<Bytes>,
) -> Option<Result<Answer, TokenRefusal>> {
    use Operation as Op;
    let about = route.args.first().map_or("", String::as_str);
    let form = || -> Result<Form, TokenRefusal> {
        let declared = request.headers().get(http::header::CONTENT_TYPE);
        let declared = declared.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if declared.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            Ok(Form::of(request.body()))
        } else {
            Err(TokenRefusal::NOT_A_FORM)
        }
    };
    Some(match route.operation {
        Op::OAuthToken => form().and_then(|form| token::answer(state, now, &form, true)),
        Op::OAuthTokenV1 => form().and_then(|form| token::answer(state, now, &form, false)),
        Op::OAuthIntrospect => form().and_then(|form| metadata::introspect(state, now, &form)),
        Op::OAuthRevoke => form().and_then(|form| metadata::revoke(state, &form)),
        Op::OAuthAccessTokenInfo => metadata::access_token(state, now, about),
        Op::OAuthRefreshTokenInfo => metadata::refresh_token(state, about),
        Op::OAuthRefreshTokenDelete => metadata::delete_refresh_token(state, about),
        _ => return None,
    })
}

impl Portal {
    /// Registers an app, or replaces the one with its client id; its installs stay.
    pub fn add_app(&mut self, app: OAuthApp) {
        let apps = &mut self.state.config.apps;
        apps.retain(|known| known.client_id != app.client_id);
        apps.push(app);
    }

    /// Takes an app out of the portal, as an administrator does: all its tokens end. False when it is not installed.
    pub fn uninstall_app(&mut self, app_id: u64) -> bool {
        self.state.oauth.uninstall(app_id)
    }

    /// Closes the account, as HubSpot does when it ends, or opens it again. A closed one's tokens open nothing, and the token
    /// endpoint answers `BAD_HUB`; what calls of other kinds get is not documented, and is 401 here.
    pub fn close_account(&mut self, closed: bool) {
        self.state.oauth.closed = closed;
    }

    /// Lets every access token of an app expire at `now`; its refresh token stays good. Says how many there were.
    pub fn expire_access_tokens(&mut self, now: Timestamp, app_id: u64) -> usize {
        self.state.oauth.expire(app_id, now.as_millisecond())
    }
}
