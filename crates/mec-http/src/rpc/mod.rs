//! The RPCs, one file each: its arguments, what it does, who may call it and what it answers.

mod acquire_lease;
mod cancel_plan;
mod change_plan;
mod check_entitlement;
mod check_entitlements;
mod commit_reservation;
mod consume;
mod correct_consumption;
mod get_usage;
mod get_window_boundaries;
mod grant_credit;
mod heartbeat_lease;
mod many;
mod meter_consumption;
mod meter_consumptions;
mod provision_plan;
mod release_lease;
mod release_reservation;
mod reserve;
mod routing;
mod set_inventory;
mod ttl;
mod usage_series;
mod void_grant;

use std::future::Future;

use mec_engine::Request;
use mec_query::schema::Resource;

use crate::App;
use crate::args::Params;
use crate::auth::{Caller, Who};
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::reply::Reply;

pub use routing::{RPCS, RpcRoute, entries, rpc_routes, rpc_work};

/// What has a name in the API.
pub trait Named {
    /// The RPC's name.
    const NAME: &'static str;
}

/// An RPC: its arguments, and how they are answered.
pub trait Rpc: Params + Named {
    /// Who may call it.
    type Who: Who;
    /// Whether it changes nothing, so that GET works too.
    const READ_ONLY: bool = false;
    /// What its rows are like, where it answers rows: they are filtered and told as those of resources.
    const ROWS: Option<&'static Resource> = None;
    /// Whether its answers may be large, so that they are compressed for clients that take it.
    const IS_LARGE: bool = false;
    /// The codes of the errors that it may answer, beside those of every call.
    const ERRORS: &'static [&'static str];

    /// What it answers, for the description.
    fn answer() -> Answer;

    /// Answers a call.
    fn call(
        self,
        app: &App,
        caller: &Caller,
    ) -> impl Future<Output = Result<Reply, ApiError>> + Send;
}

/// An RPC that is one command to the engine.
pub trait Ask: Params + Named {
    /// Who may call it.
    type Who: Who;
    /// Whether it changes nothing, so that GET works too.
    const READ_ONLY: bool = false;
    /// The codes of the errors that it may answer, beside those of every call.
    const ERRORS: &'static [&'static str];

    /// What it answers, for the description.
    fn answer() -> Answer;

    /// The command.
    fn request(self, caller: &Caller) -> Result<Request, ApiError>;
}

impl<A: Ask> Rpc for A {
    type Who = A::Who;
    const READ_ONLY: bool = A::READ_ONLY;
    const ERRORS: &'static [&'static str] = A::ERRORS;

    fn answer() -> Answer {
        <A as Ask>::answer()
    }

    async fn call(self, app: &App, caller: &Caller) -> Result<Reply, ApiError> {
        let request = self.request(caller)?;
        Ok(app.engine().call(request).await?.into())
    }
}
