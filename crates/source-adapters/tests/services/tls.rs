//! TLS: an authority that is named is believed, one that is not is refused, and a plain connection only where it is said.

use source_adapters::postgres::Postgres;
use sync_types::{Source, SourceError, SourceErrorKind};

use crate::server::{Server, Stop};

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_verified() {
    let Some(server) = Server::start() else { return };
    server.people().await.batch_execute("CREATE TABLE people (id int PRIMARY KEY)").await.unwrap();
    server.down(Stop::Fast);
    let certificate = server.with_certificate();
    server.up();
    let ask = async |ssl: &str, trusted: bool, host: &str| -> Result<usize, SourceError> {
        let mut config = server.config();
        config.server = format!("{}{ssl}", config.server.replace("host=127.0.0.1", host));
        config.ca_file = trusted.then(|| certificate.clone());
        Ok(Postgres::new(config)?.describe().await?.len())
    };
    let own = "host=127.0.0.1";
    for ssl in ["", " sslmode=prefer", " sslmode=require"] {
        assert_eq!(ask(ssl, true, own).await.unwrap(), 1, "{ssl}");
        let refused = ask(ssl, false, own).await.unwrap_err();
        assert_eq!(refused.kind, SourceErrorKind::Denied, "{ssl}: {refused}");
        assert!(refused.message.contains("`ca_file`"), "{refused}");
    }
    let refused = ask(" sslmode=require", true, "host=localhost").await.unwrap_err();
    assert_eq!(refused.kind, SourceErrorKind::Denied, "the certificate is for another name: {refused}");
    assert_eq!(ask(" sslmode=disable", false, own).await.unwrap(), 1);
}
