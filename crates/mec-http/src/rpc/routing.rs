//! The table of RPCs, and how a path and method lead to one.

use std::marker::PhantomData;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, post};
use utoipa::openapi::OpenApi;

use super::{Rpc, acquire_lease, cancel_plan, change_plan, check_entitlement, check_entitlements};
use super::{commit_reservation, consume, correct_consumption, get_usage, get_window_boundaries};
use super::{grant_credit, heartbeat_lease, meter_consumption, meter_consumptions, provision_plan};
use super::{release_lease, release_reservation, reserve, set_inventory, usage_series, void_grant};
use crate::App;
use crate::args::{Arguments, Shape, nearest};
use crate::auth::{Caller, Role, Who};
use crate::error::ApiError;
use crate::layers::Work;
use crate::openapi::describe_rpc;
use crate::reply::{JsonBody, Media, Reply};
use crate::resources::{self, Preferences};
use crate::router;

/// The methods of an RPC that changes something.
const WRITING: &str = "OPTIONS,POST";
/// The methods of an RPC that reads only.
const READING: &str = "OPTIONS,GET,HEAD,POST";

/// One RPC: how it is routed and described.
pub struct Entry {
    pub route: RpcRoute,
    pub methods: fn() -> MethodRouter<App>,
    pub work: Work,
    pub describe: fn(&mut OpenApi),
    /// Whether its answers may be large.
    pub is_large: bool,
}

/// The name of an RPC, who may call it, and whether GET works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RpcRoute {
    /// Its name, the last part of `/api/rpc/<name>`.
    pub name: &'static str,
    /// The least role.
    pub role: Role,
    /// Whether it changes nothing, so that GET works too.
    pub read_only: bool,
}

impl RpcRoute {
    /// The least role, as tokens write it.
    pub const fn role_name(&self) -> &'static str {
        self.role.as_str()
    }
}

/// All RPCs, by name.
pub static RPCS: &[Entry] = &[
    entry::<acquire_lease::AcquireLease>(),
    entry::<cancel_plan::CancelPlan>(),
    entry::<change_plan::ChangePlan>(),
    entry::<check_entitlement::CheckEntitlement>(),
    entry::<check_entitlements::CheckEntitlements>(),
    entry::<commit_reservation::CommitReservation>(),
    entry::<consume::Consume>(),
    entry::<correct_consumption::CorrectConsumption>(),
    entry::<get_usage::GetUsage>(),
    entry::<get_window_boundaries::GetWindowBoundaries>(),
    entry::<grant_credit::GrantCredit>(),
    entry::<heartbeat_lease::HeartbeatLease>(),
    entry::<meter_consumption::MeterConsumption>(),
    entry::<meter_consumptions::MeterConsumptions>(),
    entry::<provision_plan::ProvisionPlan>(),
    entry::<release_lease::ReleaseLease>(),
    entry::<release_reservation::ReleaseReservation>(),
    entry::<reserve::Reserve>(),
    entry::<set_inventory::SetInventory>(),
    entry::<usage_series::UsageSeries>(),
    entry::<void_grant::VoidGrant>(),
];

const fn entry<R: Rpc>() -> Entry {
    let route = RpcRoute {
        name: R::NAME,
        role: R::Who::ROLE,
        read_only: R::READ_ONLY,
    };
    Entry {
        route,
        methods: methods::<R>,
        work: match (R::READ_ONLY, R::ROWS.is_some()) {
            (true, true) => Work::Query,
            (true, false) => Work::Check,
            (false, _) => Work::Write,
        },
        describe: describe_rpc::<R>,
        is_large: R::IS_LARGE,
    }
}

/// The RPCs with who may call them, by name.
pub fn rpc_routes() -> impl Iterator<Item = RpcRoute> {
    RPCS.iter().map(|entry| entry.route)
}

/// The paths of all RPCs.
pub fn entries() -> Vec<router::Entry> {
    let nothing = router::Entry::nothing("/api/rpc/{name}", any(unknown));
    let entry = |rpc: &Entry| {
        let path = format!("/api/rpc/{}", rpc.route.name);
        let allowed = if rpc.route.read_only {
            READING
        } else {
            WRITING
        };
        let entry = router::Entry::new(path, allowed, (rpc.methods)());
        if rpc.is_large { entry.large() } else { entry }
    };
    RPCS.iter().map(entry).chain([nothing]).collect()
}

/// What a call of the RPC of a name costs.
pub fn rpc_work(name: &str) -> Option<Work> {
    let found = RPCS
        .binary_search_by(|entry| entry.route.name.cmp(name))
        .ok()?;
    RPCS.get(found).map(|entry| entry.work)
}

fn methods<R: Rpc>() -> MethodRouter<App> {
    let allow = if R::READ_ONLY { READING } else { WRITING };
    let options = move || async move { (StatusCode::OK, [(header::ALLOW, allow)]) };
    let refuse = move || async move { ApiError::method_not_allowed("PGRST101", allow) };
    let routed = post(call_by_post::<R>).options(options).fallback(refuse);
    if R::READ_ONLY {
        routed.get(call_by_get::<R>)
    } else {
        routed
    }
}

async fn call_by_post<R: Rpc>(
    State(app): State<App>,
    who: R::Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let arguments = Arguments::from_json(Shape::Function(R::NAME), &body)?;
    let asked = Asked::<R>::read(&headers, query.as_deref())?;
    asked.answer(&app, who.into_caller(), &arguments).await
}

async fn call_by_get<R: Rpc>(
    State(app): State<App>,
    who: R::Who,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = query.unwrap_or_default();
    // What is no argument is a filter, where the result is rows.
    let (own, rest): (Vec<&str>, Vec<&str>) = query
        .split('&')
        .partition(|pair| R::ROWS.is_none() || pair.starts_with("p_"));
    let own = own.join("&");
    let arguments = Arguments::from_query(Shape::Function(R::NAME), &own)?;
    let rest = rest.join("&");
    let asked = Asked::<R>::read(&headers, Some(&rest))?;
    asked.answer(&app, who.into_caller(), &arguments).await
}

/// How a call is to be answered.
struct Asked<'a, R> {
    headers: &'a HeaderMap,
    query: Option<&'a str>,
    media: Media,
    call: PhantomData<fn(R)>,
}

impl<'a, R: Rpc> Asked<'a, R> {
    fn read(headers: &'a HeaderMap, query: Option<&'a str>) -> Result<Self, ApiError> {
        resources::profile::check(headers)?;
        Preferences::read(headers).refuse_unknown()?;
        let media = match R::ROWS {
            // They have a format of their own.
            Some(_) => Media::Plain,
            None => Media::choose(headers)?,
        };
        Ok(Self {
            headers,
            query: query.filter(|query| !query.is_empty()),
            media,
            call: PhantomData,
        })
    }

    async fn answer(
        self,
        app: &App,
        caller: Caller,
        arguments: &Arguments<'_>,
    ) -> Result<Response, ApiError> {
        let reply = R::decode(arguments)?.call(app, &caller).await?;
        match (R::ROWS, reply.rows) {
            (Some(resource), Some(rows)) => {
                let query = self.query.unwrap_or_default();
                resources::of_function(resource, rows, self.headers, query)
            }
            (_, rows) => Reply { rows, ..reply }.into_response(self.media),
        }
    }
}

/// Answers a path below `/api/rpc/` that names no RPC.
async fn unknown(Path(name): Path<String>) -> Response {
    let shown: String = name.chars().take(64).collect();
    let hint = nearest(&name, rpc_routes().map(|route| route.name));
    let hint = hint.map(|near| format!("did you mean {near}?"));
    ApiError::new("PGRST202", format!("there is no function {shown}"))
        .with_details(shown)
        .with_hint(hint)
        .into_response()
}
