//! `mec bench`: drives a running server and tells how fast it answers, and what it refused.
//!
//! One thread sends everything, so that the generator leaves as much as it can of a shared machine
//! to the server.

#![allow(
    clippy::float_arithmetic,
    reason = "rates and percentiles are statistics; no quantity of a customer passes here"
)]

mod client;
mod drive;
mod kind;
mod prepare;
mod report;
mod workload;

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use uuid::Uuid;

use crate::door::admin_token;
use crate::settings::JwtSecret;
use crate::{output, secret};
use client::Origin;
use drive::{Drive, Pace};
use workload::{Load, Workload};

/// How long the token of a bench lasts, in seconds.
const TOKEN_SECONDS: u64 = 86_400;

#[derive(clap::Args)]
pub struct BenchArgs {
    /// What is asked
    #[arg(value_enum, default_value = "check")]
    workload: Workload,
    /// The server, such as http://127.0.0.1:8000; the one that runs on the data folder where none is named
    #[arg(long)]
    server: Option<String>,
    /// A token of the role mec_service, whose rate limit then holds; without one the token of this machine's
    /// commands is made with the data folder's secret, which has none
    #[arg(long, env = "MEC_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(flatten)]
    secret: JwtSecret,
    /// In which namespace; it must have the plan `pro` and the resource types of `default`
    #[arg(long, default_value = "default")]
    namespace: String,
    /// Accounts to ask about; those that are missing are made first
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// Ask about one account only
    #[arg(long)]
    hot: bool,
    /// Items in one request of checks100 and meter100
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    batch: u32,
    /// Connections, each of which waits for its answer before it asks again
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    callers: u32,
    /// Requests a second on a fixed schedule; latencies then count from the scheduled start
    #[arg(long)]
    rate: Option<f64>,
    /// How long answers count, in seconds
    #[arg(long, default_value_t = 10.0)]
    duration: f64,
    /// Stop after so many requests, even if the time is not over
    #[arg(long, conflicts_with = "rate")]
    requests: Option<u64>,
    /// How long it runs before they count, in seconds
    #[arg(long, default_value_t = 2.0)]
    warmup: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// What stands before the name of a resource in the paths of entitlements and ledger
    #[arg(long, hide = true, default_value = "/api/")]
    base: String,
    /// Make the accounts and ask nothing
    #[arg(long, hide = true)]
    prepare_only: bool,
    /// Send one and the same request to this path instead of a workload
    #[arg(long, hide = true, requires = "body")]
    url: Option<String>,
    /// The body of that request
    #[arg(long, hide = true, requires = "url")]
    body: Option<String>,
}

pub fn bench(folder: &Path, args: &BenchArgs) -> Result<ExitCode> {
    let pace = match args.rate {
        None => Pace::Closed,
        Some(rate) => {
            let sane = (0.001..=10_000_000.0).contains(&rate);
            ensure!(sane, "--rate must lie between 0.001 and 10000000");
            Pace::Open { per_second: rate }
        }
    };
    let origin = Arc::new(origin(folder, args)?);
    let load = Rc::new(Load {
        workload: args.workload,
        accounts: u64::from(args.accounts),
        hot: args.hot,
        batch: args.batch,
        callers: args.callers,
        run: Uuid::new_v4().simple().to_string(),
        base: args.base.clone(),
        raw: args.url.clone().zip(args.body.clone()),
    });
    let drive = Drive {
        pace,
        requests: args.requests.unwrap_or(u64::MAX),
        warmup: seconds(args.warmup, "--warmup", 0.0)?,
        duration: seconds(args.duration, "--duration", 0.01)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // Elsewhere than behind MEC's own paths there are no accounts to be made.
        if load.raw.is_none() && load.base == "/api/" {
            prepare::accounts(&origin, &load).await?;
        }
        if args.prepare_only {
            return Ok(ExitCode::SUCCESS);
        }
        let measured = drive::run(&origin, &load, &drive).await?;
        let report = report::Report::new(&load, &drive, &measured);
        if args.json {
            output::print(&serde_json::to_string(&report)?)?;
        } else {
            output::print(report.to_string().trim_end())?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn seconds(value: f64, name: &str, least: f64) -> Result<Duration> {
    ensure!(
        (least..=86_400.0).contains(&value),
        "{name} must lie between {least} and 86400 seconds"
    );
    Ok(Duration::from_secs_f64(value))
}

/// Where the server is, and the token it is asked with.
fn origin(folder: &Path, args: &BenchArgs) -> Result<Origin> {
    let named = match &args.server {
        Some(server) => server.clone(),
        None => std::fs::read_to_string(folder.join("mec.addr")).with_context(|| {
            let folder = folder.display();
            format!(
                "no server has run on {folder}; start `mec serve` first, or name one by --server"
            )
        })?,
    };
    let (token, namespace) = match &args.token {
        Some(token) => (token.trim().to_owned(), None),
        // As the commands of this machine are, so that no rate limit is measured.
        None => {
            let secret = secret::load_or_make(folder, &args.secret)?.secret;
            let token = admin_token(&secret, TOKEN_SECONDS)?;
            (token, Some(args.namespace.clone()))
        }
    };
    Ok(Origin {
        address: address(named.trim())?,
        token,
        namespace,
    })
}

/// The address in a URL of the scheme http, or a plain address with a port.
fn address(named: &str) -> Result<SocketAddr> {
    let host = named.strip_prefix("http://").unwrap_or(named);
    let host = host.trim_end_matches('/');
    ensure!(
        !host.contains('/') && !host.starts_with("unix:"),
        "{named} is not http://HOST:PORT; neither TLS nor sockets are spoken here"
    );
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut found = host
        .to_socket_addrs()
        .with_context(|| format!("{host} is no address"))?;
    found
        .next()
        .with_context(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::address;

    #[test]
    fn a_server_is_named_with_and_without_its_scheme() {
        let expected = "127.0.0.1:8000".parse().unwrap();
        for named in [
            "127.0.0.1:8000",
            "http://127.0.0.1:8000",
            "http://127.0.0.1:8000/",
        ] {
            assert_eq!(address(named).unwrap(), expected, "{named}");
        }
        assert_eq!(address("127.0.0.1").unwrap().port(), 80);
        for wrong in ["https://127.0.0.1:1", "http://127.0.0.1:1/api"] {
            assert!(
                address(wrong).unwrap_err().to_string().contains("TLS"),
                "{wrong}"
            );
        }
    }
}
