//! The keys of an issuer by HTTPS.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use axum::http::{Request, Uri, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use mec_http::{Fetching, KeySource, KeySourceError, MAX_SET_BYTES};

/// A set of keys at an address.
#[derive(Debug)]
pub struct KeysByHttps {
    address: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl KeysByHttps {
    /// The set at an address, which is fetched by HTTPS, or, from this machine itself, by HTTP.
    ///
    /// # Errors
    /// Where it is no such address, or the machine's trusted certificates cannot be read.
    pub fn at(address: &str) -> Result<Self> {
        let uri: Uri = address
            .parse()
            .with_context(|| format!("{address} is no address"))?;
        let host = uri.host().unwrap_or_default();
        let is_plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") if is_loopback(host) => true,
            _ => bail!("{address} is no https address, and none of this machine itself"),
        };
        if uri.authority().is_some_and(|at| at.as_str().contains('@')) {
            bail!("the address holds a user");
        }
        let builder = HttpsConnectorBuilder::new()
            .with_native_roots()
            .context("the machine's trusted certificates cannot be read")?;
        let builder = if is_plain {
            builder.https_or_http()
        } else {
            builder.https_only()
        };
        let client = Client::builder(TokioExecutor::new())
            // Keys are fetched once in minutes; the connection is gone by then.
            .pool_max_idle_per_host(0)
            .build(builder.enable_http1().build());
        Ok(Self {
            address: uri,
            client,
        })
    }

    async fn get(&self) -> Result<Vec<u8>> {
        let request = Request::get(&self.address)
            .header(header::ACCEPT, "application/json")
            .header(
                header::USER_AGENT,
                concat!("mec/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())?;
        let answer = self.client.request(request).await?;
        // An address that leads elsewhere is one that the operator has not named.
        if !answer.status().is_success() {
            bail!("{} answered {}", self.address, answer.status());
        }
        let body = Limited::new(answer.into_body(), MAX_SET_BYTES).collect();
        let body = body.await.map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(body.to_bytes().into())
    }
}

impl KeySource for KeysByHttps {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            let got = self.get().await;
            got.map_err(|error| KeySourceError(format!("{error:#}")))
        })
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |ip: IpAddr| ip.is_loopback();
    host == "localhost" || address.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::KeysByHttps;

    #[test]
    fn keys_come_by_https_or_from_this_machine() {
        for good in [
            "https://issuer.example/jwks.json",
            "https://issuer.example:8443/a?b=c",
            "http://localhost:8080/jwks",
            "http://127.0.0.1/jwks",
            "http://[::1]:1/jwks",
        ] {
            assert!(KeysByHttps::at(good).is_ok(), "{good}");
        }
        for bad in [
            "http://issuer.example/jwks.json",
            "http://127.0.0.1.example/jwks",
            "http://localhost.example/jwks",
            "file:///etc/passwd",
            "issuer.example/jwks.json",
            "https://user:password@issuer.example/jwks.json",
            "",
        ] {
            let told = KeysByHttps::at(bad).err().map(|error| error.to_string());
            assert!(told.is_some_and(|told| !told.contains("password")), "{bad}");
        }
    }
}
