//! The trace that a request belongs to, after W3C Trace Context: the client's own where its `traceparent` is
//! valid, else a new one.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::digits::Digits;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The length of a `traceparent` of version 00, in bytes.
const LENGTH: usize = 55;

/// The place of a request in a trace. Its `Display` is the trace's id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trace {
    /// The trace, never 0.
    pub trace_id: u128,
    /// This request's span, never 0.
    pub span_id: u64,
    /// The caller's span, where it named one.
    pub parent_id: Option<u64>,
    /// Whether the caller, or MEC where it began the trace, wants it recorded.
    pub is_sampled: bool,
}

impl Trace {
    /// The value of `traceparent` by which whoever MEC calls, or answers, goes on with the trace.
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(LENGTH);
        text.push_str("00-");
        text.push_str(self.digits().as_str());
        text.push('-');
        text.push_str(Digits::<16>::of(self.span_id.into()).as_str());
        text.push_str(if self.is_sampled { "-01" } else { "-00" });
        text
    }

    /// The trace's id.
    pub fn digits(&self) -> Digits<32> {
        Digits::of(self.trace_id)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().fmt(f)
    }
}

/// Makes the ids of traces and spans: a part of the process's own and a count, mixed, which need no system
/// call each.
pub struct Traces {
    seeds: [u64; 2],
    count: AtomicU64,
}

impl Default for Traces {
    fn default() -> Self {
        let (first, second) = Uuid::new_v4().as_u64_pair();
        // The bits of a UUID that say its version do not differ between processes.
        let (third, _) = Uuid::new_v4().as_u64_pair();
        Self {
            seeds: [first ^ third.rotate_left(32), second ^ third],
            count: AtomicU64::default(),
        }
    }
}

impl Traces {
    /// The place of a request with these headers.
    pub fn of(&self, headers: &HeaderMap) -> Trace {
        let mut sent = headers.get_all(&TRACEPARENT).iter();
        let parent = match (sent.next(), sent.next()) {
            (Some(value), None) => parse(value.as_bytes()),
            // Two of them tell nothing.
            _ => None,
        };
        let (high, low) = self.next();
        match parent {
            Some((trace_id, parent_id, is_sampled)) => Trace {
                trace_id,
                span_id: low.max(1),
                parent_id: Some(parent_id),
                is_sampled,
            },
            None => Trace {
                trace_id: (u128::from(high) << 64 | u128::from(low)).max(1),
                span_id: (high ^ low.rotate_left(17)).max(1),
                parent_id: None,
                is_sampled: false,
            },
        }
    }

    fn next(&self) -> (u64, u64) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let [first, second] = self.seeds;
        (mixed(first, count), mixed(second, count))
    }
}

/// A number of a sequence by SplitMix64, whose numbers differ as random ones do.
fn mixed(seed: u64, count: u64) -> u64 {
    let step = count.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut mixed = seed.wrapping_add(step);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Writes where a request stands in its trace on its answer.
pub fn tell(trace: &Trace, headers: &mut HeaderMap) {
    if let Ok(value) = HeaderValue::try_from(trace.traceparent()) {
        headers.insert(TRACEPARENT, value);
    }
}

/// The trace's id, the caller's span, and whether it is sampled. A later version may say more after a dash.
fn parse(text: &[u8]) -> Option<(u128, u64, bool)> {
    let (head, rest) = text.split_at_checked(LENGTH)?;
    let head = std::str::from_utf8(head).ok()?;
    let mut parts = head.split('-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (part.len() == digits && part.bytes().all(is_hex)).then_some(part)
    };
    let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    let goes_on = match version {
        "00" => rest.is_empty(),
        "ff" => return None,
        _ => rest.first().is_none_or(|byte| *byte == b'-'),
    };
    let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
    let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
    let flags = u8::from_str_radix(flags, 16).ok()?;
    goes_on.then_some((trace, span, flags & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(values: &[&str]) -> Trace {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
        }
        Traces::default().of(&headers)
    }

    #[test]
    fn a_valid_trace_is_taken_over() {
        let trace = of(&[SENT]);
        assert_eq!(trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent_id, Some(0x00f0_67aa_0ba9_02b7));
        assert!(trace.is_sampled && Some(trace.span_id) != trace.parent_id);
        let told = trace.traceparent();
        assert_eq!(of(&[&told]).trace_id, trace.trace_id);
        assert_eq!(of(&[&told]).parent_id, Some(trace.span_id));
        let later = of(&[&SENT.replacen("00", "01", 1).replace("-01", "-00-more")]);
        assert!(later.trace_id == trace.trace_id && !later.is_sampled);
    }

    #[test]
    fn what_is_not_valid_begins_a_new_trace() {
        let none = "0".repeat(32);
        for bad in [
            "",
            "00",
            &SENT[..54],
            &format!("{SENT}0"),
            &format!("{SENT}-more"),
            &SENT.replacen("00", "ff", 1),
            &SENT.replacen("00-", "01_", 1),
            &SENT.to_uppercase(),
            &SENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &none),
            &SENT.replace("00f067aa0ba902b7", "0000000000000000"),
            &SENT.replace("4bf9", "4bg9"),
        ] {
            assert_eq!(of(&[bad]).parent_id, None, "{bad}");
        }
        assert_eq!(of(&[SENT, SENT]).parent_id, None);
    }

    #[test]
    fn new_traces_differ() {
        let traces = Traces::default();
        let headers = HeaderMap::new();
        let made = (0..1000).map(|_| traces.of(&headers).trace_id);
        let made: std::collections::BTreeSet<u128> = made.collect();
        assert_eq!(made.len(), 1000);
        assert!(!made.contains(&Traces::default().of(&headers).trace_id));
    }
}
