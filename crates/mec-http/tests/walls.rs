//! The walls between namespaces, and around the subtree of a user with an account: what is not yours
//! answers exactly as what is not there, on every route, for every caller. A route without a row
//! here fails.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "walls/routes.rs"]
mod routes;
mod support;
#[path = "walls/world.rs"]
mod world;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use mec_http::{Role, openapi};
use routes::{NOTHING, Owned, RUNS, key, routes, rows};
use serde_json::json;
use world::{World, anybody, caller};

const OTHER: &str = "other";

#[test]
fn every_route_has_a_row() {
    let routed = mec_http::routes();
    let nothing: Vec<&str> = routed
        .iter()
        .filter(|route| route.methods.is_empty())
        .map(|route| route.path.as_str())
        .collect();
    assert_eq!(BTreeSet::from_iter(nothing), BTreeSet::from(NOTHING));
    let routed: BTreeSet<(String, String)> = routed
        .into_iter()
        .flat_map(|route| {
            let path = route.path;
            (route.methods.into_iter()).map(move |method| (path.clone(), method))
        })
        .collect();
    let rows = rows();
    let missing: Vec<_> = routed.difference(&rows).collect();
    assert!(missing.is_empty(), "routes without a row: {missing:?}");
    let gone: Vec<_> = rows.difference(&routed).collect();
    assert!(gone.is_empty(), "rows without a route: {gone:?}");
    // What is described is there.
    let described = serde_json::to_value(openapi()).unwrap();
    for (path, methods) in described["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let described = (path.clone(), method.to_uppercase());
            assert!(rows.contains(&described), "{described:?}");
        }
    }
}

#[tokio::test]
async fn options_tell_everybody_the_methods_of_the_list_and_all_others_are_refused() {
    let world = World::new().await;
    let admin = caller("one of all", Role::MecAdmin, "*", None, None);
    for route in mec_http::routes() {
        let path = route.path.replace(['{', '}'], "");
        for caller in [&anybody(), &admin] {
            let send = async |method: &str| {
                let request = Request::builder().method(method).uri(&path);
                world.send(caller, request, Body::empty()).await
            };
            if route.methods.is_empty() {
                assert_eq!(send("OPTIONS").await.status.as_u16(), 404, "{path}");
                continue;
            }
            let told = send("OPTIONS").await;
            assert_eq!(told.status.as_u16(), 200, "{path}");
            assert_eq!(told.header("allow"), Some(&*route.methods.join(",")));
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "X",
            ] {
                let told = send(method).await;
                // A PUT that names no row is a 405, too, but tells no other methods.
                let is_refused = told.status.as_u16() == 405 && told.header("allow").is_some();
                let is_listed = route.methods.iter().any(|listed| listed == method);
                assert_eq!(is_refused, !is_listed, "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_yours_answers_exactly_as_what_is_not_there() {
    let world = World::new().await;
    let service = caller("a service", Role::MecService, "default", None, None);
    let elsewhere = caller("a service elsewhere", Role::MecService, OTHER, None, None);
    let owner = world.owned_on("enterprise", &service, None).await;
    let mine = world.owned(&service, Some(&owner)).await;
    let sibling = world.owned(&service, Some(&owner)).await;
    let stranger = world.owned(&service, None).await;
    let foreign = world.owned(&elsewhere, None).await;

    let of_mine = caller(
        "a user with an account",
        Role::MecUser,
        "default",
        Some(&mine),
        None,
    );
    let outside = [&owner, &sibling, &stranger, &foreign];
    world.is_walled_off(&of_mine, &outside).await;
    let of_nobody = caller(
        "a user with no account there",
        Role::MecUser,
        "default",
        Some(&foreign),
        None,
    );
    world
        .is_walled_off(&of_nobody, &[&owner, &mine, &stranger, &foreign])
        .await;
    let callers = [
        anybody(),
        caller("nobody", Role::MecAnon, "default", None, None),
        caller("a user", Role::MecUser, "default", None, None),
        caller("a service", Role::MecService, "default", None, None),
        caller("an administrator", Role::MecAdmin, "default", None, None),
        caller(
            "one of all, here",
            Role::MecAdmin,
            "*",
            None,
            Some("default"),
        ),
    ];
    for caller in &callers {
        world.is_walled_off(caller, &[&foreign]).await;
    }
    let callers = [
        caller("a user elsewhere", Role::MecUser, OTHER, None, None),
        caller("a service elsewhere", Role::MecService, OTHER, None, None),
        caller(
            "an administrator elsewhere",
            Role::MecAdmin,
            OTHER,
            None,
            None,
        ),
        caller(
            "one of all, elsewhere",
            Role::MecAdmin,
            "*",
            None,
            Some(OTHER),
        ),
    ];
    for caller in &callers {
        world
            .is_walled_off(caller, &[&owner, &mine, &stranger])
            .await;
    }
    let all = [&owner, &mine, &sibling, &stranger, &foreign];
    world.is_refused_alike(&of_mine, &all).await;
    for caller in [
        anybody(),
        caller("nobody", Role::MecAnon, "default", None, None),
        caller("a user", Role::MecUser, "default", None, None),
        caller("a service", Role::MecService, "default", None, None),
    ] {
        world.is_refused_alike(&caller, &all).await;
    }
    for owned in [&mine, &sibling, &stranger] {
        world.is_untouched(&service, owned).await;
    }
    world.is_untouched(&elsewhere, &foreign).await;
}

#[tokio::test]
async fn the_store_is_asked_the_same_about_what_is_not_yours_and_what_is_not_there() {
    let world = World::new().await;
    let service = caller("a service", Role::MecService, "default", None, None);
    let elsewhere = caller("a service elsewhere", Role::MecService, OTHER, None, None);
    let owner = world.owned_on("enterprise", &service, None).await;
    let mine = world.owned(&service, Some(&owner)).await;
    let stranger = world.owned(&service, None).await;
    let foreign = world.owned(&elsewhere, None).await;
    let user = Role::MecUser;
    let of_mine = caller("a user with an account", user, "default", Some(&mine), None);
    world.is_asked_alike(&of_mine, &[&owner, &stranger]).await;
    for caller in [
        of_mine,
        anybody(),
        caller("a user", user, "default", None, None),
        service,
        caller("an administrator", Role::MecAdmin, "default", None, None),
    ] {
        world.is_asked_alike(&caller, &[&foreign]).await;
    }
}

#[tokio::test]
async fn what_is_yours_is_told_from_what_is_not_there() {
    let world = World::new().await;
    let service = caller("a service", Role::MecService, "default", None, None);
    let elsewhere = caller("a service elsewhere", Role::MecService, OTHER, None, None);
    let root = world.owned_on("enterprise", &service, None).await;
    let of_root = caller(
        "a user with an account",
        Role::MecUser,
        "default",
        Some(&root),
        None,
    );
    let below = world.owned(&service, Some(&root)).await;
    world.is_served(&of_root, &below).await;
    let callers = [
        caller("a user", Role::MecUser, "default", None, None),
        caller("a service", Role::MecService, "default", None, None),
        // The account binds users only.
        caller(
            "a service with an account",
            Role::MecService,
            "default",
            Some(&root),
            None,
        ),
        caller(
            "an administrator",
            Role::MecAdmin,
            "default",
            None,
            Some("default"),
        ),
        caller("one of all", Role::MecAdmin, "*", None, Some("default")),
    ];
    for caller in &callers {
        let own = world.owned(&service, None).await;
        world.is_served(caller, &own).await;
    }
    let callers = [
        caller("a service elsewhere", Role::MecService, OTHER, None, None),
        caller(
            "one of all, elsewhere",
            Role::MecAdmin,
            "*",
            None,
            Some(OTHER),
        ),
    ];
    for caller in &callers {
        let own = world.owned(&elsewhere, None).await;
        world.is_served(caller, &own).await;
    }
}

#[tokio::test]
async fn a_namespace_is_named_by_an_administrator_of_all_alone() {
    let world = World::new().await;
    let own = Owned::ghost();
    for (path, arguments) in routes() {
        let arguments = &arguments(&own)[0];
        for role in [Role::MecUser, Role::MecService, Role::MecAdmin] {
            let asked = caller("", role, "default", None, Some(OTHER));
            let refused = world.call(&asked, &path, arguments).await;
            refused.error(403, "insufficient_role");
        }
        for role in [Role::MecAnon, Role::MecUser, Role::MecService] {
            for named in [None, Some("default"), Some(OTHER)] {
                let asked = caller("", role, "*", None, named);
                let refused = world.call(&asked, &path, arguments).await;
                refused.error(401, "invalid_token");
            }
        }
        let asked = caller("", Role::MecAdmin, "*", None, None);
        let refused = world.call(&asked, &path, arguments).await;
        refused.error(400, "missing_namespace");
        for named in ["", "*", "a b", "default,other"] {
            let asked = caller("", Role::MecAdmin, "*", None, Some(named));
            let refused = world.call(&asked, &path, arguments).await;
            refused.error(400, "invalid_value");
        }
    }
}

#[tokio::test]
async fn among_many_calls_those_about_others_answer_as_about_nothing_and_spoil_none() {
    let world = World::new().await;
    let service = caller("a service", Role::MecService, "default", None, None);
    let elsewhere = caller("a service elsewhere", Role::MecService, OTHER, None, None);
    let (mine, sibling) = (
        world.owned(&service, None).await,
        world.owned(&service, None).await,
    );
    let foreign = world.owned(&elsewhere, None).await;
    let user = caller("a user", Role::MecUser, "default", Some(&mine), None);
    let accounts = [&mine, &sibling, &foreign, &Owned::ghost(), &mine];

    let checks = accounts.map(|of| json!({"p_account_id": of.account, "p_resource_type": RUNS}));
    let told = world
        .call(
            &user,
            "/api/rpc/check_entitlements",
            &json!({ "p_checks": checks }),
        )
        .await
        .ok();
    assert_eq!(told[0]["result"]["decision"], "allow");
    assert_eq!(told[3]["result"]["code"], "account_not_found");
    assert_eq!(
        (&told[1], &told[2], &told[4]),
        (&told[3], &told[3], &told[0])
    );

    let events = accounts.map(|of| {
        json!({"p_account_id": of.account, "p_resource_type": RUNS, "p_quantity": 1, "p_idempotency_key": key()})
    });
    let told = world
        .call(
            &user,
            "/api/rpc/meter_consumptions",
            &json!({ "p_events": events }),
        )
        .await
        .ok();
    assert_eq!(
        (&told[0]["status"], &told[4]["status"]),
        (&json!(200), &json!(200))
    );
    assert_eq!(told[3]["error"]["code"], "account_not_found");
    assert_eq!((&told[1], &told[2]), (&told[3], &told[3]));
    let used = json!({"p_account_id": mine.account, "p_resource_type": RUNS});
    assert_eq!(world.call(&user, "/api/rpc/get_usage", &used).await.ok(), 7);
    world.is_untouched(&service, &sibling).await;
    world.is_untouched(&elsewhere, &foreign).await;
}

#[tokio::test]
async fn a_key_that_another_used_answers_nothing_of_theirs() {
    let world = World::new().await;
    let service = caller("a service", Role::MecService, "default", None, None);
    let elsewhere = caller("a service elsewhere", Role::MecService, OTHER, None, None);
    let (mine, sibling) = (
        world.owned(&service, None).await,
        world.owned(&service, None).await,
    );
    let foreign = world.owned(&elsewhere, None).await;
    let user = caller("a user", Role::MecUser, "default", Some(&mine), None);
    let call = |of: &Owned| json!({"p_account_id": of.account, "p_resource_type": RUNS, "p_idempotency_key": "shared"});
    world
        .call(&service, "/api/rpc/consume", &call(&sibling))
        .await
        .ok();
    let told = world.call(&user, "/api/rpc/consume", &call(&sibling)).await;
    assert_eq!(told.header("idempotency-replayed"), None);
    assert_eq!(told.ok()["code"], "account_not_found");
    // Keys are one space of the namespace, whose own calls conflict, and no other's.
    let conflict = world.call(&user, "/api/rpc/consume", &call(&mine)).await;
    conflict.error(409, "idempotency_conflict");
    let free = world
        .call(&elsewhere, "/api/rpc/consume", &call(&foreign))
        .await;
    assert_eq!(free.header("idempotency-replayed"), None);
    assert_eq!(free.ok()["decision"], "allow");
}

#[tokio::test]
async fn ids_and_external_ids_of_another_namespace_are_free() {
    let world = World::new().await;
    let service = caller("a service", Role::MecService, "default", None, None);
    let elsewhere = caller("a service elsewhere", Role::MecService, OTHER, None, None);
    let foreign = world.owned(&elsewhere, None).await;
    let twin = json!({"account_type_code": "team", "account_id": foreign.account, "external_id": foreign.external});
    let created = world.call(&service, "/api/accounts", &twin).await;
    assert_eq!(created.status.as_u16(), 201, "{}", created.text);
    let check = json!({"p_external_id": foreign.external, "p_resource_type": RUNS});
    let told = world
        .call(&service, "/api/rpc/check_entitlement", &check)
        .await
        .ok();
    assert_eq!(told["code"], "no_entitlement");
    let lease = json!({"p_lease_id": foreign.lease});
    assert_eq!(
        world
            .call(&service, "/api/rpc/release_lease", &lease)
            .await
            .ok(),
        false
    );
    world.is_untouched(&elsewhere, &foreign).await;
}
