//! Who reads the metrics, and where; and how often the ledger is proven, of which they tell.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use mec_http::MetricsConfig;

use super::whole;

/// The least length of a token for the metrics, in bytes.
const LEAST_TOKEN_BYTES: usize = 16;

/// How the service is watched.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Metrics")]
pub struct Metrics {
    /// Where to serve /metrics alone, without TLS; it is then gone from the listener of the API
    #[arg(long, env = "MEC_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// The bearer token that /metrics wants, of 16 bytes or more; without it whoever reaches it may read it
    #[arg(
        long,
        env = "MEC_METRICS_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        value_parser = token
    )]
    metrics_token: Option<String>,
    /// How often the server proves the whole ledger against itself, as `mec verify` does, for the metric
    /// mec_chain_mismatch; 0 to 8,760 hours, 0 for never
    #[arg(
        long,
        env = "MEC_VERIFY_EVERY_HOURS",
        value_name = "HOURS",
        default_value = "0",
        value_parser = whole("MEC_VERIFY_EVERY_HOURS", 0..=8_760, "hours")
    )]
    verify_every_hours: u64,
}

impl Metrics {
    /// Where they have a listener of their own.
    pub fn listen(&self) -> Option<SocketAddr> {
        self.metrics_listen
    }

    /// How the page is served.
    pub fn config(&self) -> MetricsConfig {
        MetricsConfig {
            token: self.metrics_token.clone().map(Into::into),
            has_own_listener: self.metrics_listen.is_some(),
        }
    }

    /// How often the ledger is proven, if at all.
    pub fn verify_every(&self) -> Option<Duration> {
        let seconds = self.verify_every_hours.saturating_mul(3_600);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

fn token(text: &str) -> Result<String, String> {
    if text.len() < LEAST_TOKEN_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "MEC_METRICS_TOKEN has {LEAST_TOKEN_BYTES} visible characters or more"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    #[test]
    fn the_metrics_are_open_and_beside_the_api_unless_told_otherwise() {
        let metrics = parsed::<Metrics>(&[]).unwrap();
        assert!(metrics.listen().is_none() && metrics.verify_every().is_none());
        let config = metrics.config();
        assert!(config.token.is_none() && !config.has_own_listener);
        let flags = [
            "--metrics-listen=127.0.0.1:9000",
            "--metrics-token=0123456789abcdef",
            "--verify-every-hours=24",
        ];
        let metrics = parsed::<Metrics>(&flags).unwrap();
        assert_eq!(metrics.listen(), "127.0.0.1:9000".parse().ok());
        assert_eq!(metrics.verify_every(), Some(Duration::from_secs(86_400)));
        let config = metrics.config();
        assert!(config.token.is_some() && config.has_own_listener);
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let check = |flag: &str, named: &str| {
            let told = parsed::<Metrics>(&[flag]).unwrap_err();
            assert!(told.contains(named), "{told}");
        };
        let token = "MEC_METRICS_TOKEN has 16 visible characters or more";
        check("--metrics-token=0123456789abcde", token);
        check("--metrics-token=0123456789 abcdef", token);
        check(
            "--verify-every-hours=8761",
            "MEC_VERIFY_EVERY_HOURS is a whole number of hours from 0 to 8760",
        );
    }
}
