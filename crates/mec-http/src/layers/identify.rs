//! Request ids: the client's own where it is sane, else a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// Makes request ids: a part of the process's own and a count, which need no system call each.
pub struct RequestIds {
    process: String,
    count: AtomicU64,
}

impl Default for RequestIds {
    fn default() -> Self {
        let (high, _) = Uuid::new_v4().as_u64_pair();
        Self {
            process: format!("{high:016x}"),
            count: AtomicU64::default(),
        }
    }
}

impl RequestIds {
    /// The id of a request with these headers.
    pub fn of(&self, headers: &HeaderMap) -> Arc<str> {
        let sent = headers.get(&REQUEST_ID);
        let sent = sent.and_then(|value| value.to_str().ok());
        match sent.filter(|id| is_sane(id)) {
            Some(id) => id.into(),
            None => self.next().into(),
        }
    }

    fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{}{count:016x}", self.process)
    }
}

/// Writes a request's id on its answer.
pub fn tell(id: &str, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
}

/// Whether a client's id may stand in logs and headers as it is.
fn is_sane(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_REQUEST_ID_BYTES && id.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::{RequestIds, is_sane};

    #[test]
    fn only_short_visible_ids_are_taken_over() {
        assert!(is_sane("abc-123") && is_sane(&"x".repeat(128)));
        for bad in ["", "a b", "a\nb", "ä", &"x".repeat(129)] {
            assert!(!is_sane(bad), "{bad:?}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::default();
        assert_ne!(ids.next(), ids.next());
        assert_ne!(RequestIds::default().next(), ids.next());
    }
}
