//! What all handlers share.

use std::sync::Arc;

use mec_core::IdSource;
use mec_engine::{Engine, RisingIds};
use parking_lot::Mutex;
use secrecy::SecretString;
use uuid::Uuid;

use crate::auth::IssuerConfig;
use crate::layers::log::LogConfig;
use crate::layers::{BudgetsConfig, Cors, Front, RatesConfig};
use crate::metrics::MetricsConfig;

/// Bounds of what a client may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The largest body, in bytes. Default 1 MiB.
    pub body_bytes: usize,
    /// The longest path with query, in bytes. Default 8 KiB.
    pub uri_bytes: usize,
    /// The most bytes of all header fields, names and values. Default 32 KiB.
    pub header_bytes: usize,
    /// The most header fields. Default 64.
    pub header_count: usize,
    /// How long a body may take to arrive, in seconds. Default 30.
    pub body_seconds: u64,
    /// How long a request may take as a whole once its head is there, in seconds. Default 120.
    pub request_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            uri_bytes: 8 * 1024,
            header_bytes: 32 * 1024,
            header_count: 64,
            body_seconds: 30,
            request_seconds: 120,
        }
    }
}

/// The settings of a front door.
#[derive(Clone, Debug, Default)]
pub struct FrontConfig {
    /// The secrets of tokens signed by HS256, each of 32 bytes or more. A token of any of them is taken, as
    /// while one is replaced by another.
    pub secrets: Vec<SecretString>,
    /// The issuer of tokens signed by RS256 or ES256, where there is one.
    pub issuer: Option<IssuerConfig>,
    /// What a client may send.
    pub limits: Limits,
    /// The pages whose scripts may read answers.
    pub cors: Cors,
    /// What is told of requests, and to whom.
    pub logs: LogConfig,
    /// Who may read the metrics, and where.
    pub metrics: MetricsConfig,
    /// How often each client may send.
    pub rates: RatesConfig,
    /// How much is worked on at once.
    pub budgets: BudgetsConfig,
}

/// The application: the engine and its front door. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<Engine>,
    front: Front,
    ids: Mutex<Box<dyn IdSource + Send>>,
}

impl App {
    /// An application over an engine; tokens are signed with the secret by HS256.
    pub fn new(engine: Arc<Engine>, secret: SecretString) -> Self {
        Self::with(engine, Front::from(secret), RisingIds)
    }

    /// An application behind a front door. `ids` gives the ids of accounts that are created without one.
    pub fn with(engine: Arc<Engine>, front: Front, ids: impl IdSource + Send + 'static) -> Self {
        front.attach(&engine);
        let ids = Mutex::new(Box::new(ids) as Box<dyn IdSource + Send>);
        Self {
            inner: Arc::new(Inner { engine, front, ids }),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Its front door.
    pub fn front(&self) -> &Front {
        &self.inner.front
    }

    pub(crate) fn next_id(&self) -> Uuid {
        self.inner.ids.lock().next_id()
    }
}
