//! What a connection is doing, and since when.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::Transport;

/// No moment.
const NEVER: u64 = 0;

/// Why a connection is given up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// It has no request.
    Idle,
    /// The head of a request does not arrive.
    Header,
    /// An answer is not taken.
    Write,
}

/// What a connection is doing. Moments are milliseconds since it began, from 1 on.
///
/// The fields are written by the connection's task and by the tasks of its requests; each stands for
/// itself, so that no order between them is needed.
#[derive(Debug)]
pub struct Activity {
    began: Instant,
    /// Whether it speaks HTTP/2, where bytes come that belong to no request.
    is_http2: AtomicBool,
    /// Requests whose answer has not been handed over yet.
    requests: AtomicU32,
    /// Answers that are being handed over.
    answers: AtomicU32,
    /// When the last request ended.
    idle_since: AtomicU64,
    /// When the first byte of the next request came.
    head_since: AtomicU64,
    /// Since when nothing more can be written.
    stalled_since: AtomicU64,
    /// When a part of an answer was last handed over.
    moved: AtomicU64,
}

impl Activity {
    pub fn begin() -> Self {
        Self {
            began: Instant::now(),
            is_http2: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(NEVER),
            stalled_since: AtomicU64::new(NEVER),
            moved: AtomicU64::new(NEVER),
        }
    }

    fn now(&self) -> u64 {
        let passed = Instant::now().saturating_duration_since(self.began);
        u64::try_from(passed.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }

    /// Bytes came.
    pub fn received(&self, bytes: &[u8]) {
        if self.requests.load(Relaxed) > 0 || self.is_http2.load(Relaxed) {
            return;
        }
        if self.head_since.load(Relaxed) == NEVER {
            // The preface of HTTP/2; no method of HTTP/1.1 begins with it.
            if bytes.starts_with(b"PRI * HTTP/2") {
                self.is_http2.store(true, Relaxed);
            } else {
                self.head_since.store(self.now(), Relaxed);
            }
        }
    }

    /// Bytes were taken, or the client takes no more for now.
    pub fn wrote(&self, is_stalled: bool) {
        let stalled_since = self.stalled_since.load(Relaxed);
        if is_stalled && stalled_since == NEVER {
            self.stalled_since.store(self.now(), Relaxed);
        } else if !is_stalled && stalled_since != NEVER {
            self.stalled_since.store(NEVER, Relaxed);
        }
    }

    pub fn request_begins(&self) {
        self.requests.fetch_add(1, Relaxed);
        self.head_since.store(NEVER, Relaxed);
    }

    pub fn request_ends(&self) {
        if self.requests.fetch_sub(1, Relaxed) == 1 {
            self.idle_since.store(self.now(), Relaxed);
        }
    }

    pub fn answer_begins(&self) {
        self.answers.fetch_add(1, Relaxed);
        self.moved();
    }

    pub fn moved(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    pub fn answer_ends(&self) {
        self.answers.fetch_sub(1, Relaxed);
    }

    /// When it is given up if nothing more happens, and why; never while a request is being worked on.
    pub fn end(&self, transport: &Transport) -> Option<(Instant, Reason)> {
        let stalled_since = self.stalled_since.load(Relaxed);
        let head_since = self.head_since.load(Relaxed);
        let (since, patience, reason) = if stalled_since != NEVER {
            (stalled_since, transport.write_timeout, Reason::Write)
        } else if self.answers.load(Relaxed) > 0 {
            let moved = self.moved.load(Relaxed);
            (moved, transport.write_timeout, Reason::Write)
        } else if self.requests.load(Relaxed) > 0 {
            return None;
        } else if head_since != NEVER {
            (head_since, transport.header_timeout, Reason::Header)
        } else {
            let idle_since = self.idle_since.load(Relaxed);
            (idle_since, transport.idle_timeout, Reason::Idle)
        };
        Some((self.began + Duration::from_millis(since) + patience, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a connection is given up for, once so many seconds have passed since `did` ended.
    async fn check(did: impl FnOnce(&Activity), expected: Option<(Reason, u64)>) {
        let activity = Activity::begin();
        let transport = Transport {
            header_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(3),
            ..Transport::default()
        };
        tokio::time::advance(Duration::from_secs(100)).await;
        did(&activity);
        let end = activity.end(&transport);
        let end = end.map(|(at, reason)| (reason, at.saturating_duration_since(Instant::now())));
        let end = end.map(|(reason, left)| (reason, left.as_secs()));
        assert_eq!(end, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn each_state_has_its_time() {
        check(|_| (), Some((Reason::Idle, 0))).await;
        check(|a| a.received(b"GET"), Some((Reason::Header, 1))).await;
        check(|a| a.received(b"PRI * HTTP/2.0"), Some((Reason::Idle, 0))).await;
        check(Activity::request_begins, None).await;
        let ended = |a: &Activity| {
            a.received(b"GET");
            a.request_begins();
            a.request_ends();
        };
        check(ended, Some((Reason::Idle, 3))).await;
        let answering = |a: &Activity| {
            a.request_begins();
            a.answer_begins();
        };
        check(answering, Some((Reason::Write, 2))).await;
        let stalled = |a: &Activity| {
            a.request_begins();
            a.wrote(true);
        };
        check(stalled, Some((Reason::Write, 2))).await;
        let moves = |a: &Activity| {
            a.request_begins();
            a.wrote(true);
            a.wrote(false);
        };
        check(moves, None).await;
    }
}
