//! The one connection that writes, and the slot it rests in between batches.

use std::sync::Arc;
use std::time::Duration;

use mec_store::StoreError;
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::commit::counters::CounterIds;

/// How long a batch waits for another one to give the connection back. Batches of one lane follow
/// each other, so a wait this long means that one was never ended.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connection that writes, with what it remembers.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    pub(crate) counters: CounterIds,
}

/// Where the writer rests.
#[derive(Debug)]
pub(crate) struct Slot {
    writer: Mutex<Option<Writer>>,
    returned: Condvar,
}

impl Slot {
    pub(crate) fn new(writer: Writer) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
            returned: Condvar::new(),
        }
    }

    /// Takes the writer out, waiting for it if it is in use.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Taken, StoreError> {
        let mut slot = self.writer.lock();
        loop {
            if let Some(writer) = slot.take() {
                return Ok(Taken {
                    writer: Some(writer),
                    slot: self.clone(),
                });
            }
            if self.returned.wait_for(&mut slot, PATIENCE).timed_out() {
                return Err(StoreError::Internal(
                    "another batch was not ended".to_owned(),
                    None,
                ));
            }
        }
    }
}

/// The writer while it is in use. When dropped, whatever it was doing is undone and it goes back.
#[derive(Debug)]
pub(crate) struct Taken {
    // None only while it is being dropped.
    writer: Option<Writer>,
    slot: Arc<Slot>,
}

impl Taken {
    pub(crate) fn writer(&mut self) -> Result<&mut Writer, StoreError> {
        self.writer
            .as_mut()
            .ok_or_else(|| StoreError::Internal("the writer is gone".to_owned(), None))
    }

    pub(crate) fn connection(&self) -> Result<&Connection, StoreError> {
        let writer = self.writer.as_ref().map(|writer| &writer.conn);
        writer.ok_or_else(|| StoreError::Internal("the writer is gone".to_owned(), None))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else {
            return;
        };
        // SQLite has rolled back by itself after some errors, a full disk among them.
        if !writer.conn.is_autocommit()
            && let Err(error) = writer.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
        writer.counters.forget_new();
        *self.slot.writer.lock() = Some(writer);
        self.slot.returned.notify_one();
    }
}
