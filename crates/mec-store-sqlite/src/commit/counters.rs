//! The numbers of counters: buckets name their counter by a small number, not by five columns.

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use crate::counter::Name;

/// So many numbers are remembered; then all are forgotten, which costs only look-ups.
const REMEMBERED: usize = 200_000;

/// The numbers of the counters that were written to last.
#[derive(Debug, Default)]
pub(crate) struct CounterIds {
    known: FxHashMap<Name, i64>,
    // Made in the open transaction; a rollback gives their numbers to others.
    new: Vec<Name>,
}

impl CounterIds {
    pub(crate) fn find_or_make(
        &mut self,
        connection: &Connection,
        name: Name,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.known.get(&name) {
            return Ok(*id);
        }
        let id = match name.find(connection)? {
            Some(id) => id,
            None => {
                let id = name.make(connection)?;
                self.new.push(name.clone());
                id
            }
        };
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
