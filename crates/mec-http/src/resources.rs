//! `POST /api/accounts` and `POST /api/entitlements`, one row each.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use mec_core::account::AccountStatus;
use mec_core::condition::{Condition, ConditionOp};
use mec_core::entitlement::EntitlementStatus;
use mec_core::{Command, IdSource, ops};
use mec_engine::{Request, RisingIds, Target};
use serde::Deserialize;

use crate::App;
use crate::args::{Args, require_json};
use crate::auth::{Caller, Role};
use crate::error::ApiError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionRow {
    condition_key: String,
    condition_op: ConditionOp,
    condition_value: Option<String>,
}

pub(crate) async fn create_account(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut args = open(&caller, &headers, body).await?;
    let account_id = args
        .id("account_id")?
        .unwrap_or_else(|| RisingIds.next_id());
    let account_type = args.code("account_type_code")?;
    let parent = args.id("parent_account_id")?;
    let create = ops::account::CreateAccount {
        account_id,
        account_type: args.required("account_type_code", account_type)?,
        parent,
        external_id: args.key("external_id")?,
        display_name: args.text("display_name")?,
        email: args.text("email")?,
        timezone: args.text("timezone")?,
        metadata: args.texts("metadata")?,
        status: args
            .optional("status", "active, suspended or inactive")?
            .unwrap_or(AccountStatus::Active),
    };
    args.finish()?;
    let target = parent.map_or(Target::NewTree(account_id), Target::Account);
    create_row(
        &app,
        &caller,
        &headers,
        target,
        Command::CreateAccount(create),
    )
    .await
}

pub(crate) async fn create_entitlement(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let mut args = open(&caller, &headers, body).await?;
    let (account, resource) = (args.id("account_id")?, args.code("resource_type_code")?);
    let account = args.required("account_id", account)?;
    let limit_kind = args.optional(
        "limit_kind_code",
        "cumulative, concurrency, inventory or time_access",
    )?;
    let conditions: Option<Vec<ConditionRow>> =
        args.optional("conditions", "an array of conditions")?;
    let condition = |row: ConditionRow| Condition {
        key: row.condition_key,
        op: row.condition_op,
        value: row.condition_value,
    };
    let create = ops::entitlement::CreateEntitlement {
        resource: args.required("resource_type_code", resource)?,
        scope: args.code("resource_scope")?,
        limit_kind: args.required("limit_kind_code", limit_kind)?,
        quantity_allowed: args.quantity("quantity_allowed")?,
        unit: args.code("unit_code")?,
        effective_start: args.time("effective_start")?,
        effective_end: args.time("effective_end")?,
        window_type: args.code("window_type_code")?,
        window_anchor: args.time("window_anchor")?,
        usage_from: args.time("usage_from")?,
        priority: args.optional("priority", "a whole number")?.unwrap_or(0),
        status: args
            .optional("status", "active, suspended, expired or superseded")?
            .unwrap_or(EntitlementStatus::Active),
        conditions: conditions
            .unwrap_or_default()
            .into_iter()
            .map(condition)
            .collect(),
    };
    args.finish()?;
    create_row(
        &app,
        &caller,
        &headers,
        Target::Account(account),
        Command::CreateEntitlement(create),
    )
    .await
}

async fn open(caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Args, ApiError> {
    caller.at_least(Role::MecService)?;
    let body = crate::body::read(body).await?;
    require_json(headers)?;
    Args::of_row(&body)
}

async fn create_row(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    target: Target,
    command: Command,
) -> Result<Response, ApiError> {
    let request = Request {
        namespace: caller.namespace.clone(),
        target,
        command,
        key: None,
        by: caller.sub.as_str().into(),
        guard: caller.guard,
        request_id: None,
    };
    let outcome = app.engine.call(request).await?;
    let prefers = headers
        .get("Prefer")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !prefers.contains("return=representation") {
        return Ok(StatusCode::CREATED.into_response());
    }
    let singular = headers
        .get("Accept")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("vnd.pgrst.object+json"));
    let body = if singular {
        outcome.body
    } else {
        format!("[{}]", outcome.body)
    };
    let mut response = crate::json(StatusCode::CREATED, body);
    let applied = axum::http::HeaderValue::from_static("return=representation");
    response.headers_mut().insert("Preference-Applied", applied);
    Ok(response)
}
