//! Two namespaces with the same accounts, plans and rules under the same ids, and rows in every resource.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use mec_core::condition::{Condition, ConditionOp};
use mec_core::{Namespace, Timestamp, seed};
use mec_engine::RisingIds;
use mec_http::{Claims, Role};
use mec_store::CatalogueDraft;
use serde_json::{Value, json};
use uuid::Uuid;

use super::database::{Database, Literal};
use super::support::{Answer, TestApp, claims, sign};

pub const NAMESPACES: [&str; 2] = ["default", "other"];
/// The owner of a tree, a team below it, a person below that, and the owner of another tree.
pub const OWNER: Uuid = Uuid::from_u128(0x10);
pub const TEAM: Uuid = Uuid::from_u128(0x20);
pub const PERSON: Uuid = Uuid::from_u128(0x30);
pub const STRANGER: Uuid = Uuid::from_u128(0x40);

/// Somebody who calls: a token, or none, and the header that names a namespace.
#[derive(Clone, Debug)]
pub struct Caller {
    pub what: &'static str,
    pub role: Role,
    /// The namespace whose rows it is to see.
    pub namespace: &'static str,
    pub account: Option<Uuid>,
    token: Option<String>,
    named: Option<&'static str>,
}

impl Caller {
    pub fn new(
        what: &'static str,
        role: Role,
        namespace: &'static str,
        account: Option<Uuid>,
    ) -> Self {
        let token = sign(&Claims {
            namespace_id: namespace.to_owned(),
            account_id: account,
            ..claims(role)
        });
        Self {
            what,
            role,
            namespace,
            account: account.filter(|_| role == Role::MecUser),
            token: Some(token),
            named: None,
        }
    }

    /// Nobody: without a token.
    pub fn nobody() -> Self {
        Self {
            token: None,
            ..Self::new("nobody", Role::MecAnon, "default", None)
        }
    }

    /// An administrator of all namespaces who names one.
    pub fn of_all(what: &'static str, named: &'static str) -> Self {
        Self {
            namespace: named,
            named: Some(named),
            ..Self::new(what, Role::MecAdmin, "*", None)
        }
    }

    /// The same with the header that names a namespace.
    pub fn naming(self, named: &'static str) -> Self {
        Self {
            named: Some(named),
            ..self
        }
    }

    pub fn service(namespace: &'static str) -> Self {
        Self::new("a service", Role::MecService, namespace, None)
    }
}

pub struct World {
    pub app: TestApp,
    pub database: Database,
}

impl World {
    pub async fn on_sqlite() -> Self {
        Self::of_folder(TestApp::start())
    }

    pub async fn on_postgres() -> Self {
        let (app, name) = TestApp::start_on_postgres().await;
        let database = Database::Postgres(name);
        Self { app, database }
    }

    /// Both stores, where a query may take so long.
    pub async fn limited(query_timeout: Duration) -> [Self; 2] {
        let (app, name) = TestApp::start_limited_on_postgres(query_timeout).await;
        let database = Database::Postgres(name);
        let embedded = Self::of_folder(TestApp::start_limited(query_timeout));
        [embedded, Self { app, database }]
    }

    fn of_folder(app: TestApp) -> Self {
        let database = Database::Sqlite(app.folder.path().join("mec.db"));
        Self { app, database }
    }

    pub async fn send(&self, caller: &Caller, method: Method, path: &str, body: &Value) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &caller.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(namespace) = caller.named {
            request = request.header("MEC-Namespace", namespace);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        let request = request.header("prefer", "count=exact");
        self.app.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, caller: &Caller, path: &str) -> Answer {
        self.send(caller, Method::GET, path, &Value::Null).await
    }

    /// The rows at a path.
    pub async fn rows(&self, caller: &Caller, path: &str) -> Vec<Value> {
        let answer = self.get(caller, path).await;
        assert!(
            answer.status.is_success(),
            "{} {path}: {}",
            caller.what,
            answer.text
        );
        serde_json::from_str(&answer.text).unwrap()
    }

    pub async fn call(&self, caller: &Caller, path: &str, body: Value) -> Value {
        let answer = self.send(caller, Method::POST, path, &body).await;
        assert!(answer.status.is_success(), "{path} {body}: {}", answer.text);
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    /// Puts rows into every table.
    pub async fn fill(&self) {
        let mut plans = seed::plans(&mut RisingIds);
        plans[0].external_id = Some("price_1".to_owned());
        let mut rules = seed::rules(&mut RisingIds, Timestamp::from_micros(0));
        rules[0].conditions = vec![Condition {
            key: "country".to_owned(),
            op: ConditionOp::In,
            value: Some("[\"DE\",\"FR\"]".to_owned()),
        }];
        for name in NAMESPACES {
            let draft = CatalogueDraft {
                over: None,
                resource_types: seed::resource_types(),
                plans: plans.clone(),
                rules: rules.clone(),
            };
            let namespace = Namespace::parse(name).unwrap();
            self.app
                .engine
                .put_catalogue(namespace, draft)
                .await
                .unwrap();
            let service = Caller::service(name);
            for (account, parent) in [
                (OWNER, None),
                (TEAM, Some(OWNER)),
                (PERSON, Some(TEAM)),
                (STRANGER, None),
            ] {
                self.account(&service, account, parent).await;
            }
            self.correct_one(&service).await;
        }
    }

    /// An account with one of everything.
    async fn account(&self, by: &Caller, account: Uuid, parent: Option<Uuid>) {
        let namespace = by.namespace;
        let row = json!({
            "account_id": account, "account_type_code": if account == PERSON { "user" } else { "team" },
            "parent_account_id": parent, "external_id": format!("customer {account}"),
            "display_name": format!("secret of {namespace}"), "metadata": {"tier": "gold", "n": "1"},
        });
        self.call(by, "/api/accounts", row).await;
        let of = |more: Value| {
            let mut arguments = json!({ "p_account_id": account });
            for (name, value) in more.as_object().unwrap() {
                arguments[name] = value.clone();
            }
            arguments
        };
        let runs = |key: &str, quantity: i64| {
            of(
                json!({"p_idempotency_key": format!("{key} {account}"), "p_resource_type": "benchmark_runs",
                     "p_quantity": quantity}),
            )
        };
        let rpc = |name: &str| format!("/api/rpc/{name}");
        self.call(
            by,
            &rpc("provision_plan"),
            of(json!({"p_plan_id": "starter"})),
        )
        .await;
        let lease = of(
            json!({"p_resource_type": "concurrent_users", "p_session_token": "s",
                              "p_session_metadata": {"ip": "127.0.0.1", "tags": ["a", "b"]}}),
        );
        self.call(by, &rpc("acquire_lease"), lease).await;
        let mut metered = runs("meter", 5);
        metered["p_details"] = json!({"job": format!("secret of {namespace}")});
        self.call(by, &rpc("meter_consumption"), metered).await;
        self.call(by, &rpc("grant_credit"), runs("grant", 7)).await;
        // More than the plan has, so that some of it is drawn from the grant.
        self.call(by, &rpc("meter_consumption"), runs("draw", 98))
            .await;
        self.call(by, &rpc("reserve"), runs("reserve", 1)).await;
        let conditioned = json!({
            "account_id": account, "resource_type_code": "gpu_hours", "limit_kind_code": "cumulative",
            "quantity_allowed": 12.5, "unit_code": "hours", "resource_scope": "eu",
            "conditions": [{"condition_key": "country", "condition_op": "eq", "condition_value": "DE"}],
        });
        self.call(by, "/api/entitlements", conditioned).await;
        self.database.insert(
            "account_external_ids",
            "namespace_id, external_id, provider, account_id",
            &[vec![
                Literal::Text(namespace.to_owned()),
                Literal::Text(format!("cus_{account}")),
                Literal::Text("stripe".to_owned()),
                Literal::Uuid(account),
            ]],
        );
        let day = 86_400_000_000;
        let time = |days: i64| Literal::Time(1_780_000_000_000_000 + days * day);
        let subscription = Uuid::new_v4();
        self.database.insert(
            "subscriptions",
            "namespace_id, subscription_id, account_id, plan_id, external_id, status, quantity, current_period_start, \
             current_period_end, cancel_at, created_at, updated_at",
            &[vec![
                Literal::Text(namespace.to_owned()),
                Literal::Uuid(subscription),
                Literal::Uuid(account),
                Literal::Text("starter".to_owned()),
                Literal::Null,
                Literal::Text("active".to_owned()),
                Literal::Integer(1),
                time(0),
                time(30),
                Literal::Null,
                time(0),
                time(0),
            ]],
        );
        let (id, account) = (
            self.database.literal(&Literal::Uuid(subscription)),
            self.database.literal(&Literal::Uuid(account)),
        );
        self.database.run(&format!(
            "UPDATE entitlements SET subscription_id = {id}
             WHERE namespace_id = '{namespace}' AND account_id = {account} AND plan_id = 'starter'"
        ));
    }

    /// Corrects an event, so that one names another, and commits a reservation.
    async fn correct_one(&self, by: &Caller) {
        let path = "/api/consumption?select=event_id&is_correction=is.false&limit=1";
        let event = self.rows(by, path).await[0]["event_id"].clone();
        let corrected =
            json!({"p_idempotency_key": "correct", "p_event_id": event, "p_quantity": 4});
        self.call(by, "/api/rpc/correct_consumption", corrected)
            .await;
        let path = format!("/api/reservations?account_id=eq.{OWNER}");
        let held = self.rows(by, &path).await[0]["reservation_id"].clone();
        let committed = json!({ "p_reservation_id": held });
        self.call(by, "/api/rpc/commit_reservation", committed)
            .await;
    }
}
