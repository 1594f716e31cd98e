//! MEC without HTTP: an account gets a plan and is asked about.
use std::sync::Arc;

use mec_core::{Command, Namespace, Quantity, Timestamp, ops};
use mec_engine::{Engine, EngineConfig, Request, RisingIds, Target};
use mec_store_sqlite::{SqliteConfig, SqliteStore};

struct Wall;
impl mec_store::Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = SqliteConfig {
        data_dir: "mec-data".into(),
        ..SqliteConfig::default()
    };
    let store = Arc::new(SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds)?);
    let engine = Engine::start(store, Arc::new(Wall), RisingIds, EngineConfig::default())?;
    let account = std::env::args().nth(1).unwrap_or_default();
    let check = ops::check::Check {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: Default::default(),
        explain: true,
    };
    let request = Request {
        namespace: Namespace::default_namespace(),
        target: Target::External(account),
        command: Command::Check(check),
        key: None,
        by: "me".into(),
        guard: None,
        request_id: None,
        consistency: Default::default(),
    };
    eprintln!("{}", engine.call(request).await?.body);
    engine.close().await;
    Ok(())
}
