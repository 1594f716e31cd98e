//! Where the data is, in a folder with the embedded store or in PostgreSQL, and where it is told what is done to it.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use mec_engine::{Engine, EngineConfig, EngineError, RisingIds};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use tokio::runtime::Runtime;

use crate::clock::Wall;
use crate::settings::{Connections, Logs, Queries};

/// Where the data is.
#[derive(Args, Clone)]
pub struct Place {
    /// The data folder; serve makes it where it is missing
    #[arg(long, env = "MEC_DATA_DIR", default_value = "mec-data", global = true)]
    pub data_dir: PathBuf,
    /// The PostgreSQL database, such as postgres://mec_engine:password@host/mec; without it the data is
    /// in the data folder
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        global = true
    )]
    database_url: Option<String>,
    #[command(flatten)]
    pub connections: Connections,
    #[command(flatten)]
    queries: Queries,
    #[command(flatten)]
    pub logs: Logs,
}

impl Place {
    /// The database, where the data is in one.
    pub fn postgres(&self) -> Option<PostgresConfig> {
        let url = self.database_url.clone().filter(|url| !url.is_empty())?;
        let config = self.connections.to(url.into());
        Some(PostgresConfig {
            query_timeout: self.queries.timeout(),
            ..config
        })
    }

    /// Opens the store.
    pub fn open(&self, runtime: &Runtime) -> Result<Opened> {
        if let Some(config) = self.postgres() {
            let mut ids = RisingIds;
            let store = runtime.block_on(PostgresStore::open(&config, &mut ids))?;
            return Ok(Opened::Postgres(Box::new(store)));
        }
        Ok(Opened::Embedded(Box::new(self.open_embedded()?)))
    }

    /// Opens the embedded store of the folder.
    pub fn open_embedded(&self) -> Result<SqliteStore> {
        let config = SqliteConfig {
            data_dir: self.data_dir.clone(),
            max_size_bytes: None,
            query_timeout: self.queries.timeout(),
        };
        Ok(SqliteStore::open(&config, Arc::new(Wall), &mut RisingIds)?)
    }

    /// Where the data is, for people; no password is told.
    pub fn shown(&self) -> String {
        match self.postgres() {
            Some(config) => format!("PostgreSQL at {}", config.shown()),
            None => self.data_dir.display().to_string(),
        }
    }
}

/// An open store.
pub enum Opened {
    Embedded(Box<SqliteStore>),
    Postgres(Box<PostgresStore>),
}

impl Opened {
    /// Starts an engine over it.
    pub fn engine(self, config: EngineConfig) -> Result<Engine, EngineError> {
        let clock = Arc::new(Wall);
        match self {
            Self::Embedded(store) => Engine::start(Arc::new(*store), clock, RisingIds, config),
            Self::Postgres(store) => Engine::start(Arc::new(*store), clock, RisingIds, config),
        }
    }
}
