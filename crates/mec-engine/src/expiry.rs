//! What has ended is trimmed from memory. Its slots and holds were free from the moment of their
//! expiry on; trimming only keeps the Books small.

use std::sync::Arc;

use crate::Shared;

/// Only what had ended by the tree's last committed now is trimmed: a clock that is set back makes
/// the rest live again. What stays is looked at anew when the account is next published.
pub(crate) fn trim(shared: &Shared) {
    for (namespace, account) in shared.books.due(shared.books.last_now()) {
        let Some(part) = shared.books.get(&namespace, account) else {
            continue;
        };
        let Some(now) = shared.books.last_at_of(&namespace, part.tree_id) else {
            continue;
        };
        if part.first_expiry().is_some_and(|at| at <= now) {
            let mut trimmed = (*part).clone();
            trimmed.trim(now);
            shared.books.publish(&namespace, Arc::new(trimmed));
        }
    }
}
