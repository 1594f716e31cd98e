//! The RPCs: a name, its arguments, and the command they make.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use mec_core::{Command, Quantity, ops};
use mec_engine::{Outcome, Request, Target};
use mec_store::UsageQuery;

use crate::App;
use crate::args::{Args, require_json};
use crate::auth::{Caller, Role};
use crate::error::ApiError;

type Result<T> = std::result::Result<T, ApiError>;

/// Answers `POST /api/rpc/{name}`.
pub(crate) async fn call(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let body = crate::body::read(body).await?;
    require_json(&headers)?;
    caller.at_least(Role::MecUser)?;
    let mut args = Args::of_rpc(&body)?;
    match name.as_str() {
        "get_usage" => return get_usage(&app, &caller, args).await,
        "meter_consumptions" => {
            return many(&app, &caller, &mut args, "p_events", "meter_consumption").await;
        }
        "check_entitlements" => {
            return many(&app, &caller, &mut args, "p_checks", "check_entitlement").await;
        }
        _ => {}
    }
    let request = request(&caller, &name, args)?;
    Ok(answered(app.engine.call(request).await?))
}

fn request(caller: &Caller, name: &str, mut args: Args) -> Result<Request> {
    let (target, key, command) = command(name, &mut args)?;
    args.finish()?;
    let by_service = matches!(
        command,
        Command::Correct(_)
            | Command::SetInventory(_)
            | Command::GrantCredit(_)
            | Command::VoidGrant(_)
            | Command::ProvisionPlan(_)
            | Command::ChangePlan(_)
            | Command::CancelPlan(_)
    );
    caller.at_least(if by_service {
        Role::MecService
    } else {
        Role::MecUser
    })?;
    Ok(Request {
        namespace: caller.namespace.clone(),
        target,
        command,
        key: key.map(Into::into),
        by: caller.sub.as_str().into(),
        guard: caller.guard,
        request_id: None,
    })
}

type Called = (Target, Option<String>, Command);

fn command(name: &str, args: &mut Args) -> Result<Called> {
    macro_rules! need {
        ($kind:ident, $name:literal) => {{
            let value = args.$kind($name)?;
            args.required($name, value)?
        }};
    }
    Ok(match name {
        "check_entitlement" => {
            let target = args.account()?;
            let check = ops::check::Check {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                quantity: args.quantity("p_requested_qty")?.unwrap_or(Quantity::ONE),
                unit: args.code("p_unit_code")?,
                context: args.context()?,
                explain: args
                    .optional("p_explain", "true or false")?
                    .unwrap_or(false),
            };
            // One node is never behind itself, so both kinds of consistency give the same answer.
            args.text("p_consistency")?;
            (target, None, Command::Check(check))
        }
        "meter_consumption" => {
            let target = args.account()?;
            let key = need!(key, "p_idempotency_key");
            let meter = ops::meter::Meter {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                quantity: need!(quantity, "p_quantity"),
                unit: args.code("p_unit_code")?,
                occurred_at: args.time("p_occurred_at")?,
                period_start: args.time("p_period_start")?,
                period_end: args.time("p_period_end")?,
                details: args.texts("p_details")?,
            };
            (target, Some(key), Command::Meter(meter))
        }
        "consume" => {
            let target = args.account()?;
            let key = need!(key, "p_idempotency_key");
            let consume = ops::consume::Consume {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                quantity: args.quantity("p_quantity")?.unwrap_or(Quantity::ONE),
                unit: args.code("p_unit_code")?,
                context: args.context()?,
                details: args.texts("p_details")?,
            };
            (target, Some(key), Command::Consume(consume))
        }
        "reserve" => {
            let target = args.account()?;
            let key = need!(key, "p_idempotency_key");
            let reserve = ops::reserve::Reserve {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                quantity: need!(quantity, "p_quantity"),
                unit: args.code("p_unit_code")?,
                context: args.context()?,
                ttl_seconds: args
                    .optional("p_ttl_seconds", "whole seconds")?
                    .unwrap_or(300),
            };
            (target, Some(key), Command::Reserve(reserve))
        }
        "commit_reservation" => {
            let reservation_id = need!(id, "p_reservation_id");
            let commit = ops::reserve::Commit {
                reservation_id,
                quantity: args.quantity("p_quantity")?,
                details: args.texts("p_details")?,
            };
            (
                Target::Reservation(reservation_id),
                None,
                Command::CommitReservation(commit),
            )
        }
        "release_reservation" => {
            let reservation_id = need!(id, "p_reservation_id");
            let release = ops::reserve::Release { reservation_id };
            (
                Target::Reservation(reservation_id),
                None,
                Command::ReleaseReservation(release),
            )
        }
        "correct_consumption" => {
            let event_id = need!(id, "p_event_id");
            let key = need!(key, "p_idempotency_key");
            let correct = ops::correct::Correct {
                event_id,
                quantity: need!(quantity, "p_quantity"),
                reason: args.text("p_reason")?,
            };
            (
                Target::Event(event_id),
                Some(key),
                Command::Correct(correct),
            )
        }
        "set_inventory" => {
            let target = args.account()?;
            let key = need!(key, "p_idempotency_key");
            let set = ops::inventory::SetInventory {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                quantity: need!(quantity, "p_quantity"),
            };
            (target, Some(key), Command::SetInventory(set))
        }
        _ => return leases_and_plans(name, args),
    })
}

fn leases_and_plans(name: &str, args: &mut Args) -> Result<Called> {
    macro_rules! need {
        ($kind:ident, $name:literal) => {{
            let value = args.$kind($name)?;
            args.required($name, value)?
        }};
    }
    Ok(match name {
        "grant_credit" => {
            let target = args.account()?;
            let key = need!(key, "p_idempotency_key");
            let grant = ops::grant::GrantCredit {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                quantity: need!(quantity, "p_quantity"),
                window_type: args.code("p_window_type")?,
                priority: args.optional("p_priority", "a whole number")?.unwrap_or(0),
                expires_at: args.time("p_expires_at")?,
                reason: args.text("p_reason")?,
            };
            (target, Some(key), Command::GrantCredit(grant))
        }
        "void_grant" => {
            let grant_id = need!(id, "p_grant_id");
            (
                Target::Grant(grant_id),
                None,
                Command::VoidGrant(ops::grant::VoidGrant { grant_id }),
            )
        }
        "acquire_lease" => {
            let target = args.account()?;
            let ttl_seconds = seconds(args, "p_ttl_seconds", "p_ttl_minutes")?.unwrap_or(3600);
            let metadata: Option<Box<serde_json::value::RawValue>> =
                args.optional("p_session_metadata", "JSON")?;
            if metadata
                .as_ref()
                .is_some_and(|metadata| metadata.get().len() > 10_000)
            {
                return Err(ApiError::new(
                    "invalid_value",
                    "p_session_metadata: at most 10000 bytes",
                )
                .field("p_session_metadata"));
            }
            let acquire = ops::lease::Acquire {
                resource: need!(code, "p_resource_type"),
                scope: args.code("p_resource_scope")?,
                session_token: args.key("p_session_token")?,
                ttl_seconds,
                slots: args
                    .optional("p_slots", "a whole number of 1 or more")?
                    .unwrap_or(1),
                session_metadata: metadata.map(|metadata| metadata.get().to_owned()),
                context: args.context()?,
            };
            (target, None, Command::AcquireLease(acquire))
        }
        "heartbeat_lease" => {
            let lease_id = need!(id, "p_lease_id");
            let extend_seconds = seconds(args, "p_extend_seconds", "p_extend_minutes")?;
            let heartbeat = ops::lease::Heartbeat {
                lease_id,
                extend_seconds,
            };
            (
                Target::Lease(lease_id),
                None,
                Command::HeartbeatLease(heartbeat),
            )
        }
        "release_lease" => {
            let lease_id = need!(id, "p_lease_id");
            (
                Target::Lease(lease_id),
                None,
                Command::ReleaseLease(ops::lease::Release { lease_id }),
            )
        }
        "provision_plan" => {
            let target = args.account()?;
            let provision = ops::provision::Provision {
                plan_id: need!(code, "p_plan_id"),
                start: args.time("p_start_date")?,
                quantity: args.optional("p_quantity", "a whole number of seats")?,
            };
            (target, None, Command::ProvisionPlan(provision))
        }
        "change_plan" => {
            let target = args.account()?;
            let change = ops::change_plan::ChangePlan {
                from_plan_id: need!(code, "p_from_plan_id"),
                to_plan_id: need!(code, "p_to_plan_id"),
                effective_at: args.time("p_effective_at")?,
                carry_over: args
                    .optional("p_carry_over", "true or false")?
                    .unwrap_or(true),
            };
            (target, None, Command::ChangePlan(change))
        }
        "cancel_plan" => {
            let target = args.account()?;
            let cancel = ops::cancel_plan::CancelPlan {
                plan_id: need!(code, "p_plan_id"),
                effective_at: args.time("p_effective_at")?,
            };
            (target, None, Command::CancelPlan(cancel))
        }
        _ => return Err(ApiError::new("PGRST202", format!("there is no RPC {name}")).field(name)),
    })
}

fn seconds(
    args: &mut Args,
    in_seconds: &'static str,
    in_minutes: &'static str,
) -> Result<Option<i64>> {
    let seconds: Option<i64> = args.optional(in_seconds, "whole seconds")?;
    let minutes: Option<i64> = args.optional(in_minutes, "whole minutes")?;
    match (seconds, minutes) {
        (Some(_), Some(_)) => Err(ApiError::new(
            "invalid_value",
            format!("give {in_seconds} or {in_minutes}, not both"),
        )
        .field(in_minutes)),
        (Some(seconds), None) => Ok(Some(seconds)),
        (None, minutes) => Ok(minutes.map(|minutes| minutes.saturating_mul(60))),
    }
}

async fn get_usage(app: &App, caller: &Caller, mut args: Args) -> Result<Response> {
    let target = args.account()?;
    let resource = args.code("p_resource_type")?;
    let resource = args.required("p_resource_type", resource)?;
    let scope = args.code("p_resource_scope")?;
    let (from, to) = (args.time("p_window_start")?, args.time("p_window_end")?);
    let include_children = args
        .optional("p_include_children", "true or false")?
        .unwrap_or(true);
    args.finish()?;
    for (name, at) in [("p_window_start", from), ("p_window_end", to)] {
        if at.is_some_and(|at| at != at.floor_minute()) {
            return Err(
                ApiError::new("invalid_value", format!("{name}: a whole minute")).field(name),
            );
        }
    }
    let catalogue = app.engine.catalogue(&caller.namespace).await?;
    let found = app
        .engine
        .find(&caller.namespace, &target, caller.guard)
        .await?;
    let account =
        found.ok_or_else(|| ApiError::new("account_not_found", "the account does not exist"))?;
    let known = catalogue.resource_type(&resource);
    let unit = known.ok_or_else(|| {
        ApiError::new("unknown_resource_type", "the resource type does not exist")
            .field("p_resource_type")
    })?;
    let query = UsageQuery {
        namespace: caller.namespace.clone(),
        account,
        resource,
        scope,
        from,
        to,
        include_children,
    };
    let amount = app.engine.usage(query).await?;
    Ok(crate::json(
        StatusCode::OK,
        catalogue
            .in_unit(amount, &unit.default_unit_code)
            .to_string(),
    ))
}

/// The most items of one call.
const MAX_ITEMS: usize = 1_000;

async fn many(
    app: &App,
    caller: &Caller,
    args: &mut Args,
    list: &'static str,
    rpc: &str,
) -> Result<Response> {
    let items: Option<Vec<Box<serde_json::value::RawValue>>> =
        args.optional(list, "an array of objects")?;
    let items = args.required(list, items)?;
    if items.len() > MAX_ITEMS {
        return Err(ApiError::new(
            "too_many_items",
            format!("{list}: at most {MAX_ITEMS} items"),
        )
        .field(list));
    }
    let mut requests = Vec::with_capacity(items.len());
    let mut refused = Vec::with_capacity(items.len());
    for item in &items {
        match Args::of_rpc(item.get().as_bytes()).and_then(|args| request(caller, rpc, args)) {
            Ok(request) => {
                requests.push(request);
                refused.push(None);
            }
            Err(error) => refused.push(Some(error)),
        }
    }
    let mut answers = app.engine.call_all(requests).await?.into_iter();
    let told = refused.into_iter().map(|refused| {
        let answer = match refused {
            Some(error) => Err(error),
            None => answers
                .next()
                .unwrap_or(Err(mec_engine::EngineError::Closed))
                .map_err(ApiError::from),
        };
        match answer {
            Ok(outcome) => format!(
                r#"{{"status":200,"result":{},"replayed":{}}}"#,
                outcome.body, outcome.replayed
            ),
            Err(error) => format!(
                r#"{{"status":{},"error":{}}}"#,
                error.status().as_u16(),
                error.body()
            ),
        }
    });
    let body = told.collect::<Vec<_>>().join(",");
    Ok(crate::json(StatusCode::OK, format!("[{body}]")))
}

fn answered(outcome: Outcome) -> Response {
    let mut response = crate::json(StatusCode::OK, outcome.body);
    let headers = response.headers_mut();
    if outcome.replayed {
        headers.insert("Idempotency-Replayed", HeaderValue::from_static("true"));
    }
    if outcome.late {
        headers.insert("MEC-Late", HeaderValue::from_static("true"));
    }
    if let Some(quota) = outcome.quota {
        let w = quota
            .window_seconds
            .map_or(String::new(), |w| format!(";w={w}"));
        let t = quota
            .reset_seconds
            .map_or(String::new(), |t| format!(";t={t}"));
        let policy = format!("\"quota\";q={}{w}", quota.limit);
        let left = format!("\"quota\";r={}{t}", quota.remaining);
        for (name, value) in [("RateLimit-Policy", policy), ("RateLimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    response
}
