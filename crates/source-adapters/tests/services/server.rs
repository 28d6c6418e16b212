//! The server of a test, and how its people and the adapter reach it.

use std::ops::Deref;

use source_adapters::postgres::PostgresConfig;
use sync_testkit::PostgresServer;
pub(crate) use sync_testkit::Stop;
use tokio_postgres::{Client, NoTls};

pub(crate) struct Server(PostgresServer);

impl Server {
    pub(crate) fn start() -> Option<Server> {
        PostgresServer::start().map(Server)
    }

    /// A connection of the customer's own people.
    pub(crate) async fn people(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.address("owner"), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Settings of an adapter on this server.
    pub(crate) fn config(&self) -> PostgresConfig {
        PostgresConfig::new(self.address("owner"))
    }
}

impl Deref for Server {
    type Target = PostgresServer;

    fn deref(&self) -> &PostgresServer {
        &self.0
    }
}
