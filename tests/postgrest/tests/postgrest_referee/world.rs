//! One installation behind three doors: MEC over the embedded store, MEC over a copy of it in PostgreSQL, and
//! PostgREST over that database.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use mec_core::Timestamp;
use mec_engine::{Engine, EngineConfig, RisingIds};
use mec_http::{App, Claims, Role};
use mec_store::Store;
use mec_store_postgres::{PostgresConfig, PostgresStore, PostgresTarget};
use mec_store_sqlite::{SqliteConfig, SqliteSource, SqliteStore};
use mec_test_postgres::Server;
use mec_test_postgrest::{PostgRest, Settings};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use uuid::Uuid;

use crate::answer::Answer;
use crate::request::{Ask, Who};

const SECRET: &str = "a secret of thirty-two bytes, or more";
const AUDIENCE: &str = "mec-service";

/// The account that users are bound to.
pub const TEAM: Uuid = Uuid::from_u128(0x10);

struct Wall;

impl mec_store::Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(since.as_micros().try_into().unwrap())
    }
}

/// MEC over one store.
pub struct Mec {
    engine: Arc<Engine>,
    router: Router,
    runtime: Runtime,
}

impl Mec {
    pub fn in_folder(folder: &Path) -> Self {
        let config = SqliteConfig {
            data_dir: folder.to_owned(),
            ..SqliteConfig::default()
        };
        let store = SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds).unwrap();
        Self::over(store, runtime())
    }

    fn in_database(url: &str) -> Self {
        let (config, runtime) = (PostgresConfig::new(url.to_owned().into()), runtime());
        let store = runtime.block_on(PostgresStore::open(&config, &mut RisingIds));
        Self::over(store.unwrap(), runtime)
    }

    fn over(store: impl Store, runtime: Runtime) -> Self {
        let guard = runtime.enter();
        let config = EngineConfig::default();
        let started = Engine::start(Arc::new(store), Arc::new(Wall), RisingIds, config);
        let engine = Arc::new(started.unwrap());
        drop(guard);
        Self {
            router: mec_http::router(App::new(engine.clone(), SECRET.to_owned().into())),
            engine,
            runtime,
        }
    }

    /// The answer to a call of an administrator's, which succeeds.
    #[track_caller]
    pub fn post(&self, namespace: &str, path: &str, body: &Value) -> Value {
        let claims = claims(Role::MecAdmin, "*", None);
        let token = mec_http::issue_token(SECRET.as_bytes(), &claims).unwrap();
        let request = Request::post(path)
            .header("authorization", format!("Bearer {token}"))
            .header("mec-namespace", namespace)
            .header("content-type", "application/json")
            .header("prefer", "return=representation")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, _, text) = self.call(request);
        assert!(
            (200..300).contains(&status),
            "{path} {body}: {status} {text}"
        );
        serde_json::from_str(&text).unwrap()
    }

    fn call(&self, request: Request<Body>) -> (u16, axum::http::HeaderMap, String) {
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap();
            let text = String::from_utf8(bytes.into()).unwrap();
            (parts.status.as_u16(), parts.headers, text)
        })
    }

    pub fn ask(&self, ask: &Ask) -> Answer {
        let mut request = Request::builder()
            .method(ask.method.as_str())
            .uri(format!("/api/{}", ask.target()));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if let Some(token) = token(&ask.who) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let (status, headers, body) = self.call(request.body(Body::empty()).unwrap());
        Answer::new(status, &headers, body)
    }

    /// Writes what waits, as the decision log, and lets go of the store.
    pub fn close(self) {
        self.runtime.block_on(self.engine.close());
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

fn claims(role: Role, namespace: &str, account_id: Option<Uuid>) -> Claims {
    Claims {
        sub: "test".to_owned(),
        role,
        namespace_id: namespace.to_owned(),
        account_id,
        aud: AUDIENCE.to_owned(),
        exp: 9_999_999_999,
    }
}

/// The token that a caller shows.
fn token(who: &Who) -> Option<String> {
    let mut secret = SECRET.as_bytes();
    let claims = match who {
        Who::Nobody => return None,
        Who::User => claims(Role::MecUser, "default", Some(TEAM)),
        Who::Member => claims(Role::MecUser, "default", None),
        Who::Service => claims(Role::MecService, "default", None),
        Who::Admin => claims(Role::MecAdmin, "default", None),
        Who::Elsewhere => claims(Role::MecService, "other", None),
        Who::Forger => {
            secret = b"another secret of thirty-two bytes";
            claims(Role::MecAdmin, "default", None)
        }
        Who::Late => Claims {
            exp: 1_000_000_000,
            ..claims(Role::MecService, "default", None)
        },
        Who::Stranger => Claims {
            aud: "another service".to_owned(),
            ..claims(Role::MecService, "default", None)
        },
        Who::Garbled => return Some("not.a.token".to_owned()),
    };
    Some(mec_http::issue_token(secret, &claims).unwrap())
}

/// The three doors.
pub struct World {
    pub sqlite: Mec,
    pub postgres: Mec,
    postgrest: PostgRest,
    agent: ureq::Agent,
    database: String,
}

impl World {
    /// Copies an installation that nobody serves to PostgreSQL, and opens both.
    pub fn of(folder: &Path) -> Self {
        let server = Server::shared();
        let database = server.database();
        let url = server.url("mec_engine", &database);
        let config = PostgresConfig::new(url.clone().into());
        let source = SqliteSource::open(folder).unwrap();
        let mut target = PostgresTarget::open(&config).unwrap();
        let report = mec_store::copy::copy(&source, &mut target, &mut |_| {}).unwrap();
        assert_eq!(report.problem, None);
        drop((source, target));
        let postgrest = PostgRest::start(&Settings {
            database_url: &server.url("authenticator", &database),
            jwt_secret: SECRET,
            audience: AUDIENCE,
        });
        // An embedding that could mean several is a status of redirection, without one.
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // It may close a connection just when it is used again.
            .max_idle_connections(0)
            .max_redirects(0)
            .max_redirects_will_error(false);
        Self {
            sqlite: Mec::in_folder(folder),
            postgres: Mec::in_database(&url),
            postgrest: postgrest.unwrap_or_else(|error| panic!("{error:#}")),
            agent: ureq::Agent::new_with_config(agent.build()),
            database,
        }
    }

    /// What PostgREST answers.
    pub fn postgrest(&self, ask: &Ask) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(ask.method.as_str())
            .uri(format!("{}/{}", self.postgrest.address, ask.target()));
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        if !ask.headers.iter().any(|(name, _)| name == "Accept") {
            request = request.header("Accept", "*/*");
        }
        if let Some(token) = token(&ask.who) {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = self.agent.run(request.body(()).unwrap());
        let mut answer = answer.unwrap_or_else(|error| panic!("{ask}: {error}"));
        let body = answer.body_mut().read_to_string().unwrap();
        Answer::new(answer.status().as_u16(), answer.headers(), body)
    }

    /// The foreign keys that the database declares: table, column beside the namespace, other table.
    pub fn declared_keys(&self) -> Vec<(String, String, String)> {
        let keys = "SELECT c.conrelid::regclass || ' ' || a.attname || ' ' || c.confrelid::regclass
            FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[cardinality(c.conkey)]
            WHERE c.contype = 'f' AND c.connamespace = 'mec'::regnamespace";
        let told = Server::shared().psql(&self.database, keys).unwrap();
        let keys = told.lines().map(|line| {
            let mut words = line.split(' ').map(|word| word.trim_start_matches("mec."));
            let mut word = || words.next().unwrap().to_owned();
            (word(), word(), word())
        });
        keys.collect()
    }
}
