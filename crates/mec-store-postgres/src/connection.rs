//! Connections: how one is made, its prepared statements, and the pool of those that read.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult};
use mec_store::{PoolUse, StoreError};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::address::{Address, Mode};
use crate::config::PostgresConfig;
use crate::error::Fault;
use crate::said::Said;
use crate::tls::Tls;

/// So many statements of callers' queries are kept prepared on one connection.
const MAX_DYNAMIC: usize = 200;

/// A value of a statement.
pub(crate) type Value<'a> = &'a (dyn ToSql + Sync);

/// One connection with the statements that were prepared on it.
pub(crate) struct Connection {
    pub(crate) client: Client,
    statements: Mutex<FxHashMap<&'static str, Statement>>,
    // Those of callers' queries, of which there is no end.
    dynamic: Mutex<FxHashMap<String, Statement>>,
}

impl Connection {
    /// Makes a connection, which `runtime` keeps going.
    pub(crate) async fn open(
        config: &PostgresConfig,
        runtime: &Handle,
    ) -> Result<Self, StoreError> {
        let Address {
            mut settings,
            mode,
            trust,
        } = Address::parse(&config.url)?;
        settings.connect_timeout(config.connect_timeout);
        settings.application_name("mec");
        settings.options(config.session_options());
        let connecting = async {
            // Certificates are read from files, which may take its time.
            let tls = runtime.spawn_blocking(move || Tls::new(&trust)).await;
            let tls = tls.map_err(|error| StoreError::Internal(error.to_string(), None))??;
            let connected = settings.connect(tls).await;
            connected.map_err(|error| not_connected(error, mode))
        };
        let (client, connection) = tokio::time::timeout(config.connect_timeout, connecting)
            .await
            .map_err(|_| {
                StoreError::Unavailable("the database does not answer".to_owned(), None)
            })??;
        runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %Said::from(error), "a connection to the database ended");
            }
        });
        Ok(Self {
            client,
            statements: Mutex::default(),
            dynamic: Mutex::default(),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Undoes what was begun: the request is sent, ahead of all that comes after it, and its answer needs
    /// nobody.
    pub(crate) fn undo(&self) {
        let undo = pin!(self.client.batch_execute("ROLLBACK"));
        let _ = undo.poll(&mut Context::from_waker(Waker::noop()));
    }

    /// A statement, prepared once.
    pub(crate) async fn statement(&self, sql: &'static str) -> Result<Statement, Fault> {
        if let Some(statement) = self.statements.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.lock().insert(sql, statement.clone());
        Ok(statement)
    }

    /// A statement that was made of a caller's query. Those that were prepared lately are kept.
    pub(crate) async fn dynamic(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.dynamic.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        let mut held = self.dynamic.lock();
        if held.len() >= MAX_DYNAMIC {
            held.clear();
        }
        held.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) async fn all(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Fault> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    pub(crate) async fn first(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, Fault> {
        Ok(self.all(sql, values).await?.into_iter().next())
    }

    pub(crate) async fn run(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, Fault> {
        let statement = self.statement(sql).await?;
        Ok(self.client.execute(&statement, values).await?)
    }
}

/// What is said of a connection that was not made: of the way to the database the innermost cause, which
/// alone tells a wrong certificate from a server that is not there.
fn not_connected(error: tokio_postgres::Error, mode: Mode) -> StoreError {
    let Some(code) = error.code() else {
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let name = mode.name();
        let sentence = format!("the database cannot be reached with sslmode={name}: {cause}");
        return StoreError::Unavailable(sentence, Some(Said::from(error).into()));
    };
    if code == &SqlState::INVALID_AUTHORIZATION_SPECIFICATION && mode == Mode::Disable {
        let sentence =
            "the database does not accept the user, or not without TLS (sslmode=disable)";
        return StoreError::Unavailable(sentence.to_owned(), Some(Said::from(error).into()));
    }
    Fault::from(error).into()
}

/// Makes the connections that read.
pub(crate) struct Readers {
    config: PostgresConfig,
    runtime: Handle,
}

impl Manager for Readers {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> Result<Connection, StoreError> {
        Connection::open(&self.config, &self.runtime).await
    }

    async fn recycle(&self, held: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        if held.is_closed() {
            Err(RecycleError::message("the connection is closed"))
        } else {
            Ok(())
        }
    }
}

/// The connections that read.
pub(crate) struct ReaderPool(Pool<Readers>);

impl ReaderPool {
    pub(crate) fn new(config: &PostgresConfig, runtime: Handle) -> Result<Self, StoreError> {
        let readers = Readers {
            config: config.clone(),
            runtime,
        };
        let pool = Pool::builder(readers)
            .max_size(config.readers.max(1))
            .wait_timeout(Some(config.wait_timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| StoreError::Internal(error.to_string(), None))?;
        Ok(Self(pool))
    }

    /// How they are used.
    pub(crate) fn used(&self) -> PoolUse {
        let status = self.0.status();
        PoolUse {
            name: "readers",
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            waiting: status.waiting,
            most: status.max_size,
        }
    }

    pub(crate) async fn get(&self) -> Result<Object<Readers>, StoreError> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            other => StoreError::Unavailable(
                format!("no connection to the database is free: {other}"),
                None,
            ),
        })
    }
}
