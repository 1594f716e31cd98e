//! The check without its front door: the route reads the same body and hands the same command to the same
//! engine, and nothing else is done: no token, no limits, no log, no metrics, no headers of MEC's own.

use super::child::Child;
use super::mec::Mec;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use mec_core::ops::check::Check;
use mec_core::{Command as Asked, Namespace, Quantity, Timestamp};
use mec_engine::{Engine, EngineConfig, Request, RisingIds, Target};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

#[derive(clap::Args)]
pub struct Args {
    /// The data folder, in which the accounts are
    #[arg(long)]
    data_dir: PathBuf,
}

struct Wall;

impl mec_store::Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// Serves until it is killed; its first line of output is the port.
pub fn serve(args: &Args) -> Result<()> {
    let config = SqliteConfig {
        data_dir: args.data_dir.clone(),
        ..SqliteConfig::default()
    };
    let store = Arc::new(SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds)?);
    let engine = Engine::start(store, Arc::new(Wall), RisingIds, EngineConfig::default())?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let listener = listener.tap_io(|stream| {
            // A connection without it would only be slower, and the run is judged by its median.
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new()
            .route("/api/rpc/check_entitlement", post(check))
            .with_state(Arc::new(engine));
        axum::serve(listener, router).await?;
        Ok(())
    })
}

#[derive(Deserialize)]
struct Arguments<'a> {
    p_account_id: Uuid,
    p_resource_type: &'a str,
}

async fn check(State(engine): State<Arc<Engine>>, body: Bytes) -> Response {
    let Ok(arguments) = serde_json::from_slice::<Arguments<'_>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let check = Check {
        resource: arguments.p_resource_type.into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: Default::default(),
        explain: false,
    };
    let request = Request {
        namespace: Namespace::default_namespace(),
        target: Target::Account(arguments.p_account_id),
        command: Asked::Check(check),
        key: None,
        by: "referee".into(),
        guard: None,
        request_id: None,
        consistency: Default::default(),
    };
    match engine.call(request).await {
        Ok(outcome) => {
            let json = HeaderValue::from_static("application/json");
            ([(CONTENT_TYPE, json)], outcome.body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The route as a child of this process.
pub struct Bare {
    _server: Child,
    pub address: SocketAddr,
}

impl Bare {
    /// Starts it on accounts of its own, which MEC makes in `folder` and leaves.
    pub fn start(binary: &Path, folder: &Path, accounts: usize) -> Result<Self> {
        let data = Mec::start(binary, folder, accounts)?.leave();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("referee-bare")
            .arg("--data-dir")
            .arg(data)
            .stdout(Stdio::piped());
        let mut server = Child::spawn("the check without its front door", &mut command)?;
        let mut line = String::new();
        let output = server.stdout().context("the bare check has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port: u16 = line
            .trim()
            .parse()
            .context("the bare check did not print its port")?;
        Ok(Self {
            _server: server,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }
}
