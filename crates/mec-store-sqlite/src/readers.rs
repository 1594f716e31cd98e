//! The pool of connections that read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mec_store::{PoolUse, StoreError};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::READERS;
use crate::error::store_error;
use crate::open;

#[derive(Debug)]
pub(crate) struct Readers {
    free: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Reading>>>,
    waiting: AtomicUsize,
}

/// A connection that reads, and until when it may for now.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) connection: Connection,
    pub(crate) until: Arc<Mutex<Option<Instant>>>,
}

impl Readers {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let idle = (0..READERS)
            .map(|_| open::answering(path))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            free: Arc::new(Semaphore::new(READERS)),
            idle: Arc::new(Mutex::new(idle)),
            waiting: AtomicUsize::new(0),
        })
    }

    /// How they are used.
    pub(crate) fn used(&self) -> PoolUse {
        let idle = self.free.available_permits();
        PoolUse {
            name: "readers",
            in_use: READERS.saturating_sub(idle),
            idle,
            waiting: self.waiting.load(Ordering::Relaxed),
            most: READERS,
        }
    }

    /// Reads on a thread that may block, in one transaction, so that all of it sees the same state.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.read_within(None, |connection| read(connection).map_err(store_error))
            .await
    }

    /// [`Readers::read`] for what is interrupted when it takes longer than a time, and has errors of its own.
    pub(crate) async fn read_within<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        limit: Option<Duration>,
        read: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let permit = {
            let _waiting = Waiting::one_of(&self.waiting);
            let permit = self.free.clone().acquire_owned().await;
            permit.map_err(|_| gone())?
        };
        let reading = self.idle.lock().pop().ok_or_else(gone)?;
        let borrowed = Borrowed {
            reading: Some(reading),
            idle: self.idle.clone(),
            _permit: permit,
        };
        let task = tokio::task::spawn_blocking(move || {
            let reading = borrowed.reading.as_ref().ok_or_else(gone)?;
            *reading.until.lock() = limit.map(|limit| Instant::now() + limit);
            let transaction = reading.connection.unchecked_transaction();
            let transaction = transaction.map_err(store_error)?;
            read(&transaction)
        });
        task.await.map_err(|error| {
            StoreError::Internal("a reader stopped".to_owned(), Some(Box::new(error)))
        })?
    }
}

/// One that waits for a connection, until it is dropped: it may be given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn one_of(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn gone() -> StoreError {
    StoreError::Internal("the pool of readers is gone".to_owned(), None)
}

/// Gives the connection back, and only then the permit, even where the reading panics or nobody
/// waits for it any more.
struct Borrowed {
    reading: Option<Reading>,
    idle: Arc<Mutex<Vec<Reading>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.idle.lock().extend(self.reading.take());
    }
}
