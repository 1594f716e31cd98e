//! Checks, writes and queries have budgets of their own.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::future::join_all;
use mec_http::{BudgetsConfig, Front, FrontConfig, RatesConfig, routes};
use serde_json::json;

use super::support::witness::Notes;
use super::support::{Answer, SECRET, TestApp, get, of_all, post, service, sign};

/// An application over a store whose queries wait at a gate.
pub struct Gated {
    app: TestApp,
}

impl Gated {
    pub async fn get(&self, path: &str) -> Answer {
        self.app.send(get(path, &service())).await
    }
}

/// An application over a store that notes what is asked of it; its gate is shut where it says so.
pub fn witnessed(config: FrontConfig, is_shut: bool) -> (Gated, Arc<Notes>) {
    let notes = if is_shut {
        Notes::shut()
    } else {
        Notes::open()
    };
    let app = TestApp::start_gated(notes.clone()).behind(Front::new(config));
    (Gated { app }, notes)
}

pub fn is_busy(answer: &Answer) -> bool {
    answer.status.as_u16() == 503 && answer.json()["code"] == "busy"
}

fn config(budgets: BudgetsConfig) -> FrontConfig {
    FrontConfig {
        secrets: vec![SECRET.to_owned().into()],
        rates: RatesConfig::off(),
        budgets,
        ..FrontConfig::default()
    }
}

#[tokio::test]
async fn checks_are_answered_while_queries_are_slow() {
    let budgets = BudgetsConfig {
        queries: 2,
        wait: Duration::ZERO,
        ..BudgetsConfig::default()
    };
    let (gated, notes) = witnessed(config(budgets), true);
    let account = gated.app.starter("acme").await;
    let slow = join_all((0..2).map(|_| gated.get("/api/accounts")));
    let meanwhile = async {
        let came = notes.came.acquire_many(2).await.unwrap();
        came.forget();
        for _ in 0..3 {
            let refused = gated.get("/api/accounts").await;
            assert_eq!(refused.header("retry-after"), Some("1"));
            let told = refused.error(503, "busy");
            assert_eq!(told["details"], "queries");
        }
        let ask = json!({"p_account_id": account, "p_resource_type": "benchmark_runs"});
        let told = gated.app.rpc("check_entitlement", ask.clone()).await.ok();
        assert_eq!(told["decision"], "allow");
        let by_get = format!(
            "/api/rpc/check_entitlement?p_account_id={account}&p_resource_type=benchmark_runs"
        );
        assert_eq!(gated.get(&by_get).await.ok()["decision"], "allow");
        let mut using = ask;
        using["p_idempotency_key"] = json!("one");
        let used = gated.app.rpc("consume", using).await.ok();
        assert_eq!(used["decision"], "allow");
        for path in ["/health", "/ready", "/metrics", "/docs", "/openapi.json"] {
            assert_eq!(gated.get(path).await.status.as_u16(), 200, "{path}");
        }
        notes.open_gate();
    };
    let (slow, ()) = tokio::join!(slow, meanwhile);
    assert!(slow.iter().all(|answer| answer.status.is_success()));
    assert_eq!(gated.get("/api/accounts").await.status.as_u16(), 200);
}

#[tokio::test]
async fn who_leaves_gives_its_place_up() {
    let budgets = BudgetsConfig {
        queries: 1,
        wait: Duration::ZERO,
        ..BudgetsConfig::default()
    };
    let (gated, notes) = witnessed(config(budgets), true);
    {
        let mut slow = Box::pin(gated.get("/api/plans"));
        tokio::select! {
            biased;
            _ = &mut slow => panic!("the gate is shut"),
            came = notes.came.acquire() => came.unwrap().forget(),
        }
        assert!(is_busy(&gated.get("/api/plans").await));
    }
    notes.open_gate();
    assert!(!is_busy(&gated.get("/api/plans").await));
}

/// With no budget at all, every route that works is busy for those who may call it, so that a route that
/// takes its body some other way is found; and no other is.
#[tokio::test]
async fn every_route_that_works_takes_of_a_budget() {
    let nothing = BudgetsConfig {
        checks: 0,
        writes: 0,
        queries: 0,
        wait: Duration::ZERO,
    };
    let (gated, _) = witnessed(config(nothing), false);
    let token = sign(&of_all());
    let mut worked = 0;
    for route in routes() {
        for method in &route.methods {
            let path = route.path.replace(['{', '}'], "");
            let mut request = match method.as_str() {
                "POST" | "PUT" | "PATCH" => post(&path, &token),
                _ => Request::builder()
                    .uri(&path)
                    .header("authorization", format!("Bearer {token}")),
            };
            request = request.method(Method::from_bytes(method.as_bytes()).unwrap());
            // Those act on all namespaces.
            if !["/admin/lookups", "/admin/retention"].contains(&path.as_str()) {
                request = request.header("mec-namespace", "default");
            }
            let body = match method.as_str() {
                "POST" | "PUT" | "PATCH" => Body::from("{}"),
                _ => Body::empty(),
            };
            let answer = gated.app.send(request.body(body).unwrap()).await;
            let is_head = method == "HEAD";
            let busy = answer.status.as_u16() == 503 && (is_head || is_busy(&answer));
            assert_eq!(
                busy,
                route.works(method),
                "{method} {path}: {} {}",
                answer.status,
                answer.text
            );
            worked += u32::from(busy);
        }
    }
    assert!(worked > 80, "{worked}");
}
