//! `/admin/lookups`: read and replaced whole, all faults with their places, nothing in use changed.
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
use support::{Answer, TestApp, claims, get, service, sign, token};

const PATH: &str = "/admin/lookups";

fn of_all() -> String {
    sign(&Claims {
        namespace_id: "*".to_owned(),
        ..claims(Role::MecAdmin)
    })
}

async fn read(app: &TestApp) -> Value {
    app.send(get(PATH, &of_all())).await.ok()
}

async fn put_at(
    app: &TestApp,
    (path, token): (&str, &str),
    document: &Value,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::builder()
        .method("PUT")
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::from(document.to_string())).unwrap())
        .await
}

async fn put(app: &TestApp, document: &Value, headers: &[(&str, &str)]) -> Answer {
    put_at(app, (PATH, &of_all()), document, headers).await
}

async fn faults(app: &TestApp, document: &Value) -> Vec<String> {
    let refused = put(app, document, &[]).await;
    let refused = refused.error(422, "invalid_catalogue");
    let details = refused["details"].as_str().unwrap_or_default();
    details.lines().map(str::to_owned).collect()
}

fn rows<'d>(document: &'d mut Value, table: &str) -> &'d mut Vec<Value> {
    document[table].as_array_mut().unwrap()
}

#[tokio::test]
async fn what_is_read_may_be_sent_back_and_changes_nothing() {
    let app = TestApp::start();
    let first = app.send(get(PATH, &of_all())).await;
    assert_eq!(first.header("etag"), Some("\"1\""));
    let document = first.ok();
    let nothing = json!({"version": 1, "applied": false, "changes": []});
    for sent in [&document, &json!({}), &json!({"units": document["units"]})] {
        assert_eq!(put(&app, sent, &[]).await.ok(), nothing);
    }
    assert_eq!(read(&app).await, document);
    let admin = token(Role::MecAdmin);
    let catalogue = app.send(get("/admin/catalogue", &admin)).await.ok();
    for table in ["units", "window_types", "account_types"] {
        assert_eq!(catalogue[table], document[table]);
    }
}

#[tokio::test]
async fn new_rows_are_told_used_at_once_and_then_stay() {
    let app = TestApp::start();
    let mut document = read(&app).await;
    rows(&mut document, "units").extend([
        json!({"unit_code": "pages", "unit_category": "paper"}),
        json!({"unit_code": "books", "unit_category": "paper", "scale": 2, "base_unit_code": "pages", "base_factor": 300}),
    ]);
    let fortnight = json!({"window_type_code": "fortnight", "mode": "rolling", "period_unit": "day", "period_count": 14});
    rows(&mut document, "window_types").push(fortnight);
    rows(&mut document, "account_types").push(json!({"account_type_code": "robot"}));
    let dry = put(&app, &document, &[("prefer", "tx=rollback")]).await;
    assert_eq!(dry.header("preference-applied"), Some("tx=rollback"));
    let dry = dry.ok();
    assert_eq!(dry["applied"], false);
    assert_eq!(read(&app).await["version"], 1);
    let told = put(&app, &document, &[("if-match", "\"1\"")]).await;
    assert_eq!(told.header("etag"), Some("\"2\""));
    let told = told.ok();
    assert_eq!(told["changes"], dry["changes"]);
    let names: Vec<&str> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["pages", "books", "fortnight", "robot"]);

    // A catalogue of any namespace may name them at once.
    let elsewhere = sign(&Claims {
        namespace_id: "other".to_owned(),
        ..claims(Role::MecAdmin)
    });
    let catalogue = json!({
        "resource_types": [{"resource_type_code": "prints", "default_unit_code": "books", "allowed_units": ["books", "pages"]}],
        "plans": [{"plan_id": "reader", "templates": [{
            "resource_type_code": "prints", "limit_kind_code": "cumulative", "quantity_allowed": 1.5,
            "window_type_code": "fortnight"}]}],
    });
    let path = "/admin/catalogue";
    put_at(&app, (path, &elsewhere), &catalogue, &[]).await.ok();
    let robot = json!({"account_type_code": "robot", "external_id": "r"}).to_string();
    let created = app.post("/api/accounts", &elsewhere, robot).await;
    assert_eq!(created.status.as_u16(), 201, "{}", created.text);
    let plan = json!({"p_external_id": "r", "p_plan_id": "reader"}).to_string();
    let given = app.post("/api/rpc/provision_plan", &elsewhere, plan).await;
    assert_eq!(given.ok(), 1);
    let consume = json!({"p_idempotency_key": "k", "p_external_id": "r", "p_resource_type": "prints",
                         "p_quantity": 150, "p_unit_code": "pages"});
    let consume = consume.to_string();
    let used = app.post("/api/rpc/consume", &elsewhere, consume).await.ok();
    assert_eq!(used["quantity_remaining"], 1, "{used}");

    // What is used stays, line by line; its description changes.
    let mut document = read(&app).await;
    for table in ["units", "window_types", "account_types"] {
        rows(&mut document, table).retain(|row| {
            let names = ["unit_code", "window_type_code", "account_type_code"].map(|key| &row[key]);
            !names.contains(&&json!("pages")) && !names.contains(&&json!("robot"))
        });
        for row in rows(&mut document, table) {
            row["description"] = json!("described anew");
            if row["unit_code"] == "books" {
                (row["base_factor"], row["base_unit_code"]) = (json!(1), json!("books"));
            }
            if row["window_type_code"] == "fortnight" {
                row["period_count"] = json!(15);
            }
        }
    }
    let place = |table: &str, key: &str, name: &str| {
        let rows = document[table].as_array().unwrap();
        let at = rows.iter().position(|row| row[key] == name).unwrap();
        format!("{table}[{at}]")
    };
    let (books, fortnight) = (
        place("units", "unit_code", "books"),
        place("window_types", "window_type_code", "fortnight"),
    );
    let expected = [
        format!("{books}.base_unit_code: the unit books is in use: base_unit_code stays pages"),
        format!("{books}.base_factor: the unit books is in use: base_factor stays 300"),
        "units: the unit pages is in use: keep it".to_owned(),
        format!(
            "{fortnight}.period_count: the window type fortnight is in use: period_count stays 14"
        ),
        "account_types: the account type robot is in use: keep it".to_owned(),
    ];
    assert_eq!(faults(&app, &document).await, expected);
    assert_eq!(read(&app).await["version"], 2);
}

#[tokio::test]
async fn what_nothing_uses_changes_and_goes() {
    let app = TestApp::start();
    let mut document = read(&app).await;
    rows(&mut document, "units").retain(|row| row["unit_code"] != "bytes");
    for row in rows(&mut document, "window_types") {
        if row["window_type_code"] == "rolling_7d" {
            row["period_count"] = json!(8);
        }
        if row["window_type_code"] == "calendar_month" {
            row["description"] = json!("A month of the calendar");
        }
    }
    let told = put(&app, &document, &[]).await.ok();
    let expected = json!([
        {"change": "changed", "kind": "window type", "name": "calendar_month", "fields": [
            {"field": "description", "before": "\"Calendar month\"", "after": "\"A month of the calendar\""}]},
        {"change": "changed", "kind": "window type", "name": "rolling_7d", "fields": [
            {"field": "period_count", "before": "7", "after": "8"}]},
        {"change": "removed", "kind": "unit", "name": "bytes", "fields": []},
    ]);
    assert_eq!(told["changes"], expected);
    // The catalogue is as it was, and so is its version.
    let catalogue = app.send(get("/admin/catalogue", &token(Role::MecAdmin)));
    assert_eq!(catalogue.await.ok()["version"], 1);
    let asked = json!({"p_window_type": "rolling_7d", "p_reference_time": "2026-11-24T10:00:30Z"});
    let window = app.rpc("get_window_boundaries", asked).await.ok();
    assert_eq!(window["window_start"], "2026-11-16T10:00:00+00:00");
    // Somebody else who read it before.
    let late = put(&app, &document, &[]).await;
    assert_eq!(late.ok()["changes"], json!([]));
    rows(&mut document, "units").retain(|row| row["unit_code"] != "gpu_hours");
    let late = put(&app, &document, &[]).await;
    let late = late.error(409, "catalogue_changed");
    let message = "the set of lookups is at version 2, and the change was made from version 1";
    assert_eq!(late["message"], message);
}

#[tokio::test]
async fn all_faults_are_told_at_once_with_their_places() {
    let app = TestApp::start();
    let document = json!({
        "version": "one",
        "units": [
            {"unit_code": "pages", "unit_category": "paper", "scale": 7},
            {"unit_code": "pages", "unit_category": "paper", "factor": 2},
            {"unit_code": "books", "unit_category": "paper", "base_unit_code": "pages"},
            {"unit_category": "paper", "base_factor": 0},
        ],
        "window_types": [
            {"window_type_code": "w", "mode": "sliding", "period_unit": "days", "period_count": 1001},
            {"window_type_code": "v"},
        ],
        "account_types": [{"account_type_code": "robot", "can_have_children": 1}],
        "limit_kinds": [],
        "unitss": [],
    });
    let expected = [
        "version: version must be a whole number from 0 to 9223372036854775807",
        "units[0].scale: scale must be a whole number from 0 to 6",
        "units[1].factor: unknown key \"factor\"; known are base_factor, base_unit_code, description, scale, unit_category, unit_code",
        "units[2].base_unit_code: a unit with a base unit needs the key base_factor",
        "units[3]: a unit needs the key unit_code",
        "units[3].base_factor: base_factor must be a whole number from 1 to 1000000000000000",
        "units[1].unit_code: unit_code \"pages\" stands twice, first in units[0]",
        "window_types[0].mode: unknown mode \"sliding\"; known are anniversary, calendar, none, rolling",
        "window_types[0].period_unit: unknown period_unit \"days\"; did you mean \"day\"?",
        "window_types[0].period_count: period_count must be a whole number from 1 to 1000",
        "window_types[1]: a window type needs the key mode",
        "account_types[0].can_have_children: can_have_children must be true or false",
        "limit_kinds: limit_kinds are fixed and do not change",
        "unitss: unknown key \"unitss\"; did you mean \"units\"?",
    ];
    assert_eq!(faults(&app, &document).await, expected);
    // What contradicts itself is told once every value is readable.
    let mut document = read(&app).await;
    rows(&mut document, "units").extend([
        json!({"unit_code": "weeks", "unit_category": "time", "base_unit_code": "days", "base_factor": 7}),
        json!({"unit_code": "books", "unit_category": "paper", "base_unit_code": "pages", "base_factor": 300}),
    ]);
    let windows = rows(&mut document, "window_types");
    windows.retain(|row| row["window_type_code"] != "none");
    windows.extend([
        json!({"window_type_code": "v", "mode": "rolling", "period_unit": "year", "period_count": 2}),
        json!({"window_type_code": "w", "mode": "calendar"}),
    ]);
    let expected = [
        "units[9].base_unit_code: there is no unit pages",
        "units[8].base_unit_code: the unit days counts in minutes and is no base unit",
        "window_types[8].period_count: a rolling window is at most 366 days long",
        "window_types[9].period_unit: a window type needs a period_unit",
        "window_types: the window type none is that of limits without a window: keep it",
        "window_types: the window type none is in use: keep it",
    ];
    assert_eq!(faults(&app, &document).await, expected);
    assert_eq!(read(&app).await["version"], 1);
    for body in ["", "{", "[]"] {
        let request = Request::builder().method("PUT").uri(PATH);
        let request = request
            .header("authorization", format!("Bearer {}", of_all()))
            .header("content-type", "application/json");
        let answer = app.send(request.body(Body::from(body)).unwrap()).await;
        assert!(answer.status.is_client_error(), "{body}");
    }
}

#[tokio::test]
async fn a_service_does_not_reach_it_and_other_methods_are_told() {
    let app = TestApp::start();
    let refused = app.send(get(PATH, &service())).await;
    refused.error(403, "insufficient_role");
    let delete = Request::builder().method("DELETE").uri(PATH);
    let answer = app.send(delete.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("allow"), Some("OPTIONS,GET,HEAD,PUT"));
    answer.error(405, "PGRST117");
}
