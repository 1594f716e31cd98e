//! `mec serve`: opens the store, starts the engine, listens, and drains on the way out.

use std::future::pending;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use mec_engine::RisingIds;
use mec_http::audit::{SecurityEvent, SecurityOutcome};
use mec_http::{App, Front, FrontConfig, Tls};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::door::{COMMANDS, admin_token};
use crate::listening::{self, Listening};
use crate::logging::Logging;
use crate::place::Place;
use crate::reload::{Reload, TakeOver};
use crate::secret::{self, Secret};
use crate::settings::{Freshness, Limits, Metrics, Rates, Settings, Tokens, Transport};
use crate::welcome::welcome;
use crate::{Started, WRONG_SETTING, private, proving};

/// Where the server listens; for commands.
pub const ADDRESS_FILE: &str = "mec.addr";
/// The token by which commands reach the server.
pub const TOKEN_FILE: &str = "mec.token";
/// How long that token lasts, in seconds.
const TOKEN_SECONDS: u64 = 86_400;

/// The settings by which tokens are verified.
const TOKEN_SETTINGS: [&str; 10] = [
    "JWT_SECRET",
    "JWT_SECRET_PREVIOUS",
    "AUTH0_DOMAIN",
    "JWT_JWKS_URL",
    "JWT_ISSUER",
    "JWT_AUDIENCE",
    "JWT_ROLE_CLAIM",
    "JWT_NAMESPACE_CLAIM",
    "JWT_ACCOUNT_CLAIM",
    "JWT_JWKS_REFRESH_SECONDS",
];

/// The settings of how much clients may send, and how much of it is worked on at once.
const BOUND_SETTINGS: [&str; 13] = [
    "MEC_RATE_LIMIT_API",
    "MEC_RATE_LIMIT_WEBHOOKS",
    "MEC_TRUSTED_PROXIES",
    "MEC_BODY_LIMIT_BYTES",
    "MEC_URL_LIMIT_BYTES",
    "MEC_HEADER_LIMIT_BYTES",
    "MEC_HEADER_LIMIT_FIELDS",
    "MEC_BODY_TIMEOUT_SECONDS",
    "MEC_REQUEST_TIMEOUT_SECONDS",
    "MEC_CHECKS_AT_ONCE",
    "MEC_WRITES_AT_ONCE",
    "MEC_QUERIES_AT_ONCE",
    "MEC_TURN_TIMEOUT_MS",
];

#[derive(clap::Args)]
pub struct ServeArgs {
    #[command(flatten)]
    transport: Transport,
    #[command(flatten)]
    freshness: Freshness,
    #[command(flatten)]
    rates: Rates,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    metrics: Metrics,
    #[command(flatten)]
    tokens: Tokens,
}

impl ServeArgs {
    /// Whether what is said together can be; what each setting says alone was looked at before.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<()> {
        self.tokens.previous()?;
        self.tokens.issuer()?;
        self.transport.tls().map(drop)
    }
}

pub fn serve(
    place: &Place,
    args: &ServeArgs,
    settings: &Settings,
    started: Started,
) -> Result<ExitCode> {
    let folder = place.data_dir.as_path();
    let wrong = settings.all_wrong(args);
    if !wrong.is_empty() {
        for sentence in wrong {
            eprintln!("mec: {sentence}");
        }
        return Ok(ExitCode::from(WRONG_SETTING));
    }
    private::make_folder(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let logging = Arc::new(Logging::of_server(folder, &place.logs)?);
    for warning in settings.all_warnings() {
        tracing::warn!("{warning}");
    }
    let secret = secret::load_or_make(folder, &args.tokens.secret)?;
    let front = Front::new(FrontConfig {
        secrets: secrets(&secret, &args.tokens)?,
        issuer: args.tokens.issuer()?,
        limits: args.limits.sizes(),
        rates: args.rates.config(COMMANDS),
        budgets: args.limits.budgets(),
        cors: args.transport.cors(),
        logs: logging.config(),
        metrics: args.metrics.config(),
    });
    let runtime = tokio::runtime::Runtime::new()?;
    let store = place.open(&runtime)?;
    runtime.block_on(async {
        let engine = Arc::new(store.engine(args.freshness.engine())?);
        let listening = Listening::open(folder, &args.transport).await?;
        let stopped = stopped()?;
        let (signing, signed_by) = watch::channel(secret.secret.clone());
        let door = keep_door(folder, &listening.shown, signed_by)?;
        let reload = Reload::new(started, settings, front.clone())
            .with(&TOKEN_SETTINGS, take_keys(folder, front.clone(), signing))
            .with(&BOUND_SETTINGS, take_bounds(front.clone()))
            .with(&["MEC_LOG_LEVEL"], take_level(logging.clone()))
            .with(&[], take_certificate(listening.tls.clone()))
            .listen()?;
        let keys = tokio::spawn({
            let front = front.clone();
            async move { front.keep_keys_fresh().await }
        });
        let app = App::with(engine.clone(), front.clone(), RisingIds);
        let watched = watched(place, args, &app).await?;
        welcome(&listening.shown, &place.shown(), &secret)?;
        let tell = |event| front.security().tell(&event, SecurityOutcome::Done, None);
        tell(SecurityEvent::Started);
        let router = mec_http::router(app);
        answer(listening, router, &args.transport, &front, stopped).await;
        engine.close().await;
        tell(SecurityEvent::Stopped);
        keys.abort();
        reload.abort();
        door.abort();
        watched.iter().for_each(JoinHandle::abort);
        for file in [ADDRESS_FILE, TOKEN_FILE] {
            private::remove(&folder.join(file))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Answers whoever comes, until the process is told to stop.
async fn answer(
    listening: Listening,
    router: Router,
    settings: &Transport,
    front: &Front,
    stopped: impl Future<Output = ()> + Send + 'static,
) {
    let mut connections = settings.connections();
    connections.max_connections = listening::room(connections.max_connections);
    let of_commands = mec_http::Transport {
        shutdown_timeout: connections.shutdown_timeout,
        ..mec_http::Transport::default()
    };
    let fresh = listening.tls.clone();
    let fresh = fresh.map(|tls| tokio::spawn(tls.keep_fresh(settings.tls_look())));
    let (stopping, mut stops) = watch::channel(());
    let stop = async {
        stopped.await;
        front.stop();
        tokio::time::sleep(settings.shutdown_delay()).await;
        drop(stopping);
    };
    let stop_commands = async {
        // It ends with the other end of the channel, which is the stop.
        let _ = stops.changed().await;
    };
    let commands = listening.commands.into_iter().collect();
    tokio::join!(
        mec_http::serve(listening.listeners, router.clone(), connections, stop),
        mec_http::serve(commands, router, of_commands, stop_commands),
    );
    if let Some(fresh) = fresh {
        fresh.abort();
    }
}

/// Starts what the service is watched by.
async fn watched(place: &Place, args: &ServeArgs, app: &App) -> Result<Vec<JoinHandle<()>>> {
    let mut watched = Vec::new();
    if let Some(address) = args.metrics.listen() {
        let listener = tokio::net::TcpListener::bind(address)
            .await
            .with_context(|| format!("MEC_METRICS_LISTEN: {address} cannot be listened on"))?;
        let router = mec_http::metrics_router(app.clone());
        // It bounds its clients as the API does, and ends with the server.
        let bounds = args.transport.connections();
        watched.push(tokio::spawn(async move {
            mec_http::serve(vec![listener.into()], router, bounds, pending()).await;
        }));
    }
    if let Some(every) = args.metrics.verify_every() {
        watched.push(tokio::spawn(proving::prove(
            place.clone(),
            app.clone(),
            every,
        )));
    }
    Ok(watched)
}

/// Tells commands on this machine where the server is and gives them a token, which is renewed as long
/// as the server runs, and when another secret signs.
fn keep_door(
    folder: &Path,
    shown: &[String],
    mut secret: watch::Receiver<String>,
) -> Result<JoinHandle<()>> {
    let path = folder.join(TOKEN_FILE);
    let first = shown.first().map_or("", String::as_str);
    // Plain addresses stand there without a scheme, as they always did.
    let address = first.strip_prefix("http://").unwrap_or(first);
    private::replace(&path, &admin_token(&secret.borrow(), TOKEN_SECONDS)?)?;
    private::replace(&folder.join(ADDRESS_FILE), address)?;
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

/// Takes over the keys of tokens.
fn take_keys(
    folder: &Path,
    front: Front,
    signing: watch::Sender<String>,
) -> impl Fn(&Place, &ServeArgs) -> Result<TakeOver> + Send + 'static {
    let folder = folder.to_owned();
    let signing = Arc::new(signing);
    move |_, args| {
        let secret = secret::load_or_make(&folder, &args.tokens.secret)?;
        let taken = secrets(&secret, &args.tokens)?;
        let issuer = args.tokens.issuer()?;
        let (front, signing) = (front.clone(), signing.clone());
        Ok(Box::new(move || {
            front.reload_keys(&taken, issuer);
            signing.send_if_modified(|held| {
                let is_other = *held != secret.secret;
                held.clone_from(&secret.secret);
                is_other
            });
        }))
    }
}

/// Takes over how much clients may send.
fn take_bounds(front: Front) -> impl Fn(&Place, &ServeArgs) -> Result<TakeOver> + Send + 'static {
    move |_, args| {
        let (limits, budgets) = (args.limits.sizes(), args.limits.budgets());
        let (front, rates) = (front.clone(), args.rates.config(COMMANDS));
        Ok(Box::new(move || {
            front.reload_bounds(limits, rates, budgets)
        }))
    }
}

/// Takes over a renewed certificate; other files take a restart.
fn take_certificate(
    tls: Option<Tls>,
) -> impl Fn(&Place, &ServeArgs) -> Result<TakeOver> + Send + 'static {
    move |_, _| {
        let tls = tls.clone();
        Ok(Box::new(move || {
            if let Some(Err(error)) = tls.map(|tls| tls.reload()) {
                tracing::error!(%error, "the certificate stays");
            }
        }))
    }
}

/// Takes over the level of the log.
fn take_level(
    logging: Arc<Logging>,
) -> impl Fn(&Place, &ServeArgs) -> Result<TakeOver> + Send + 'static {
    move |place, _| {
        let (logging, logs) = (logging.clone(), place.logs.clone());
        Ok(Box::new(move || logging.reload(&logs)))
    }
}

/// Ends when the process is told to stop. From the call on it is heard, so that nobody who stops a server that
/// has just started ends it in the middle of its work.
fn stopped() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
