//! The hash chain: every event carries the hash of the one before it, so that no row can change
//! without all that follow.

use sha2::{Digest, Sha256};

use crate::ledger::Event;
use crate::time::Timestamp;

/// The hash before the first event of a chain.
pub const GENESIS: [u8; 32] = [0; 32];

/// SHA-256 of the previous hash and the event's columns and details as canonical JSON (RFC 8785).
pub fn event_hash(previous: &[u8; 32], event: &Event) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(canonical(event).as_bytes());
    hasher.finalize().into()
}

/// An event as canonical JSON: keys sorted, decimals as normalised strings, times as whole
/// microseconds since 1970 in UTC.
pub fn canonical(event: &Event) -> String {
    let mut json = Canonical::default();
    json.text("account_id", Some(&event.account_id.to_string()));
    json.text("chain_id", Some(&event.chain_id.to_string()));
    json.number("chain_seq", Some(i128::from(event.chain_seq)));
    json.text(
        "corrects_event_id",
        event.corrects_event_id.map(|id| id.to_string()).as_deref(),
    );
    json.time("created_at", Some(event.created_at));
    json.details(event);
    json.text("event_id", Some(&event.event_id.to_string()));
    json.text("idempotency_key", event.idempotency_key.as_deref());
    json.raw(
        "is_correction",
        if event.corrects_event_id.is_some() {
            "true"
        } else {
            "false"
        },
    );
    json.text("namespace_id", Some(event.namespace_id.as_str()));
    json.time("occurred_at", Some(event.occurred_at));
    json.text(
        "owner_account_id",
        Some(&event.owner_account_id.to_string()),
    );
    json.time("period_end", event.period_end);
    json.time("period_start", event.period_start);
    json.text("quantity", Some(&event.quantity.to_string()));
    json.text("resource_scope", event.resource_scope.as_deref());
    json.text("resource_type_code", Some(&event.resource_type_code));
    json.text("unit_code", Some(&event.unit_code));
    json.finish()
}

#[derive(Default)]
struct Canonical {
    text: String,
}

impl Canonical {
    fn raw(&mut self, key: &str, value: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        push_string(&mut self.text, key);
        self.text.push(':');
        self.text.push_str(value);
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        let mut quoted = String::new();
        match value {
            Some(value) => push_string(&mut quoted, value),
            None => quoted.push_str("null"),
        }
        self.raw(key, &quoted);
    }

    fn number(&mut self, key: &str, value: Option<i128>) {
        self.raw(
            key,
            &value.map_or("null".to_owned(), |value| value.to_string()),
        );
    }

    fn time(&mut self, key: &str, value: Option<Timestamp>) {
        self.number(key, value.map(|at| i128::from(at.as_micros())));
    }

    fn details(&mut self, event: &Event) {
        let mut details: Vec<_> = event.details.iter().collect();
        // RFC 8785 sorts keys by their UTF-16 code units.
        details.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
        let mut object = Canonical::default();
        for (key, value) in details {
            object.text(key, Some(value));
        }
        self.raw("details", &object.finish());
    }

    fn finish(self) -> String {
        if self.text.is_empty() {
            "{}".to_owned()
        } else {
            self.text + "}"
        }
    }
}

/// Escapes as RFC 8785 and serde_json alike do.
fn push_string(out: &mut String, text: &str) {
    match serde_json::to_string(text) {
        Ok(quoted) => out.push_str(&quoted),
        Err(_) => out.push_str("null"),
    }
}
