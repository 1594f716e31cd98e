//! `/admin/erase-account`: who a person is goes, what was recorded stays.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use axum::body::Body;
use axum::http::Request;
use mec_http::Role;
use serde_json::{Value, json};
use support::{Answer, TestApp, post, service, token};

const PATH: &str = "/admin/erase-account";

async fn erase(app: &TestApp, body: &str) -> Answer {
    app.post(PATH, &token(Role::MecAdmin), body.to_owned())
        .await
}

async fn person(app: &TestApp) -> Value {
    let row = json!({
        "account_type_code": "user", "external_id": "u-1", "display_name": "Ada Lovelace",
        "email": "ada@example.org", "timezone": "Europe/London", "metadata": {"desk": "12b"},
    });
    let request = post("/api/accounts", &service()).header("prefer", "return=representation");
    let created = app.send(request.body(Body::from(row.to_string())).unwrap());
    created.await.json()[0].take()
}

#[tokio::test]
async fn a_person_is_blanked_and_a_repetition_is_answered_the_same() {
    let app = TestApp::start();
    let mut expected = person(&app).await;
    let plan = json!({"p_external_id": "u-1", "p_plan_id": "starter"});
    app.rpc("provision_plan", plan).await.ok();
    let used = json!({"p_idempotency_key": "k", "p_external_id": "u-1", "p_resource_type": "benchmark_runs"});
    app.rpc("consume", used).await.ok();
    let by_id = json!({"account_id": expected["account_id"]}).to_string();
    let first = erase(&app, &by_id).await;
    let again = erase(&app, r#"{"external_id":"u-1"}"#).await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    let erased = first.ok();
    for column in ["display_name", "email"] {
        expected[column] = Value::Null;
    }
    expected["metadata"] = json!({});
    expected["updated_at"] = erased["updated_at"].clone();
    // A row of a resource leaves the zeros at the end of a second's fraction out, as PostgreSQL does.
    let told = erased["created_at"].as_str().unwrap().to_owned();
    let (second, zone) = told.split_once('+').unwrap();
    let plain = format!("{}+{zone}", second.trim_end_matches('0'));
    assert!(
        [json!(told), json!(plain)].contains(&expected["created_at"]),
        "{told} {expected}"
    );
    expected["created_at"] = json!(told);
    assert_eq!(erased, expected);
    assert_eq!(app.usage("u-1").await, 1);
}

#[tokio::test]
async fn what_cannot_be_erased_is_named() {
    let app = TestApp::start();
    person(&app).await;
    for (body, status, code, details) in [
        ("", 400, "missing_field", "account_id"),
        ("{}", 400, "missing_field", "account_id"),
        ("[", 400, "invalid_json", ""),
        (r#"{"account_id":7}"#, 400, "invalid_value", "account_id"),
        (r#"{"acount_id":"x"}"#, 400, "PGRST204", "acount_id"),
        (
            r#"{"external_id":"a","external_id":"b"}"#,
            400,
            "duplicate_key",
            "external_id",
        ),
        (
            r#"{"external_id":"u-1","account_id":"0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10"}"#,
            400,
            "invalid_value",
            "external_id",
        ),
        (r#"{"external_id":"nobody"}"#, 404, "account_not_found", ""),
        (
            r#"{"account_id":"0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10"}"#,
            404,
            "account_not_found",
            "",
        ),
    ] {
        let error = erase(&app, body).await.error(status, code);
        if !details.is_empty() {
            assert_eq!(error["details"], details, "{body} {error}");
        }
    }
    let wrong = Request::builder().method("PUT").uri(PATH);
    let wrong = app.send(wrong.body(Body::empty()).unwrap()).await;
    assert_eq!(wrong.header("allow"), Some("OPTIONS,POST"));
    wrong.error(405, "PGRST117");
}
