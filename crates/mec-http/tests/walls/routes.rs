//! Every route that names something owned, with its arguments.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use mec_http::{Role, rpc_routes};
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::Caller;

/// What one account has, by the names that a call can use.
#[derive(Clone, Debug)]
pub struct Owned {
    pub account: Value,
    pub external: Value,
    pub lease: Value,
    pub reservation: Value,
    pub held: Value,
    pub event: Value,
    pub grant: Value,
}

impl Owned {
    /// Nothing: ids that nobody has.
    pub fn ghost() -> Self {
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
pub type Arguments = fn(&Owned) -> Vec<Value>;

/// A key that no other call has.
pub fn key() -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    json!(format!("key {}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// The same arguments with the account by its id and by the product's own.
pub fn of_account(owned: &Owned, arguments: Value) -> Vec<Value> {
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

pub const RUNS: &str = "benchmark_runs";

/// Every RPC that is about something owned.
pub const RPCS: [(&str, Arguments); 20] = [
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
pub const ABOUT_NOTHING: [&str; 1] = ["get_window_boundaries"];

/// Every resource that takes rows, with a row that names something owned.
pub const RESOURCES: [(&str, Arguments); 2] = [
    ("accounts", |of| {
        vec![json!({"account_type_code": "team", "parent_account_id": of.account})]
    }),
    ("entitlements", |of| {
        vec![json!({"account_id": of.account, "resource_type_code": RUNS,
                    "limit_kind_code": "cumulative", "quantity_allowed": 1})]
    }),
];
/// Every call of an administrator's that names something owned.
pub const ADMINS: [(&str, Arguments); 1] = [("erase-account", |of| {
    vec![
        json!({"account_id": of.account}),
        json!({"external_id": of.external}),
    ]
})];
/// Routes that name nobody's object: they act in the caller's own namespace, whose walls stand in
/// `catalogue.rs` (`only_administrators_reach_it_each_in_their_namespace`) and, for API keys, in
/// `tokens/api_keys.rs` (`a_key_has_no_more_than_who_made_it`).
pub const OF_THE_CALLER: [(&str, &[&str]); 3] = [
    ("/admin/catalogue", &["OPTIONS", "GET", "HEAD", "PUT"]),
    ("/admin/keys", &["OPTIONS", "GET", "HEAD", "POST"]),
    ("/admin/keys/{key_id}", &["OPTIONS", "DELETE"]),
];
/// Calls that act on all namespaces, whose wall stands in `whole_database.rs`
/// (`only_an_administrator_of_all_may`).
pub const OF_ALL: [(&str, &[&str]); 2] = [
    ("/admin/lookups", &["OPTIONS", "GET", "HEAD", "PUT"]),
    ("/admin/retention", &["OPTIONS", "POST"]),
];
/// Paths that only say that there is nothing.
pub const NOTHING: [&str; 2] = ["/api/rpc/{name}", "/api/{name}"];
/// Pages about the service itself.
pub const PAGES: [&str; 6] = [
    "/api/",
    "/docs",
    "/health",
    "/metrics",
    "/openapi.json",
    "/ready",
];

pub fn routes() -> Vec<(String, Arguments)> {
    let rpcs = RPCS.map(|(name, arguments)| (format!("/api/rpc/{name}"), arguments));
    let resources = RESOURCES.map(|(name, arguments)| (format!("/api/{name}"), arguments));
    let admins = ADMINS.map(|(name, arguments)| (format!("/admin/{name}"), arguments));
    rpcs.into_iter().chain(resources).chain(admins).collect()
}

/// What the rows here and the matrix of `resource_proofs/walls.rs` are about: each path with its methods.
pub fn rows() -> BTreeSet<(String, String)> {
    let mut rows = BTreeSet::new();
    let mut add = |path: &str, methods: &[&str]| {
        rows.extend(
            methods
                .iter()
                .map(|method| (path.to_owned(), (*method).to_owned())),
        );
    };
    for name in RPCS.map(|(name, _)| name).into_iter().chain(ABOUT_NOTHING) {
        let route = rpc_routes().find(|route| route.name == name);
        let path = format!("/api/rpc/{name}");
        match route.is_some_and(|route| route.read_only) {
            true => add(&path, &["OPTIONS", "GET", "HEAD", "POST"]),
            false => add(&path, &["OPTIONS", "POST"]),
        }
    }
    for resource in mec_query::schema::RESOURCES {
        let methods = resource.methods();
        let methods: Vec<&str> = methods.split(',').collect();
        let known = ["OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        assert!(
            methods.iter().all(|method| known.contains(method)),
            "{methods:?}"
        );
        add(&format!("/api/{}", resource.name), &methods);
    }
    for (name, _) in ADMINS {
        add(&format!("/admin/{name}"), &["OPTIONS", "POST"]);
    }
    for (path, methods) in OF_THE_CALLER.into_iter().chain(OF_ALL) {
        add(path, methods);
    }
    for path in PAGES {
        add(path, &["OPTIONS", "GET", "HEAD"]);
    }
    rows
}

pub fn may_use(caller: &Caller, path: &str) -> bool {
    if path.starts_with("/admin/") {
        return caller.role >= Role::MecAdmin;
    }
    let rpc = rpc_routes().find(|route| path == format!("/api/rpc/{}", route.name));
    caller.role >= rpc.map_or(Role::MecService, |route| route.role)
}
