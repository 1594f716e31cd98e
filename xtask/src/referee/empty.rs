//! The empty route: what axum itself takes for a request and an answer of the same bytes, behind
//! layers like MEC's, in a process of its own.

use super::child::Child;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Request, header::CONTENT_TYPE};
use axum::routing::post;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};

const BODY_LIMIT_BYTES: usize = 1 << 20;

#[derive(clap::Args)]
pub struct Args {
    /// The port to listen on; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The length of the JSON answer in bytes
    #[arg(long)]
    bytes: usize,
}

/// Serves until it is killed; its first line of output is the port.
pub fn serve(args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", args.port)).await?;
        println!("{}", listener.local_addr()?.port());
        axum::serve(listener, router(args.bytes)).await?;
        Ok(())
    })
}

fn router(bytes: usize) -> Router {
    let answer = Bytes::from(json_of(bytes));
    let json = HeaderValue::from_static("application/json");
    let route = post(move |body: Bytes| {
        let answer = answer.clone();
        let json = json.clone();
        async move {
            drop(body);
            ([(CONTENT_TYPE, json)], answer)
        }
    });
    Router::new()
        .route("/api/rpc/{name}", route)
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT_BYTES))
        .layer(CatchPanicLayer::new())
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(Counter::default()))
}

/// A JSON object of exactly this length, or the shortest one with a field.
fn json_of(bytes: usize) -> String {
    let (open, close) = ("{\"text\":\"", "\"}");
    let filling = bytes.saturating_sub(open.len() + close.len());
    format!("{open}{}{close}", "x".repeat(filling))
}

#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

impl MakeRequestId for Counter {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        HeaderValue::from_str(&number.to_string())
            .ok()
            .map(RequestId::new)
    }
}

/// Starts the route as a child of this process.
pub fn start(bytes: usize) -> Result<(Child, SocketAddr)> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["referee-empty", "--bytes", &bytes.to_string()])
        .stdout(Stdio::piped());
    let mut child = Child::spawn("the empty route", &mut command)?;
    let mut line = String::new();
    let output = child.stdout().context("the empty route has no output")?;
    BufReader::new(output).read_line(&mut line)?;
    let port: u16 = line
        .trim()
        .parse()
        .context("the empty route did not print its port")?;
    Ok((child, SocketAddr::from(([127, 0, 0, 1], port))))
}

#[cfg(test)]
mod tests {
    use super::json_of;

    #[test]
    fn the_answer_is_json_of_the_asked_length() {
        for bytes in [11, 12, 512] {
            let json = json_of(bytes);
            assert_eq!(json.len(), bytes);
            assert!(
                serde_json::from_str::<serde_json::Value>(&json)
                    .unwrap()
                    .is_object()
            );
        }
    }
}
