//! An issuer with public keys: they are fetched, kept, and fetched anew for one that is not known.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use mec_http::{
    ClaimPath, ClaimPaths, Fetching, Front, FrontConfig, IssuerConfig, KeySource, KeySourceError,
    RatesConfig,
};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::signing::{AUDIENCE, ISSUER, PAIRS, claims_of_issuer, key_set, of_issuer, p256};
use crate::support::{SECRET, TestApp, get, service};

/// A source of keys that the test changes and counts.
#[derive(Debug, Default)]
pub struct Keys {
    answer: Mutex<Option<Vec<u8>>>,
    fetches: AtomicUsize,
    fetched: Notify,
}

impl KeySource for Keys {
    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async {
            // Whoever comes at the same time has come before this is answered.
            tokio::task::yield_now().await;
            self.fetches.fetch_add(1, Ordering::SeqCst);
            self.fetched.notify_one();
            let answer = self.answer.lock().clone();
            answer.ok_or_else(|| KeySourceError("the issuer is down".to_owned()))
        })
    }
}

impl Keys {
    pub fn serving(set: Value) -> Arc<Self> {
        let keys = Arc::new(Self::default());
        keys.serve(set);
        keys
    }

    fn serve(&self, set: Value) {
        *self.answer.lock() = Some(set.to_string().into_bytes());
    }

    fn serve_garbage(&self, garbage: &[u8]) {
        *self.answer.lock() = Some(garbage.to_vec());
    }

    fn go_down(&self) {
        *self.answer.lock() = None;
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    pub fn issuer(self: &Arc<Self>) -> IssuerConfig {
        let path = |path: &str| ClaimPath::parse(path).unwrap();
        IssuerConfig {
            source: self.clone(),
            issuer: ISSUER.to_owned(),
            audiences: vec![AUDIENCE.to_owned()],
            claims: ClaimPaths {
                role: path("https://mec.example/role"),
                namespace_id: path("/app_metadata/namespace"),
                account_id: path("/app_metadata/account"),
            },
            refresh: Duration::from_secs(300),
            pause: Duration::from_secs(5),
        }
    }

    pub fn front(self: &Arc<Self>) -> Front {
        Front::new(FrontConfig {
            secrets: vec![SecretString::from(SECRET)],
            issuer: Some(self.issuer()),
            rates: RatesConfig::off(),
            ..FrontConfig::default()
        })
    }
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.send(get("/api/accounts", token)).await.status.as_u16()
}

#[tokio::test]
async fn claims_are_read_where_the_settings_say() {
    let keys = Keys::serving(key_set());
    let app = TestApp::start_behind(keys.front());
    let acme = app.starter("acme").await;
    app.starter("other").await;
    let mut claims = claims_of_issuer();
    claims["https://mec.example/role"] = "mec_user".into();
    claims["app_metadata"]["account"] = json!(acme);
    // A claim of the plain name is anybody's, and not asked.
    claims["role"] = "mec_admin".into();
    let token = of_issuer(&PAIRS["rsa"], "rsa", &claims);
    let seen = app
        .send(get("/api/accounts?select=external_id", &token))
        .await;
    assert_eq!(seen.ok(), json!([{"external_id": "acme"}]));
    app.send(get("/admin/catalogue", &token))
        .await
        .error(403, "insufficient_role");
}

#[tokio::test]
async fn an_unknown_key_is_fetched_once_for_a_hundred_requests() {
    let keys = Keys::serving(key_set());
    let app = TestApp::start_behind(keys.front());
    let first = of_issuer(&PAIRS["p256"], "p256", &claims_of_issuer());
    assert_eq!(status(&app, &first).await, 200);
    assert_eq!(keys.fetches(), 1);

    let unknown = p256();
    let token = |n: usize| {
        let mut claims = claims_of_issuer();
        claims["jti"] = n.into();
        of_issuer(&unknown, "unknown", &claims)
    };
    let hundred = async |from: usize| {
        let tokens: Vec<String> = (from..from + 100).map(token).collect();
        join_all(tokens.iter().map(|token| status(&app, token))).await
    };
    assert_eq!(hundred(0).await, [401; 100]);
    assert_eq!(keys.fetches(), 2);
    // It brought nothing, so that none is made so soon after it.
    assert_eq!(hundred(200).await, [401; 100]);
    assert_eq!(keys.fetches(), 2);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(hundred(100).await, [401; 100]);
    assert_eq!(keys.fetches(), 3);
    assert_eq!(status(&app, &first).await, 200);
}

#[tokio::test]
async fn a_rotation_refuses_no_request() {
    let keys = Keys::default();
    let keys = Arc::new(keys);
    let old = p256();
    keys.serve(json!({"keys": [old.jwk("old")]}));
    let app = TestApp::start_behind(keys.front());
    let by_old = of_issuer(&old, "old", &claims_of_issuer());
    assert_eq!(status(&app, &by_old).await, 200);

    let new = p256();
    keys.serve(json!({"keys": [old.jwk("old"), new.jwk("new")]}));
    let by_new: Vec<String> = (0..100)
        .map(|n| {
            let mut claims = claims_of_issuer();
            claims["jti"] = n.into();
            of_issuer(&new, "new", &claims)
        })
        .collect();
    let together = by_new
        .iter()
        .chain([&by_old])
        .map(|token| status(&app, token));
    assert_eq!(join_all(together).await, [200; 101]);
    assert_eq!(keys.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn keys_are_refreshed_in_the_background_and_one_that_went_is_forgotten() {
    let (old, new) = (p256(), p256());
    let keys = Keys::serving(json!({"keys": [old.jwk("old")]}));
    let front = keys.front();
    let app = TestApp::start_behind(front.clone());
    tokio::spawn(async move { front.keep_keys_fresh().await });
    keys.fetched.notified().await;
    let by_old = of_issuer(&old, "old", &claims_of_issuer());
    assert_eq!(status(&app, &by_old).await, 200);
    keys.serve(json!({"keys": [new.jwk("new")]}));
    keys.fetched.notified().await;
    // The fetch is over when another may begin.
    let by_new = of_issuer(&new, "new", &claims_of_issuer());
    assert_eq!(status(&app, &by_new).await, 200);
    assert_eq!(status(&app, &by_old).await, 401);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_down_or_tells_nonsense_leaves_the_keys_as_they_are() {
    let keys = Keys::serving(key_set());
    let front = keys.front();
    let app = TestApp::start_behind(front.clone());
    tokio::spawn(async move { front.keep_keys_fresh().await });
    keys.fetched.notified().await;
    let token = |n: usize| {
        let mut claims = claims_of_issuer();
        claims["jti"] = n.into();
        of_issuer(&PAIRS["p256"], "p256", &claims)
    };
    assert_eq!(status(&app, &token(0)).await, 200);
    let large = vec![b' '; mec_http::MAX_SET_BYTES + 1];
    let garbage: [&[u8]; 5] = [
        b"",
        b"<html>",
        b"{\"keys\":[]}",
        b"{\"keys\":[{\"kty\":\"oct\"}]}",
        &large,
    ];
    for (n, garbage) in garbage.into_iter().enumerate() {
        keys.serve_garbage(garbage);
        keys.fetched.notified().await;
        assert_eq!(status(&app, &token(n + 1)).await, 200, "{garbage:?}");
    }
    keys.go_down();
    keys.fetched.notified().await;
    assert_eq!(status(&app, &token(100)).await, 200);

    // Whether an unknown key is the issuer's, nobody can say now.
    let unknown = of_issuer(&p256(), "unknown", &claims_of_issuer());
    let answer = app.send(get("/api/accounts", &unknown)).await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.error(503, "issuer_unavailable");
    assert_eq!(status(&app, &service()).await, 200);
}

#[tokio::test]
async fn a_reload_changes_the_issuer() {
    let keys = Keys::serving(key_set());
    let front = keys.front();
    let app = TestApp::start_behind(front.clone());
    let token = of_issuer(&PAIRS["p256"], "p256", &claims_of_issuer());
    assert_eq!(status(&app, &token).await, 200);
    front.reload_keys(&[SecretString::from(SECRET)], None);
    assert_eq!(status(&app, &token).await, 401);
    assert_eq!(status(&app, &service()).await, 200);
    front.reload_keys(&[], Some(keys.issuer()));
    assert_eq!(status(&app, &token).await, 200);
    assert_eq!(status(&app, &service()).await, 401);
}
