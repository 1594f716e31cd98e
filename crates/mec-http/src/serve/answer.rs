//! One request of a connection, from its head to the last byte of its answer.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::future::RouteFuture;
use axum::{BoxError, Router};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::Service;
use pin_project_lite::pin_project;

use super::activity::Activity;
use super::asked::Asked;
use crate::layers::{Encrypted, Peer};

/// The largest piece in which an answer is handed over, in bytes; the connection takes the next one when
/// the client has taken from it.
const PIECE_BYTES: usize = 64 * 1024;

/// Answers the requests of one connection.
pub struct Answers {
    pub router: Router,
    pub activity: Arc<Activity>,
    pub peer: Peer,
    pub is_encrypted: bool,
}

impl Service<Request<Incoming>> for Answers {
    type Response = Response<Told>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let in_flight = InFlight::begin(&self.activity);
        let mut request = request.map(|body| Body::new(Asked::new(body, &self.activity)));
        let extensions = request.extensions_mut();
        extensions.insert(self.peer);
        if self.is_encrypted {
            extensions.insert(Encrypted);
        }
        Answering {
            future: tower::Service::call(&mut self.router.clone(), request),
            in_flight: Some(in_flight),
        }
    }
}

/// Counts a request as long as it lives.
pub struct InFlight(Arc<Activity>);

impl InFlight {
    pub fn begin(activity: &Arc<Activity>) -> Self {
        activity.request_begins();
        Self(activity.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.request_ends();
    }
}

pin_project! {
    /// A request that is worked on.
    pub struct Answering {
        #[pin]
        future: RouteFuture<Infallible>,
        in_flight: Option<InFlight>,
    }
}

impl Future for Answering {
    type Output = Result<Response<Told>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = match ready!(this.future.poll(context)) {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let in_flight = this.in_flight.take();
        Poll::Ready(Ok(response.map(|body| Told::new(body, in_flight))))
    }
}

/// The body of an answer, in pieces.
pub struct Told {
    body: Body,
    rest: Bytes,
    in_flight: Option<InFlight>,
}

impl Told {
    fn new(body: Body, in_flight: Option<InFlight>) -> Self {
        if let Some(InFlight(activity)) = &in_flight {
            activity.answer_begins();
        }
        Self {
            body,
            rest: Bytes::new(),
            in_flight,
        }
    }

    /// The next piece of what is at hand.
    fn piece(&mut self) -> Bytes {
        self.rest.split_to(self.rest.len().min(PIECE_BYTES))
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(InFlight(activity)) = &self.in_flight {
            activity.answer_ends();
        }
    }
}

impl hyper::body::Body for Told {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(frame) => frame.map_err(BoxError::from),
            }
        } else {
            Ok(Frame::data(this.piece()))
        };
        if let Some(InFlight(activity)) = &this.in_flight {
            activity.moved();
        }
        let frame = frame.map(|frame| match frame.into_data() {
            Ok(data) => {
                if this.rest.is_empty() && data.len() > PIECE_BYTES {
                    this.rest = data;
                    Frame::data(this.piece())
                } else {
                    Frame::data(data)
                }
            }
            Err(other) => other,
        });
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = hyper::body::Body::size_hint(&self.body);
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let mut with_rest = SizeHint::new();
        with_rest.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            with_rest.set_upper(upper.saturating_add(rest));
        }
        with_rest
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use hyper::body::Body as _;

    use super::*;

    #[tokio::test]
    async fn an_answer_comes_in_pieces_and_whole() {
        let text: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut told = Told::new(Body::from(text.clone()), None);
        let (mut lengths, mut joined) = (Vec::new(), Vec::new());
        while let Some(frame) = told.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            lengths.push(piece.len());
            joined.extend_from_slice(&piece);
            let left = u64::try_from(text.len() - joined.len()).unwrap();
            assert_eq!(told.size_hint().exact(), Some(left));
            assert_eq!(told.is_end_stream(), left == 0);
        }
        assert_eq!(lengths, [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES, 3_392]);
        assert_eq!(joined, text);
    }
}
