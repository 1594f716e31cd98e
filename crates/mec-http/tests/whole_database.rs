//! Calls that act on all namespaces: an administrator of all may, nobody else, and not by a slip.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use axum::body::Body;
use axum::http::Request;
use mec_http::{Claims, Role};
use serde_json::{Value, json};
use support::{Answer, Hands, TestApp, claims, sign, token};

const RETENTION: &str = "/admin/retention";
const LOOKUPS: &str = "/admin/lookups";

/// Every such call.
const CALLS: [(&str, &str); 3] = [("POST", RETENTION), ("GET", LOOKUPS), ("PUT", LOOKUPS)];

fn of_all() -> String {
    sign(&Claims {
        namespace_id: "*".to_owned(),
        ..claims(Role::MecAdmin)
    })
}

async fn call(app: &TestApp, (method, path): (&str, &str), token: &str, body: &str) -> Answer {
    send(app, (method, path), token, None, body).await
}

async fn send(
    app: &TestApp,
    (method, path): (&str, &str),
    token: &str,
    namespace: Option<&str>,
    body: &str,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    if let Some(namespace) = namespace {
        request = request.header("MEC-Namespace", namespace);
    }
    app.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

#[tokio::test]
async fn only_an_administrator_of_all_may() {
    let app = TestApp::start();
    for asked in CALLS {
        for role in [Role::MecAnon, Role::MecUser, Role::MecService] {
            let refused = call(&app, asked, &token(role), "{}").await;
            let refused = refused.error(403, "insufficient_role");
            assert_eq!(refused["details"], role.as_str());
        }
        let refused = call(&app, asked, &token(Role::MecAdmin), "{}").await;
        let refused = refused.error(403, "insufficient_role");
        assert_eq!(refused["details"], "namespace_id");
        // Who names one namespace does not mean all.
        for named in ["default", "other", "", "a b"] {
            let refused = send(&app, asked, &of_all(), Some(named), "{}").await;
            let refused = refused.error(400, "invalid_value");
            assert_eq!(refused["details"], "MEC-Namespace");
        }
        for named in [None, Some("*")] {
            let served = send(&app, asked, &of_all(), named, "{}").await;
            assert!(served.status.is_success(), "{asked:?} {}", served.text);
        }
        let (method, path) = asked;
        let bare = Request::builder().method(method).uri(path);
        let bare = app.send(bare.body(Body::empty()).unwrap()).await;
        bare.error(401, "missing_token");
    }
}

#[tokio::test]
async fn what_has_passed_its_time_is_dropped_in_all_namespaces() {
    let hands = Hands::at("2026-11-24T10:00:00Z");
    let app = TestApp::start_by(hands.clone());
    app.starter("acme").await;
    let consume = json!({"p_idempotency_key": "k", "p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    let first = app.rpc("consume", consume.clone()).await.ok();
    let apply = async |body: Value| {
        let body = body.to_string();
        call(&app, ("POST", RETENTION), &of_all(), &body).await.ok()
    };
    let nothing = json!({"decisions": 0, "audit": 0, "answers": 0, "done": true});
    assert_eq!(apply(json!({})).await, nothing);
    hands.pass(90 * 86_400 + 1);
    let one = json!({"decisions": 0, "audit": 0, "answers": 1, "done": true});
    assert_eq!(apply(json!({"answers_days": 91})).await, nothing);
    assert_eq!(apply(json!({})).await, one);
    let replayed = app.rpc("consume", consume).await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        replayed.ok(),
        json!({"event_id": first["event_id"], "code": "replayed"})
    );
    assert_eq!(apply(json!({"answers_days": 1})).await, nothing);
}

#[tokio::test]
async fn how_long_things_are_kept_is_bounded_and_named() {
    let app = TestApp::start();
    for (body, code, details) in [
        (r#"{"decisions_days":0}"#, "invalid_value", "decisions_days"),
        (r#"{"audit_days":-1}"#, "invalid_value", "audit_days"),
        (r#"{"answers_days":1.5}"#, "invalid_value", "answers_days"),
        (r#"{"answer_days":1}"#, "PGRST204", "answer_days"),
    ] {
        let refused = call(&app, ("POST", RETENTION), &of_all(), body).await;
        assert_eq!(refused.error(400, code)["details"], details, "{body}");
    }
}
