//! What all handlers share.

use std::sync::Arc;

use mec_core::IdSource;
use mec_engine::{Engine, RisingIds};
use parking_lot::Mutex;
use secrecy::SecretString;
use uuid::Uuid;

use crate::auth::Verifier;

/// Bounds of what a client may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes. Default 1 MiB.
    pub body_bytes: usize,
    /// The longest path with query, in bytes. Default 8 KiB.
    pub uri_bytes: usize,
    /// How long a body may take to arrive, in seconds. Default 30.
    pub body_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            uri_bytes: 8 * 1024,
            body_seconds: 30,
        }
    }
}

/// The application: the engine, the keys of tokens, the limits. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<Engine>,
    verifier: Verifier,
    limits: Limits,
    ids: Mutex<Box<dyn IdSource + Send>>,
}

impl App {
    /// An application over an engine; tokens are signed with the secret by HS256.
    pub fn new(engine: Arc<Engine>, secret: SecretString) -> Self {
        Self::with(engine, &[secret], Limits::default(), RisingIds)
    }

    /// An application that takes tokens of any of several secrets, as while one is replaced by
    /// another. `ids` gives the ids of accounts that are created without one.
    pub fn with(
        engine: Arc<Engine>,
        secrets: &[SecretString],
        limits: Limits,
        ids: impl IdSource + Send + 'static,
    ) -> Self {
        let verifier = Verifier::new(secrets);
        let ids = Mutex::new(Box::new(ids) as Box<dyn IdSource + Send>);
        Self {
            inner: Arc::new(Inner {
                engine,
                verifier,
                limits,
                ids,
            }),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.inner.verifier
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn next_id(&self) -> Uuid {
        self.inner.ids.lock().next_id()
    }
}
