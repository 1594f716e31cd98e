//! What has ended is trimmed from memory. Its slots and holds were free from the moment of their
//! expiry on; trimming only keeps the Books small.

use std::sync::Arc;

use crate::Shared;

pub(crate) fn trim(shared: &Shared) {
    let now = shared.now();
    for (namespace, account) in shared.books.due(now) {
        if let Some(part) = shared.books.get(&namespace, account) {
            let mut trimmed = (*part).clone();
            trimmed.trim(now);
            shared.books.publish(&namespace, Arc::new(trimmed));
        }
    }
}
