//! What is known of a request when it is answered: for logs, metrics and whoever watches.

use std::time::{Duration, Instant};

use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use mec_core::verdict::{DecisionCode, Verdict};
use uuid::Uuid;

/// What stands for the route where the path leads to none.
const NO_ROUTE: &str = "none";

/// What an answer decided. It stands in the response's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Decided {
    /// The answer.
    pub verdict: Verdict,
    /// Why.
    pub code: DecisionCode,
}

/// The code of the error that an answer tells, as the table writes it. It stands in the response's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ToldError(pub &'static str);

/// The public id of the API key that a call made or revoked. It stands in the response's extensions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OfKey(pub Uuid);

/// What is known of a request when it is answered. Nothing in it is a client's own text.
#[derive(Clone, Debug)]
pub struct Answered {
    route: Option<MatchedPath>,
    /// The method; `OTHER` where it is none that MEC knows.
    pub method: &'static str,
    /// The status.
    pub status: StatusCode,
    /// From the request's head to the answer's. A body that is streamed takes longer.
    pub duration: Duration,
    /// The answer's body, in bytes, where it is known before it is sent; before it is compressed.
    pub bytes: Option<u64>,
    /// What it decided, of a call that decides and is not repeated.
    pub decided: Option<Decided>,
    /// The code of the error that it tells.
    pub error: Option<&'static str>,
    /// The API key that it made or revoked.
    pub key_id: Option<Uuid>,
}

impl Answered {
    /// The route as the router writes it, such as `/api/rpc/{name}`: never the path of a client.
    pub fn route(&self) -> &str {
        self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str)
    }
}

/// A request on its way to being answered.
pub struct Started {
    at: Instant,
    route: Option<MatchedPath>,
    method: &'static str,
}

impl Started {
    /// As the request comes in.
    pub fn of(request: &Request) -> Self {
        Self {
            at: Instant::now(),
            route: request.extensions().get().cloned(),
            method: known(request.method()),
        }
    }

    /// As the answer goes out.
    pub fn answered(self, response: &Response) -> Answered {
        let told = response.extensions();
        Answered {
            route: self.route,
            method: self.method,
            status: response.status(),
            duration: self.at.elapsed(),
            bytes: response.body().size_hint().exact(),
            decided: told.get().copied(),
            error: told.get().map(|ToldError(code)| *code),
            key_id: told.get().map(|OfKey(key)| *key),
        }
    }
}

/// The method's name. A client may make one up, so that only these are told.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
