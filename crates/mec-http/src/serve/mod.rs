//! Serving listeners until told to stop: HTTP/1.1 and HTTP/2, plain and over TLS, on TCP and unix sockets.
//!
//! Each connection is watched: who is too slow to send a request or to take an answer is cut off, so that
//! no client holds a connection, or the memory of an answer, for longer than the time-outs say.

mod activity;
mod answer;
mod asked;
mod connection;
mod listen;
mod stream;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use listen::{ListenAddress, ListenError, Listener};
pub use tls::{Tls, TlsError};

/// The most bytes of an answer that wait for a client, a stream of HTTP/2 each.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
/// How long the rest has to go once it was cut off at the end of a shutdown.
const CUT_PATIENCE: Duration = Duration::from_secs(1);
/// How long a listener rests where no connection can be taken, as where no descriptor is left.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// How often it is warned of one and the same thing at the most.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// How connections are held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transport {
    /// How many connections there are at the same time; what comes beyond waits. Default 16,000.
    pub max_connections: usize,
    /// How long the handshake of TLS may take. Default 10 seconds.
    pub handshake_timeout: Duration,
    /// How long the head of a request may take, from its first byte on. Default 10 seconds.
    pub header_timeout: Duration,
    /// How long a connection may stand without a request. Default 75 seconds.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of an answer that waits for it. Default 30 seconds.
    pub write_timeout: Duration,
    /// How long requests in flight may take to finish after the stop. Default 30 seconds.
    pub shutdown_timeout: Duration,
    /// The longest head of a request, in bytes, 8,192 or more. Default 32 KiB.
    pub max_header_bytes: u32,
    /// How many requests one connection of HTTP/2 may have in flight. Default 128.
    pub max_streams: u32,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            max_connections: 16_000,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(30),
            max_header_bytes: 32 * 1024,
            max_streams: 128,
        }
    }
}

/// How far a server is on its way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Serving,
    /// Connections finish what is in flight.
    Closing,
    /// Connections end at once.
    Cut,
}

/// What all connections share.
struct Shared {
    router: Router,
    builder: Builder<TokioExecutor>,
    transport: Transport,
    room: Arc<Semaphore>,
    /// When it was last warned that there is no room.
    warned: Mutex<Option<Instant>>,
}

impl Shared {
    fn new(router: Router, transport: Transport) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        let header_bytes = transport.max_header_bytes;
        builder.http1().max_buf_size(
            usize::try_from(header_bytes)
                .unwrap_or(usize::MAX)
                .max(8_192),
        );
        builder
            .http2()
            .max_header_list_size(header_bytes)
            .max_concurrent_streams(transport.max_streams)
            .max_send_buf_size(SEND_BUFFER_BYTES);
        let room = transport.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            router: router.with_state(()),
            builder,
            room: Arc::new(Semaphore::new(room)),
            warned: Mutex::new(None),
            transport,
        }
    }

    /// Warns that there is no room, now and then.
    fn warn_of_crowd(&self) {
        let now = Instant::now();
        let mut warned = self.warned.lock();
        if warned.is_none_or(|last| now.duration_since(last) > WARN_EVERY) {
            *warned = Some(now);
            let most = self.transport.max_connections;
            tracing::warn!("all {most} connections are taken; further ones wait");
        }
    }
}

/// Serves until `shutdown` ends, then takes no more connections and finishes what is in flight, for the
/// time of the settings at the most. The engine is closed by the caller.
pub async fn serve(
    listeners: Vec<Listener>,
    router: Router,
    transport: Transport,
    shutdown: impl Future<Output = ()>,
) {
    let shared = Arc::new(Shared::new(router, transport));
    let (phase, phases) = watch::channel(Phase::Serving);
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, shared.clone(), phases.clone()));
    }
    drop(phases);
    shutdown.await;
    phase.send_replace(Phase::Closing);
    // A listener is closed with its loop, before anything else is waited for.
    while accepting.join_next().await.is_some() {}
    let patience = shared.transport.shutdown_timeout;
    if tokio::time::timeout(patience, phase.closed()).await.is_ok() {
        return;
    }
    let left = phase.receiver_count();
    tracing::warn!(
        "{left} connections had requests in flight after {} seconds and were cut off",
        patience.as_secs_f32()
    );
    phase.send_replace(Phase::Cut);
    if tokio::time::timeout(CUT_PATIENCE, phase.closed())
        .await
        .is_err()
    {
        tracing::warn!("requests were still in flight at the end");
    }
}

/// Takes the connections of one listener until the server closes.
async fn accept(listener: Listener, shared: Arc<Shared>, mut phase: watch::Receiver<Phase>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.changed() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if listen::is_of_the_client(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        if shared.room.available_permits() == 0 {
            shared.warn_of_crowd();
        }
        let room = tokio::select! {
            room = shared.room.clone().acquire_owned() => room,
            _ = phase.changed() => return,
        };
        // It is never closed.
        let Ok(room) = room else { return };
        let tls = listener.tls().map(Tls::acceptor);
        let (shared, phase) = (shared.clone(), phase.clone());
        tokio::spawn(async move {
            connection::hold(stream, tls, peer, &shared, phase).await;
            drop(room);
        });
    }
}
