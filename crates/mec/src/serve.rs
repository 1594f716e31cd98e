//! `mec serve`: opens the store, starts the engine, listens, and drains on the way out.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use mec_engine::RisingIds;
use mec_http::{App, Claims, Front, FrontConfig, Role};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::clock::unix_seconds;
use crate::door::admin_token;
use crate::place::Place;
use crate::reload::{Reload, TakeOver};
use crate::secret::{self, Secret};
use crate::settings::{Freshness, Settings, Tokens};
use crate::{Started, WRONG_SETTING, private};

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
    tokens: Tokens,
}

impl ServeArgs {
    /// Whether what is said together can be; what each setting says alone was looked at before.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<()> {
        self.tokens.previous().map(drop)
    }
}

pub fn serve(
    place: &Place,
    args: &ServeArgs,
    settings: &Settings,
    started: Started,
) -> Result<ExitCode> {
    let folder = place.data_dir.as_path();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let wrong = settings.all_wrong(args);
    if !wrong.is_empty() {
        for sentence in wrong {
            eprintln!("mec: {sentence}");
        }
        return Ok(ExitCode::from(WRONG_SETTING));
    }
    for warning in settings.all_warnings() {
        tracing::warn!("{warning}");
    }
    let secret = secret::load_or_make(folder, &args.tokens.secret)?;
    private::make_folder(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let store = place.open(&runtime)?;
    runtime.block_on(async {
        let engine = Arc::new(store.engine(args.freshness.engine())?);
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .with_context(|| format!("{} cannot be listened on", args.listen))?;
        let address = listener.local_addr()?;
        let front = Front::new(FrontConfig {
            secrets: secrets(&secret, &args.tokens)?,
            ..FrontConfig::default()
        });
        let (signing, signed_by) = watch::channel(secret.secret.clone());
        let door = keep_door(folder, address, signed_by)?;
        let reload = Reload::new(started, settings)
            .with(
                &["JWT_SECRET", "JWT_SECRET_PREVIOUS"],
                take_secrets(folder, front.clone(), signing),
            )
            .listen()?;
        welcome(address, &place.shown(), &secret.secret)?;
        let app = App::with(engine.clone(), front.clone(), RisingIds);
        let stop = async move {
            stopped().await;
            front.stop();
        };
        mec_http::serve(listener, app, stop).await?;
        engine.close().await;
        reload.abort();
        door.abort();
        for file in [ADDRESS_FILE, TOKEN_FILE] {
            private::remove(&folder.join(file))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Tells commands on this machine where the server is and gives them a token, which is renewed as long
/// as the server runs, and when another secret signs.
fn keep_door(
    folder: &Path,
    address: SocketAddr,
    mut secret: watch::Receiver<String>,
) -> Result<tokio::task::JoinHandle<()>> {
    let path = folder.join(TOKEN_FILE);
    private::replace(&path, &admin_token(&secret.borrow(), TOKEN_SECONDS)?)?;
    private::replace(&folder.join(ADDRESS_FILE), &address.to_string())?;
    Ok(tokio::spawn(async move {
        let mut renewals = tokio::time::interval(Duration::from_secs(TOKEN_SECONDS / 2));
        renewals.tick().await;
        loop {
            tokio::select! {
                _ = renewals.tick() => {}
                changed = secret.changed() => if changed.is_err() {
                    // Nobody is left who could change it.
                    renewals.tick().await;
                },
            }
            let token = admin_token(&secret.borrow(), TOKEN_SECONDS);
            let renewed = token.and_then(|token| Ok(private::replace(&path, &token)?));
            if let Err(error) = renewed {
                tracing::warn!(%error, "the token for commands could not be renewed");
            }
        }
    }))
}

/// The secret that signs, and the others whose tokens are taken.
fn secrets(secret: &Secret, tokens: &Tokens) -> Result<Vec<SecretString>> {
    let first = SecretString::from(secret.secret.as_str());
    Ok(std::iter::once(first).chain(tokens.previous()?).collect())
}

/// Takes over the secrets of tokens.
fn take_secrets(
    folder: &Path,
    front: Front,
    signing: watch::Sender<String>,
) -> impl Fn(&ServeArgs) -> Result<TakeOver> + Send + 'static {
    let folder = folder.to_owned();
    let signing = Arc::new(signing);
    move |args| {
        let secret = secret::load_or_make(&folder, &args.tokens.secret)?;
        let taken = secrets(&secret, &args.tokens)?;
        let (front, signing) = (front.clone(), signing.clone());
        Ok(Box::new(move || {
            front.reload_secrets(&taken);
            signing.send_if_modified(|held| {
                let is_other = *held != secret.secret;
                held.clone_from(&secret.secret);
                is_other
            });
        }))
    }
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
