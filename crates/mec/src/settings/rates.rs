//! How many requests each client may send, and who counts as one.

use std::sync::Arc;

use clap::Args;
use mec_http::{Rate, RatesConfig, TrustedProxies};

/// The rate limits of a server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Rate limits")]
pub struct Rates {
    /// How many requests a client may send: as many a second (/s) or minute (/m) for long, and as many at once
    /// after a rest; off for no limit
    #[arg(
        long,
        env = "MEC_RATE_LIMIT_API",
        value_name = "RATE",
        default_value = "100/s burst 100",
        value_parser = rate("MEC_RATE_LIMIT_API")
    )]
    rate_limit_api: Limit,
    /// The same for what providers send to /webhooks
    #[arg(
        long,
        env = "MEC_RATE_LIMIT_WEBHOOKS",
        value_name = "RATE",
        default_value = "10/s burst 20",
        value_parser = rate("MEC_RATE_LIMIT_WEBHOOKS")
    )]
    rate_limit_webhooks: Limit,
    /// The proxies in front of this server whose X-Forwarded-For or Forwarded tells where a request comes
    /// from: addresses and networks like 10.0.0.0/8, and unix for the unix socket, with commas between
    #[arg(
        long,
        env = "MEC_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        default_value = "",
        value_parser = proxies
    )]
    trusted_proxies: TrustedProxies,
}

/// A rate, or none.
#[derive(Clone, Copy, Debug)]
struct Limit(Option<Rate>);

fn rate(
    setting: &'static str,
) -> impl Fn(&str) -> Result<Limit, String> + Clone + Send + Sync + 'static {
    move |text| match text.trim() {
        "off" => Ok(Limit(None)),
        text => {
            let rate = text.parse().map(|rate| Limit(Some(rate)));
            rate.map_err(|why| format!("{setting}: {why}"))
        }
    }
}

fn proxies(text: &str) -> Result<TrustedProxies, String> {
    text.parse()
        .map_err(|why| format!("MEC_TRUSTED_PROXIES: {why}"))
}

impl Rates {
    /// The limits of a front door, of which the administrator of all namespaces with this `sub` is free.
    pub fn config(&self, unlimited: &str) -> RatesConfig {
        RatesConfig {
            api: self.rate_limit_api.0,
            webhooks: self.rate_limit_webhooks.0,
            trusted_proxies: self.trusted_proxies.clone(),
            unlimited: Some(Arc::from(unlimited)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    fn config(flags: &[&str]) -> Result<RatesConfig, String> {
        Ok(parsed::<Rates>(flags)?.config("me"))
    }

    #[test]
    fn what_is_said_is_what_the_door_goes_by() {
        let unlimited = Some("me".into());
        let default = RatesConfig {
            unlimited: unlimited.clone(),
            ..RatesConfig::default()
        };
        assert_eq!(config(&[]), Ok(default));
        let flags = [
            "--rate-limit-api=600/m burst 5",
            "--rate-limit-webhooks=off",
            "--trusted-proxies=10.0.0.0/8, unix",
        ];
        let said = RatesConfig {
            api: Some("600/m burst 5".parse().unwrap()),
            webhooks: None,
            trusted_proxies: "10.0.0.0/8,unix".parse().unwrap(),
            unlimited,
        };
        assert_eq!(config(&flags), Ok(said));
    }

    #[test]
    fn what_is_none_is_refused_by_name() {
        let check = |flag: &str, named: &str| {
            let told = config(&[flag]).unwrap_err();
            assert!(told.contains(named), "{told}");
        };
        check(
            "--rate-limit-api=100",
            "MEC_RATE_LIMIT_API: a rate is off, or like",
        );
        check(
            "--rate-limit-webhooks=0/s",
            "MEC_RATE_LIMIT_WEBHOOKS: a rate is",
        );
        check(
            "--trusted-proxies=10.0.0.0/8,proxy",
            "MEC_TRUSTED_PROXIES: \"proxy\" is no",
        );
    }
}
