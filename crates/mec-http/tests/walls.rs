//! The walls between namespaces, and around the subtree of a user with an account: what is not yours
//! answers exactly as what is not there, on every route, for every caller. A route without a row
//! here fails.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use mec_core::{Namespace, seed};
use mec_engine::RisingIds;
use mec_http::{Claims, Role, openapi, rpc_routes};
use mec_store::CatalogueDraft;
use serde_json::{Value, json};
use support::{Answer, TestApp, claims, post, sign};
use uuid::Uuid;

const OTHER: &str = "other";

/// What one account has, by the names that a call can use.
#[derive(Clone, Debug)]
struct Owned {
    account: Value,
    external: Value,
    lease: Value,
    reservation: Value,
    held: Value,
    event: Value,
    grant: Value,
}

impl Owned {
    /// Nothing: ids that nobody has.
    fn ghost() -> Self {
        let id = || json!(Uuid::new_v4());
        Self {
            account: id(),
            external: json!(format!("ghost {}", Uuid::new_v4())),
            lease: id(),
            reservation: id(),
            held: id(),
            event: id(),
            grant: id(),
        }
    }
}

/// The arguments of a call about something owned; several where it can be named in several ways.
type Arguments = fn(&Owned) -> Vec<Value>;

/// A key that no other call has.
fn key() -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    json!(format!("key {}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// The same arguments with the account by its id and by the product's own.
fn of_account(owned: &Owned, arguments: Value) -> Vec<Value> {
    let named = |field: &str, id: &Value| {
        let mut arguments = arguments.clone();
        arguments[field] = id.clone();
        if arguments.get("p_idempotency_key").is_some() {
            arguments["p_idempotency_key"] = key();
        }
        arguments
    };
    vec![
        named("p_account_id", &owned.account),
        named("p_external_id", &owned.external),
    ]
}

const RUNS: &str = "benchmark_runs";

/// Every RPC that is about something owned.
const RPCS: [(&str, Arguments); 20] = [
    ("acquire_lease", |of| {
        of_account(of, json!({"p_resource_type": "concurrent_users"}))
    }),
    ("cancel_plan", |of| {
        of_account(of, json!({"p_plan_id": "starter"}))
    }),
    ("change_plan", |of| {
        of_account(
            of,
            json!({"p_from_plan_id": "starter", "p_to_plan_id": "pro"}),
        )
    }),
    ("check_entitlement", |of| {
        of_account(of, json!({"p_resource_type": RUNS}))
    }),
    ("check_entitlements", |of| {
        let checks = of_account(of, json!({"p_resource_type": RUNS}));
        vec![json!({ "p_checks": checks })]
    }),
    ("commit_reservation", |of| {
        vec![json!({"p_reservation_id": of.reservation})]
    }),
    ("consume", |of| {
        of_account(
            of,
            json!({"p_idempotency_key": "", "p_resource_type": RUNS}),
        )
    }),
    ("correct_consumption", |of| {
        vec![json!({"p_idempotency_key": key(), "p_event_id": of.event, "p_quantity": 1})]
    }),
    ("get_usage", |of| {
        of_account(of, json!({"p_resource_type": RUNS}))
    }),
    ("grant_credit", |of| {
        of_account(
            of,
            json!({"p_idempotency_key": "", "p_resource_type": RUNS, "p_quantity": 1}),
        )
    }),
    ("heartbeat_lease", |of| {
        vec![json!({"p_lease_id": of.lease})]
    }),
    ("meter_consumption", |of| {
        of_account(
            of,
            json!({"p_idempotency_key": "", "p_resource_type": RUNS, "p_quantity": 1}),
        )
    }),
    ("meter_consumptions", |of| {
        let event = json!({"p_idempotency_key": "", "p_resource_type": RUNS, "p_quantity": 1});
        vec![json!({"p_events": of_account(of, event)})]
    }),
    ("provision_plan", |of| {
        of_account(of, json!({"p_plan_id": "starter"}))
    }),
    ("release_lease", |of| vec![json!({"p_lease_id": of.lease})]),
    ("release_reservation", |of| {
        vec![json!({"p_reservation_id": of.held})]
    }),
    ("reserve", |of| {
        of_account(
            of,
            json!({"p_idempotency_key": "", "p_resource_type": RUNS, "p_quantity": 1}),
        )
    }),
    ("set_inventory", |of| {
        let stock =
            json!({"p_idempotency_key": "", "p_resource_type": "server_configs", "p_quantity": 1});
        of_account(of, stock)
    }),
    ("usage_series", |of| {
        let asked = json!({"p_resource_type": RUNS, "p_from": "2026-11-01", "p_to": "2026-12-01", "p_bucket": "day"});
        of_account(of, asked)
    }),
    ("void_grant", |of| vec![json!({"p_grant_id": of.grant})]),
];
/// RPCs that are about nothing owned.
const ABOUT_NOTHING: [&str; 1] = ["get_window_boundaries"];

/// Every resource that takes rows, with a row that names something owned.
const RESOURCES: [(&str, Arguments); 2] = [
    ("accounts", |of| {
        vec![json!({"account_type_code": "team", "parent_account_id": of.account})]
    }),
    ("entitlements", |of| {
        vec![json!({"account_id": of.account, "resource_type_code": RUNS,
                    "limit_kind_code": "cumulative", "quantity_allowed": 1})]
    }),
];
/// Pages about the service itself.
const PAGES: [&str; 5] = ["/api/", "/docs", "/health", "/openapi.json", "/ready"];

/// Somebody who calls: a token, and the header that names a namespace.
struct Caller {
    what: &'static str,
    role: Role,
    token: String,
    named: Option<&'static str>,
}

fn caller(
    what: &'static str,
    role: Role,
    namespace: &str,
    account: Option<&Owned>,
    named: Option<&'static str>,
) -> Caller {
    let account = account.map(|owned| owned.account.as_str().unwrap().parse().unwrap());
    let token = sign(&Claims {
        namespace_id: namespace.to_owned(),
        account_id: account,
        ..claims(role)
    });
    Caller {
        what,
        role,
        token,
        named,
    }
}

/// What a call was answered, without what differs from call to call.
#[derive(Debug, Eq, PartialEq)]
struct Told {
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        let told = |headers: &HeaderMap| {
            let kept = headers.iter().filter(|(name, _)| *name != "x-request-id");
            kept.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect()
        };
        Self {
            status: answer.status.as_u16(),
            headers: told(&answer.headers),
            text: answer.text,
        }
    }
}

struct World {
    app: TestApp,
}

impl World {
    /// Two namespaces with the same catalogue.
    async fn new() -> Self {
        let app = TestApp::start();
        let draft = CatalogueDraft {
            resource_types: seed::resource_types(),
            plans: seed::plans(&mut RisingIds),
            rules: Vec::new(),
        };
        let other = Namespace::parse(OTHER).unwrap();
        app.engine.put_catalogue(other, draft).await.unwrap();
        Self { app }
    }

    async fn call(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        let mut request = post(path, &caller.token).header("prefer", "return=representation");
        if let Some(namespace) = caller.named {
            request = request.header("MEC-Namespace", namespace);
        }
        self.app
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    async fn get(&self, caller: &Caller, path: &str, arguments: &Value) -> Answer {
        let pairs = arguments.as_object().unwrap().iter().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", text.replace(' ', "%20"))
        });
        let address = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
        let mut request = Request::builder()
            .uri(address)
            .header("authorization", format!("Bearer {}", caller.token));
        if let Some(namespace) = caller.named {
            request = request.header("MEC-Namespace", namespace);
        }
        self.app.send(request.body(Body::empty()).unwrap()).await
    }

    /// An account on the plan `starter` with one of everything.
    async fn owned(&self, by: &Caller, parent: Option<&Owned>) -> Owned {
        self.owned_on("starter", by, parent).await
    }

    /// An account on a plan with one of everything.
    async fn owned_on(&self, plan: &str, by: &Caller, parent: Option<&Owned>) -> Owned {
        let external = json!(format!("customer {}", Uuid::new_v4()));
        let mut row = json!({"account_type_code": "team", "external_id": external});
        if let Some(parent) = parent {
            row["parent_account_id"] = parent.account.clone();
        }
        let created = self.call(by, "/api/accounts", &row).await;
        assert_eq!(created.status.as_u16(), 201, "{}", created.text);
        let account = created.json()[0]["account_id"].clone();
        let rpc = async |name: &str, mut arguments: Value| {
            arguments["p_account_id"] = account.clone();
            self.call(by, &format!("/api/rpc/{name}"), &arguments)
                .await
                .ok()
        };
        let runs = |quantity: i64| json!({"p_idempotency_key": key(), "p_resource_type": RUNS, "p_quantity": quantity});
        rpc("provision_plan", json!({"p_plan_id": plan})).await;
        let lease = rpc(
            "acquire_lease",
            json!({"p_resource_type": "concurrent_users"}),
        )
        .await;
        let owned = Owned {
            lease: lease["lease_id"].clone(),
            reservation: rpc("reserve", runs(2)).await["reservation_id"].clone(),
            held: rpc("reserve", runs(3)).await["reservation_id"].clone(),
            event: rpc("meter_consumption", runs(5)).await,
            grant: rpc("grant_credit", runs(7)).await,
            account: account.clone(),
            external,
        };
        let made = [
            &owned.lease,
            &owned.reservation,
            &owned.held,
            &owned.event,
            &owned.grant,
        ];
        assert!(made.iter().all(|id| id.is_string()), "{owned:?}");
        owned
    }

    /// Asserts that every route answers this caller about things that are not its own exactly as
    /// about nothing.
    async fn is_walled_off(&self, caller: &Caller, not_own: &[&Owned]) {
        for (path, arguments) in routes() {
            let ghosts = arguments(&Owned::ghost());
            let mut wanted = Vec::new();
            for ghost in &ghosts {
                wanted.push(self.told(caller, &path, ghost).await);
            }
            for owned in not_own {
                for (arguments, wanted) in arguments(owned).iter().zip(&wanted) {
                    let told = self.told(caller, &path, arguments).await;
                    assert_eq!(&told, wanted, "{} {path} {arguments}", caller.what);
                }
            }
        }
    }

    /// Asserts that every route that this caller may use tells its own things from nothing.
    async fn is_served(&self, caller: &Caller, own: &Owned) {
        for (path, arguments) in routes()
            .into_iter()
            .filter(|(path, _)| may_use(caller, path))
        {
            let ghosts = arguments(&Owned::ghost());
            for (arguments, ghost) in arguments(own).iter().zip(&ghosts) {
                let own = self.told(caller, &path, arguments).await;
                let nothing = self.told(caller, &path, ghost).await;
                assert!(own.iter().all(|told| told.status < 500), "{own:?}");
                assert_ne!(own, nothing, "{} {path} {arguments}", caller.what);
            }
        }
    }

    /// By POST, and by GET where the route takes it.
    async fn told(&self, caller: &Caller, path: &str, arguments: &Value) -> Vec<Told> {
        let mut told = vec![self.call(caller, path, arguments).await.into()];
        let by_get = rpc_routes().any(|route| route.read_only && path.ends_with(route.name));
        if by_get && path.starts_with("/api/rpc/") {
            told.push(self.get(caller, path, arguments).await.into());
        }
        told
    }

    /// Asserts that nothing happened to what is owned.
    async fn is_untouched(&self, by: &Caller, owned: &Owned) {
        let rpc = async |name: &str, arguments: Value| {
            self.call(by, &format!("/api/rpc/{name}"), &arguments)
                .await
                .ok()
        };
        let usage =
            |resource: &str| json!({"p_account_id": owned.account, "p_resource_type": resource});
        let state = rpc("check_entitlement", usage(RUNS)).await;
        assert_eq!(state["quantity_used"], 5, "{state}");
        assert_eq!(state["quantity_reserved"], 5, "{state}");
        assert_eq!(state["quantity_allowed"], 100, "{state}");
        let slots = rpc("check_entitlement", usage("concurrent_users")).await;
        assert_eq!(slots["quantity_used"], 1, "{slots}");
        assert_eq!(rpc("get_usage", usage("server_configs")).await, 0);
        assert_eq!(
            rpc("heartbeat_lease", json!({"p_lease_id": owned.lease})).await,
            true
        );
        let held = [&owned.reservation, &owned.held];
        for reservation in held {
            let released = json!({"p_reservation_id": reservation});
            assert_eq!(rpc("release_reservation", released).await, true);
        }
        assert_eq!(
            rpc("void_grant", json!({"p_grant_id": owned.grant})).await,
            7
        );
    }
}

fn routes() -> Vec<(String, Arguments)> {
    let rpcs = RPCS.map(|(name, arguments)| (format!("/api/rpc/{name}"), arguments));
    let resources = RESOURCES.map(|(name, arguments)| (format!("/api/{name}"), arguments));
    rpcs.into_iter().chain(resources).collect()
}

fn may_use(caller: &Caller, path: &str) -> bool {
    let rpc = rpc_routes().find(|route| path == format!("/api/rpc/{}", route.name));
    caller.role >= rpc.map_or(Role::MecService, |route| route.role)
}

#[test]
fn every_route_has_a_row() {
    let described = serde_json::to_value(openapi()).unwrap();
    let described: BTreeSet<&str> = described["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let nothing = ABOUT_NOTHING.map(|name| format!("/api/rpc/{name}"));
    let rows: Vec<String> = routes()
        .into_iter()
        .map(|(path, _)| path)
        .chain(nothing)
        .collect();
    let rows: BTreeSet<&str> = rows.iter().map(String::as_str).chain(PAGES).collect();
    let missing: Vec<_> = described.difference(&rows).collect();
    assert!(missing.is_empty(), "routes without a row: {missing:?}");
    let called: BTreeSet<&str> = rpc_routes().map(|route| route.name).collect();
    assert_eq!(
        called,
        RPCS.map(|(name, _)| name)
            .into_iter()
            .chain(ABOUT_NOTHING)
            .collect()
    );
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
    for owned in [&mine, &sibling, &stranger] {
        world.is_untouched(&service, owned).await;
    }
    world.is_untouched(&elsewhere, &foreign).await;
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
