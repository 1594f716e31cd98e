//! Serving a listener until told to stop.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{App, router};

/// So long requests in flight may take to finish after the stop, in seconds.
const DRAIN_SECONDS: u64 = 30;

/// Serves until `shutdown` ends, then takes no more connections and finishes what is in flight,
/// for 30 seconds at the most. The engine is closed by the caller.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Answers are small and written at once; waiting to fill a packet would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
    });
    let (stopping, stopped) = oneshot::channel::<()>();
    let signal = async move {
        shutdown.await;
        // The receiver is gone only where the server has already ended.
        let _ = stopping.send(());
    };
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(signal)
        .into_future();
    let overdue = async {
        if stopped.await.is_ok() {
            tokio::time::sleep(Duration::from_secs(DRAIN_SECONDS)).await;
        } else {
            // The server ended by itself and its own result counts.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = server => served,
        () = overdue => {
            tracing::warn!("requests were still in flight after {DRAIN_SECONDS} seconds");
            Ok(())
        }
    }
}
