//! MEC's HTTP interface: [`router`] names the paths, `rpc/` holds one file for each RPC, `args/`
//! reads arguments, `auth/` proves who calls, `error/` has the one table of error codes.
//!
//! Nothing is decided here: a call becomes a [`mec_engine::Request`], and the engine's answer is
//! handed out byte for byte.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod admin;
mod app;
mod args;
mod auth;
pub mod error;
mod layers;
mod metrics;
mod openapi;
mod pages;
mod ready;
mod reply;
mod resources;
mod router;
mod rpc;
mod serve;

pub use app::{App, FrontConfig, Limits};
pub use args::nearest;
pub use auth::{
    BadClaimPath, ClaimPath, ClaimPaths, Claims, Fetching, IssuerConfig, KeySource, KeySourceError,
    MAX_SET_BYTES, Role, TokenError, issue_token, read_unverified,
};
pub use layers::audit;
pub use layers::log;
pub use layers::{
    Answered, BudgetsConfig, Cors, CorsOrigin, Decided, Digits, Front, NoNetwork, NoRate, Passage,
    Peer, Rate, RatesConfig, Ticks, ToldError, Trace, TrustedProxies, current_request, surround,
};
pub use metrics::{Metrics, MetricsConfig, Verification, metrics_router};
pub use openapi::openapi;
pub use router::{Route, router, routes};
pub use rpc::{RpcRoute, rpc_routes};
pub use serve::{ListenAddress, ListenError, Listener, Tls, TlsError, Transport, serve};
