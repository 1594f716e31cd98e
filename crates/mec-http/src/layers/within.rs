//! Which request a task works on, for the lines that are logged on the way.

use std::sync::Arc;

use super::passage::Passage;
use super::trace::Trace;

tokio::task_local! {
    static PASSAGE: Arc<Passage>;
}

/// Answers a request so that what is logged meanwhile can tell which it is.
pub async fn within<F: Future>(passage: Arc<Passage>, answer: F) -> F::Output {
    PASSAGE.scope(passage, answer).await
}

/// The id and the trace of the request that this task answers; none outside of one.
pub fn current_request() -> Option<(Arc<str>, Trace)> {
    let current = PASSAGE.try_with(|passage| (passage.id.clone(), passage.trace));
    current.ok()
}
