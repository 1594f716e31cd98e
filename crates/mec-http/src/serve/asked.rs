//! The body of a request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;

use super::activity::Activity;
use super::answer::InFlight;

/// So much of a body that nobody reads is taken in and thrown away, in bytes.
const DISCARDED_BYTES: usize = 64 * 1024;
/// And so long it is waited for.
const DISCARDED_WITHIN: Duration = Duration::from_secs(5);

/// The body of a request. Who is refused may still be sending it when the answer comes; what is left is then taken
/// in, since the connection would else be closed under a client that means to go on with it.
pub struct Asked {
    body: Option<Incoming>,
    activity: Arc<Activity>,
}

impl Asked {
    pub fn new(body: Incoming, activity: &Arc<Activity>) -> Self {
        Self {
            body: Some(body),
            activity: activity.clone(),
        }
    }
}

impl Body for Asked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let body = self.body.as_ref();
        body.map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        // Beyond a runtime nothing arrives any more.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let in_flight = InFlight::begin(&self.activity);
        runtime.spawn(async move {
            // What takes too long is given up, and the connection with it.
            let _ = tokio::time::timeout(DISCARDED_WITHIN, discard(body)).await;
            drop(in_flight);
        });
    }
}

async fn discard(mut body: Incoming) {
    let mut discarded = 0_usize;
    while let Some(Ok(frame)) = body.frame().await {
        discarded = discarded.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if discarded > DISCARDED_BYTES {
            return;
        }
    }
}
