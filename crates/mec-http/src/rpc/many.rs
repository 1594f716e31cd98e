//! Many calls in one: each is answered for itself, in the order sent.

use mec_engine::Outcome;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Ask;
use crate::App;
use crate::args::Many;
use crate::auth::Caller;
use crate::error::ApiError;
use crate::reply::Reply;

/// The answer to one of many calls: `result` and `replayed`, or `error`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ItemAnswer {
    /// The HTTP status that the call would have had alone.
    status: u16,
    /// What the call would have answered alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Box<RawValue>>,
    /// Whether this is the answer of an earlier call with the same key.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    /// The error that the call would have answered alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    error: Option<ApiError>,
}

/// Calls the engine once for all that could be read.
pub async fn call_all<A: Ask>(
    app: &App,
    caller: &Caller,
    items: Many<A>,
) -> Result<Reply, ApiError> {
    let mut requests = Vec::with_capacity(items.0.len());
    let mut refused = Vec::with_capacity(items.0.len());
    for item in items.0 {
        match item.and_then(|call| call.request(caller)) {
            Ok(request) => {
                requests.push(request);
                refused.push(None);
            }
            Err(error) => refused.push(Some(error)),
        }
    }
    let mut outcomes = app.engine().call_all(requests).await?.into_iter();
    let mut body = String::from("[");
    for refused in refused {
        let answer = match refused {
            Some(error) => Err(error),
            // The engine answers each request; a missing answer is a fault of its own.
            None => outcomes
                .next()
                .map_or(Err(ApiError::internal()), |answer| Ok(answer?)),
        };
        if body.len() > 1 {
            body.push(',');
        }
        push(&mut body, answer);
    }
    body.push(']');
    Ok(Reply::json(body))
}

/// Appends one answer. The result's bytes stay as the engine gave them.
fn push(body: &mut String, answer: Result<Outcome, ApiError>) {
    match answer {
        Ok(outcome) => {
            body.push_str("{\"status\":200,\"result\":");
            body.push_str(&outcome.body);
            body.push_str(if outcome.replayed {
                ",\"replayed\":true}"
            } else {
                ",\"replayed\":false}"
            });
        }
        Err(error) => {
            body.push_str("{\"status\":");
            body.push_str(error.status().as_str());
            body.push_str(",\"error\":");
            body.push_str(&error.to_json());
            body.push('}');
        }
    }
}
