//! An installation that has a row in every table, and calls into it, over either store.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use mec_core::ops::move_account::MoveAccount;
use mec_core::{Command, Namespace, Timestamp};
use mec_engine::{Engine, EngineConfig, RisingIds, Target};
use mec_http::{App, Claims, Role};
use mec_store::Store;
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use uuid::Uuid;

const SECRET: &str = "a secret of thirty-two bytes, or more";

struct Wall;

impl mec_store::Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(since.as_micros().try_into().unwrap())
    }
}

/// An engine with its routes.
pub struct World {
    engine: Arc<Engine>,
    router: Router,
    token: String,
    runtime: Runtime,
}

impl World {
    pub fn in_folder(folder: &Path) -> Self {
        let config = SqliteConfig {
            data_dir: folder.to_owned(),
            ..SqliteConfig::default()
        };
        let store = SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds).unwrap();
        Self::over(store, runtime())
    }

    pub fn in_database(url: &str) -> Self {
        let (config, runtime) = (PostgresConfig::new(url.to_owned().into()), runtime());
        let store = runtime.block_on(PostgresStore::open(&config, &mut RisingIds));
        Self::over(store.unwrap(), runtime)
    }

    fn over(store: impl Store, runtime: Runtime) -> Self {
        let guard = runtime.enter();
        let started = Engine::start(
            Arc::new(store),
            Arc::new(Wall),
            RisingIds,
            EngineConfig::default(),
        );
        let engine = Arc::new(started.unwrap());
        drop(guard);
        let claims = Claims {
            sub: "test".to_owned(),
            role: Role::MecAdmin,
            namespace_id: "*".to_owned(),
            account_id: None,
            aud: "mec-service".to_owned(),
            exp: 9_999_999_999,
        };
        Self {
            router: mec_http::router(App::new(engine.clone(), SECRET.to_owned().into())),
            token: mec_http::issue_token(SECRET.as_bytes(), &claims).unwrap(),
            engine,
            runtime,
        }
    }

    /// The answer to a call as its bytes; the call is done.
    #[track_caller]
    pub fn post(&self, namespace: &str, path: &str, body: &Value) -> String {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("mec-namespace", namespace)
            .header("content-type", "application/json")
            .header("prefer", "return=representation")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, text) = self.runtime.block_on(async {
            let (parts, body) = self
                .router
                .clone()
                .oneshot(request)
                .await
                .unwrap()
                .into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            (parts.status, String::from_utf8(bytes.into()).unwrap())
        });
        assert!(status.is_success(), "{path} {body}: {status} {text}");
        text
    }

    #[track_caller]
    pub fn rpc(&self, name: &str, args: Value) -> Value {
        let answer = self.post("default", &format!("/api/rpc/{name}"), &args);
        serde_json::from_str(&answer).unwrap()
    }

    fn account(&self, row: Value) -> Uuid {
        let rows = self.post("default", "/api/accounts", &row);
        let rows: Value = serde_json::from_str(&rows).unwrap();
        rows[0]["account_id"].as_str().unwrap().parse().unwrap()
    }

    fn move_to(&self, account: Uuid, parent: Uuid) {
        let request = mec_engine::Request {
            namespace: Namespace::default_namespace(),
            target: Target::Account(account),
            command: Command::MoveAccount(MoveAccount {
                new_parent: Some(parent),
            }),
            key: None,
            by: "test".into(),
            guard: None,
            request_id: None,
            consistency: Default::default(),
        };
        self.runtime.block_on(self.engine.call(request)).unwrap();
    }

    /// Writes what waits, as the decision log, and lets go of the store.
    pub fn close(self) {
        self.runtime.block_on(self.engine.close());
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A call under a key, and what it was answered.
pub struct Keyed {
    path: String,
    args: Value,
    answer: String,
}

impl Keyed {
    #[track_caller]
    fn of(world: &World, name: &str, key: &str, mut args: Value) -> Self {
        args["p_idempotency_key"] = key.into();
        let path = format!("/api/rpc/{name}");
        let answer = world.post("default", &path, &args);
        Self { path, args, answer }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.answer).unwrap()
    }

    /// The same call again is answered byte for byte the same.
    #[track_caller]
    pub fn is_replayed_by(&self, world: &World) {
        let again = world.post("default", &self.path, &self.args);
        assert_eq!(again, self.answer, "{} {}", self.path, self.args);
    }
}

/// Fills a new folder with a row of everything at least, and closes it. Returns the calls under keys.
pub fn fill(folder: &Path) -> Vec<Keyed> {
    let world = World::in_folder(folder);
    let acme = world.account(json!({
        "account_type_code": "organization", "external_id": "acme", "timezone": "Europe/Berlin",
        "metadata": {"tier": "gold", "note": "\"quoted\" \\ ü"},
    }));
    let globex =
        world.account(json!({"account_type_code": "organization", "external_id": "globex"}));
    // Ids that rise the wrong way, so that a child stands before its parent in the order of ids.
    let (team, user) = (Uuid::from_u128(2), Uuid::from_u128(1));
    world.account(
        json!({"account_id": team, "account_type_code": "team", "parent_account_id": acme}),
    );
    world.account(json!({
        "account_id": user, "account_type_code": "user", "parent_account_id": team, "external_id": "ada",
        "display_name": "Ada", "email": "ada@example.org",
    }));
    let other = json!({"account_type_code": "user", "external_id": "acme"});
    world.post("other", "/api/accounts", &other);
    for name in ["acme", "globex"] {
        world.rpc(
            "provision_plan",
            json!({"p_external_id": name, "p_plan_id": "starter"}),
        );
    }
    world.post(
        "default",
        "/api/entitlements",
        &json!({
            "account_id": team, "resource_type_code": "api_requests", "limit_kind_code": "cumulative",
            "quantity_allowed": 5, "window_type_code": "calendar_day",
            "conditions": [{"condition_key": "region", "condition_op": "eq", "condition_value": "eu"}],
        }),
    );
    let keyed = use_it(&world);
    world.move_to(user, globex);
    world.rpc(
        "meter_consumption",
        json!({"p_idempotency_key": "moved", "p_external_id": "ada", "p_resource_type": "gpu_hours", "p_quantity": 1}),
    );
    let erase = json!({"external_id": "ada"});
    world.post("default", "/admin/erase-account", &erase);
    let key = json!({"name": "ci", "role": "mec_service"});
    world.post("default", "/admin/keys", &key);
    world.close();
    // What the story does not come to: ids at a provider, a rule's condition and a grace clock.
    let database = rusqlite::Connection::open(folder.join("mec.db")).unwrap();
    database
        .execute_batch(
            "INSERT INTO account_external_ids (namespace_id, external_id, provider, account_id)
             SELECT namespace_id, 'cus_1', 'stripe', account_id FROM accounts WHERE external_id = 'globex';
             INSERT INTO control_rule_conditions (namespace_id, rule_id, position, condition_key, condition_op)
             SELECT namespace_id, rule_id, 0, 'region', 'exists' FROM control_rules LIMIT 1;
             INSERT INTO grace_clocks (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code,
                 resource_scope, since, window_start)
             SELECT namespace_id, account_id, 'gpu_hours', 'cumulative', 'calendar_month', '', 1, NULL
             FROM accounts WHERE external_id = 'globex';",
        )
        .unwrap();
    keyed
}

fn use_it(world: &World) -> Vec<Keyed> {
    let mut keyed = Vec::new();
    let mut call = |name: &str, key: &str, args: Value| {
        let call = Keyed::of(world, name, key, args);
        let answer = call.json();
        keyed.push(call);
        answer
    };
    let mut event = Value::Null;
    for n in 0..40 {
        let scope = ["a100", "h100"][n % 2];
        event = call(
            "meter_consumption",
            &format!("hours-{n}"),
            json!({
                "p_external_id": "ada", "p_resource_type": "gpu_hours", "p_quantity": 0.25, "p_unit_code": "gpu_hours",
                "p_resource_scope": scope, "p_details": {"job": n.to_string(), "von": "Zürich"},
            }),
        );
    }
    call(
        "correct_consumption",
        "correct",
        json!({"p_event_id": event, "p_quantity": 0.125, "p_reason": "twice"}),
    );
    call(
        "consume",
        "run",
        json!({"p_external_id": "ada", "p_resource_type": "benchmark_runs", "p_quantity": 100}),
    );
    call(
        "grant_credit",
        "credit",
        json!({"p_external_id": "acme", "p_resource_type": "benchmark_runs", "p_quantity": 10}),
    );
    call(
        "consume",
        "drawn",
        json!({"p_external_id": "ada", "p_resource_type": "benchmark_runs", "p_quantity": 3}),
    );
    // Denied: a row of the decision log.
    world.rpc(
        "consume",
        json!({
            "p_idempotency_key": "denied", "p_external_id": "ada", "p_resource_type": "benchmark_runs",
            "p_quantity": 500,
        }),
    );
    let mut reserve = |key: &str| {
        let args =
            json!({"p_external_id": "ada", "p_resource_type": "benchmark_runs", "p_quantity": 2});
        call("reserve", key, args)["reservation_id"].clone()
    };
    let (_, commit, release) = (reserve("open"), reserve("commit"), reserve("release"));
    world.rpc(
        "commit_reservation",
        json!({"p_reservation_id": commit, "p_quantity": 1}),
    );
    world.rpc("release_reservation", json!({"p_reservation_id": release}));
    call(
        "set_inventory",
        "configs",
        json!({"p_external_id": "acme", "p_resource_type": "server_configs", "p_quantity": 2}),
    );
    for _ in 0..2 {
        lease(world);
    }
    keyed
}

/// Takes a lease; its fencing token.
#[track_caller]
pub fn lease(world: &World) -> u64 {
    let args = json!({
        "p_external_id": "acme", "p_resource_type": "concurrent_users", "p_ttl_seconds": 3600,
        "p_session_metadata": {"browser": "lynx"},
    });
    let lease = world.rpc("acquire_lease", args);
    assert_eq!(lease["success"], true, "{lease}");
    lease["fencing_token"].as_u64().unwrap()
}

/// What is used of everything, as callers are told.
pub fn usage(world: &World) -> Vec<Value> {
    let mut told = Vec::new();
    for account in ["acme", "globex", "ada"] {
        for resource in ["gpu_hours", "benchmark_runs", "server_configs"] {
            let of = json!({"p_external_id": account, "p_resource_type": resource});
            let checked = world.rpc("check_entitlement", of.clone());
            told.push(world.rpc("get_usage", of));
            told.push(checked["quantity_used"].clone());
            told.push(checked["quantity_reserved"].clone());
            told.push(checked["decision"].clone());
        }
    }
    told
}
