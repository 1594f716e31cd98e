//! API keys: who makes which, what they may do, and that a revoked one ends at once, on every node.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use mec_http::{Claims, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, TestApp, claims, get, post, sign, token};

const KEYS: &str = "/admin/keys";

async fn create(app: &TestApp, by: &str, namespace: Option<&str>, body: Value) -> Answer {
    let mut request = post(KEYS, by);
    if let Some(namespace) = namespace {
        request = request.header("mec-namespace", namespace);
    }
    app.send(request.body(Body::from(body.to_string())).unwrap())
        .await
}

/// A new key and its row.
async fn made(app: &TestApp, body: Value) -> (String, Value) {
    let answer = create(app, &token(Role::MecAdmin), None, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let row = answer.json();
    (row["key"].as_str().unwrap().to_owned(), row)
}

async fn revoke(app: &TestApp, by: &str, id: &Value) -> Answer {
    let request = Request::builder()
        .method("DELETE")
        .uri(format!("{KEYS}/{}", id.as_str().unwrap()))
        .header("authorization", format!("Bearer {by}"));
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn status(app: &TestApp, key: &str, path: &str) -> u16 {
    app.send(get(path, key)).await.status.as_u16()
}

async fn listed(app: &TestApp) -> Vec<Value> {
    let listed = app.send(get(KEYS, &token(Role::MecAdmin))).await.ok();
    listed.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_key_is_shown_once_and_calls_as_its_role() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    app.starter("other").await;
    let (key, row) = made(&app, json!({"name": "ci", "role": "mec_service"})).await;
    assert!(key.starts_with("mec_key_"), "{key}");
    assert_eq!(
        (&row["role"], &row["namespace_id"], &row["created_by"]),
        (&json!("mec_service"), &json!("default"), &json!("tester"))
    );
    assert_eq!(status(&app, &key, "/api/accounts").await, 200);
    assert_eq!(status(&app, &key, KEYS).await, 403);

    let of_acme = json!({"name": "acme", "role": "mec_user", "account_id": acme});
    let (of_acme, _) = made(&app, of_acme).await;
    let seen = app
        .send(get("/api/accounts?select=external_id", &of_acme))
        .await;
    assert_eq!(seen.ok(), json!([{"external_id": "acme"}]));
    let other = json!({"p_external_id": "other", "p_resource_type": "benchmark_runs"});
    let asked = app
        .post("/api/rpc/check_entitlement", &of_acme, other.to_string())
        .await;
    assert_eq!(asked.ok()["code"], "account_not_found");

    let told = app.send(get(KEYS, &token(Role::MecAdmin))).await;
    assert!(!told.text.contains(&key) && !told.text.contains(&of_acme));
    assert!(!told.text.contains("hash"), "{}", told.text);
    let names: Vec<Value> = listed(&app)
        .await
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(names, ["acme", "ci"]);

    // What a key does is its own in the audit.
    let grant = json!({"p_external_id": "acme", "p_plan_id": "starter"});
    app.post("/api/rpc/cancel_plan", &key, grant.to_string())
        .await
        .ok();
    let audit = get(
        "/api/entitlements_audit?select=changed_by&order=changed_at.desc&limit=1",
        &key,
    );
    let by = app.send(audit).await.ok()[0]["changed_by"].clone();
    assert_eq!(by, format!("api-key:{}", row["key_id"].as_str().unwrap()));
}

#[tokio::test]
async fn a_revoked_key_ends_at_once_and_others_stay() {
    let app = TestApp::start();
    let (key, row) = made(&app, json!({"name": "a", "role": "mec_admin"})).await;
    let (other, _) = made(&app, json!({"name": "b", "role": "mec_service"})).await;
    for key in [&key, &other, &key, &other] {
        assert_eq!(status(&app, key, "/api/accounts").await, 200);
    }
    // It is an administrator's, and revokes itself.
    assert_eq!(revoke(&app, &key, &row["key_id"]).await.status, 204);
    let refused = app.send(get("/api/accounts", &key)).await;
    assert_eq!(
        refused.error(401, "invalid_token")["details"],
        "the API key was revoked"
    );
    assert_eq!(status(&app, &other, "/api/accounts").await, 200);
    let admin = token(Role::MecAdmin);
    revoke(&app, &admin, &row["key_id"])
        .await
        .error(404, "key_not_found");
    revoke(&app, &admin, &json!(Uuid::new_v4()))
        .await
        .error(404, "key_not_found");
    revoke(&app, &admin, &json!("key"))
        .await
        .error(404, "key_not_found");
    assert_eq!(listed(&app).await.len(), 1);
}

#[tokio::test]
async fn a_wrong_secret_under_a_key_s_id_proves_nothing() {
    let app = TestApp::start();
    let (key, row) = made(&app, json!({"name": "a", "role": "mec_admin"})).await;
    let (other, _) = made(&app, json!({"name": "b", "role": "mec_user"})).await;
    let secret = |key: &str| key[8 + 32 + 1..].to_owned();
    let id = |key: &str| key[8..8 + 32].to_owned();
    assert_eq!(row["key_id"].as_str().unwrap().replace('-', ""), id(&key));
    let mut flipped = key.clone();
    let last = if key.ends_with('0') { "1" } else { "0" };
    flipped.replace_range(key.len() - 1.., last);
    for bad in [
        format!("mec_key_{}_{}", id(&key), secret(&other)),
        flipped,
        key.to_uppercase(),
    ] {
        let refused = app.send(get("/api/accounts", &bad)).await;
        refused.error(401, "invalid_token");
    }
    assert_eq!(status(&app, &key, "/api/accounts").await, 200);
}

#[tokio::test]
async fn a_key_has_no_more_than_who_made_it() {
    let app = TestApp::start();
    let acme = app.starter("acme").await;
    let of_all = sign(&Claims {
        namespace_id: "*".to_owned(),
        ..claims(Role::MecAdmin)
    });
    let admin_of_other = sign(&Claims {
        namespace_id: "other".to_owned(),
        ..claims(Role::MecAdmin)
    });
    let body = |role: &str| json!({"name": "k", "role": role});
    for role in [Role::MecUser, Role::MecService] {
        let refused = create(&app, &token(role), None, body("mec_user")).await;
        refused.error(403, "insufficient_role");
    }
    // An administrator of one namespace makes keys of that one alone.
    let admin = token(Role::MecAdmin);
    for namespace in ["*", "other"] {
        let refused = create(&app, &admin, Some(namespace), body("mec_admin")).await;
        refused.error(403, "insufficient_role");
    }
    create(&app, &of_all, None, body("mec_admin"))
        .await
        .error(400, "missing_namespace");
    let refused = create(&app, &of_all, Some("*"), body("mec_service")).await;
    assert_eq!(refused.error(400, "invalid_value")["details"], "role");

    let everywhere = create(&app, &of_all, Some("*"), body("mec_admin"))
        .await
        .json();
    assert_eq!(everywhere["namespace_id"], "*");
    let key = everywhere["key"].as_str().unwrap();
    let there = Request::builder()
        .uri("/api/accounts")
        .header("authorization", format!("Bearer {key}"))
        .header("mec-namespace", "other");
    app.send(there.body(Body::empty()).unwrap()).await.ok();

    // A key of another namespace, or of all, is not there.
    let (_, own) = made(&app, body("mec_user")).await;
    revoke(&app, &admin_of_other, &own["key_id"])
        .await
        .error(404, "key_not_found");
    revoke(&app, &admin, &everywhere["key_id"])
        .await
        .error(404, "key_not_found");
    assert_eq!(app.send(get(KEYS, &admin_of_other)).await.ok(), json!([]));
    assert_eq!(listed(&app).await.len(), 1);

    for (change, code, field) in [
        (json!({"role": "mec_anon"}), "invalid_value", "role"),
        (json!({"role": "mec_engine"}), "invalid_value", "role"),
        (
            json!({"role": "mec_service", "account_id": acme}),
            "invalid_value",
            "account_id",
        ),
        (
            json!({"expires_at": "2020-01-01T00:00:00Z"}),
            "invalid_value",
            "expires_at",
        ),
        (json!({"name": ""}), "invalid_value", "name"),
        (json!({"secret": "mine"}), "PGRST204", "secret"),
    ] {
        let mut bad = body("mec_user");
        bad.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let refused = create(&app, &admin, None, bad).await;
        assert_eq!(refused.error(400, code)["details"], field, "{change}");
    }
    let mut of_nobody = body("mec_user");
    of_nobody["account_id"] = json!(Uuid::new_v4());
    let refused = create(&app, &admin, None, of_nobody).await;
    refused.error(404, "account_not_found");
    assert_eq!(listed(&app).await.len(), 1);
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let app = TestApp::start();
    let end = (app.engine.now().as_micros() / 1_000_000 + 2) * 1_000_000;
    let end = mec_core::Timestamp::from_micros(end);
    let body = json!({"name": "a", "role": "mec_service", "expires_at": end.to_string()});
    let (key, row) = made(&app, body).await;
    let ends = mec_core::Timestamp::parse(row["expires_at"].as_str().unwrap());
    assert_eq!(ends.unwrap(), end);
    loop {
        let before = app.engine.now();
        let answer = app.send(get("/api/accounts", &key)).await;
        let after = app.engine.now();
        match answer.status.as_u16() {
            200 => assert!(before < end, "it was taken after its end"),
            _ => {
                assert!(after >= end, "it was refused before its end");
                let told = answer.error(401, "invalid_token");
                assert!(
                    told["details"].as_str().unwrap().contains("expired"),
                    "{told}"
                );
                return;
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn when_a_key_was_used_is_noted_once_a_minute() {
    let app = TestApp::start();
    let (key, row) = made(&app, json!({"name": "a", "role": "mec_service"})).await;
    assert_eq!(listed(&app).await[0]["last_used_at"], Value::Null);
    let since = app.engine.now();
    assert_eq!(status(&app, &key, "/api/accounts").await, 200);
    let noted = loop {
        let noted = listed(&app).await[0]["last_used_at"].clone();
        if let Some(noted) = noted.as_str() {
            break mec_core::Timestamp::parse(noted).unwrap();
        }
    };
    assert!(noted >= since && noted <= app.engine.now());
    for _ in 0..20 {
        assert_eq!(status(&app, &key, "/api/accounts").await, 200);
    }
    // What is noted goes through the Journal, in which this comes after it.
    made(&app, json!({"name": "b", "role": "mec_service"})).await;
    let again = listed(&app).await;
    let again = again.iter().find(|other| other["key_id"] == row["key_id"]);
    let again = again.unwrap()["last_used_at"].as_str().unwrap();
    assert_eq!(mec_core::Timestamp::parse(again).unwrap(), noted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_another_node_revokes_ends_here_too() {
    let (one, two) = TestApp::two_on_postgres().await;
    let (key, row) = made(&one, json!({"name": "a", "role": "mec_service"})).await;
    let until = async |app: &TestApp, expected: u16| {
        let reached = async {
            while status(app, &key, "/api/plans").await != expected {
                tokio::task::yield_now().await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(60), reached).await;
        assert!(reached.is_ok(), "the key is not answered with {expected}");
    };
    until(&two, 200).await;
    until(&one, 200).await;
    assert_eq!(
        revoke(&one, &token(Role::MecAdmin), &row["key_id"])
            .await
            .status,
        204
    );
    assert_eq!(status(&one, &key, "/api/plans").await, 401);
    until(&two, 401).await;
}
