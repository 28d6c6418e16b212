//! Sessions with the server: made when needed, made anew when lost, with their limits set first.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use sync_types::{SourceError, SourceErrorKind};
use tokio::sync::Mutex;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use super::config::PostgresConfig;
use super::error::{self, CONNECT_WAIT};
use super::tls::Connector;

/// How to make sessions of one kind, and the one that is there.
pub(super) struct Sessions {
    server: tokio_postgres::Config,
    /// How to speak TLS; `None`: the address says not to.
    tls: Option<Connector>,
    /// Said to the server before anything else.
    manners: String,
    open: Mutex<Option<Arc<Session>>>,
}

/// One session. Dropped, it ends, and the server takes back what was not committed.
pub(super) struct Session {
    pub(super) client: Client,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl Sessions {
    /// Sessions that may write, or may not: then the server refuses it.
    ///
    /// # Errors
    /// The address cannot be understood, or the certificate file cannot be read.
    pub(super) fn new(config: &PostgresConfig, may_write: bool) -> Result<Sessions, SourceError> {
        use secrecy::ExposeSecret as _;
        let mut server: tokio_postgres::Config = config.server.parse().map_err(|_| {
            // What the parser says may quote the address, and with it a password.
            let message =
                "`server` is no address of a database; write it as postgres://user@host:5432/database";
            SourceError::new(SourceErrorKind::Structure, message)
        })?;
        if let Some(password) = &config.password {
            server.password(password.expose_secret());
        }
        server.application_name("integration-kit");
        let manners = format!(
            "SET default_transaction_read_only = {}; SET statement_timeout = {}; SET lock_timeout = {};
             SET idle_in_transaction_session_timeout = '60s'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD';
             SET IntervalStyle = 'iso_8601'; SET standard_conforming_strings = on; SET extra_float_digits = 1;
             SET client_encoding = 'UTF8'",
            if may_write { "off" } else { "on" },
            config.statement_timeout_ms,
            config.lock_timeout_ms,
        );
        let tls = match server.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(Connector::new(config.ca_file.as_deref())?),
        };
        Ok(Sessions { server, tls, manners, open: Mutex::new(None) })
    }

    /// A new session, with its manners set.
    pub(super) async fn connect(&self) -> Result<Session, tokio_postgres::Error> {
        let mut server = self.server.clone();
        if server.get_connect_timeout().is_none() {
            server.connect_timeout(CONNECT_WAIT);
        }
        // Each connection ends when its client is dropped; what breaks it is told by the call that meets it.
        let client = match &self.tls {
            Some(tls) => {
                let (client, connection) = server.connect(tls.clone()).await?;
                drop(tokio::spawn(connection));
                client
            }
            None => {
                let (client, connection) = server.connect(NoTls).await?;
                drop(tokio::spawn(connection));
                client
            }
        };
        client.batch_execute(&self.manners).await?;
        Ok(Session { client, prepared: Mutex::new(HashMap::new()) })
    }

    async fn session(&self) -> Result<Arc<Session>, tokio_postgres::Error> {
        let mut open = self.open.lock().await;
        if let Some(session) = open.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.connect().await?);
        *open = Some(Arc::clone(&session));
        Ok(session)
    }

    /// Reads rows. A session that was lost, or whose tables have changed since, is replaced once by a new one.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let first = self.session().await?;
        match first.query(sql, parameters).await {
            Err(cause) if first.client.is_closed() || is_passing(&cause) => {
                *self.open.lock().await = None;
                self.session().await?.query(sql, parameters).await
            }
            other => other,
        }
    }

    /// A statement that is prepared and not run: what its columns are.
    pub(super) async fn prepare(&self, place: &str, sql: &str) -> Result<Statement, SourceError> {
        let prepare = async {
            let session = self.session().await?;
            session.client.prepare(sql).await
        };
        prepare.await.map_err(|cause| error::refused(place, cause))
    }
}

/// Whether a new session may well succeed: the server is stopping (57P01 and its like), or a table has another shape
/// than the plan in the session's memory (0A000).
fn is_passing(cause: &tokio_postgres::Error) -> bool {
    cause.is_closed()
        || cause.code().is_some_and(|code| matches!(code.code(), "57P01" | "57P02" | "57P05" | "0A000"))
}

impl Session {
    /// Runs a statement that is prepared once a session.
    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let known = self.prepared.lock().await.get(sql).cloned();
        let statement = match known {
            Some(statement) => statement,
            None => {
                let statement = self.client.prepare(sql).await?;
                self.prepared.lock().await.insert(sql.to_owned(), statement.clone());
                statement
            }
        };
        self.client.query(&statement, parameters).await
    }
}
