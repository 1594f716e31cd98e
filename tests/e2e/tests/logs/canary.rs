//! No secret, no token and no personal detail stands in any line, at the finest level, on both stores.

use std::fs;

use mec_http::Role;
use mec_test_postgres::Server as Postgres;

use super::raw;
use super::support::token;
use super::{Logged, access};

/// What is in every canary. No line may have it.
const MARK: &str = "canary";
const SECRET: &str = "canary-jwt-secret-of-32-bytes-or-more";

/// Sends canaries in every place of requests; how many requests were sent, and which statuses came.
struct Cage<'a> {
    logged: &'a Logged,
    sent: usize,
    statuses: Vec<u16>,
}

impl Cage<'_> {
    fn send(&mut self, line: &str, token: Option<&str>, body: &str) {
        let number = self.sent;
        let mut headers = vec![
            "Content-Type: application/json".to_owned(),
            format!("User-Agent: canary-agent-{number}"),
            format!("Cookie: session=canary-cookie-{number}"),
            format!("Referer: https://canary-referer-{number}.example"),
            format!("X-Forwarded-For: canary-forwarded-{number}"),
            format!("tracestate: canary={number}"),
            format!("traceparent: canary-parent-{number}"),
            format!("X-Canary-{number}: canary-header-{number}"),
            // One that is no sane id is not taken over.
            format!("X-Request-Id: canary id {number}"),
            format!("If-None-Match: \"canary-tag-{number}\""),
        ];
        if let Some(token) = token {
            headers.push(format!("Authorization: Bearer {token}"));
        }
        let answer = raw::send(&self.logged.server.address, line, &headers, body);
        self.sent += 1;
        self.statuses.push(answer.status);
    }

    fn count(&self, status: u16) -> usize {
        self.statuses.iter().filter(|told| **told == status).count()
    }
}

/// Bodies and paths with canaries in every field that a caller fills.
fn calls(cage: &mut Cage<'_>, token: Option<&str>) {
    let who = r#""p_external_id":"canary-external","p_resource_type":"benchmark_runs""#;
    let key = r#""p_idempotency_key":"canary-key""#;
    let account = r#"{"account_type_code":"user","external_id":"canary-external",
        "display_name":"Canary canary-name","email":"canary@canary-mail.example",
        "metadata":{"canary-meta":"canary-value"}}"#;
    let lease = r#""p_external_id":"canary-external","p_resource_type":"concurrent_users",
        "p_session_token":"canary-session","p_session_metadata":{"a":"canary-session-meta"}"#;
    let rpcs = [
        (
            "provision_plan",
            r#"{"p_external_id":"canary-external","p_plan_id":"starter"}"#.to_owned(),
        ),
        (
            "check_entitlement",
            format!(r#"{{{who},"p_context":{{"canary-context":"canary-c"}}}}"#),
        ),
        (
            "consume",
            format!(r#"{{{who},{key},"p_details":{{"canary-detail":"canary-d"}}}}"#),
        ),
        (
            "consume",
            format!(r#"{{{who},{key},"p_details":{{"canary-detail":"canary-e"}}}}"#),
        ),
        (
            "consume",
            format!(r#"{{{who},{key},"p_quantity":"canary-quantity"}}"#),
        ),
        (
            "reserve",
            format!(r#"{{{who},"p_idempotency_key":"canary-reserve","p_quantity":1}}"#),
        ),
        ("acquire_lease", format!("{{{lease}}}")),
        ("acquire_lease", format!(r#"{{{lease},"p_slots":2}}"#)),
        (
            "meter_consumption",
            format!(r#"{{{who},{key},"p_quantity":1,"p_canary-argument":1}}"#),
        ),
        (
            "correct_consumption",
            r#"{"p_event_id":"canary-event"}"#.to_owned(),
        ),
        (
            "grant_credit",
            format!(r#"{{{who},{key},"p_quantity":1,"p_reason":"canary-reason"}}"#),
        ),
        ("get_usage", "{canary-no-json".to_owned()),
        (
            "check_entitlements",
            format!(r#"{{"p_checks":[{{{who}}},{{"canary":1}}]}}"#),
        ),
        ("canary_function", "{}".to_owned()),
    ];
    for _ in 0..2 {
        cage.send("POST /api/accounts", token, account);
    }
    for (name, body) in &rpcs {
        cage.send(&format!("POST /api/rpc/{name}"), token, body);
    }
    let rows = [
        "GET /api/accounts?external_id=eq.canary-external",
        "GET /api/accounts?email=like.*canary*&select=email,display_name",
        "GET /api/accounts?canary-column=eq.1",
        "GET /api/accounts?account_id=eq.canary-uuid",
        "GET /api/accounts?metadata-%3E%3Ecanary=eq.canary-value&order=canary",
        "GET /api/consumption?quantity=eq.canary",
        "GET /api/consumption?select=*,consumption_event_details(*)&idempotency_key=eq.canary-key",
        "GET /api/concurrency_leases?session_token=eq.canary-session",
        "GET /api/canary_resource",
        "GET /canary/path?canary=query",
        "GET /canary%ff%00path",
        "CANARY /api/accounts",
        "GET /health?canary",
        "GET /metrics?canary",
        "DELETE /api/consumption?event_id=eq.canary",
    ];
    for line in rows {
        cage.send(line, token, "");
    }
    let written = [
        (
            "PATCH /api/accounts?external_id=eq.canary-external",
            r#"{"email":"other@canary.example"}"#,
        ),
        (
            "PATCH /api/accounts?external_id=eq.canary-external",
            r#"{"timezone":"canary/zone"}"#,
        ),
        (
            "POST /api/entitlements",
            r#"{"account_id":"canary","resource_type_code":"canary"}"#,
        ),
        (
            "POST /api/account_external_ids",
            r#"{"provider":"stripe","external_id":"cus_canary","account_id":"canary"}"#,
        ),
        (
            "PUT /admin/catalogue",
            r#"{"plans":[{"plan_id":"canary-plan"}]}"#,
        ),
        ("PUT /admin/lookups", r#"{"canary":1}"#),
        (
            "POST /admin/erase-account",
            r#"{"external_id":"canary-external"}"#,
        ),
        ("POST /admin/retention", r#"{"decisions_days":"canary"}"#),
    ];
    for (line, body) in written {
        cage.send(line, token, body);
    }
}

/// Sends all by every kind of caller.
fn sing(logged: &Logged) -> Cage<'_> {
    let mut cage = Cage {
        logged,
        sent: 0,
        statuses: Vec::new(),
    };
    let of = |role, namespace| token(SECRET, role, namespace, "canary-subject@canary.example");
    let tokens = [
        of(Role::MecService, "default"),
        of(Role::MecAdmin, "default"),
        of(Role::MecAdmin, "*"),
        of(Role::MecUser, "default"),
        token(
            "another secret of 32 bytes or more",
            Role::MecAdmin,
            "*",
            "canary-forger",
        ),
        "canary.token.canary".to_owned(),
    ];
    for token in &tokens {
        calls(&mut cage, Some(token));
    }
    calls(&mut cage, None);
    cage
}

/// What a server left behind has no canary in it, though all was told.
#[track_caller]
fn check(mut logged: Logged, sent: usize) -> String {
    let lines = logged.stop();
    let security = fs::read_to_string(logged.data().join("security.ndjson")).unwrap();
    assert_eq!(access(&lines).len(), sent);
    assert!(security.contains("token_refused") && security.contains("person_erased"));
    let tokens = token(
        SECRET,
        Role::MecService,
        "default",
        "canary-subject@canary.example",
    );
    let parts = tokens.split('.').skip(1);
    let mut needles: Vec<&str> = parts.collect();
    needles.push(MARK);
    for line in lines.lines().chain(security.lines()) {
        for needle in &needles {
            let found = line
                .to_ascii_lowercase()
                .contains(&needle.to_ascii_lowercase());
            assert!(!found, "{line}");
        }
    }
    lines
}

const TRACE: (&str, &str) = ("MEC_LOG_LEVEL", "trace");

#[test]
fn no_secret_and_no_personal_detail_is_logged_over_the_folder() {
    let logged = Logged::start(SECRET, &[TRACE]);
    let cage = sing(&logged);
    for status in [200, 201, 400, 401, 403, 404, 405, 409] {
        assert!(cage.count(status) > 0, "{status}: {:?}", cage.statuses);
    }
    let sent = cage.sent;
    check(logged, sent);
}

#[test]
fn no_secret_and_no_personal_detail_is_logged_over_postgres() {
    let postgres = Postgres::start().unwrap();
    postgres.psql("postgres", "CREATE DATABASE mec").unwrap();
    postgres.migrate("mec").unwrap();
    let url = postgres.url("mec_engine", "mec");
    let url = url.replacen("mec_engine@", "mec_engine:canary-password@", 1);
    assert!(url.contains("canary-password"), "{url}");
    let logged = Logged::start(SECRET, &[TRACE, ("DATABASE_URL", &url)]);
    let mut cage = sing(&logged);
    for status in [200, 201, 400, 401, 403, 404, 405, 409] {
        assert!(cage.count(status) > 0, "{status}: {:?}", cage.statuses);
    }
    // What goes wrong in the store is logged with its cause, which quotes rows and keys where it may.
    let odd_check = "ALTER TABLE mec.consumption_event_details ADD CONSTRAINT odd \
                 CHECK (detail_value <> 'canary-odd') NOT VALID";
    postgres.psql("mec", odd_check).unwrap();
    let token = token(
        SECRET,
        Role::MecService,
        "default",
        "canary-subject@canary.example",
    );
    let of = r#""p_external_id":"canary-external","p_resource_type":"benchmark_runs""#;
    let odd = format!(
        r#"{{{of},"p_quantity":1,"p_idempotency_key":"canary-odd","p_details":{{"canary":"canary-odd"}}}}"#
    );
    cage.send("POST /api/rpc/meter_consumption", Some(&token), &odd);
    assert_eq!(cage.count(500), 1, "{:?}", cage.statuses);
    postgres.halt().unwrap();
    let late = format!(r#"{{{of},"p_idempotency_key":"canary-late"}}"#);
    cage.send("POST /api/rpc/consume", Some(&token), &late);
    assert_eq!(cage.count(503), 1, "{:?}", cage.statuses);
    let sent = cage.sent;
    let lines = check(logged, sent);
    assert!(
        lines.contains("constraint odd") && lines.contains("the store is not available"),
        "{lines}"
    );
}
