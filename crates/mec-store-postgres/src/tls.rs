//! Encrypted connections, and what proves that the database is the one that is meant.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use mec_store::StoreError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

/// Whose certificate is accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Trust {
    /// Any: nobody can listen, but whoever stands in between may pretend to be the database.
    Anyone,
    /// One that an authority has issued, and where `names_host` is set, for the host that was asked.
    Issued { roots: Roots, names_host: bool },
}

/// The authorities that are trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Roots {
    /// Those that the operating system trusts.
    System,
    /// Those of a file, in PEM.
    File(PathBuf),
}

/// Makes the TLS sessions of one connection.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the certificates that it takes.
    pub(crate) fn new(trust: &Trust) -> Result<Self, StoreError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let judge = Judge {
            trusted: match trust {
                Trust::Anyone => None,
                Trust::Issued { roots, .. } => Some(trusted(roots)?),
            },
            names_host: matches!(trust, Trust::Issued { names_host, .. } if *names_host),
            provider: provider.clone(),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| StoreError::Internal("TLS".to_owned(), Some(error.into())))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

fn trusted(roots: &Roots) -> Result<RootCertStore, StoreError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
        }
        Roots::File(path) => read(path, &mut store).map_err(|(what, cause)| {
            let sentence = format!("sslrootcert={}: {what}", path.display());
            StoreError::Unavailable(sentence, cause.map(Into::into))
        })?,
    }
    if store.is_empty() {
        let sentence = match roots {
            Roots::System => {
                "the operating system has no certificates of authorities; install them (the package \
                 ca-certificates), or name a file with sslrootcert"
                    .to_owned()
            }
            Roots::File(path) => format!("sslrootcert={} holds no certificate", path.display()),
        };
        return Err(StoreError::Unavailable(sentence, None));
    }
    Ok(store)
}

fn read(path: &Path, store: &mut RootCertStore) -> Result<(), (String, Option<io::Error>)> {
    let text =
        std::fs::read(path).map_err(|error| (format!("cannot be read: {error}"), Some(error)))?;
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| (format!("is no PEM: {error}"), None))?;
        let added = store.add(certificate);
        added.map_err(|error| (format!("holds a certificate that is none: {error}"), None))?;
    }
    Ok(())
}

/// Judges the certificate that the database shows.
#[derive(Debug)]
struct Judge {
    // None where anybody's is accepted.
    trusted: Option<RootCertStore>,
    names_host: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            trusted,
            intermediates,
            now,
            self.provider.signature_verification_algorithms.all,
        )?;
        if self.names_host {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Handshake, io::Error> {
        Ok(Handshake {
            config: self.0.clone(),
            host: domain.to_owned(),
        })
    }
}

/// A session that is yet to be made.
pub(crate) struct Handshake {
    config: Arc<ClientConfig>,
    // Empty over a socket, where none is made.
    host: String,
}

impl<S> TlsConnect<S> for Handshake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.host).map_err(io::Error::other)?;
            let connector = tokio_rustls::TlsConnector::from(self.config);
            connector.connect(name, stream).await.map(Encrypted)
        })
    }
}

/// A session.
pub(crate) struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
