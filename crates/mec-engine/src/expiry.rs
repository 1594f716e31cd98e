//! When holds end. Their slots and amounts are free from the moment of their expiry on; what has ended is
//! trimmed from memory only to keep the Books small.

use std::collections::BTreeSet;

use mec_core::{AccountId, Namespace, Timestamp};
use rustc_hash::FxHashMap;

/// When the first hold of each account ends that has any: one entry an account, however often its
/// leases are extended.
#[derive(Default)]
pub(crate) struct Expiries {
    by_time: BTreeSet<(Timestamp, Namespace, AccountId)>,
    by_account: FxHashMap<(Namespace, AccountId), Timestamp>,
}

impl Expiries {
    /// Notes when the first hold of an account ends; none where it has none.
    pub(crate) fn put(
        &mut self,
        namespace: &Namespace,
        account: AccountId,
        first: Option<Timestamp>,
    ) {
        let key = (namespace.clone(), account);
        let old = match first {
            Some(first) => self.by_account.insert(key, first),
            None => self.by_account.remove(&key),
        };
        if old == first {
            return;
        }
        if let Some(old) = old {
            self.by_time.remove(&(old, namespace.clone(), account));
        }
        if let Some(first) = first {
            self.by_time.insert((first, namespace.clone(), account));
        }
    }

    /// How many accounts have a first hold that has ended by now, and the microseconds since the earliest
    /// of these ends.
    pub(crate) fn due(&self, now: Timestamp) -> (usize, i64) {
        let due = self.by_time.iter().take_while(|(at, _, _)| *at <= now);
        let first = self.by_time.first();
        let since = first.map_or(0, |(at, _, _)| now.micros_since(*at).max(0));
        (due.count(), since)
    }

    /// Takes an account whose first hold has ended by now.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<(Namespace, AccountId)> {
        let is_due = self.by_time.first().is_some_and(|(at, _, _)| *at <= now);
        let (_, namespace, account) = is_due.then(|| self.by_time.pop_first()).flatten()?;
        self.by_account.remove(&(namespace.clone(), account));
        Some((namespace, account))
    }
}
