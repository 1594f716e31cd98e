//! What asks a server: plainly, over TLS, or through a socket.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;

use super::socket::SocketConnector;

/// Where a server on a socket is, since an address has a host.
const ON_SOCKET: &str = "http://localhost";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// An agent for a server, and what its paths come after.
pub fn to(server: &str) -> Result<(Agent, &str)> {
    if let Some(path) = server.strip_prefix("unix:") {
        let connector = SocketConnector(path.into());
        let agent = Agent::with_parts(settings(None), connector, DefaultResolver::default());
        Ok((agent, ON_SOCKET))
    } else if server.starts_with("https://") {
        Ok((Agent::new_with_config(settings(Some(tls()?))), server))
    } else if server.starts_with("http://") {
        Ok((Agent::new_with_config(settings(None)), server))
    } else {
        bail!(
            "--server {server}: an address such as http://localhost:8000, https://mec.example.com \
             or unix:/run/mec.sock is expected"
        );
    }
}

/// How a server is waited for.
fn settings(tls: Option<TlsConfig>) -> ureq::config::Config {
    let settings = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(ANSWER_TIMEOUT));
    match tls {
        Some(tls) => settings.tls_config(tls).build(),
        None => settings.build(),
    }
}

/// TLS to a server whose certificate the system trusts, or the file that `SSL_CERT_FILE` names.
fn tls() -> Result<TlsConfig> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        bail!(
            "no certificates of authorities are found: install ca-certificates, or set SSL_CERT_FILE"
        );
    }
    let roots = found.certs.iter();
    let roots = roots.map(|one| ureq::tls::Certificate::from_der(one.as_ref()).to_owned());
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::from(roots))
        .unversioned_rustls_crypto_provider(Arc::new(provider))
        .build())
}
