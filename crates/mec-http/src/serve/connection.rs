//! One connection from its first byte to its last.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_rustls::TlsAcceptor;

use super::activity::{Activity, Reason};
use super::answer::Answers;
use super::stream::{Stream, Watched};
use super::{Phase, Shared, Transport};
use crate::layers::Peer;

/// How long a client has to say good-bye to a connection that was idle for too long.
const FAREWELL: Duration = Duration::from_secs(2);
/// Further ahead than any time-out.
const FAR: Duration = Duration::from_secs(86_400);

/// Holds a connection until it ends, is given up, or the server has closed.
pub async fn hold(
    stream: Stream,
    tls: Option<TlsAcceptor>,
    peer: Peer,
    shared: &Shared,
    mut phase: watch::Receiver<Phase>,
) {
    let is_encrypted = tls.is_some();
    let stream = match tls {
        None => stream,
        Some(acceptor) => {
            let patience = shared.transport.handshake_timeout;
            let handshake = tokio::time::timeout(patience, acceptor.accept(stream));
            let shaken = tokio::select! {
                shaken = handshake => shaken,
                // Nothing was asked yet.
                _ = phase.changed() => return,
            };
            match shaken {
                Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a client and this server found no TLS");
                    return;
                }
                Err(_) => {
                    tracing::debug!("a client did not finish its TLS handshake in time");
                    return;
                }
            }
        }
    };
    let activity = Arc::new(Activity::begin());
    let answers = Answers {
        router: shared.router.clone(),
        activity: activity.clone(),
        peer,
        is_encrypted,
    };
    let watched = Watched {
        stream,
        activity: activity.clone(),
    };
    let connection = shared
        .builder
        .serve_connection(TokioIo::new(watched), answers);
    let mut connection = pin!(connection);
    let mut timer = pin!(sleep_until(Instant::now() + FAR));
    let mut said_farewell = None;
    if *phase.borrow_and_update() != Phase::Serving {
        return;
    }
    loop {
        let given_up = tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection broke off");
                }
                return;
            }
            changed = phase.changed() => {
                // The server is gone where nobody can tell a phase any more.
                if changed.is_err() || *phase.borrow_and_update() == Phase::Cut {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                continue;
            }
            reason = expired(&activity, &shared.transport, said_farewell, timer.as_mut()) => reason,
        };
        if given_up != Reason::Idle || said_farewell.is_some() {
            tracing::debug!(reason = ?given_up, "a connection was cut off");
            return;
        }
        said_farewell = Some(Instant::now());
        connection.as_mut().graceful_shutdown();
    }
}

/// Ends when the connection is to be given up.
async fn expired(
    activity: &Activity,
    transport: &Transport,
    said_farewell: Option<Instant>,
    mut timer: Pin<&mut Sleep>,
) -> Reason {
    poll_fn(|context| {
        loop {
            let now = Instant::now();
            let end = activity
                .end(transport)
                .map(|(at, reason)| match said_farewell {
                    Some(said) if reason == Reason::Idle => (said + FAREWELL, reason),
                    _ => (at, reason),
                });
            match end {
                Some((at, reason)) if at <= now => return Poll::Ready(reason),
                // A timer that goes off too early is set anew then, which is less work than to move it
                // with every request.
                Some((at, _)) if at < timer.deadline() => timer.as_mut().reset(at),
                _ => {}
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            timer.as_mut().reset(end.map_or(now + FAR, |(at, _)| at));
        }
    })
    .await
}
