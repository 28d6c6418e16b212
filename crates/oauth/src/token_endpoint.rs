//! The calls to the authorization server: one method each, no state, no retries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_transport::{Clock, Transport, TransportError, retry_after};
use secrecy::{ExposeSecret as _, SecretString};

use crate::app::{App, InvalidApp};
use crate::endpoints::{Endpoints, TokenCall};
use crate::failure::{EndpointError, EndpointErrorKind};
use crate::token::{Introspection, TokenAnswer, TokenUse, read_answer, read_introspection};
use crate::wire;

/// After this a call counts as unanswered, whatever the transport allows. Leases last longer than all calls that are
/// made under them, so that no second process starts while an answer may still come.
pub(crate) const CALL_MAX: Duration = Duration::from_secs(30);

/// The authorization server as one app sees it. Cheap to share in an `Arc`; every call may be repeated.
pub struct TokenEndpoint {
    transport: Arc<dyn Transport>,
    endpoints: Endpoints,
    app: App,
    clock: Arc<dyn Clock>,
}

impl TokenEndpoint {
    /// The server at `endpoints` for `app`.
    ///
    /// # Errors
    /// [`InvalidApp::Endpoint`] when a secret would leave this machine without TLS.
    pub fn new(
        transport: Arc<dyn Transport>,
        endpoints: Endpoints,
        app: App,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidApp> {
        if !endpoints.are_safe() {
            return Err(InvalidApp::Endpoint);
        }
        Ok(Self { transport, endpoints, app, clock })
    }

    /// The app.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The addresses in use.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Turns the code of a callback into tokens. A code works once, so this is never repeated.
    ///
    /// # Errors
    /// [`EndpointErrorKind::GrantRefused`] for a code that is used up, too old or not of this app.
    pub async fn exchange_code(
        &self,
        code: &SecretString,
        verifier: Option<&SecretString>,
    ) -> Result<TokenAnswer, EndpointError> {
        let mut fields = vec![("redirect_uri", self.app.redirect_uri()), ("code", code.expose_secret())];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier.expose_secret())));
        self.grant("authorization_code", &fields).await
    }

    /// Turns a refresh token into an access token. The answer's refresh token, if it differs, is the only one that is
    /// sure to work from now on: keep it before using anything of the answer.
    ///
    /// # Errors
    /// [`EndpointErrorKind::GrantRefused`] when the app was uninstalled or the token revoked.
    pub async fn refresh(&self, refresh: &SecretString) -> Result<TokenAnswer, EndpointError> {
        self.grant("refresh_token", &[("refresh_token", refresh.expose_secret())]).await
    }

    /// An app-level token, for APIs that belong to the app and no portal, such as the webhooks journal.
    ///
    /// # Errors
    /// [`EndpointErrorKind::AppRefused`] when the app may not have one of the scopes.
    pub async fn client_credentials(&self, scopes: &str) -> Result<TokenAnswer, EndpointError> {
        self.grant("client_credentials", &[("scope", scopes)]).await
    }

    async fn grant(&self, kind: &str, fields: &[(&str, &str)]) -> Result<TokenAnswer, EndpointError> {
        let mut all = vec![("grant_type", kind)];
        all.extend(self.credentials());
        all.extend_from_slice(fields);
        let answer = self.call(wire::form(&self.endpoints.token, &all)).await?;
        read_answer(answer.body())
    }

    /// What the server knows about a token. One that it does not know is not active; that is no error.
    ///
    /// # Errors
    /// When the server cannot be asked or refuses the app.
    pub async fn introspect(
        &self,
        token: &SecretString,
        of: TokenUse,
    ) -> Result<Introspection, EndpointError> {
        let request = match &self.endpoints.introspect {
            TokenCall::Form { url, named_twice } => self.about(url, *named_twice, token, of),
            TokenCall::Path { access, refresh } => match (of, access) {
                (TokenUse::Access, Some(access)) => wire::at_path(Method::GET, access, token),
                _ => wire::at_path(Method::GET, refresh, token),
            },
        };
        match self.call(request).await {
            Ok(answer) => read_introspection(answer.body()),
            Err(error) if is_unknown_token(&error) => Ok(Introspection::default()),
            Err(error) => Err(error),
        }
    }

    /// Takes a token back. HubSpot docs: revoking a refresh token leaves access tokens alive until they expire and the
    /// app installed. A token that is gone already is no error (RFC 7009).
    ///
    /// # Errors
    /// When the server cannot be asked or refuses the app.
    pub async fn revoke(&self, token: &SecretString, of: TokenUse) -> Result<(), EndpointError> {
        let request = match &self.endpoints.revoke {
            TokenCall::Form { url, named_twice } => self.about(url, *named_twice, token, of),
            TokenCall::Path { refresh, .. } => wire::at_path(Method::DELETE, refresh, token),
        };
        match self.call(request).await {
            Ok(_) => Ok(()),
            Err(error) if is_unknown_token(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes the app out of the portal that the access token is for; all its tokens for that portal end.
    ///
    /// # Errors
    /// When the server has no such call, cannot be asked, or refuses the token.
    pub async fn uninstall(&self, access: &SecretString) -> Result<(), EndpointError> {
        let request = match &self.endpoints.uninstall {
            Some(url) => wire::delete_as(url, access),
            None => Err(TransportError::not_sent("this server has no call to uninstall an app")),
        };
        self.call(request).await.map(|_| ())
    }

    fn about(
        &self,
        url: &str,
        named_twice: bool,
        token: &SecretString,
        of: TokenUse,
    ) -> Result<Request<Bytes>, TransportError> {
        let token = token.expose_secret();
        let mut fields = Vec::from(self.credentials());
        fields.extend([("token", token), ("token_type_hint", of.name())]);
        if named_twice {
            fields.push((of.name(), token));
        }
        wire::form(url, &fields)
    }

    fn credentials(&self) -> [(&str, &str); 2] {
        [("client_id", self.app.client_id()), ("client_secret", self.app.secret().expose_secret())]
    }

    async fn call(
        &self,
        request: Result<Request<Bytes>, TransportError>,
    ) -> Result<Response<Bytes>, EndpointError> {
        let request = request.map_err(EndpointError::transport)?;
        let answer = tokio::select! {
            biased;
            answer = self.transport.send(request) => answer,
            () = self.clock.sleep(CALL_MAX) => Err(TransportError::timed_out()),
        };
        let answer = answer.map_err(EndpointError::transport)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let wait = retry_after(answer.headers(), self.clock.now());
        Err(EndpointError::answer(status.as_u16(), answer.body(), wait))
    }
}

fn is_unknown_token(error: &EndpointError) -> bool {
    error.kind() == EndpointErrorKind::GrantRefused || error.status() == Some(404)
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEndpoint").field("app", &self.app).finish_non_exhaustive()
    }
}
