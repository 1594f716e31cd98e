//! The stream of security events.

use std::fs;
use std::time::{Duration, SystemTime};

use mec_http::Role;
use serde_json::{Value, json};

use super::support::mec;
use super::{Logged, json_lines, raw};

const SECRET: &str = "a secret of the tests, 32 bytes or more";

fn names(events: &[Value]) -> Vec<&str> {
    let name = |event: &Value| event["event"].as_str().map(str::to_owned);
    assert!(events.iter().all(|event| name(event).is_some()));
    events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .collect()
}

#[test]
fn what_administrators_do_and_what_is_refused_is_kept() {
    let mut logged = Logged::start(SECRET, &[]);
    let all = logged.server.token.clone();
    let [admin, user] = [Role::MecAdmin, Role::MecUser].map(|role| logged.token(role, "ada"));
    let post = |token: Option<&str>, path: &str, body: Value| {
        logged.server.post(token, path, &body.to_string()).0
    };
    let row = json!({"account_type_code": "user", "external_id": "u"});
    assert_eq!(post(Some(&admin), "/api/accounts", row), 201);
    assert_eq!(post(Some(&all), "/admin/retention", json!({})), 200);
    let erased = json!({"external_id": "u"});
    assert_eq!(post(Some(&admin), "/admin/erase-account", erased), 200);
    let nobody = json!({"external_id": "nobody"});
    assert_eq!(post(Some(&admin), "/admin/erase-account", nobody), 404);
    let plan = json!({"plan_id": "new", "plan_name": "New"});
    assert_eq!(post(Some(&admin), "/api/plans", plan.clone()), 201);
    assert_eq!(post(Some(&user), "/api/plans", plan), 403);
    assert_eq!(
        post(Some("no.token.atall"), "/api/rpc/consume", json!({})),
        401
    );
    assert_eq!(post(None, "/api/rpc/consume", json!({})), 401);
    let key = json!({"name": "ci", "role": "mec_service"});
    let (status, key) = logged
        .server
        .post(Some(&admin), "/admin/keys", &key.to_string());
    assert_eq!(status, 201, "{key}");
    let put = [
        "Content-Type: application/json".to_owned(),
        format!("Authorization: Bearer {admin}"),
    ];
    let sent = raw::send(&logged.server.address, "PUT /admin/catalogue", &put, "[]");
    assert_eq!(sent.status, 422, "{}", sent.text);
    let lines = logged.stop();
    assert!(!lines.contains("\"target\":\"security\""));

    let events = logged.security();
    let told = [
        "started",
        "retention_applied",
        "person_erased",
        "person_erased",
        "catalogue_written",
        "role_refused",
        "token_refused",
        "token_refused",
        "key_created",
        "catalogue_replaced",
        "stopped",
    ];
    assert_eq!(names(&events), told);
    let outcome = |at: usize| {
        (
            events[at]["outcome"].as_str().unwrap(),
            events[at]["reason"].clone(),
        )
    };
    assert_eq!(outcome(2), ("done", Value::Null));
    assert_eq!(outcome(3), ("refused", json!("account_not_found")));
    assert_eq!(outcome(5), ("refused", json!("insufficient_role")));
    assert_eq!(outcome(7), ("refused", json!("missing_token")));
    assert_eq!(events[8]["key_id"], key["key_id"], "{key}");
    assert_eq!(outcome(9).0, "refused");
    let erased = &events[2];
    for (field, value) in [
        ("role", "mec_admin"),
        ("namespace", "default"),
        ("method", "POST"),
        ("route", "/admin/erase-account"),
    ] {
        assert_eq!(erased[field], value, "{erased}");
    }
    assert!(erased["subject"].is_string() && erased["request_id"].is_string());
    assert_eq!(events[1]["namespace"], "*");
    assert!(
        events[6]["subject"].is_null() && events[6]["reason"].as_str().unwrap().contains("it is")
    );
}

#[test]
fn a_flood_of_bad_tokens_is_counted_and_fills_no_disk() {
    let mut logged = Logged::start(SECRET, &[]);
    for number in 0..300 {
        let token = [format!("Authorization: Bearer bad.token.{number}")];
        let refused = raw::send(&logged.server.address, "GET /api/rpc/get_usage", &token, "");
        assert_eq!(refused.status, 401);
    }
    let metrics = raw::send(&logged.server.address, "GET /metrics", &[], "").text;
    let metrics: Vec<&str> = metrics.lines().collect();
    assert!(
        metrics.contains(&"mec_tokens_refused_total 300"),
        "{metrics:?}"
    );
    logged.stop();
    let events = logged.security();
    let kept = names(&events)
        .iter()
        .filter(|name| **name == "token_refused")
        .count();
    assert!((20..100).contains(&kept), "{kept}");
    let counted: u64 = events
        .iter()
        .filter_map(|event| event["suppressed"].as_u64())
        .sum();
    assert_eq!(counted + kept as u64, 300);
}

#[test]
fn old_files_go_and_the_stream_can_go_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let now = SystemTime::now();
    for (name, days) in [("security-a.ndjson", 31), ("security-b.ndjson", 29)] {
        let file = fs::File::create(data.join(name)).unwrap();
        let modified = now - Duration::from_secs(days * 86_400);
        file.set_times(fs::FileTimes::new().set_modified(modified))
            .unwrap();
    }
    let days = [("MEC_SECURITY_LOG_DAYS", "30")];
    let mut logged = Logged::start_on(folder, SECRET, &days);
    logged.stop();
    assert!(!data.join("security-a.ndjson").exists() && data.join("security-b.ndjson").exists());

    let mut logged = Logged::start(SECRET, &[("MEC_SECURITY_LOG", "stderr")]);
    logged.server.post(None, "/api/rpc/consume", "{}");
    let lines = json_lines(&logged.stop());
    let lines: Vec<Value> = lines
        .into_iter()
        .filter(|line| line["target"] == "security")
        .collect();
    assert_eq!(names(&lines), ["started", "token_refused", "stopped"]);
    assert!(logged.security().is_empty());
    let mut logged = Logged::start(SECRET, &[("MEC_SECURITY_LOG", "off")]);
    logged.server.post(None, "/api/rpc/consume", "{}");
    assert!(!logged.stop().contains("\"target\":\"security\"") && logged.security().is_empty());
}

#[test]
fn a_command_without_a_server_keeps_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    mec(
        folder,
        &["account", "create", "--type", "user", "--external-id", "u"],
    )
    .ok();
    mec(folder, &["account", "erase", "u", "--yes"]).ok();
    let kept = fs::read_to_string(folder.join("security.ndjson")).unwrap();
    assert_eq!(names(&json_lines(&kept)), ["person_erased"]);
}
