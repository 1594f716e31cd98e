//! A lane: the connection that its batches follow each other on, and its row in `writers`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mec_store::{Clock, StoreError};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::config::PostgresConfig;
use crate::connection::Connection;
use crate::error::Fault;
use crate::sql;
use crate::values::Columns;

/// How long to wait between two attempts to ask how a commit ended, at first and at the most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// How long it is asked: all commands of the process wait for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Lane {
    config: PostgresConfig,
    pub(crate) writer: Uuid,
    resting: Mutex<Option<Connection>>,
}

impl Lane {
    pub(crate) fn new(config: PostgresConfig) -> Self {
        Self {
            config,
            writer: Uuid::new_v4(),
            resting: Mutex::new(None),
        }
    }

    pub(crate) fn clock(&self) -> Option<&Arc<dyn Clock>> {
        self.config.clock.as_ref()
    }

    /// The lane's connection, or a new one where it has none that is open. A new one gives the lane its
    /// row in `writers` anew, should it have been lost.
    pub(crate) async fn take(&self) -> Result<Connection, StoreError> {
        let resting = self.resting.lock().take();
        if let Some(connection) = resting.filter(|connection| !connection.is_closed()) {
            return Ok(connection);
        }
        let connection = Connection::open(&self.config, &Handle::current()).await?;
        self.make_row(&connection, Uuid::nil()).await?;
        Ok(connection)
    }

    /// Marks a transaction as the lane's last one, by which it is known how it ended. The lane's row is
    /// held from here on.
    pub(crate) async fn mark(&self, connection: &Connection, id: Uuid) -> Result<(), Fault> {
        let marked = connection
            .run(sql::WRITER_MARK_BY_ID, &[&self.writer, &id])
            .await?;
        if marked == 0 {
            self.make_row(connection, id).await?;
        }
        Ok(())
    }

    /// Makes the lane's row where there is none: at first, or as it was dropped for not being used.
    pub(crate) async fn make_row(&self, connection: &Connection, id: Uuid) -> Result<(), Fault> {
        connection
            .run(sql::WRITER_INSERT, &[&self.writer, &id])
            .await?;
        Ok(())
    }

    pub(crate) fn give(&self, connection: Connection) {
        if !connection.is_closed() {
            *self.resting.lock() = Some(connection);
        }
    }

    /// How a commit ended whose answer was lost; none where the database could not be asked for so long
    /// that those who wait are to be told. The transaction held the lane's row, so that the question
    /// waits until its server process has ended it one way or the other.
    pub(crate) async fn settle(&self, batch: Uuid) -> Option<bool> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.ask(batch).await {
                Ok(is_done) => return Some(is_done),
                Err(error) => tracing::warn!(%error, "how a commit ended could not be asked yet"),
            }
            if begun.elapsed() >= PATIENCE {
                return None;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn ask(&self, batch: Uuid) -> Result<bool, StoreError> {
        let connection = Connection::open(&self.config, &Handle::current()).await?;
        // A row that was made by the transaction itself is not seen before it ends, but waited for.
        self.make_row(&connection, Uuid::nil()).await?;
        let row = connection
            .first(sql::WRITER_SETTLE_BY_ID, &[&self.writer, &batch])
            .await?;
        Ok(row.map_or(Ok(false), |row| row.read(0))?)
    }
}
