//! Two namespaces, what is owned in them, and who calls.

use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, Request};
use mec_core::{Namespace, seed};
use mec_engine::RisingIds;
use mec_http::{Claims, Role, rpc_routes};
use mec_store::CatalogueDraft;
use serde_json::{Value, json};
use uuid::Uuid;

use super::OTHER;
use super::routes::{Owned, RUNS, key, may_use, routes};
use super::support::witness::Notes;
use super::support::{Answer, TestApp, claims, sign};

/// Somebody who calls: a token, and the header that names a namespace.
pub struct Caller {
    pub what: &'static str,
    pub role: Role,
    pub token: String,
    pub named: Option<&'static str>,
}

pub fn caller(
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

/// Somebody who shows no token.
pub fn anybody() -> Caller {
    Caller {
        what: "anybody",
        role: Role::MecAnon,
        token: String::new(),
        named: None,
    }
}

/// What a call was answered, without what differs from call to call.
#[derive(Debug, Eq, PartialEq)]
pub struct Told {
    status: u16,
    headers: Vec<(String, String)>,
    text: String,
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        let told = |headers: &HeaderMap| {
            let kept = headers
                .iter()
                .filter(|(name, _)| !["x-request-id", "traceparent"].contains(&name.as_str()));
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

pub struct World {
    pub app: TestApp,
    notes: Arc<Notes>,
}

impl World {
    /// Two namespaces with the same catalogue.
    pub async fn new() -> Self {
        let (app, notes) = TestApp::start_witnessed();
        let draft = CatalogueDraft {
            over: None,
            resource_types: seed::resource_types(),
            plans: seed::plans(&mut RisingIds),
            rules: Vec::new(),
        };
        let other = Namespace::parse(OTHER).unwrap();
        app.engine.put_catalogue(other, draft).await.unwrap();
        Self { app, notes }
    }

    pub async fn call(&self, caller: &Caller, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(Method::POST).uri(path);
        let request = request
            .header("content-type", "application/json")
            .header("prefer", "return=representation");
        self.send(caller, request, Body::from(body.to_string()))
            .await
    }

    /// Sends a request as somebody.
    pub async fn send(&self, caller: &Caller, mut request: Builder, body: Body) -> Answer {
        if !caller.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", caller.token));
        }
        if let Some(namespace) = caller.named {
            request = request.header("MEC-Namespace", namespace);
        }
        self.app.send(request.body(body).unwrap()).await
    }

    /// By GET or HEAD.
    pub async fn get(
        &self,
        caller: &Caller,
        method: Method,
        path: &str,
        arguments: &Value,
    ) -> Answer {
        let pairs = arguments.as_object().unwrap().iter().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={}", text.replace(' ', "%20"))
        });
        let address = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
        let request = Request::builder().method(method).uri(address);
        self.send(caller, request, Body::empty()).await
    }

    /// An account on the plan `starter` with one of everything.
    pub async fn owned(&self, by: &Caller, parent: Option<&Owned>) -> Owned {
        self.owned_on("starter", by, parent).await
    }

    /// An account on a plan with one of everything.
    pub async fn owned_on(&self, plan: &str, by: &Caller, parent: Option<&Owned>) -> Owned {
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
    pub async fn is_walled_off(&self, caller: &Caller, not_own: &[&Owned]) {
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

    /// Asserts that the store is asked the same about things that are not this caller's own as about nothing,
    /// so that how long an answer takes tells them apart no more than its bytes do.
    pub async fn is_asked_alike(&self, caller: &Caller, not_own: &[&Owned]) {
        for (path, arguments) in routes() {
            let ghosts = arguments(&Owned::ghost());
            for owned in not_own {
                for (arguments, ghost) in arguments(owned).iter().zip(&ghosts) {
                    // Who asks again finds in memory what the store was asked first.
                    self.call(caller, &path, arguments).await;
                    let mut asked = Vec::new();
                    for arguments in [arguments, ghost] {
                        self.notes.take();
                        self.call(caller, &path, arguments).await;
                        let mut calls = self.notes.take();
                        // The log of decisions is written when there is time.
                        calls.retain(|call| call != "commit");
                        asked.push(calls);
                    }
                    let place = format!("{} {path} {arguments}", caller.what);
                    assert_eq!(asked[0], asked[1], "{place}");
                }
            }
        }
    }

    /// Asserts that every route that this caller may not use answers it alike about its own, others' and
    /// nothing.
    pub async fn is_refused_alike(&self, caller: &Caller, all: &[&Owned]) {
        let refused = routes();
        let refused = refused
            .into_iter()
            .filter(|(path, _)| !may_use(caller, path));
        for (path, arguments) in refused {
            let ghosts = arguments(&Owned::ghost());
            for owned in all {
                for (arguments, ghost) in arguments(owned).iter().zip(&ghosts) {
                    let told = self.told(caller, &path, arguments).await;
                    let status = if caller.token.is_empty() { 401 } else { 403 };
                    assert!(told.iter().all(|told| told.status == status), "{told:?}");
                    let nothing = self.told(caller, &path, ghost).await;
                    assert_eq!(told, nothing, "{} {path} {arguments}", caller.what);
                }
            }
        }
    }

    /// Asserts that every route that this caller may use tells its own things from nothing.
    pub async fn is_served(&self, caller: &Caller, own: &Owned) {
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

    /// By POST, and by GET and HEAD where the route takes them.
    pub async fn told(&self, caller: &Caller, path: &str, arguments: &Value) -> Vec<Told> {
        let mut told = vec![self.call(caller, path, arguments).await.into()];
        let by_get = rpc_routes().any(|route| route.read_only && path.ends_with(route.name));
        if by_get && path.starts_with("/api/rpc/") {
            for method in [Method::GET, Method::HEAD] {
                told.push(self.get(caller, method, path, arguments).await.into());
            }
        }
        told
    }

    /// Asserts that nothing happened to what is owned.
    pub async fn is_untouched(&self, by: &Caller, owned: &Owned) {
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
