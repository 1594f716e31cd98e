//! The way to the data: the running server, or where none runs the same routes within this process.

mod agent;
mod socket;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use mec_engine::{Engine, EngineConfig, RisingIds};
use mec_http::{App, Claims, Front, FrontConfig, Role};
use mec_store::StoreError;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use ureq::Agent;
use uuid::Uuid;

use crate::clock::unix_seconds;
use crate::logging::Logging;
use crate::place::{Opened, Place};
use crate::{listening, private, serve};

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
/// Who commands on this machine are; a server does not limit how often they come.
pub const COMMANDS: &str = "mec-cli";
/// How long the token of a command within one process lasts, in seconds.
const TOKEN_SECONDS: u64 = 7 * 86_400;

/// Which server and namespace a command is for.
#[derive(clap::Args, Clone)]
pub struct Reach {
    /// The server, such as http://localhost:8000 or unix:/run/mec.sock; without it the one that runs on the data
    /// folder, and where none runs the folder itself
    #[arg(long, env = "MEC_SERVER")]
    pub server: Option<String>,
    #[command(flatten)]
    pub token: HeldToken,
    /// In which namespace
    #[arg(long, env = "MEC_NAMESPACE", default_value = "default")]
    pub namespace: String,
}

/// Which server a command is for that acts on all namespaces.
#[derive(clap::Args, Clone)]
pub struct ReachOfAll {
    /// The server, such as http://localhost:8000 or unix:/run/mec.sock; without it the one that runs on the data
    /// folder, and where none runs the folder itself
    #[arg(long, env = "MEC_SERVER")]
    pub server: Option<String>,
    #[command(flatten)]
    pub token: HeldToken,
}

/// The token that a command shows to a server.
#[derive(clap::Args, Clone)]
pub struct HeldToken {
    /// The token to show to the server; without it the one that the server keeps in the data folder
    #[arg(long, env = "MEC_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<SecretString>,
}

impl ReachOfAll {
    /// The same as a way in, of no one namespace.
    pub fn reach(&self) -> Reach {
        Reach {
            server: self.server.clone(),
            token: self.token.clone(),
            namespace: "*".to_owned(),
        }
    }
}

/// One call.
pub struct Call<'a> {
    pub method: &'static str,
    pub path: &'a str,
    pub headers: &'a [(&'static str, &'a str)],
    pub body: Option<String>,
}

impl<'a> Call<'a> {
    pub fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            headers: &[],
            body: None,
        }
    }

    pub fn post(path: &'a str, body: String) -> Self {
        Self {
            method: "POST",
            path,
            headers: &[("prefer", "return=representation")],
            body: Some(body),
        }
    }
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// An error as the API writes it.
#[derive(Debug, Deserialize)]
pub struct Refused {
    pub code: String,
    pub message: String,
    pub details: Option<String>,
    pub hint: Option<String>,
}

impl Answer {
    /// The body of a success; else what was refused, as a sentence.
    pub fn success(self) -> Result<String> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let status = self.status;
        let refused = self.refused();
        let refused = refused.ok_or_else(|| anyhow!("the server answered with status {status}"))?;
        let hint = refused.hint.map(|hint| format!("; {hint}"));
        bail!(
            "{} ({}){}",
            refused.message,
            refused.code,
            hint.unwrap_or_default()
        )
    }

    /// The error that the answer is, where it is one.
    pub fn refused(&self) -> Option<Refused> {
        serde_json::from_str(&self.body).ok()
    }
}

enum Way {
    Running {
        agent: Agent,
        base: String,
        /// The address for people.
        shown: String,
        /// The folder through which the socket is reached, where its path is long.
        folder: Option<fs::File>,
    },
    InProcess {
        router: Router,
        engine: Arc<Engine>,
        runtime: Runtime,
        /// It writes until it is dropped.
        _logging: Logging,
    },
}

/// An open way. Calls may be sent from several threads.
pub struct Door {
    way: Way,
    token: String,
    namespace: String,
}

impl Door {
    /// Opens the way that the arguments and the folder offer.
    pub fn open(place: &Place, reach: &Reach) -> Result<Self> {
        let folder = place.data_dir.as_path();
        if let Some(server) = &reach.server {
            return Self::to_server(server, reach.token.or_of(folder)?, reach);
        }
        let runtime = Runtime::new()?;
        if place.postgres().is_some() {
            // Any number of processes may have the database, so that no server is needed.
            return Self::in_process(place, place.open(&runtime)?, runtime, reach);
        }
        if !folder.join("mec.db").is_file() {
            bail!(
                "{} holds no database; start `mec serve`, run `mec migrate`, or name the folder with --data-dir",
                folder.display()
            );
        }
        match place.open(&runtime) {
            Ok(store) => {
                // The folder is ours, so that what a server left that was killed leads nowhere.
                let left = [
                    serve::ADDRESS_FILE,
                    serve::TOKEN_FILE,
                    listening::SOCKET_FILE,
                ];
                for left in left {
                    private::remove(&folder.join(left))?;
                }
                Self::in_process(place, store, runtime, reach)
            }
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(StoreError::Owned(_)) => match address_of(folder) {
                    Some(server) => {
                        Self::to_running(folder, &server, reach.token.or_of(folder)?, reach)
                    }
                    None => Err(error),
                },
                _ => Err(error),
            },
        }
    }

    /// The way to a server, if it is reachable or not.
    pub fn to_server(server: &str, token: String, reach: &Reach) -> Result<Self> {
        let shown = server.trim_end_matches('/');
        let (agent, base) = agent::to(shown)?;
        Ok(Self {
            way: Way::Running {
                agent,
                base: base.to_owned(),
                shown: shown.to_owned(),
                folder: None,
            },
            token,
            namespace: reach.namespace.clone(),
        })
    }

    /// The way to the server that runs on a folder: by the socket that it keeps there, which needs no
    /// certificate; else by its address.
    pub fn to_running(folder: &Path, address: &str, token: String, reach: &Reach) -> Result<Self> {
        if !folder.join(listening::SOCKET_FILE).exists() {
            return Self::to_server(address, token, reach);
        }
        let (held, path) = listening::socket_path(folder)?;
        let server = format!("unix:{}", path.display());
        let mut door = Self::to_server(&server, token, reach)?;
        if let Way::Running { shown, folder, .. } = &mut door.way {
            address.clone_into(shown);
            *folder = held;
        }
        Ok(door)
    }

    fn in_process(place: &Place, store: Opened, runtime: Runtime, reach: &Reach) -> Result<Self> {
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let token = admin_token(&secret, TOKEN_SECONDS)?;
        let logging = Logging::of_command(&place.data_dir, &place.logs)?;
        let front = Front::new(FrontConfig {
            secrets: vec![secret.into()],
            logs: logging.config(),
            ..FrontConfig::default()
        });
        let entered = runtime.enter();
        let engine = Arc::new(store.engine(EngineConfig::default())?);
        drop(entered);
        let router = mec_http::router(App::with(engine.clone(), front, RisingIds));
        Ok(Self {
            way: Way::InProcess {
                router,
                engine,
                runtime,
                _logging: logging,
            },
            token,
            namespace: reach.namespace.clone(),
        })
    }

    /// Sends a call. An error means that no answer came; the call may have been done.
    pub fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let mut request = Request::builder()
            .method(call.method)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header("mec-namespace", &self.namespace);
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = call.body.clone().unwrap_or_default();
        match &self.way {
            Way::Running {
                agent, base, shown, ..
            } => {
                let request = request.uri(format!("{base}{}", call.path)).body(body)?;
                let sent = agent.run(request);
                let mut answer =
                    sent.with_context(|| format!("the server at {shown} does not answer"))?;
                let text = answer
                    .body_mut()
                    .with_config()
                    .limit(MAX_ANSWER_BYTES)
                    .read_to_string()?;
                Ok(Answer {
                    status: answer.status().as_u16(),
                    headers: answer.headers().clone(),
                    body: text,
                })
            }
            Way::InProcess {
                router, runtime, ..
            } => {
                let request = request.uri(call.path).body(Body::from(body))?;
                let answer = async {
                    let (parts, body) = router.clone().oneshot(request).await?.into_parts();
                    let bytes = to_bytes(body, usize::MAX).await?;
                    Ok(Answer {
                        status: parts.status.as_u16(),
                        headers: parts.headers,
                        body: String::from_utf8(bytes.into())?,
                    })
                };
                runtime.handle().block_on(answer)
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Way::InProcess {
            engine, runtime, ..
        } = &self.way
        {
            runtime.block_on(engine.close());
        }
    }
}

/// The address of the server that last ran on a folder, as a URL.
pub fn address_of(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(folder.join(serve::ADDRESS_FILE)).ok()?;
    let text = text.trim();
    if text.starts_with("unix:") {
        return Some(text.to_owned());
    }
    let (scheme, address) = text.split_once("://").unwrap_or(("http", text));
    let mut address: SocketAddr = address.parse().ok()?;
    // A server that listens everywhere is reached here.
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Some(format!("{scheme}://{address}"))
}

impl HeldToken {
    /// The token, else the one that the server on the folder keeps for commands.
    pub fn or_of(&self, folder: &Path) -> Result<String> {
        if let Some(token) = &self.token {
            return Ok(token.expose_secret().trim().to_owned());
        }
        let path: PathBuf = folder.join(serve::TOKEN_FILE);
        let token = fs::read_to_string(&path).with_context(|| {
            format!(
                "no token: MEC_TOKEN is not set, and {} cannot be read",
                path.display()
            )
        })?;
        Ok(token.trim().to_owned())
    }
}

/// A token for commands: an administrator of all namespaces.
pub fn admin_token(secret: &str, seconds: u64) -> Result<String> {
    let claims = Claims {
        sub: COMMANDS.to_owned(),
        role: Role::MecAdmin,
        namespace_id: "*".to_owned(),
        account_id: None,
        aud: "mec-service".to_owned(),
        exp: unix_seconds().saturating_add(seconds),
    };
    Ok(mec_http::issue_token(secret.as_bytes(), &claims)?)
}
