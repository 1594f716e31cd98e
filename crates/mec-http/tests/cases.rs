//! The decision tables over HTTP: the real router, tokens and JSON, over the engine that also
//! prepares what no call can set.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../mec-core/tests/cases/catalogue.rs"]
mod catalogue;
mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use mec_cases::{Again, Names, Pool, Step, World};
use mec_core::account::AccountStatus;
use mec_core::{Command, Namespace, ops, seed};
use mec_engine::{Engine, EngineConfig, Request, RisingIds, Target};
use mec_http::error::ErrorCode;
use mec_http::{App, Claims, Role, router};
use mec_store::memory::MemoryStore;
use mec_store::{CatalogueDraft, Store};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;
use serde_json::Value;
use support::{Hands, SECRET, claims, post, service, sign};
use tokio::runtime::Runtime;
use tower::ServiceExt;
use uuid::Uuid;

struct Http {
    runtime: Runtime,
    clock: Arc<Hands>,
    engine: Arc<Engine>,
    router: Router,
    namespace: Namespace,
    token: String,
    keys: u32,
}

fn http() -> Http {
    let clock = Hands::at(mec_cases::START);
    let store = MemoryStore::new(clock.clone(), &mut RisingIds);
    over(runtime(), clock, store)
}

/// Over a database of the tests' own server.
fn http_on_postgres() -> Http {
    let clock = Hands::at(mec_cases::START);
    let server = Server::shared();
    let url = server.url("mec_engine", &server.database());
    let config = PostgresConfig {
        clock: Some(clock.clone()),
        ..PostgresConfig::new(url.into())
    };
    let (runtime, mut ids) = (runtime(), RisingIds);
    let store = runtime.block_on(PostgresStore::open(&config, &mut ids));
    over(runtime, clock, store.unwrap())
}

fn runtime() -> Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

fn over(runtime: Runtime, clock: Arc<Hands>, store: impl Store) -> Http {
    let config = EngineConfig::default();
    let engine = Engine::start(Arc::new(store), clock.clone(), RisingIds, config).unwrap();
    let engine = Arc::new(engine);
    Http {
        runtime,
        clock,
        router: router(App::new(engine.clone(), SECRET.to_owned().into())),
        engine,
        namespace: Namespace::default_namespace(),
        token: service(),
        keys: 0,
    }
}

/// A JSON object, written with the digits of the row.
#[derive(Default)]
struct Object(String);

impl Object {
    fn raw(mut self, name: &str, json: Option<&str>) -> Self {
        if let Some(json) = json {
            let comma = if self.0.is_empty() { "" } else { "," };
            write!(self.0, "{comma}\"{name}\":{json}").unwrap();
        }
        self
    }

    fn text(self, name: &str, text: Option<&str>) -> Self {
        let json = text.map(|text| Value::from(text).to_string());
        self.raw(name, json.as_deref())
    }

    fn json(self) -> String {
        format!("{{{}}}", self.0)
    }
}

/// A quantity as JSON: the digits of the row, null for unlimited.
fn digits(text: &str) -> &str {
    if text == "unlimited" { "null" } else { text }
}

impl Http {
    /// Sends a call; answers the body, or the code of an error whose status is that of the table.
    fn send(&self, path: &str, body: String) -> Result<String, String> {
        let request = post(path, &self.token)
            .header("prefer", "return=representation")
            .header(
                "accept",
                "application/vnd.pgrst.object+json, application/json",
            )
            .body(Body::from(body))
            .unwrap();
        let (status, text) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            (parts.status, String::from_utf8(bytes.to_vec()).unwrap())
        });
        if status.is_success() {
            return Ok(text);
        }
        let error: Value = serde_json::from_str(&text).unwrap();
        let code = error["code"].as_str().unwrap().to_owned();
        let row = ErrorCode::find(&code).unwrap_or_else(|| panic!("{code} has no row"));
        assert_eq!(row.status_code(), status, "{text}");
        Err(code)
    }

    fn rpc(&self, name: &str, arguments: Object) -> Result<String, String> {
        self.send(&format!("/api/rpc/{name}"), arguments.json())
    }

    /// The arguments that the calls for an account share.
    fn about(&mut self, step: &Step, names: &Names, keyed: bool) -> Object {
        self.keys += 1;
        let key = format!("key {}", self.keys);
        Object::default()
            .text("p_idempotency_key", keyed.then_some(key.as_str()))
            .text("p_account_id", Some(&names[step.account()]))
    }

    fn ask(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        let (rpc, quantity, keyed) = match step.verb {
            "check" => ("check_entitlement", "p_requested_qty", false),
            "consume" => ("consume", "p_quantity", true),
            "meter" => ("meter_consumption", "p_quantity", true),
            "reserve" => ("reserve", "p_quantity", true),
            "stock" => ("set_inventory", "p_quantity", true),
            "grant" => ("grant_credit", "p_quantity", true),
            _ => ("acquire_lease", "p_slots", false),
        };
        let mut context = Object::default();
        for (key, value) in &step.context {
            context = context.text(key, Some(value));
        }
        let context = (!step.context.is_empty()).then(|| context.json());
        let arguments = self
            .about(step, names, keyed)
            .text("p_resource_type", Some(step.word(1)))
            .text("p_resource_scope", step.option("scope"))
            .raw(quantity, Some(digits(step.word(0))))
            .text("p_unit_code", step.option("unit"))
            .raw("p_context", context.as_deref())
            .text("p_occurred_at", step.option("occurred"))
            .text("p_session_token", step.option("session"))
            .raw("p_ttl_seconds", step.option("seconds"))
            .text("p_window_type", step.option("per"))
            .raw("p_priority", step.option("priority"))
            .text("p_expires_at", step.option("until"));
        self.rpc(rpc, arguments)
    }

    fn entitle(&self, step: &Step, names: &Names) -> Result<String, String> {
        let conditions: Vec<String> = step
            .conditions
            .iter()
            .map(|[key, op, value]| {
                Object::default()
                    .text("condition_key", Some(key))
                    .text("condition_op", Some(op))
                    .text(
                        "condition_value",
                        (op != "exists").then_some(value.as_str()),
                    )
                    .json()
            })
            .collect();
        let conditions = format!("[{}]", conditions.join(","));
        let row = Object::default()
            .text("account_id", Some(&names[step.account()]))
            .text("limit_kind_code", Some(step.word(0)))
            .raw("quantity_allowed", Some(digits(step.word(1))))
            .text("resource_type_code", Some(step.word(2)))
            .text("resource_scope", step.option("scope"))
            .text("unit_code", step.option("unit"))
            .text("effective_start", step.option("from"))
            .text("effective_end", step.option("until"))
            .text("window_type_code", step.option("per"))
            .text("window_anchor", step.option("anchor"))
            .text("usage_from", step.option("usage_from"))
            .raw("priority", step.option("priority"))
            .text("status", step.option("status"))
            .raw("conditions", Some(&conditions));
        self.send("/api/entitlements", row.json())
    }

    fn plan(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        let about = self.about(step, names, false);
        match step.verb {
            "provision" => {
                let of = about
                    .text("p_plan_id", Some(step.word(0)))
                    .text("p_start_date", step.option("from"))
                    .raw("p_quantity", step.option("seats"));
                self.rpc("provision_plan", of)
            }
            "change" => {
                let carry_over = if step.has("fresh") { "false" } else { "true" };
                let of = about
                    .text("p_from_plan_id", Some(step.word(0)))
                    .text("p_to_plan_id", Some(step.word(1)))
                    .text("p_effective_at", step.option("at"))
                    .raw("p_carry_over", Some(carry_over));
                self.rpc("change_plan", of)
            }
            _ => {
                let of = about
                    .text("p_plan_id", Some(step.word(0)))
                    .text("p_effective_at", step.option("at"));
                self.rpc("cancel_plan", of)
            }
        }
    }

    /// Changes an account's status, for which there is no call.
    fn set_status(&self, account: &str, status: AccountStatus) -> Result<String, String> {
        let request = Request {
            namespace: self.namespace.clone(),
            target: Target::Account(account.parse().unwrap()),
            command: Command::SetAccountStatus(ops::account::SetStatus { status }),
            key: None,
            by: "tester".into(),
            guard: None,
            request_id: None,
            consistency: Default::default(),
        };
        Ok(self
            .runtime
            .block_on(self.engine.call(request))
            .unwrap()
            .body)
    }
}

impl Again for Http {
    /// In a namespace that is new.
    fn begin_again(&mut self) {
        let name = format!("row-{}", Uuid::new_v4());
        self.token = sign(&Claims {
            namespace_id: name.clone(),
            ..claims(Role::MecService)
        });
        self.namespace = Namespace::parse(&name).unwrap();
        self.clock.set(mec_cases::START);
    }
}

impl World for Http {
    fn at(&mut self, time: &str) {
        self.clock.set(time);
    }

    fn wait(&mut self, seconds: i64) {
        self.clock.pass(seconds);
    }

    fn catalogue(&mut self, rules: &[&Step], offers: &[&Step]) -> Vec<String> {
        let draft = CatalogueDraft {
            over: None,
            resource_types: seed::resource_types(),
            plans: catalogue::plans(offers),
            rules: catalogue::rules(rules),
        };
        let rules = draft.rules.iter().map(|rule| rule.rule_id.to_string());
        let ids = rules.collect();
        let put = self.engine.put_catalogue(self.namespace.clone(), draft);
        self.runtime.block_on(put).unwrap();
        ids
    }

    fn account(&mut self, id: &str, account_type: &str, parent: Option<&str>, zone: Option<&str>) {
        let row = Object::default()
            .text("account_id", Some(id))
            .text("account_type_code", Some(account_type))
            .text("parent_account_id", parent)
            .text("timezone", zone);
        self.send("/api/accounts", row.json()).unwrap();
    }

    fn act(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        let named = |field: &str| {
            let id = names.get(step.word(0));
            Object::default().text(field, Some(id.unwrap_or_else(|| panic!("{step:?}"))))
        };
        match step.verb {
            "entitle" => self.entitle(step, names),
            "suspend" => self.set_status(&names[step.word(0)], AccountStatus::Suspended),
            "deactivate" => self.set_status(&names[step.word(0)], AccountStatus::Inactive),
            "resume" => self.set_status(&names[step.word(0)], AccountStatus::Active),
            "commit" => {
                let of = named("p_reservation_id").raw("p_quantity", step.option("quantity"));
                self.rpc("commit_reservation", of)
            }
            "release" => self.rpc("release_reservation", named("p_reservation_id")),
            "heartbeat" => {
                let of = named("p_lease_id").raw("p_extend_seconds", step.option("seconds"));
                self.rpc("heartbeat_lease", of)
            }
            "return" => self.rpc("release_lease", named("p_lease_id")),
            "void" => self.rpc("void_grant", named("p_grant_id")),
            "correct" => {
                self.keys += 1;
                let key = format!("key {}", self.keys);
                let of = named("p_event_id")
                    .raw("p_quantity", Some(step.word(1)))
                    .text("p_idempotency_key", Some(&key));
                self.rpc("correct_consumption", of)
            }
            "provision" | "change" | "cancel" => self.plan(step, names),
            _ => self.ask(step, names),
        }
    }
}

#[test]
fn every_row_of_the_decision_tables_is_answered_over_http() {
    let rows = mec_cases::run_all(http).unwrap_or_else(|told| panic!("{told}"));
    assert!(rows >= 150, "{rows} rows");
}

#[test]
fn every_row_of_the_decision_tables_is_answered_over_http_on_postgres() {
    let nodes = Pool::default();
    let rows = mec_cases::run_all(|| nodes.take(http_on_postgres));
    let rows = rows.unwrap_or_else(|told| panic!("{told}"));
    assert!(rows >= 150, "{rows} rows");
}

impl Drop for Http {
    fn drop(&mut self) {
        self.runtime.block_on(self.engine.close());
    }
}
