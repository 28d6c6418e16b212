//! TLS to the database by rustls, with the authorities that the machine trusts and those of a file.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use sync_types::{SourceError, SourceErrorKind};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

/// Makes a TLS connection for each connection to the database.
#[derive(Clone)]
pub(super) struct Connector(Arc<ClientConfig>);

impl Connector {
    /// A connector that verifies the server's certificate and name.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificate.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Connector, SourceError> {
        let provider: Arc<CryptoProvider> = Arc::new(rustls::crypto::ring::default_provider());
        let mut extra = Vec::new();
        if let Some(path) = ca_file {
            let unreadable = |_| {
                let place = path.display();
                let message = format!(
                    "{place} cannot be read as PEM certificates; check `ca_file`, and that it may be read"
                );
                SourceError::new(SourceErrorKind::Structure, message)
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
                extra.push(certificate.map_err(unreadable)?);
            }
        }
        let failed = |cause: rustls::Error| {
            let message =
                "the machine's certificate authorities cannot be used; install them, or name a `ca_file`";
            SourceError::new(SourceErrorKind::Structure, message).caused_by(cause)
        };
        let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(failed)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            // Named so by rustls because it replaces the built-in verifier; this one verifies by the machine's rules.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Connector(Arc::new(config)))
    }
}

type Wrapping<S> = Pin<Box<dyn Future<Output = io::Result<Wrapped<S>>> + Send>>;

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Connector {
    type Stream = Wrapped<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> io::Result<Handshake> {
        let name = ServerName::try_from(domain.to_owned()).map_err(io::Error::other)?;
        Ok(Handshake { config: Arc::clone(&self.0), name })
    }
}

/// One handshake to be made.
pub(super) struct Handshake {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Handshake {
    type Stream = Wrapped<S>;
    type Error = io::Error;
    type Future = Wrapping<S>;

    fn connect(self, stream: S) -> Wrapping<S> {
        let connector = tokio_rustls::TlsConnector::from(self.config);
        Box::pin(async move { Ok(Wrapped(connector.connect(self.name, stream).await?)) })
    }
}

/// A stream inside TLS.
pub(super) struct Wrapped<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Wrapped<S> {
    // The server's certificate is verified, so there is nothing that binding the password to it would add.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
