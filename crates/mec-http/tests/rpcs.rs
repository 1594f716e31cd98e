//! The RPCs, each called as a product calls it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use mec_engine::RisingIds;
use mec_http::{App, Front, FrontConfig, router};
use serde_json::json;
use support::{TestApp, get, post, service};
use tower::ServiceExt;

#[tokio::test]
async fn a_check_tells_the_decision_and_the_quota() {
    let app = TestApp::start();
    app.starter("acme").await;
    let asked = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    let answer = app.rpc("check_entitlement", asked).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let policy = answer.header("ratelimit-policy").unwrap();
    assert!(policy.starts_with("\"quota\";q=100;w="), "{policy}");
    assert!(
        answer
            .header("ratelimit")
            .unwrap()
            .starts_with("\"quota\";r=99;t=")
    );
    assert!(answer.header("x-request-id").is_some());
    let decision = answer.ok();
    assert_eq!(decision["decision"], "allow");
    assert_eq!(decision["quantity_remaining"], 100);

    let query = "/api/rpc/check_entitlement?p_external_id=acme&p_resource_type=benchmark_runs\
                 &p_requested_qty=1e3&p_context=%7B%22a%22:1%7D&p_explain=true";
    let decision = app.send(get(query, &service())).await.ok();
    assert_eq!(decision["decision"], "deny");
    assert_eq!(decision["limits"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_repeated_key_is_answered_byte_for_byte() {
    let app = TestApp::start();
    app.starter("acme").await;
    let call = |quantity| {
        json!({"p_idempotency_key": "k", "p_external_id": "acme",
               "p_resource_type": "benchmark_runs", "p_quantity": quantity})
    };
    let first = app.rpc("consume", call(json!(2))).await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = app.rpc("consume", call(json!("2.0"))).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text, first.text);
    let other = app.rpc("consume", call(json!(3))).await;
    other.error(409, "idempotency_conflict");
    assert_eq!(app.usage("acme").await, 2);
}

#[tokio::test]
async fn reservations_are_committed_or_released() {
    let app = TestApp::start();
    app.starter("acme").await;
    let hold = |key: &str| {
        json!({"p_idempotency_key": key, "p_external_id": "acme",
               "p_resource_type": "gpu_hours", "p_quantity": 5})
    };
    let reserved = app.rpc("reserve", hold("a")).await.ok();
    let commit = json!({"p_reservation_id": reserved["reservation_id"], "p_quantity": 4.5});
    let event = app.rpc("commit_reservation", commit.clone()).await.ok();
    assert_eq!(app.rpc("commit_reservation", commit).await.ok(), event);
    let other = json!({"p_reservation_id": reserved["reservation_id"], "p_quantity": 1});
    app.rpc("commit_reservation", other)
        .await
        .error(409, "already_committed");

    let reserved = app.rpc("reserve", hold("b")).await.ok();
    let release = json!({"p_reservation_id": reserved["reservation_id"]});
    assert_eq!(
        app.rpc("release_reservation", release.clone()).await.ok(),
        true
    );
    app.rpc("commit_reservation", release)
        .await
        .error(409, "already_released");

    let correct = json!({"p_idempotency_key": "c", "p_event_id": event, "p_quantity": 1});
    assert!(
        app.rpc("correct_consumption", correct)
            .await
            .ok()
            .is_string()
    );
    let asked = json!({"p_external_id": "acme", "p_resource_type": "gpu_hours"});
    assert_eq!(app.rpc("get_usage", asked).await.ok(), 1);
}

#[tokio::test]
async fn leases_are_taken_kept_and_given_back() {
    let app = TestApp::start();
    app.starter("acme").await;
    let acquire = json!({"p_external_id": "acme", "p_resource_type": "concurrent_users",
                         "p_session_token": "s", "p_ttl_seconds": "60",
                         "p_session_metadata": {"browser": "x"}});
    let lease = app.rpc("acquire_lease", acquire.clone()).await.ok();
    assert_eq!(lease["success"], true);
    assert_eq!(
        app.rpc("acquire_lease", acquire).await.ok()["lease_id"],
        lease["lease_id"]
    );
    let beat = json!({"p_lease_id": lease["lease_id"], "p_extend_minutes": 5});
    assert_eq!(app.rpc("heartbeat_lease", beat.clone()).await.ok(), true);
    let release = json!({"p_lease_id": lease["lease_id"]});
    assert_eq!(app.rpc("release_lease", release.clone()).await.ok(), true);
    assert_eq!(app.rpc("release_lease", release).await.ok(), false);
    assert_eq!(app.rpc("heartbeat_lease", beat).await.ok(), false);
}

#[tokio::test]
async fn plans_grants_and_inventories() {
    let app = TestApp::start();
    app.starter("acme").await;
    let plan = json!({"p_external_id": "acme", "p_plan_id": "pro", "p_start_date": "2026-11-24"});
    let error = app
        .rpc("provision_plan", plan)
        .await
        .error(409, "plan_conflict");
    assert!(error["hint"].as_str().unwrap().contains("change_plan"));
    let change =
        json!({"p_external_id": "acme", "p_from_plan_id": "starter", "p_to_plan_id": "pro"});
    assert!(app.rpc("change_plan", change).await.ok().as_u64().unwrap() > 0);

    let grant = json!({"p_idempotency_key": "g", "p_external_id": "acme",
                       "p_resource_type": "benchmark_runs", "p_quantity": "25", "p_priority": -1});
    let granted = app.rpc("grant_credit", grant).await.ok();
    assert_eq!(
        app.rpc("void_grant", json!({"p_grant_id": granted}))
            .await
            .ok(),
        25
    );

    let set = json!({"p_idempotency_key": "i", "p_external_id": "acme",
                     "p_resource_type": "server_configs", "p_quantity": 2});
    assert!(app.rpc("set_inventory", set).await.ok().is_string());
    let cancel = json!({"p_external_id": "acme", "p_plan_id": "pro"});
    assert!(app.rpc("cancel_plan", cancel).await.ok().as_u64().unwrap() > 0);
}

#[tokio::test]
async fn usage_over_time() {
    let app = TestApp::start();
    let id = app.starter("acme").await;
    for (key, scope, at) in [
        ("a", "region:eu", "2026-03-01T10:30:00Z"),
        ("b", "region:us", "2026-03-01T10:31:00Z"),
        ("c", "region:eu", "2026-03-02T00:00:00Z"),
    ] {
        let event = json!({"p_idempotency_key": key, "p_account_id": id, "p_quantity": 2,
            "p_resource_type": "benchmark_runs", "p_resource_scope": scope, "p_occurred_at": at,
            "p_details": {"job": key}});
        app.rpc("meter_consumption", event).await.ok();
    }
    let bounded = json!({"p_account_id": id, "p_resource_type": "benchmark_runs",
        "p_window_start": "2026-03-01T10:31:00Z", "p_window_end": "2026-03-03T00:00:00Z"});
    assert_eq!(app.rpc("get_usage", bounded).await.ok(), 4);
    let series = |bucket: &str, group: Option<&str>| {
        json!({"p_account_id": id, "p_resource_type": "benchmark_runs", "p_bucket": bucket,
               "p_from": "2026-03-01", "p_to": "2026-04-01", "p_group_by": group})
    };
    let rows = app.rpc("usage_series", series("day", None)).await.ok();
    assert_eq!(
        rows,
        json!([{"bucket_start": "2026-03-01T00:00:00+00:00", "group": null, "quantity": 4},
               {"bucket_start": "2026-03-02T00:00:00+00:00", "group": null, "quantity": 2}])
    );
    let rows = app
        .rpc("usage_series", series("month", Some("scope")))
        .await
        .ok();
    assert_eq!(
        rows.as_array()
            .unwrap()
            .iter()
            .filter(|row| row["quantity"] != 0)
            .count(),
        2
    );
    let rows = app
        .rpc("usage_series", series("month", Some("detail:job")))
        .await
        .ok();
    assert_eq!(rows.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn quantities_keep_every_digit_both_ways() {
    let app = TestApp::start();
    let id = app.starter("acme").await;
    for (key, quantity) in [("a", "123456789012.345678"), ("b", "\"0.000001\"")] {
        let event = format!(
            r#"{{"p_idempotency_key":"{key}","p_account_id":"{id}","p_resource_type":"gpu_hours","p_quantity":{quantity}}}"#
        );
        let answer = app
            .post("/api/rpc/meter_consumption", &service(), event)
            .await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    }
    let asked = json!({"p_account_id": id, "p_resource_type": "gpu_hours"});
    assert_eq!(
        app.rpc("get_usage", asked).await.text,
        "123456789012.345679"
    );
}

#[tokio::test]
async fn windows_are_told_in_their_zone() {
    let app = TestApp::start();
    let asked = json!({"p_window_type": "calendar_month", "p_timezone": "Europe/Berlin",
                       "p_reference_time": "2026-11-24T02:00:00Z"});
    let told = app.rpc("get_window_boundaries", asked).await.ok();
    assert_eq!(told["window_start"], "2026-10-31T23:00:00+00:00");
    let query = "/api/rpc/get_window_boundaries?p_window_type=none";
    let told = app.send(get(query, &service())).await.ok();
    assert_eq!(told, json!({"window_start": null, "window_end": null}));
    let asked = json!({"p_window_type": "fortnight"});
    let error = app
        .rpc("get_window_boundaries", asked)
        .await
        .error(404, "unknown_window_type");
    assert_eq!(error["details"], "p_window_type");
}

#[tokio::test]
async fn many_calls_stand_each_for_itself() {
    let app = TestApp::start();
    app.starter("acme").await;
    let event = |key: &str, quantity: &str| {
        json!({"p_idempotency_key": key, "p_external_id": "acme",
               "p_resource_type": "benchmark_runs", "p_quantity": quantity})
    };
    let events = json!({"p_events": [event("a", "1"), event("b", "x"), event("a", "1"), 5,
        event("c", "-1"), {"p_extra": 1}]});
    let answers = app.rpc("meter_consumptions", events).await.ok();
    let told: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["status"].as_u64())
        .collect();
    assert_eq!(told, [200, 400, 200, 400, 400, 404].map(Some));
    assert_eq!(answers[1]["error"]["details"], "p_quantity");
    assert_eq!(answers[2]["replayed"], true);
    assert_eq!(answers[2]["result"], answers[0]["result"]);
    assert_eq!(app.usage("acme").await, 1);

    let check = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    let checks = json!({"p_checks": vec![check; 1000]});
    assert_eq!(
        app.rpc("check_entitlements", checks)
            .await
            .ok()
            .as_array()
            .unwrap()
            .len(),
        1000
    );
    let error = app
        .rpc("check_entitlements", json!({"p_checks": vec![0; 1001]}))
        .await;
    assert_eq!(error.error(400, "too_many_items")["details"], "p_checks");
    assert_eq!(
        app.rpc("check_entitlements", json!({"p_checks": []}))
            .await
            .ok(),
        json!([])
    );
}

#[tokio::test]
async fn rows_are_created_and_given_back_as_asked() {
    let app = TestApp::start();
    let create = |prefer: &str, accept: &str, body: &str| {
        let request = post("/api/accounts", &service()).header("prefer", prefer);
        request
            .header("accept", accept)
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    let id = "0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10";
    let row = format!(
        r#"{{"account_type_code":"organization","account_id":"{id}","metadata":{{"a":1}}}}"#
    );
    let answer = app.send(create("return=minimal", "*/*", &row)).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (201, ""));
    assert_eq!(
        answer.header("location"),
        Some(format!("/api/accounts?account_id=eq.{id}").as_str())
    );
    assert_eq!(answer.header("preference-applied"), Some("return=minimal"));
    app.send(create("", "*/*", &row))
        .await
        .error(409, "already_exists");

    let team =
        format!(r#"{{"account_type_code":"team","parent_account_id":"{id}","external_id":"t"}}"#);
    let single = "application/vnd.pgrst.object+json";
    let answer = app
        .send(create("return=representation", single, &team))
        .await;
    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!(answer.header("content-type"), Some(single));
    assert_eq!(answer.json()["parent_account_id"], id);

    let entitlement = json!({"account_id": id, "resource_type_code": "gpu_hours",
        "limit_kind_code": "cumulative", "quantity_allowed": "1.5", "window_type_code": "calendar_day",
        "conditions": [{"condition_key": "tier", "condition_op": "in", "condition_value": ["a", "b"]}]});
    let answer = app
        .post("/api/entitlements", &service(), entitlement.to_string())
        .await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    let check =
        json!({"p_external_id": "t", "p_resource_type": "gpu_hours", "p_context": {"tier": "b"}});
    assert_eq!(
        app.rpc("check_entitlement", check).await.ok()["quantity_allowed"],
        1.5
    );
}

#[tokio::test]
async fn media_types_and_methods() {
    let app = TestApp::start();
    let check = r#"{"p_external_id":"x","p_resource_type":"benchmark_runs"}"#;
    let ask = |accept: &str| {
        let request = post("/api/rpc/check_entitlement", &service()).header("accept", accept);
        request.body(Body::from(check)).unwrap()
    };
    let answer = app.send(ask("application/vnd.pgrst.array+json")).await.ok();
    assert_eq!(answer[0]["code"], "account_not_found");
    app.send(ask("text/csv")).await.error(406, "PGRST107");

    for (method, path, allow) in [
        (Method::GET, "/api/rpc/consume", "OPTIONS,POST"),
        (
            Method::DELETE,
            "/api/rpc/get_usage",
            "OPTIONS,GET,HEAD,POST",
        ),
        (
            Method::DELETE,
            "/api/accounts",
            "OPTIONS,GET,HEAD,POST,PUT,PATCH",
        ),
        (Method::POST, "/health", "OPTIONS,GET,HEAD"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .unwrap();
        let answer = app.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, Some(allow)),
            "{path}"
        );
        let request = Request::builder().method(Method::OPTIONS).uri(path);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (200, Some(allow)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_node_on_its_way_out_is_up_and_not_ready() {
    let app = TestApp::start();
    let front = Front::new(FrontConfig::default());
    let router = router(App::with(app.engine.clone(), front.clone(), RisingIds));
    let page = async |path: &str| {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let told = |status: &str, journal: &str, shutdown: &str| {
        format!(
            r#"{{"status":"{status}","checks":{{"store":"up","journal":"{journal}","shutdown":"{shutdown}"}}}}"#
        )
    };
    assert_eq!(page("/ready").await, (200, told("ready", "up", "no")));
    front.stop();
    let not_ready = told("not_ready", "up", "begun");
    assert_eq!(page("/ready").await, (503, not_ready));
    app.engine.close().await;
    let not_ready = told("not_ready", "down", "begun");
    assert_eq!(page("/ready").await, (503, not_ready));
    assert_eq!(page("/health").await.0, 200);
}

#[tokio::test]
async fn pages_need_no_token() {
    let app = TestApp::start();
    let page = |path: &str| Request::builder().uri(path).body(Body::empty()).unwrap();
    assert_eq!(app.send(page("/health")).await.text, r#"{"status":"up"}"#);
    assert_eq!(app.send(page("/ready")).await.ok()["status"], "ready");
    let api = app.send(page("/openapi.json")).await.ok();
    assert_eq!(api["openapi"], "3.1.0");
    assert_eq!(app.send(page("/api/")).await.ok(), api);
    let docs = app.send(page("/docs")).await;
    assert!(
        docs.header("content-security-policy")
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let metrics = app.send(page("/metrics")).await.text;
    assert!(
        metrics.contains("# TYPE mec_commands_total counter\nmec_commands_total "),
        "{metrics}"
    );
    // Nobody else writes to this store, so that memory is never behind.
    assert!(!metrics.contains("mec_staleness_seconds"), "{metrics}");
    app.send(page("/nothing")).await.error(404, "not_found");
    let error = app
        .send(page("/api/rpc/chek_entitlement"))
        .await
        .error(404, "PGRST202");
    assert_eq!(error["hint"], "did you mean check_entitlement?");
}

#[tokio::test]
async fn request_ids_are_taken_over_if_sane() {
    let app = TestApp::start();
    let health = |id: &str| {
        let request = Request::builder().uri("/health").header("x-request-id", id);
        request.body(Body::empty()).unwrap()
    };
    let answer = app.send(health("abc-1")).await;
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    let long = "x".repeat(129);
    let answer = app.send(health(&long)).await;
    assert_ne!(answer.header("x-request-id"), Some(long.as_str()));
    let address = format!("/health?{}", "x".repeat(9000));
    let request = Request::builder().uri(address).body(Body::empty()).unwrap();
    app.send(request).await.error(414, "uri_too_long");
}

#[tokio::test]
async fn metrics_tell_requests_by_route_whatever_clients_send() {
    let app = TestApp::start();
    app.starter("acme").await;
    let asked = json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs"});
    for _ in 0..3 {
        app.rpc("check_entitlement", asked.clone()).await.ok();
    }
    let key = json!({"p_idempotency_key": "k"});
    app.rpc("consume", key).await.error(404, "PGRST202");
    let page = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        request.body(Body::empty()).unwrap()
    };
    for number in 0..20 {
        app.send(page("GET", &format!("/nothing/{number}"))).await;
        app.send(page("GET", &format!("/api/table_{number}"))).await;
        app.send(page(&format!("METHOD{number}"), "/health")).await;
    }
    app.send(get("/api/plans", "no token"))
        .await
        .error(401, "invalid_token");
    let metrics = app.send(page("GET", "/metrics")).await.text;
    for line in [
        r#"mec_http_requests_total{route="/api/rpc/check_entitlement",method="POST",status="200"} 3"#,
        r#"mec_http_request_duration_seconds_count{route="/api/rpc/check_entitlement",method="POST"} 3"#,
        r#"mec_http_request_duration_seconds_bucket{route="/api/rpc/check_entitlement",method="POST",le="+Inf"} 3"#,
        r#"mec_http_requests_total{route="/api/rpc/consume",method="POST",status="404"} 1"#,
        r#"mec_http_requests_total{route="none",method="GET",status="404"} 20"#,
        r#"mec_http_requests_total{route="/api/{name}",method="GET",status="404"} 20"#,
        r#"mec_http_requests_total{route="/health",method="other",status="405"} 20"#,
        r#"mec_http_errors_total{code="PGRST202"} 1"#,
        r#"mec_decisions_total{decision="allow",code="within_entitlement"} 3"#,
        "mec_tokens_refused_total 1",
        "mec_http_requests_in_flight 1",
        "mec_journal_commit_seconds_count 2",
        r#"mec_pool_connections{pool="readers",state="idle"}"#,
        r#"mec_build_info{version=""#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    for unbounded in ["table_7", "METHOD7", "/nothing", "acme"] {
        assert!(!metrics.contains(unbounded), "{unbounded}: {metrics}");
    }
}
