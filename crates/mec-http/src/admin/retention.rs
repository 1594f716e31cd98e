//! `/admin/retention`: drops what has been kept for its time, in all namespaces.

use axum::extract::State;
use axum::response::Response;
use mec_engine::RetentionPolicy;
use serde::Serialize;
use utoipa::ToSchema;

use super::json;
use crate::App;
use crate::args::{Arguments, Params, Shape, params};
use crate::auth::AdminOfAll;
use crate::error::ApiError;
use crate::reply::{JsonBody, Media, Reply};

pub const PATH: &str = "/admin/retention";
/// So many steps of 2,000 rows a kind are taken in one call at the most, so that it ends in time.
const MOST_STEPS: usize = 100;

params! {
    /// Drops what has been kept for its time, in all namespaces.
    /// The ledger is kept for ever, and so are idempotency keys with the ids they made. A call drops at
    /// most 200,000 rows of each kind; it is repeated until `done` is true.
    ApplyRetention {
        /// For how many days logged decisions are kept; at least 1.
        decisions_days: u32 = RetentionPolicy::default().decisions_days,
        /// For how many days the entitlements' audit is kept; at least 1.
        audit_days: u32 = RetentionPolicy::default().audit_days,
        /// For how many days a repeated idempotency key is answered byte for byte; at least 1.
        answers_days: u32 = RetentionPolicy::default().answers_days,
    }
}

/// How many rows a call dropped.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionAnswer {
    /// Logged decisions.
    decisions: usize,
    /// Rows of the entitlements' audit.
    audit: usize,
    /// Stored answers of idempotency keys.
    answers: usize,
    /// Whether nothing is left that has passed its time.
    done: bool,
}

/// Drops.
pub async fn apply(
    State(app): State<App>,
    AdminOfAll: AdminOfAll,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let asked = ApplyRetention::decode(&Arguments::from_json(Shape::Body(PATH), &body)?)?;
    let policy = RetentionPolicy {
        decisions_days: asked.decisions_days,
        audit_days: asked.audit_days,
        answers_days: asked.answers_days,
    };
    let run = app.engine().apply_retention(policy, MOST_STEPS).await?;
    let answer = RetentionAnswer {
        decisions: run.dropped.decisions,
        audit: run.dropped.audit,
        answers: run.dropped.answers,
        done: run.is_done,
    };
    Reply::json(json(&answer)?).into_response(Media::Plain)
}
