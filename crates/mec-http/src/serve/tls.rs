//! TLS with a certificate that can be renewed while connections stand.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of its kind.
    #[error("{}: {what} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// The file of the certificate holds none.
    #[error("{}: there is no certificate in it", .0.display())]
    Empty(PathBuf),
    /// Certificate and key are not fit for TLS, or not for each other.
    #[error("{} and its key are refused", path.display())]
    Refused {
        /// The file of the certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// A certificate chain and its key, from two PEM files. Cheap to clone; all clones are renewed at once.
#[derive(Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<ServerConfig>>,
    seen: Mutex<Seen>,
}

/// What a file was when it was last looked at: what changes with every way to replace it.
type Mark = Option<(u64, u64, i64, i64)>;
type Seen = [Mark; 2];

impl Tls {
    /// Reads a certificate chain and its key. TLS 1.2 and 1.3 are spoken, over them HTTP/2 and HTTP/1.1.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let seen = [mark(&certificate), mark(&key)];
        let current = configuration(&certificate, &key)?;
        Ok(Self {
            inner: Arc::new(Inner {
                certificate,
                key,
                current: RwLock::new(Arc::new(current)),
                seen: Mutex::new(seen),
            }),
        })
    }

    /// Reads both files again. New connections get what they hold; those that stand keep what they have.
    /// An error leaves everything as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let Inner {
            certificate, key, ..
        } = &*self.inner;
        // Taken before the files are read: what changes meanwhile is looked at again.
        *self.inner.seen.lock() = [mark(certificate), mark(key)];
        let renewed = configuration(certificate, key)?;
        *self.inner.current.write() = Arc::new(renewed);
        Ok(())
    }

    /// Reads both files again if one of them has changed since; whether it did.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let now = [mark(&self.inner.certificate), mark(&self.inner.key)];
        if *self.inner.seen.lock() == now {
            return Ok(false);
        }
        self.reload()?;
        Ok(true)
    }

    /// Looks after both files for ever, and takes over what is renewed. What cannot be used is warned of
    /// once and not taken.
    pub async fn keep_fresh(self, every: Duration) {
        let mut looks = tokio::time::interval(every);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let tls = self.clone();
            let looked = tokio::task::spawn_blocking(move || tls.reload_if_changed()).await;
            match looked {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => tracing::info!("the certificate was renewed"),
                Ok(Err(error)) => {
                    let cause: &dyn std::error::Error = &error;
                    tracing::warn!(cause, "the certificate is not renewed; the old one stays");
                }
                Err(error) => tracing::error!(%error, "the certificate could not be looked at"),
            }
        }
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.inner.current.read().clone())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.inner.certificate)
            .finish_non_exhaustive()
    }
}

fn mark(path: &Path) -> Mark {
    let found: io::Result<fs::Metadata> = fs::metadata(path);
    let found = found.ok()?;
    let (seconds, nanos) = (found.mtime(), found.mtime_nsec());
    Some((found.ino(), found.len(), seconds, nanos))
}

fn configuration(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let unreadable = |path: &Path, what| {
        let path = path.to_owned();
        move |source| TlsError::File { path, what, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|found| found.collect::<Result<Vec<_>, _>>())
        .map_err(unreadable(certificate, "the certificate"))?;
    if chain.is_empty() {
        return Err(TlsError::Empty(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key, "the private key"))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    // The default versions are TLS 1.2 and 1.3.
    let built = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut built = built.map_err(|source| TlsError::Refused {
        path: certificate.to_owned(),
        source,
    })?;
    built.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(folder: &Path) -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        fs::write(folder.join("cert.pem"), &chain).unwrap();
        fs::write(folder.join("key.pem"), &key).unwrap();
        (chain, key)
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (chain_path, key_path) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        let (first, _) = certificate(folder.path());
        let tls = Tls::load(chain_path.clone(), key_path.clone()).unwrap();
        let current = || Arc::as_ptr(&tls.inner.current.read().clone());
        let held = tls.inner.current.read().clone();
        assert!(!tls.reload_if_changed().unwrap());

        certificate(folder.path());
        assert!(tls.reload_if_changed().unwrap());
        let renewed = current();
        assert_ne!(renewed, Arc::as_ptr(&held));

        // The old certificate beside the new key, a file that is no certificate, an empty one, none.
        let broken: [(&Path, &str, &str); 4] = [
            (&chain_path, &first, "are refused"),
            (&key_path, "no key", "the private key cannot be read"),
            (&chain_path, "", "there is no certificate in it"),
            (
                &chain_path,
                "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
                "cannot be read",
            ),
        ];
        for (path, text, told) in broken {
            certificate(folder.path());
            fs::write(path, text).unwrap();
            let error = tls.reload_if_changed().unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert_eq!(current(), renewed, "{text}");
            // It is told once.
            assert!(!tls.reload_if_changed().unwrap());
        }
        fs::remove_file(&chain_path).unwrap();
        assert!(tls.reload().is_err() && current() == renewed);
    }
}
