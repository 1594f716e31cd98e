//! What is asked: each caller makes one request after another, in an order that depends on nothing
//! but its number.

use std::fmt::Write;

use clap::ValueEnum;

use serde::Serialize;

use super::kind::{Kind, text_field};

/// The metered resource that every account of the bench may use without a bound it could reach.
pub const METERED: &str = "api_requests";
/// The resource of which the accounts of the bench may hold leases.
pub const LEASED: &str = "concurrent_users";

/// A page of the ledger, newest first.
const LEDGER_PAGE: &str = "consumption?order=occurred_at.desc,event_id.desc&limit=1000";

/// What a bench asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// check_entitlement
    Check,
    /// check_entitlements of --batch checks
    Checks100,
    /// consume of one unit
    Consume,
    /// meter_consumption of one unit
    Meter,
    /// meter_consumptions of --batch events
    Meter100,
    /// acquire_lease and release_lease in turn
    Lease,
    /// 80 % check, 12 % consume, 5 % meter, 3 % leases
    Mixed,
    /// GET of an account's entitlements
    Entitlements,
    /// GET of the ledger's newest thousand events
    Ledger,
}

impl Workload {
    /// Whether leases are among what it asks.
    pub fn leases(self) -> bool {
        matches!(self, Self::Lease | Self::Mixed)
    }
}

/// The whole of what a bench asks.
pub struct Load {
    pub workload: Workload,
    pub accounts: u64,
    pub hot: bool,
    pub batch: u32,
    pub callers: u32,
    /// Different in every run, so that no idempotency key comes twice.
    pub run: String,
    /// What stands before the name of a resource in a path.
    pub base: String,
    /// A path and a body to be sent again and again.
    pub raw: Option<(String, String)>,
}

impl Load {
    /// The path of a kind of request.
    pub fn path(&self, kind: Kind) -> String {
        match &self.raw {
            Some((path, _)) => path.clone(),
            None => format!("/api/rpc/{}", kind.name()),
        }
    }

    /// How many checks, events or leases a request of a kind carries.
    pub fn items(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Checks | Kind::Meters => u64::from(self.batch),
            _ => 1,
        }
    }
}

/// The id of an account of the bench: the same in every run, so that a second run finds it.
pub fn account_id(number: u64) -> String {
    format!("00000000-0000-8000-8000-{number:012x}")
}

/// The requests of one caller.
pub struct Requests<'a> {
    load: &'a Load,
    caller: u32,
    /// The state of a xorshift generator; never 0.
    random: u64,
    count: u64,
    /// The lease to be released next.
    lease: Option<String>,
    body: String,
}

impl<'a> Requests<'a> {
    pub fn new(load: &'a Load, caller: u32) -> Self {
        Self {
            load,
            caller,
            random: 0x9e37_79b9_7f4a_7c15
                ^ (u64::from(caller) + 1).wrapping_mul(0xd134_2543_de82_ef95),
            count: 0,
            lease: None,
            body: String::new(),
        }
    }

    /// The next request: its kind and its body, or of a `GET` what its path says behind the base.
    pub fn next(&mut self) -> (Kind, &str) {
        self.body.clear();
        let kind = self.next_kind();
        match kind {
            Kind::Raw => {
                let body = self.load.raw.as_ref().map_or("", |(_, body)| body);
                self.body.push_str(body);
            }
            Kind::Check => self.push_check(),
            Kind::Consume | Kind::Meter => self.push_event(),
            Kind::Checks => self.push_many("p_checks", Self::push_check),
            Kind::Meters => self.push_many("p_events", Self::push_event),
            Kind::Acquire => {
                let account = self.next_account();
                self.push(format_args!(
                    "{{\"p_account_id\":\"{account}\",\"p_resource_type\":\"{LEASED}\"}}"
                ));
            }
            Kind::Entitlements => {
                let account = self.next_account();
                self.push(format_args!("entitlements?account_id=eq.{account}"));
            }
            Kind::Ledger => self.push(format_args!("{LEDGER_PAGE}")),
            Kind::Release => {
                let lease = self.lease.take().unwrap_or_default();
                self.push(format_args!("{{\"p_lease_id\":\"{lease}\"}}"));
            }
        }
        (kind, &self.body)
    }

    /// Takes note of an answer that the next request depends on.
    pub fn answered(&mut self, kind: Kind, body: &str) {
        if kind == Kind::Acquire {
            self.lease = text_field(body, "lease_id").map(str::to_owned);
        }
    }

    fn next_kind(&mut self) -> Kind {
        if self.load.raw.is_some() {
            return Kind::Raw;
        }
        let lease = if self.lease.is_some() {
            Kind::Release
        } else {
            Kind::Acquire
        };
        match self.load.workload {
            Workload::Check => Kind::Check,
            Workload::Checks100 => Kind::Checks,
            Workload::Consume => Kind::Consume,
            Workload::Meter => Kind::Meter,
            Workload::Meter100 => Kind::Meters,
            Workload::Lease => lease,
            Workload::Entitlements => Kind::Entitlements,
            Workload::Ledger => Kind::Ledger,
            Workload::Mixed => match self.next_random() % 100 {
                0..80 => Kind::Check,
                80..92 => Kind::Consume,
                92..97 => Kind::Meter,
                _ => lease,
            },
        }
    }

    fn push_check(&mut self) {
        let account = self.next_account();
        self.push(format_args!(
            "{{\"p_account_id\":\"{account}\",\"p_resource_type\":\"{METERED}\"}}"
        ));
    }

    fn push_event(&mut self) {
        self.count += 1;
        let account = self.next_account();
        let (run, caller, count) = (&self.load.run, self.caller, self.count);
        self.push(format_args!(
            "{{\"p_idempotency_key\":\"{run}-{caller}-{count}\",\"p_account_id\":\"{account}\",\
             \"p_resource_type\":\"{METERED}\",\"p_quantity\":1}}"
        ));
    }

    fn push_many(&mut self, name: &str, push_one: fn(&mut Self)) {
        self.push(format_args!("{{\"{name}\":["));
        for item in 0..self.load.batch {
            if item > 0 {
                self.body.push(',');
            }
            push_one(self);
        }
        self.body.push_str("]}");
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _ = self.body.write_fmt(text);
    }

    fn next_account(&mut self) -> String {
        let number = if self.load.hot {
            0
        } else {
            self.next_random() % self.load.accounts
        };
        account_id(number)
    }

    fn next_random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    fn load(workload: Workload) -> Load {
        Load {
            workload,
            accounts: 10,
            hot: false,
            batch: 3,
            callers: 2,
            run: "run".to_owned(),
            base: "/api/".to_owned(),
            raw: None,
        }
    }

    fn json(requests: &mut Requests<'_>) -> (Kind, Value) {
        let (kind, body) = requests.next();
        (kind, serde_json::from_str(body).unwrap())
    }

    #[test]
    fn events_are_spread_and_have_keys_of_their_own() {
        let load = load(Workload::Meter100);
        let (mut keys, mut accounts) = (BTreeSet::new(), BTreeSet::new());
        for caller in 0..2 {
            let mut requests = Requests::new(&load, caller);
            for _ in 0..50 {
                let (kind, body) = json(&mut requests);
                assert_eq!(kind, Kind::Meters);
                let events = body["p_events"].as_array().unwrap().clone();
                assert_eq!(events.len(), 3);
                keys.extend(events.iter().map(|e| e["p_idempotency_key"].to_string()));
                accounts.extend(events.iter().map(|e| e["p_account_id"].to_string()));
            }
        }
        assert_eq!((keys.len(), accounts.len()), (300, 10));
    }

    #[test]
    fn a_hot_load_asks_about_one_account() {
        let load = Load {
            hot: true,
            ..load(Workload::Check)
        };
        let mut requests = Requests::new(&load, 1);
        for _ in 0..20 {
            assert_eq!(json(&mut requests).1["p_account_id"], account_id(0));
        }
    }

    #[test]
    fn a_lease_is_released_after_it_was_acquired() {
        let load = load(Workload::Lease);
        let mut requests = Requests::new(&load, 0);
        let (kind, _) = json(&mut requests);
        assert_eq!(kind, Kind::Acquire);
        requests.answered(
            kind,
            r#"{"success":true,"lease_id":"one","fencing_token":1}"#,
        );
        let (kind, body) = json(&mut requests);
        assert_eq!((kind, &body["p_lease_id"]), (Kind::Release, &"one".into()));
        assert_eq!(json(&mut requests).0, Kind::Acquire);
    }

    #[test]
    fn a_mixed_load_keeps_its_shares() {
        let load = load(Workload::Mixed);
        let mut requests = Requests::new(&load, 0);
        let mut kinds: BTreeMap<Kind, u32> = BTreeMap::new();
        for _ in 0..10_000 {
            let kind = requests.next().0;
            requests.answered(kind, r#"{"lease_id":"one"}"#);
            *kinds.entry(kind).or_default() += 1;
        }
        let share = |kind| kinds[&kind] / 100;
        assert!((77..=83).contains(&share(Kind::Check)), "{kinds:?}");
        assert!((10..=14).contains(&share(Kind::Consume)), "{kinds:?}");
        assert!(
            kinds[&Kind::Acquire] - kinds[&Kind::Release] <= 1,
            "{kinds:?}"
        );
    }
}
