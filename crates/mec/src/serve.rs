//! `mec serve`: opens the store, starts the engine, listens, and drains on the way out.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mec_engine::RisingIds;
use mec_http::{App, Claims, Front, FrontConfig, Role};

use crate::clock::unix_seconds;
use crate::door::{COMMANDS, admin_token};
use crate::place::Place;
use crate::settings::{Freshness, Limits, Rates};
use crate::{private, secret};

/// Where the server listens; for commands.
pub const ADDRESS_FILE: &str = "mec.addr";
/// The token by which commands reach the server.
pub const TOKEN_FILE: &str = "mec.token";
/// How long that token lasts, in seconds.
const TOKEN_SECONDS: u64 = 86_400;

#[derive(clap::Args)]
pub struct ServeArgs {
    /// Where to listen
    #[arg(long, env = "MEC_LISTEN", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    #[command(flatten)]
    freshness: Freshness,
    #[command(flatten)]
    rates: Rates,
    #[command(flatten)]
    limits: Limits,
}

pub fn serve(place: &Place, args: &ServeArgs) -> Result<ExitCode> {
    let folder = place.data_dir.as_path();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    if place.postgres().is_some() && std::env::var_os("JWT_SECRET").is_none() {
        bail!(
            "JWT_SECRET is not set: with DATABASE_URL every node must have the same, 32 bytes or more"
        );
    }
    let secret = secret::load_or_make(folder)?;
    private::make_folder(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    if secret.made_up && !args.listen.ip().is_loopback() {
        bail!(
            "{} is not a loopback address; set JWT_SECRET (32 bytes or more) before listening on it",
            args.listen
        );
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let store = place.open(&runtime)?;
    runtime.block_on(async {
        let engine = Arc::new(store.engine(args.freshness.engine())?);
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .with_context(|| format!("{} cannot be listened on", args.listen))?;
        let address = listener.local_addr()?;
        let door = keep_door(folder, address, &secret.secret)?;
        welcome(address, &place.shown(), &secret.secret)?;
        let front = Front::new(FrontConfig {
            secrets: vec![secret.secret.clone().into()],
            limits: args.limits.sizes(),
            rates: args.rates.config(COMMANDS),
            budgets: args.limits.budgets(),
        });
        let app = App::with(engine.clone(), front, RisingIds);
        mec_http::serve(listener, app, stopped()).await?;
        engine.close().await;
        door.abort();
        for file in [ADDRESS_FILE, TOKEN_FILE] {
            private::remove(&folder.join(file))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Tells commands on this machine where the server is and gives them a token, which is renewed as long
/// as the server runs.
fn keep_door(
    folder: &Path,
    address: SocketAddr,
    secret: &str,
) -> Result<tokio::task::JoinHandle<()>> {
    let path = folder.join(TOKEN_FILE);
    let secret = secret.to_owned();
    private::replace(&path, &admin_token(&secret, TOKEN_SECONDS)?)?;
    private::replace(&folder.join(ADDRESS_FILE), &address.to_string())?;
    Ok(tokio::spawn(async move {
        let mut renewals = tokio::time::interval(Duration::from_secs(TOKEN_SECONDS / 2));
        renewals.tick().await;
        loop {
            renewals.tick().await;
            let renewed =
                admin_token(&secret, TOKEN_SECONDS).and_then(|t| Ok(private::replace(&path, &t)?));
            if let Err(error) = renewed {
                tracing::warn!(%error, "the token for commands could not be renewed");
            }
        }
    }))
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn welcome(address: SocketAddr, place: &str, secret: &str) -> Result<()> {
    let claims = Claims {
        sub: "first-start".to_owned(),
        role: Role::MecService,
        namespace_id: "default".to_owned(),
        account_id: None,
        aud: "mec-service".to_owned(),
        exp: unix_seconds().saturating_add(86_400),
    };
    let token = mec_http::issue_token(secret.as_bytes(), &claims)?;
    let head = "-H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json'";
    let api = format!("http://{address}/api");
    let screen = format!(
        "listening on http://{address}
data in {place}

A token of the role mec_service, good for a day, and three calls to paste:

TOKEN={token}
curl -s {api}/accounts {head} -d '{{\"account_type_code\":\"organization\",\"external_id\":\"acme\"}}' && curl -s {api}/rpc/provision_plan {head} -d '{{\"p_external_id\":\"acme\",\"p_plan_id\":\"starter\"}}'; echo
curl -s {api}/rpc/check_entitlement {head} -d '{{\"p_external_id\":\"acme\",\"p_resource_type\":\"benchmark_runs\"}}'; echo
curl -s {api}/rpc/consume {head} -d '{{\"p_idempotency_key\":\"run-1\",\"p_external_id\":\"acme\",\"p_resource_type\":\"benchmark_runs\"}}'; echo
",
    );
    // Whoever reads the screen may go away; the service stays.
    if let Err(error) = std::io::stdout().write_all(screen.as_bytes()) {
        tracing::warn!(%error, "the first screen could not be printed");
    }
    Ok(())
}
