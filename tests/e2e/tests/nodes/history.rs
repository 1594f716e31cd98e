//! What callers know, judged against what the database holds. Nothing here knows how MEC decides: sums
//! are taken anew over every prefix of the ledger, in the order of the chain.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::world::World;

/// What all callers were told.
#[derive(Default)]
pub struct History {
    /// The events that were acknowledged: their key, where the call had one, and their quantity.
    pub events: BTreeMap<String, (Option<String>, i64)>,
    /// Keys whose every call was answered, with a refusal.
    pub refused: BTreeSet<String>,
    /// The keys that were ever sent.
    pub sent: BTreeSet<String>,
    /// The leases that were acknowledged, with their fencing tokens.
    pub leases: BTreeMap<String, i64>,
}

impl History {
    pub fn join(&mut self, other: Self) {
        for (event, of) in other.events {
            assert!(
                self.events.insert(event, of).is_none(),
                "one event was acknowledged to two"
            );
        }
        self.refused.extend(other.refused);
        self.sent.extend(other.sent);
        self.leases.extend(other.leases);
    }

    /// Every acknowledged event stands in the ledger with its quantity, none of a refused or unknown
    /// key does, and no key has two.
    pub fn judge_events(&self, world: &World) {
        let rows = world.rows("SELECT event_id, idempotency_key, quantity FROM consumption_ledger");
        let mut ledger = BTreeMap::new();
        let mut keys = BTreeSet::new();
        for row in &rows {
            let key = row["idempotency_key"].as_str().map(str::to_owned);
            if let Some(key) = &key {
                assert!(keys.insert(key.clone()), "{key} was recorded twice");
                assert!(self.sent.contains(key), "{key} was never sent");
                assert!(!self.refused.contains(key), "{key} was refused");
            }
            let event = row["event_id"].as_str().unwrap().to_owned();
            ledger.insert(event, (key, whole(&row["quantity"])));
        }
        for (event, (key, quantity)) in &self.events {
            let found = ledger.get(event);
            let (of, recorded) = found.unwrap_or_else(|| panic!("{event} was lost ({key:?})"));
            assert_eq!(recorded, quantity, "{event}");
            assert!(key.is_none() || key == of, "{event}: {key:?}, {of:?}");
        }
    }

    /// Tokens are unique, rise in the order of acquisition, and are those that callers were told.
    pub fn judge_leases(&self, world: &World, slots: usize) {
        let rows = world.rows(
            "SELECT lease_id, fencing_token, extract(epoch FROM acquired_at) AS start, \
             extract(epoch FROM least(expires_at, released_at)) AS ended, slots \
             FROM concurrency_leases ORDER BY fencing_token",
        );
        let number = |value: &Value| value.as_f64().unwrap();
        let mut before = (i64::MIN, f64::MIN);
        let mut live: Vec<f64> = Vec::new();
        let mut known = self.leases.clone();
        for row in &rows {
            let token = row["fencing_token"].as_i64().unwrap();
            let start = number(&row["start"]);
            assert!(token > before.0 && start >= before.1, "{row}: {before:?}");
            before = (token, start);
            if let Some(told) = known.remove(row["lease_id"].as_str().unwrap()) {
                assert_eq!(told, token, "{row}");
            }
            live.retain(|ended| *ended > start);
            live.push(number(&row["ended"]));
            assert!(live.len() <= slots, "{row}: {} are live", live.len());
        }
        assert!(known.is_empty(), "leases were lost: {known:?}");
    }
}

/// At no prefix of an account's ledger is more used than allowed and granted by then. Returns the most
/// that was ever used.
pub fn judge_total(world: &World, account: &str, allowed: i64) -> i64 {
    let rows = world.rows(&format!(
        "SELECT l.quantity, l.chain_seq, (SELECT coalesce(sum(g.quantity), 0) FROM grants g \
         WHERE g.account_id = l.account_id AND g.created_at <= l.created_at) AS granted \
         FROM consumption_ledger l JOIN accounts a USING (account_id) \
         WHERE a.external_id = '{account}' ORDER BY l.chain_seq"
    ));
    let (mut used, mut most) = (0, 0);
    for row in &rows {
        used += whole(&row["quantity"]);
        most = most.max(used);
        assert!(used <= allowed + whole(&row["granted"]), "{used}: {row}");
    }
    most
}

/// At no prefix of an account's ledger is more used in a minute than allowed. Returns the minutes.
pub fn judge_minutes(world: &World, account: &str, allowed: i64) -> usize {
    let rows = world.rows(&format!(
        "SELECT l.quantity, date_trunc('minute', l.occurred_at) AS minute \
         FROM consumption_ledger l JOIN accounts a USING (account_id) \
         WHERE a.external_id = '{account}' ORDER BY l.chain_seq"
    ));
    let mut minutes: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &rows {
        let used = minutes.entry(row["minute"].as_str().unwrap()).or_default();
        *used += whole(&row["quantity"]);
        assert!(*used <= allowed, "{row}: {used}");
    }
    minutes.len()
}

fn whole(value: &Value) -> i64 {
    let number = value.as_f64().unwrap();
    assert!(number.fract() == 0.0, "{value}");
    number as i64
}
