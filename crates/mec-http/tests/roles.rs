//! Every route with every role. A new RPC is in the matrix by itself: its role is read from the table,
//! and the least roles of all stand here once more.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use axum::body::Body;
use axum::http::Request;
use mec_http::{Role, routes, rpc_routes};
use mec_query::schema::RESOURCES;
use support::{TestApp, get, token};

const ROLES: [Role; 4] = [
    Role::MecAnon,
    Role::MecUser,
    Role::MecService,
    Role::MecAdmin,
];

/// What a user may call; all else needs a service.
const FOR_USERS: [&str; 14] = [
    "acquire_lease",
    "check_entitlement",
    "check_entitlements",
    "commit_reservation",
    "consume",
    "get_usage",
    "get_window_boundaries",
    "heartbeat_lease",
    "meter_consumption",
    "meter_consumptions",
    "release_lease",
    "release_reservation",
    "reserve",
    "usage_series",
];
const FOR_SERVICES: [&str; 7] = [
    "cancel_plan",
    "change_plan",
    "correct_consumption",
    "grant_credit",
    "provision_plan",
    "set_inventory",
    "void_grant",
];

#[test]
fn every_rpc_has_a_row() {
    let mut known: Vec<&str> = FOR_USERS.into_iter().chain(FOR_SERVICES).collect();
    known.sort_unstable();
    assert_eq!(
        rpc_routes().map(|route| route.name).collect::<Vec<_>>(),
        known
    );
}

#[tokio::test]
async fn every_route_asks_for_its_role() {
    let app = TestApp::start();
    let paths = FOR_USERS.map(|name| (name, Role::MecUser)).into_iter();
    let paths = paths.chain(FOR_SERVICES.map(|name| (name, Role::MecService)));
    let mut rows: Vec<(String, Role)> = paths
        .map(|(name, role)| (format!("/api/rpc/{name}"), role))
        .collect();
    rows.push(("/api/accounts".to_owned(), Role::MecService));
    rows.push(("/api/entitlements".to_owned(), Role::MecService));
    rows.push(("/admin/erase-account".to_owned(), Role::MecAdmin));
    for (path, least) in rows {
        for role in ROLES {
            // An empty object reaches the decoder, which misses an argument: the role was enough.
            let answer = app.post(&path, &token(role), "{}").await;
            if role >= least {
                assert_ne!(
                    answer.status.as_u16(),
                    403,
                    "{path} {role:?} {}",
                    answer.text
                );
                assert_ne!(
                    answer.status.as_u16(),
                    401,
                    "{path} {role:?} {}",
                    answer.text
                );
            } else {
                answer.error(403, "insufficient_role");
            }
        }
        let bare = Request::builder()
            .method("POST")
            .uri(&path)
            .body(Body::empty())
            .unwrap();
        app.send(bare).await.error(401, "missing_token");
    }
}

#[tokio::test]
async fn get_asks_for_the_same_role() {
    let app = TestApp::start();
    for route in rpc_routes() {
        let path = format!("/api/rpc/{}", route.name);
        for role in ROLES {
            let answer = app.send(get(&path, &token(role))).await;
            match (route.read_only, role >= route.role) {
                (false, _) => assert_eq!(answer.status.as_u16(), 405, "{path}"),
                (true, false) => assert_eq!(answer.status.as_u16(), 403, "{path} {role:?}"),
                (true, true) => assert_eq!(answer.status.as_u16(), 404, "{path} {}", answer.text),
            }
        }
    }
}

/// What everybody may read: pages about the service, and what is offered to all.
fn is_public(method: &str, path: &str) -> bool {
    const PAGES: [&str; 6] = [
        "/api/",
        "/docs",
        "/health",
        "/metrics",
        "/openapi.json",
        "/ready",
    ];
    let mut resources = RESOURCES.iter();
    let resource = resources.find(|resource| path == format!("/api/{}", resource.name));
    let is_offered = resource.is_some_and(|resource| resource.least_reader == Role::MecAnon);
    ["GET", "HEAD"].contains(&method) && (is_offered || PAGES.contains(&path))
}

#[tokio::test]
async fn who_shows_no_token_or_one_of_nobody_gets_what_is_public_and_no_more() {
    let app = TestApp::start();
    let mut public = 0;
    for route in routes() {
        let path = &route.path;
        for method in route.methods.iter().filter(|method| *method != "OPTIONS") {
            for token in [None, Some(token(Role::MecAnon))] {
                let mut request = Request::builder()
                    .method(method.as_str())
                    .uri(path)
                    .header("content-type", "application/json");
                if let Some(token) = &token {
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                let answer = app.send(request.body(Body::from("{}")).unwrap()).await;
                let status = answer.status.as_u16();
                let place = format!("{method} {path} {}", answer.text);
                match (is_public(method, path), &token) {
                    (true, _) => assert!(answer.status.is_success(), "{place}"),
                    (false, None) => assert_eq!(status, 401, "{place}"),
                    (false, Some(_)) => assert_eq!(status, 403, "{place}"),
                }
                public += u32::from(answer.status.is_success());
            }
        }
    }
    assert!(public > 30, "{public}");
}
