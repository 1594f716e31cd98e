//! The empty route: what axum itself takes for a request and an answer of the same bytes, behind
//! the very layers of MEC's own routes and in its own server, in a process of its own.

use super::child::Child;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header::CONTENT_TYPE};
use axum::routing::post;
use mec_http::{Listener, Transport};
use secrecy::SecretString;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

#[derive(clap::Args)]
pub struct Args {
    /// The length of the JSON answer in bytes
    #[arg(long)]
    bytes: usize,
}

/// Serves until it is killed; its first line of output is the port.
pub fn serve(args: &Args) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let listeners = vec![Listener::from(listener)];
        let never = std::future::pending();
        mec_http::serve(listeners, router(args.bytes), Transport::default(), never).await;
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
    let routes = Router::new().route("/api/rpc/{name}", route);
    mec_http::surround(routes, SecretString::from(super::mec::SECRET).into())
}

/// A JSON object of exactly this length, or the shortest one with a field.
fn json_of(bytes: usize) -> String {
    let (open, close) = ("{\"text\":\"", "\"}");
    let filling = bytes.saturating_sub(open.len() + close.len());
    format!("{open}{}{close}", "x".repeat(filling))
}

/// The route as a child of this process.
pub struct Empty {
    _server: Child,
    pub address: SocketAddr,
}

impl Empty {
    pub fn start(bytes: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["referee-empty", "--bytes", &bytes.to_string()])
            .stdout(Stdio::piped());
        let mut server = Child::spawn("the empty route", &mut command)?;
        let mut line = String::new();
        let output = server.stdout().context("the empty route has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port: u16 = line
            .trim()
            .parse()
            .context("the empty route did not print its port")?;
        Ok(Self {
            _server: server,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }
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
