//! Bad input as data: each row is refused with its status and code, names its field, and changes nothing.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use axum::body::Body;
use axum::http::Request;
use mec_http::{Claims, Role, issue_token};
use serde_json::json;
use support::{SECRET, TestApp, claims, post, service, sign, unix_seconds, user_of};
use uuid::Uuid;

/// RPC, body, status, code, details (`*` for whatever they are).
const CORPUS: &str = include_str!("data/bad_input.txt");

#[tokio::test]
async fn each_is_refused_by_name_and_changes_nothing() {
    let app = TestApp::start();
    app.starter("acme").await;
    let long_key = "k".repeat(300);
    let many_keys: Vec<String> = (0..51).map(|n| format!("\"k{n}\":1")).collect();
    let mut rows = 0;
    for line in CORPUS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [path, body, status, code, details] = cells[..] else {
            panic!("not five cells: {line}")
        };
        let body = body
            .replace("USE", r#""p_idempotency_key":"k","p_external_id":"acme","p_resource_type":"benchmark_runs""#)
            .replace("ASK", r#""p_external_id":"acme","p_resource_type":"benchmark_runs""#)
            .replace("LONG_KEY", &long_key)
            .replace("MANY_KEYS", &many_keys.join(","));
        let answer = app.post(&format!("/api/{path}"), &service(), body).await;
        let error = answer.error(status.parse().unwrap(), code);
        if details != "*" {
            assert_eq!(error["details"], details, "{line}\n{error}");
            assert!(
                error["message"].as_str().unwrap().contains(details),
                "{line}\n{error}"
            );
        }
        rows += 1;
    }
    assert!(rows > 70, "only {rows} rows");
    assert_eq!(app.usage("acme").await, 0);
}

#[tokio::test]
async fn bodies_have_bounds_and_a_type() {
    let app = TestApp::start();
    app.starter("acme").await;
    let path = "/api/rpc/meter_consumption";
    let large = "x".repeat(2 * 1024 * 1024);
    app.post(path, &service(), large.clone())
        .await
        .error(413, "payload_too_large");
    // The same without an announced length.
    let unannounced =
        http_body_util::BodyExt::map_frame(http_body_util::Full::from(large), |frame| frame);
    app.post(path, &service(), Body::new(unannounced))
        .await
        .error(413, "payload_too_large");
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
    ] {
        let request = Request::builder().method("POST").uri(path);
        let request = request.header("authorization", format!("Bearer {}", service()));
        let request = request
            .header("content-type", kind)
            .body(Body::from("{}"))
            .unwrap();
        app.send(request).await.error(415, "unsupported_media_type");
    }
    let zipped = post(path, &service()).header("content-encoding", "gzip");
    let zipped = zipped.body(Body::from("{}")).unwrap();
    app.send(zipped).await.error(415, "unsupported_media_type");
    let deep = format!(
        "{{\"p_details\":{}{}}}",
        "[".repeat(300_000),
        "]".repeat(300_000)
    );
    app.post(path, &service(), deep)
        .await
        .error(404, "PGRST202");
    assert_eq!(app.usage("acme").await, 0);
}

#[tokio::test]
async fn tokens_that_prove_nothing_open_nothing() {
    let app = TestApp::start();
    app.starter("acme").await;
    let consume = json!({"p_idempotency_key": "k", "p_external_id": "acme",
                         "p_resource_type": "benchmark_runs"})
    .to_string();
    let base = || claims(Role::MecService);
    let good = sign(&base());
    let (head, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    // {"alg":"HS512","typ":"JWT"}
    let other = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9";
    let wrong_secret = issue_token(b"another secret of 32 bytes or more", &base()).unwrap();
    for (why, token) in [
        (
            "expired",
            sign(&Claims {
                exp: unix_seconds() - 60,
                ..base()
            }),
        ),
        (
            "wrong aud",
            sign(&Claims {
                aud: "other".to_owned(),
                ..base()
            }),
        ),
        (
            "* for a service",
            sign(&Claims {
                namespace_id: "*".to_owned(),
                ..base()
            }),
        ),
        (
            "bad namespace",
            sign(&Claims {
                namespace_id: "a b".to_owned(),
                ..base()
            }),
        ),
        (
            "empty sub",
            sign(&Claims {
                sub: String::new(),
                ..base()
            }),
        ),
        ("alg none", format!("{none}.{payload}.")),
        ("alg none, signed", format!("{none}.{payload}.{signature}")),
        ("alg HS512", format!("{other}.{payload}.{signature}")),
        ("no signature", format!("{head}.{payload}.")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("wrong secret", wrong_secret),
        ("not a token", "x".to_owned()),
        ("empty", String::new()),
        ("too long", "x".repeat(9000)),
    ] {
        let answer = app.post("/api/rpc/consume", &token, consume.clone()).await;
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer error=\"invalid_token\""),
            "{why}"
        );
        answer.error(401, "invalid_token");
    }
    let request = Request::builder().method("POST").uri("/api/rpc/consume");
    let answer = app
        .send(request.body(Body::from(consume.clone())).unwrap())
        .await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.error(401, "missing_token");
    assert_eq!(app.usage("acme").await, 0);
    // A token within the leeway is still good, the second time from memory.
    let late = sign(&Claims {
        exp: unix_seconds() - 5,
        ..base()
    });
    for _ in 0..2 {
        app.post("/api/rpc/consume", &late, consume.clone())
            .await
            .ok();
    }
}

#[tokio::test]
async fn every_claim_that_must_be_there_must_be_there() {
    let app = TestApp::start();
    let whole = json!({"sub": "s", "role": "mec_user", "namespace_id": "default",
                       "aud": "mec-service", "exp": unix_seconds() + 600});
    let ask = |claims: &serde_json::Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key).unwrap();
        let body = r#"{"p_window_type":"calendar_day"}"#;
        post("/api/rpc/get_window_boundaries", &token)
            .body(Body::from(body))
            .unwrap()
    };
    app.send(ask(&whole)).await.ok();
    for claim in ["sub", "role", "namespace_id", "aud", "exp"] {
        for value in [
            None,
            Some(json!(null)),
            Some(json!(["x"])),
            Some(json!("x y")),
        ] {
            let mut claims = whole.clone();
            let object = claims.as_object_mut().unwrap();
            object.remove(claim);
            // Any text without control characters may be a sub.
            let fits = claim == "sub" && value == Some(json!("x y"));
            object.extend(value.map(|value| (claim.to_owned(), value)));
            let answer = app.send(ask(&claims)).await;
            assert_eq!(
                answer.status.as_u16(),
                if fits { 200 } else { 401 },
                "{claims}"
            );
        }
    }
    let mut claims = whole.clone();
    claims["nbf"] = json!(unix_seconds() + 300);
    app.send(ask(&claims)).await.error(401, "invalid_token");
    claims["nbf"] = json!(unix_seconds() + 10);
    app.send(ask(&claims)).await.ok();
    claims["aud"] = json!(["other", "mec-service"]);
    app.send(ask(&claims)).await.ok();
}

#[tokio::test]
async fn what_is_anothers_does_not_exist() {
    let app = TestApp::start();
    let own = app.starter("own").await;
    let other = app.starter("other").await;
    let foreign = sign(&Claims {
        namespace_id: "elsewhere".to_owned(),
        ..claims(Role::MecService)
    });
    let guarded = user_of(own);
    let unknown = Uuid::nil();
    for token in [&foreign, &guarded] {
        for account in [other, unknown] {
            let ask = json!({"p_account_id": account, "p_resource_type": "benchmark_runs"});
            let answer = app.post("/api/rpc/get_usage", token, ask.to_string()).await;
            answer.error(404, "account_not_found");
            let event = json!({"p_idempotency_key": "k", "p_account_id": account,
                "p_resource_type": "benchmark_runs", "p_quantity": 1});
            let answer = app
                .post("/api/rpc/meter_consumption", token, event.to_string())
                .await;
            let code = answer.json()["code"].as_str().unwrap().to_owned();
            // The empty namespace has no resource types either.
            assert!(
                ["account_not_found", "unknown_resource_type"].contains(&code.as_str()),
                "{code}"
            );
            assert_eq!(answer.status.as_u16(), 404);
        }
    }
    let check = |account: Uuid| {
        json!({"p_account_id": account, "p_resource_type": "benchmark_runs"}).to_string()
    };
    let path = "/api/rpc/check_entitlement";
    let denied = app.post(path, &guarded, check(other)).await.ok();
    assert_eq!(denied, app.post(path, &guarded, check(unknown)).await.ok());
    assert_eq!(denied["code"], "account_not_found");
    assert_eq!(
        app.post(path, &guarded, check(own)).await.ok()["decision"],
        "allow"
    );
    assert_eq!(app.usage("other").await, 0);
}

#[tokio::test]
async fn administrators_of_all_name_a_namespace() {
    let app = TestApp::start();
    app.starter("acme").await;
    let admin = sign(&Claims {
        namespace_id: "*".to_owned(),
        ..claims(Role::MecAdmin)
    });
    let ask = |token: &str, namespace: Option<&str>| {
        let mut request = post("/api/rpc/check_entitlement", token);
        if let Some(namespace) = namespace {
            request = request.header("mec-namespace", namespace);
        }
        let body = r#"{"p_external_id":"acme","p_resource_type":"benchmark_runs"}"#;
        request.body(Body::from(body)).unwrap()
    };
    let error = app
        .send(ask(&admin, None))
        .await
        .error(400, "missing_namespace");
    assert_eq!(error["details"], "MEC-Namespace");
    app.send(ask(&admin, Some("a b")))
        .await
        .error(400, "invalid_value");
    assert_eq!(
        app.send(ask(&admin, Some("default"))).await.ok()["decision"],
        "allow"
    );
    assert_eq!(
        app.send(ask(&admin, Some("other"))).await.ok()["decision"],
        "deny"
    );
    app.send(ask(&service(), Some("other")))
        .await
        .error(403, "insufficient_role");
    app.send(ask(&service(), Some("default"))).await.ok();
    assert!(SECRET.len() >= 32);
}
