//! The numbers of counters: buckets name their counter by a small number, not by five columns.

use mec_store::CounterName;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use crate::counter;

/// So many numbers are remembered; then all are forgotten, which costs only look-ups.
const REMEMBERED: usize = 200_000;

/// The numbers of the counters that were written to last.
#[derive(Debug, Default)]
pub(crate) struct CounterIds {
    known: FxHashMap<CounterName, i64>,
    // Made in the open transaction; a rollback gives their numbers to others.
    new: Vec<CounterName>,
}

impl CounterIds {
    pub(crate) fn find_or_make(
        &mut self,
        connection: &Connection,
        name: CounterName,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.known.get(&name) {
            return Ok(*id);
        }
        let (id, is_new) = counter::find_or_make(connection, &name)?;
        if is_new {
            self.new.push(name.clone());
        }
        self.known.insert(name, id);
        Ok(id)
    }

    /// The transaction was committed.
    pub(crate) fn keep_new(&mut self) {
        self.new.clear();
        if self.known.len() > REMEMBERED {
            self.known.clear();
        }
    }

    /// The transaction was rolled back.
    pub(crate) fn forget_new(&mut self) {
        for name in self.new.drain(..) {
            self.known.remove(&name);
        }
    }
}
