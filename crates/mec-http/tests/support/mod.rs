//! A whole application on a temporary folder, called through its router.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

pub mod witness;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use mec_core::Timestamp;
use mec_engine::{Engine, EngineConfig, RisingIds};
use mec_http::{App, Claims, Front, Role, issue_token, router};
use mec_store::{Clock, Store};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use mec_test_postgres::Server;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;
use witness::{Notes, Witness};

pub const SECRET: &str = "a secret of the tests, 32 bytes or more";

struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

/// A clock that the test moves.
pub struct Hands(AtomicI64);

impl Hands {
    pub fn at(time: &str) -> Arc<Self> {
        let micros = Timestamp::parse(time).unwrap().as_micros();
        Arc::new(Self(AtomicI64::new(micros)))
    }

    pub fn set(&self, time: &str) {
        let micros = Timestamp::parse(time).unwrap().as_micros();
        self.0.store(micros, Ordering::SeqCst);
    }

    pub fn pass(&self, seconds: i64) {
        self.0
            .fetch_add(seconds * Timestamp::MICROS_PER_SECOND, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

pub struct TestApp {
    pub router: Router,
    pub engine: Arc<Engine>,
    pub folder: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text))
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    #[track_caller]
    pub fn error(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        let mut keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        assert_eq!(keys, ["code", "details", "hint", "message"]);
        body
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_by(Arc::new(Wall))
    }

    /// With a clock of the test's own.
    pub fn start_by<C: Clock>(clock: Arc<C>) -> Self {
        Self::start_with(clock, SqliteConfig::default())
    }

    /// With settings of the store, but for its folder.
    pub fn start_with<C: Clock>(clock: Arc<C>, config: SqliteConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig {
            data_dir: folder.path().to_owned(),
            ..config
        };
        let store = SqliteStore::open(&config, clock.clone(), &mut RisingIds).unwrap();
        Self::over(store, clock, folder)
    }

    /// Where a query of resources may take so long.
    pub fn start_limited(query_timeout: Duration) -> Self {
        let config = SqliteConfig {
            query_timeout,
            ..SqliteConfig::default()
        };
        Self::start_with(Arc::new(Wall), config)
    }

    /// Over a database of the tests' own server; its name.
    pub async fn start_on_postgres() -> (Self, String) {
        let default = PostgresConfig::new("postgres://h/d".into());
        Self::start_limited_on_postgres(default.query_timeout).await
    }

    /// Two nodes on one database.
    pub async fn two_on_postgres() -> (Self, Self) {
        let server = tokio::task::spawn_blocking(Server::shared).await.unwrap();
        let database = server.database();
        let node = async || {
            let url = server.url("mec_engine", &database);
            let config = PostgresConfig::new(url.into());
            let store = PostgresStore::open(&config, &mut RisingIds).await.unwrap();
            Self::over(store, Arc::new(Wall), tempfile::tempdir().unwrap())
        };
        (node().await, node().await)
    }

    /// [`TestApp::start_limited`] over a database of the tests' own server; its name.
    pub async fn start_limited_on_postgres(query_timeout: Duration) -> (Self, String) {
        // The server migrates its template in a runtime of its own.
        let server = tokio::task::spawn_blocking(Server::shared).await.unwrap();
        let database = server.database();
        let url = server.url("mec_engine", &database);
        let config = PostgresConfig {
            query_timeout,
            ..PostgresConfig::new(url.into())
        };
        let store = PostgresStore::open(&config, &mut RisingIds).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        (Self::over(store, Arc::new(Wall), folder), database)
    }

    /// Over an embedded store that notes what is asked of it.
    pub fn start_witnessed() -> (Self, Arc<Notes>) {
        let notes = Notes::open();
        (Self::start_gated(notes.clone()), notes)
    }

    /// Over an embedded store with these notes and their gate.
    pub fn start_gated(notes: Arc<Notes>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig {
            data_dir: folder.path().to_owned(),
            ..SqliteConfig::default()
        };
        let store = SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds).unwrap();
        Self::over(Witness { store, notes }, Arc::new(Wall), folder)
    }

    fn over<C: Clock>(store: impl Store, clock: Arc<C>, folder: TempDir) -> Self {
        let secret = SecretString::from(SECRET);
        Self::over_behind(store, clock, folder, secret.into())
    }

    /// Behind a front door of the test's own.
    pub fn start_behind(front: Front) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig {
            data_dir: folder.path().to_owned(),
            ..SqliteConfig::default()
        };
        let store = SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds).unwrap();
        Self::over_behind(store, Arc::new(Wall), folder, front)
    }

    fn over_behind<C: Clock>(
        store: impl Store,
        clock: Arc<C>,
        folder: TempDir,
        front: Front,
    ) -> Self {
        let config = EngineConfig::default();
        let engine = Engine::start(Arc::new(store), clock, RisingIds, config).unwrap();
        let engine = Arc::new(engine);
        let router = router(App::with(engine.clone(), front, RisingIds));
        Self {
            router,
            engine,
            folder,
        }
    }

    /// The same behind another front door.
    pub fn behind(self, front: Front) -> Self {
        let router = router(App::with(self.engine.clone(), front, RisingIds));
        Self { router, ..self }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    pub async fn post(&self, path: &str, token: &str, body: impl Into<Body>) -> Answer {
        self.send(post(path, token).body(body.into()).unwrap())
            .await
    }

    pub async fn rpc(&self, name: &str, arguments: Value) -> Answer {
        self.post(
            &format!("/api/rpc/{name}"),
            &service(),
            arguments.to_string(),
        )
        .await
    }

    /// A new organization on the plan `starter`.
    pub async fn starter(&self, external_id: &str) -> Uuid {
        let row = json!({"account_type_code": "organization", "external_id": external_id});
        let request = post("/api/accounts", &service()).header("prefer", "return=representation");
        let answer = self
            .send(request.body(Body::from(row.to_string())).unwrap())
            .await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let id = answer.json()[0]["account_id"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let plan = json!({"p_account_id": id, "p_plan_id": "starter"});
        assert_eq!(self.rpc("provision_plan", plan).await.ok(), 5);
        id
    }

    pub async fn usage(&self, external_id: &str) -> Value {
        let asked = json!({"p_external_id": external_id, "p_resource_type": "benchmark_runs"});
        self.rpc("get_usage", asked).await.ok()
    }
}

pub fn post(path: &str, token: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
}

pub fn get(path: &str, token: &str) -> Request<Body> {
    let request = Request::builder()
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    request.body(Body::empty()).unwrap()
}

pub fn claims(role: Role) -> Claims {
    Claims {
        sub: "tester".to_owned(),
        role,
        namespace_id: "default".to_owned(),
        account_id: None,
        aud: "mec-service".to_owned(),
        exp: unix_seconds() + 600,
    }
}

/// Those of an administrator of all namespaces.
pub fn of_all() -> Claims {
    Claims {
        namespace_id: "*".to_owned(),
        ..claims(Role::MecAdmin)
    }
}

pub fn sign(claims: &Claims) -> String {
    issue_token(SECRET.as_bytes(), claims).unwrap()
}

pub fn token(role: Role) -> String {
    sign(&claims(role))
}

pub fn service() -> String {
    token(Role::MecService)
}

pub fn user_of(account: Uuid) -> String {
    sign(&Claims {
        account_id: Some(account),
        ..claims(Role::MecUser)
    })
}
