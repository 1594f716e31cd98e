//! The pool of connections that read.

use std::path::Path;
use std::sync::Arc;

use mec_store::StoreError;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::READERS;
use crate::error::store_error;
use crate::open;

#[derive(Debug)]
pub(crate) struct Readers {
    free: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let idle = (0..READERS)
            .map(|_| open::reader(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            free: Arc::new(Semaphore::new(READERS)),
            idle: Arc::new(Mutex::new(idle)),
        })
    }

    /// Reads on a thread that may block, in one transaction, so that all of it sees the same state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self
            .free
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| gone())?;
        let connection = self.idle.lock().pop().ok_or_else(gone)?;
        let borrowed = Borrowed {
            connection: Some(connection),
            idle: self.idle.clone(),
            _permit: permit,
        };
        let task = tokio::task::spawn_blocking(move || {
            let connection = borrowed.connection.as_ref().ok_or_else(gone)?;
            let transaction = connection.unchecked_transaction().map_err(store_error)?;
            read(&transaction).map_err(store_error)
        });
        task.await.map_err(|error| {
            StoreError::Internal("a reader stopped".to_owned(), Some(Box::new(error)))
        })?
    }
}

fn gone() -> StoreError {
    StoreError::Internal("the pool of readers is gone".to_owned(), None)
}

/// Gives the connection back, and only then the permit, even where the reading panics or nobody
/// waits for it any more.
struct Borrowed {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.idle.lock().extend(self.connection.take());
    }
}
