//! Heads and bodies have bounds, which are told by the error of what passes them.

use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::http::request::Builder;
use futures_util::stream;
use mec_http::{Front, FrontConfig, Limits, RatesConfig};

use super::budgets::{is_busy, witnessed};
use super::support::{SECRET, TestApp, post, service};

fn behind(limits: Limits) -> TestApp {
    TestApp::start().behind(Front::new(config(limits)))
}

fn config(limits: Limits) -> FrontConfig {
    FrontConfig {
        secrets: vec![SECRET.to_owned().into()],
        limits,
        rates: RatesConfig::off(),
        ..FrontConfig::default()
    }
}

fn page() -> Builder {
    Request::builder().uri("/openapi.json")
}

#[tokio::test]
async fn a_head_has_bounds() {
    let app = behind(Limits {
        header_bytes: 1_000,
        header_count: 10,
        uri_bytes: 100,
        ..Limits::default()
    });
    let send = async |request: Builder| app.send(request.body(Body::empty()).unwrap()).await;
    let fields = |count: usize| {
        (0..count).fold(page(), |page, number| {
            page.header(format!("x-{number}"), "y")
        })
    };
    assert_eq!(send(fields(10)).await.status.as_u16(), 200);
    let told = send(fields(11)).await.error(431, "headers_too_large");
    assert_eq!(told["message"], "a request has at most 10 header fields");
    let long = |bytes: usize| page().header("x", "y".repeat(bytes - 1));
    assert_eq!(send(long(1_000)).await.status.as_u16(), 200);
    send(long(1_001)).await.error(431, "headers_too_large");
    let address = |bytes: usize| Request::builder().uri(format!("/docs?{}", "x".repeat(bytes - 6)));
    assert_eq!(send(address(100)).await.status.as_u16(), 200);
    send(address(101)).await.error(414, "uri_too_long");
}

#[tokio::test]
async fn a_body_has_a_size() {
    let app = behind(Limits {
        body_bytes: 100,
        ..Limits::default()
    });
    let send = async |bytes: usize| {
        let body = format!("{{\"p_window_type\":\"none\"}}{}", " ".repeat(bytes - 24));
        app.post("/api/rpc/get_window_boundaries", &service(), body)
            .await
    };
    assert_eq!(send(100).await.status.as_u16(), 200);
    send(101).await.error(413, "payload_too_large");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = behind(Limits::default());
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let request = post("/api/rpc/get_window_boundaries", &service());
    // The clock goes on by itself once nothing else is left to do.
    let answer = app.send(request.body(never).unwrap()).await;
    answer.error(408, "request_timeout");
}

#[tokio::test(start_paused = true)]
async fn a_request_has_a_time_as_a_whole() {
    let limits = Limits {
        request_seconds: 20,
        ..Limits::default()
    };
    let (app, notes) = witnessed(config(limits), true);
    let answer = app.get("/api/plans").await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.error(503, "timed_out");
    // Its place is another's.
    notes.open_gate();
    assert!(!is_busy(&app.get("/api/plans").await));
}
