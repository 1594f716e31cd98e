//! The way to the data: the running server, or where none runs the same routes within this process.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use mec_engine::{Engine, EngineConfig};
use mec_http::{App, Claims, Role};
use mec_store::StoreError;
use serde::Deserialize;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use uuid::Uuid;

use crate::clock::unix_seconds;
use crate::place::{Opened, Place};
use crate::{private, serve};

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// Who commands on this machine are; a server does not limit how often they come.
pub const COMMANDS: &str = "mec-cli";
/// How long the token of a command within one process lasts, in seconds.
const TOKEN_SECONDS: u64 = 7 * 86_400;

/// Which server and namespace a command is for.
#[derive(clap::Args, Clone)]
pub struct Reach {
    /// The server, such as http://localhost:8000; without it the one that runs on the data folder,
    /// and where none runs the folder itself. The token is taken from MEC_TOKEN where it is set
    #[arg(long, env = "MEC_SERVER")]
    pub server: Option<String>,
    /// In which namespace
    #[arg(long, env = "MEC_NAMESPACE", default_value = "default")]
    pub namespace: String,
}

/// Which server a command is for that acts on all namespaces.
#[derive(clap::Args, Clone)]
pub struct ReachOfAll {
    /// The server, such as http://localhost:8000; without it the one that runs on the data folder,
    /// and where none runs the folder itself. The token is taken from MEC_TOKEN where it is set
    #[arg(long, env = "MEC_SERVER")]
    pub server: Option<String>,
}

impl ReachOfAll {
    /// The same as a way in, of no one namespace.
    pub fn reach(&self) -> Reach {
        Reach {
            server: self.server.clone(),
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
        agent: ureq::Agent,
        base: String,
    },
    InProcess {
        router: Router,
        engine: Arc<Engine>,
        runtime: Runtime,
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
            return Self::to_server(server, token_of(folder)?, reach);
        }
        let runtime = Runtime::new()?;
        if place.postgres().is_some() {
            // Any number of processes may have the database, so that no server is needed.
            return Self::in_process(place.open(&runtime)?, runtime, reach);
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
                for left in [serve::ADDRESS_FILE, serve::TOKEN_FILE] {
                    private::remove(&folder.join(left))?;
                }
                Self::in_process(store, runtime, reach)
            }
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(StoreError::Owned(_)) => match address_of(folder) {
                    Some(address) => Self::to_server(&address, token_of(folder)?, reach),
                    None => Err(error),
                },
                _ => Err(error),
            },
        }
    }

    /// The way to a server, if it is reachable or not.
    pub fn to_server(server: &str, token: String, reach: &Reach) -> Result<Self> {
        let base = server.trim_end_matches('/');
        if !base.starts_with("http://") {
            bail!("--server {server}: an address such as http://localhost:8000 is expected");
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        Ok(Self {
            way: Way::Running {
                agent: ureq::Agent::new_with_config(config),
                base: base.to_owned(),
            },
            token,
            namespace: reach.namespace.clone(),
        })
    }

    fn in_process(store: Opened, runtime: Runtime, reach: &Reach) -> Result<Self> {
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let token = admin_token(&secret, TOKEN_SECONDS)?;
        let entered = runtime.enter();
        let engine = Arc::new(store.engine(EngineConfig::default())?);
        drop(entered);
        let router = mec_http::router(App::new(engine.clone(), secret.into()));
        Ok(Self {
            way: Way::InProcess {
                router,
                engine,
                runtime,
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
            Way::Running { agent, base } => {
                let request = request.uri(format!("{base}{}", call.path)).body(body)?;
                let sent = agent.run(request);
                let mut answer =
                    sent.with_context(|| format!("the server at {base} does not answer"))?;
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
    let mut address: SocketAddr = text.trim().parse().ok()?;
    // A server that listens everywhere is reached here.
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Some(format!("http://{address}"))
}

/// `MEC_TOKEN`, else the token that the server on the folder keeps for commands.
pub fn token_of(folder: &Path) -> Result<String> {
    if let Ok(token) = std::env::var("MEC_TOKEN") {
        return Ok(token.trim().to_owned());
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
