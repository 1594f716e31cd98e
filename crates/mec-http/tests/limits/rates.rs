//! Each client has its rate: who a token says it is, else its address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use mec_http::{Claims, Front, FrontConfig, Limits, Peer, RatesConfig, Role, Ticks};
use serde_json::json;

use super::support::witness::Notes;
use super::support::{Answer, SECRET, TestApp, claims, post, service, sign, token};

const CHECK: &str = "/api/rpc/check_entitlement";

struct Hands(AtomicU64);

impl Hands {
    fn pass(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Ticks for Hands {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

fn config(rates: RatesConfig) -> FrontConfig {
    FrontConfig {
        secrets: vec![SECRET.to_owned().into()],
        rates,
        ..FrontConfig::default()
    }
}

struct Door {
    app: TestApp,
    front: Front,
    hands: Arc<Hands>,
}

fn door(rates: RatesConfig) -> Door {
    let hands = Arc::new(Hands(AtomicU64::new(5_000)));
    let front = Front::by_clock(config(rates), hands.clone());
    let app = TestApp::start().behind(front.clone());
    Door { app, front, hands }
}

/// Two at once, and one more a second.
fn two() -> RatesConfig {
    RatesConfig {
        api: Some("1/s burst 2".parse().unwrap()),
        webhooks: Some("1/m burst 1".parse().unwrap()),
        trusted_proxies: "10.0.0.0/8".parse().unwrap(),
        unlimited: Some("mec-cli".into()),
    }
}

fn get(path: &str, peer: &str) -> Builder {
    let address: SocketAddr = peer.parse().unwrap();
    let request = Request::builder().uri(path);
    request.extension(Peer(Some(address)))
}

fn empty(request: Builder) -> Request<Body> {
    request.body(Body::empty()).unwrap()
}

impl Door {
    async fn ask(&self, request: Builder) -> Answer {
        self.app.send(empty(request)).await
    }

    /// Whether as many requests are answered and one more is refused.
    async fn takes(&self, times: usize, request: impl Fn() -> Builder) {
        for _ in 0..times {
            let answer = self.ask(request()).await;
            assert_ne!(answer.status.as_u16(), 429, "{}", answer.text);
        }
        self.ask(request()).await.error(429, "rate_limited");
    }
}

#[tokio::test]
async fn a_client_over_its_rate_is_told_when_to_come_again() {
    let door = door(two());
    let ask = || get("/api/plans", "203.0.113.9:1000");
    let first = door.ask(ask()).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"client\";q=2;w=2"));
    assert_eq!(first.header("ratelimit"), Some("\"client\";r=1;t=1"));
    assert_eq!(first.header("retry-after"), None);
    let second = door.ask(ask()).await;
    assert_eq!(second.header("ratelimit"), Some("\"client\";r=0;t=2"));
    let refused = door.ask(ask()).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit"), Some("\"client\";r=0;t=2"));
    assert_eq!(
        refused.header("ratelimit-policy"),
        Some("\"client\";q=2;w=2")
    );
    assert!(refused.header("x-request-id").is_some());
    refused.error(429, "rate_limited");
    door.hands.pass(999);
    door.ask(ask()).await.error(429, "rate_limited");
    door.hands.pass(1);
    door.takes(1, ask).await;
    door.hands.pass(60_000);
    door.takes(2, ask).await;
}

#[tokio::test]
async fn the_default_is_a_hundred_a_second_and_ten_for_webhooks() {
    let door = door(RatesConfig::default());
    door.takes(100, || get("/api/nothing", "203.0.113.9:1000"))
        .await;
    door.takes(20, || get("/webhooks/stripe", "203.0.113.9:1000"))
        .await;
    door.hands.pass(1_000);
    door.takes(100, || get("/admin/catalogue", "203.0.113.9:1000"))
        .await;
    door.takes(10, || get("/webhooks/stripe", "203.0.113.9:1000"))
        .await;
}

#[tokio::test]
async fn a_client_is_who_its_token_says_it_is_wherever_it_is() {
    let door = door(two());
    let named = |sub: &str, namespace: &str, peer: &str| {
        let claims = Claims {
            sub: sub.to_owned(),
            namespace_id: namespace.to_owned(),
            // Another moment makes another token of the same caller.
            exp: claims(Role::MecUser).exp + u64::from(peer.starts_with('1')),
            ..claims(Role::MecUser)
        };
        get("/api/plans", peer).header("authorization", format!("Bearer {}", sign(&claims)))
    };
    let one = door.ask(named("ann", "default", "203.0.113.9:1")).await;
    assert_eq!(one.header("ratelimit"), Some("\"client\";r=1;t=1"));
    let other_place = door.ask(named("ann", "default", "198.51.100.1:2")).await;
    assert_eq!(other_place.header("ratelimit"), Some("\"client\";r=0;t=2"));
    door.takes(0, || named("ann", "default", "203.0.113.9:3"))
        .await;
    door.takes(2, || named("bob", "default", "203.0.113.9:3"))
        .await;
    door.takes(2, || named("ann", "other", "203.0.113.9:3"))
        .await;
    // The address itself has sent nothing yet.
    door.takes(2, || get("/api/plans", "203.0.113.9:9")).await;
}

#[tokio::test]
async fn a_token_that_proves_nothing_counts_at_the_address() {
    let door = door(two());
    for number in 0..2 {
        let forged = get("/api/plans", "203.0.113.9:1");
        let forged = forged.header("authorization", format!("Bearer a.b.c{number}"));
        door.ask(forged).await.error(401, "invalid_token");
    }
    door.takes(0, || {
        get("/api/plans", "203.0.113.9:2").header("authorization", "Bearer a.b.d")
    })
    .await;
    door.takes(0, || get("/api/plans", "203.0.113.9:3")).await;
    let good = get("/api/plans", "203.0.113.9:4");
    let good = good.header("authorization", format!("Bearer {}", service()));
    assert_eq!(door.ask(good).await.status.as_u16(), 200);
}

#[tokio::test]
async fn addresses_are_those_of_clients_and_networks_of_ipv6() {
    let door = door(two());
    let through =
        |forwarded: &str| get("/api/plans", "10.1.2.3:4").header("x-forwarded-for", forwarded);
    door.takes(2, || through("6.6.6.6, 203.0.113.9")).await;
    door.takes(0, || get("/api/plans", "203.0.113.9:1")).await;
    door.takes(2, || through("203.0.113.10")).await;
    // Who is no proxy of ours names nobody.
    door.takes(2, || {
        get("/api/plans", "192.0.2.1:1").header("x-forwarded-for", "203.0.113.11")
    })
    .await;
    door.takes(2, || get("/api/plans", "[2001:db8::1]:1")).await;
    door.takes(0, || get("/api/plans", "[2001:db8::ffff:2]:1"))
        .await;
    door.takes(2, || get("/api/plans", "[2001:db8:0:1::1]:1"))
        .await;
    // A unix socket is one client.
    let local = || Request::builder().uri("/api/plans").extension(Peer(None));
    door.takes(2, local).await;
}

#[tokio::test]
async fn health_readiness_and_metrics_are_not_limited_and_all_else_is() {
    let door = door(two());
    door.takes(2, || get("/docs", "203.0.113.9:1")).await;
    for path in ["/health", "/ready", "/metrics"] {
        let answer = door.ask(get(path, "203.0.113.9:1")).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert_eq!(answer.header("ratelimit"), None);
    }
    for path in [
        "/api/",
        "/nothing",
        "/openapi.json",
        "/health/",
        "/api/rpc/none",
    ] {
        door.takes(0, || get(path, "203.0.113.9:1")).await;
    }
}

#[tokio::test]
async fn commands_of_this_machine_are_not_limited_and_nobody_else_by_their_name() {
    let door = door(two());
    let named = |role, namespace: &str| {
        let claims = Claims {
            sub: "mec-cli".to_owned(),
            namespace_id: namespace.to_owned(),
            ..claims(role)
        };
        get("/api/plans", "203.0.113.9:1")
            .header("authorization", format!("Bearer {}", sign(&claims)))
            .header("mec-namespace", "default")
    };
    for _ in 0..10 {
        let answer = door.ask(named(Role::MecAdmin, "*")).await;
        assert_eq!(answer.status.as_u16(), 200);
        assert_eq!(answer.header("ratelimit"), None);
    }
    door.takes(2, || named(Role::MecAdmin, "default")).await;
}

#[tokio::test]
async fn what_a_client_has_left_stands_beside_the_quota_of_a_check() {
    let door = door(two());
    let account = {
        // A service of another name, so that what it sends counts elsewhere.
        let app = TestApp {
            router: mec_http::router(mec_http::App::new(
                door.app.engine.clone(),
                SECRET.to_owned().into(),
            )),
            engine: door.app.engine.clone(),
            folder: tempfile::tempdir().unwrap(),
        };
        app.starter("acme").await
    };
    let ask = json!({"p_account_id": account, "p_resource_type": "benchmark_runs"}).to_string();
    let answer = door.app.post(CHECK, &token(Role::MecUser), ask).await;
    assert_eq!(answer.headers.get_all("ratelimit").iter().count(), 1);
    let policy = answer.header("ratelimit-policy").unwrap();
    let left = answer.header("ratelimit").unwrap();
    for (field, client) in [(policy, "\"client\";q=2;w=2"), (left, "\"client\";r=1;t=1")] {
        let members: Vec<&str> = field.split(", ").collect();
        assert_eq!(members.len(), 2, "{field}");
        assert!(members[0].starts_with("\"quota\";"), "{field}");
        assert_eq!(members[1], client);
    }
}

#[tokio::test]
async fn limits_are_changed_while_the_server_runs() {
    let door = door(two());
    let ask = || get("/api/plans", "203.0.113.9:1");
    door.takes(2, ask).await;
    let reload = |rates| {
        door.front
            .reload_bounds(Limits::default(), rates, Default::default())
    };
    reload(two());
    door.takes(0, ask).await;
    reload(RatesConfig::off());
    for _ in 0..10 {
        assert_eq!(door.ask(ask()).await.status.as_u16(), 200);
    }
    reload(RatesConfig {
        api: Some("1/s burst 3".parse().unwrap()),
        ..two()
    });
    door.takes(3, ask).await;
    let sizes = Limits {
        body_bytes: 1,
        ..Limits::default()
    };
    door.front
        .reload_bounds(sizes, RatesConfig::off(), Default::default());
    let answer = door
        .app
        .send(post(CHECK, &service()).body(Body::from("{}")).unwrap());
    answer.await.error(413, "payload_too_large");
}

#[tokio::test]
async fn guessed_keys_ask_the_store_no_more_often_than_their_address_may() {
    let notes = Notes::open();
    let app = TestApp::start_gated(notes.clone()).behind(Front::by_clock(
        config(two()),
        Arc::new(Hands(AtomicU64::new(5_000))),
    ));
    notes.take();
    for number in 0..20 {
        let key = format!("mec_key_{number:032x}_{:064x}", 7);
        let request = get("/api/accounts", "203.0.113.9:1000");
        let request = request.header("authorization", format!("Bearer {key}"));
        let answer = app.send(empty(request)).await;
        let expected = if number < 2 { 401 } else { 429 };
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text);
    }
    let asked = notes.take();
    let of_keys = asked.iter().filter(|asked| *asked == "api_key");
    assert_eq!(of_keys.count(), 2, "{asked:?}");
}
