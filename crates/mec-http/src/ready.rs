//! Whether this node can be sent requests, and which of the things that it needs is not there.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, ResponseBuilder};

use crate::App;
use crate::pages::json;

/// A store that takes longer to answer is as good as gone.
const PATIENCE: Duration = Duration::from_secs(5);
/// When to ask again, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// What is told. No cause stands here: anybody may ask.
#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    /// Whether the store can be reached and written to.
    store: &'static str,
    /// Whether the Journal takes commands.
    journal: &'static str,
    /// Whether this node is on its way out.
    shutdown: &'static str,
}

/// `GET /ready`
pub async fn ready(State(app): State<App>) -> Response {
    let stored = tokio::time::timeout(PATIENCE, app.engine().health()).await;
    let is_stored = match stored {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            let cause: &dyn std::error::Error = &error;
            tracing::warn!(cause, "the store is not available");
            false
        }
        Err(_) => {
            tracing::warn!("the store does not answer");
            false
        }
    };
    answer(
        is_stored,
        app.engine().takes_commands(),
        app.front().is_stopping(),
    )
}

fn answer(is_stored: bool, takes_commands: bool, is_stopping: bool) -> Response {
    let is_ready = is_stored && takes_commands && !is_stopping;
    let state = |is_up| if is_up { "up" } else { "down" };
    let told = Readiness {
        status: if is_ready { "ready" } else { "not_ready" },
        checks: Checks {
            store: state(is_stored),
            journal: state(takes_commands),
            shutdown: if is_stopping { "begun" } else { "no" },
        },
    };
    // Texts alone serialise without fail.
    let body = json(serde_json::to_string(&told).unwrap_or_default());
    if is_ready {
        return body;
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(RETRY_AFTER, RETRY_AFTER_SECONDS)],
        body,
    )
        .into_response()
}

/// The answer of a node that is not ready.
pub fn describe() -> ResponseBuilder {
    let content = ContentBuilder::new()
        .schema(Some(Schema::from(schema())))
        .build();
    ResponseBuilder::new()
        .description("Something that the node needs is not there, or the node is stopping")
        .content("application/json", content)
}

/// What the page says, ready or not.
pub fn schema() -> Object {
    let word = |words: [&str; 2]| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(words))
    };
    let checks = ObjectBuilder::new()
        .property("store", word(["up", "down"]))
        .property("journal", word(["up", "down"]))
        .property("shutdown", word(["no", "begun"]))
        .required("store")
        .required("journal")
        .required("shutdown");
    ObjectBuilder::new()
        .property("status", word(["ready", "not_ready"]))
        .property("checks", checks)
        .required("status")
        .required("checks")
        .build()
}
