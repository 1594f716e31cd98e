//! A world to decide in: the seeded catalogue and one tree, built by commands as any other.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "what measures may stop at the first surprise, and uses a part of this each"
)]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use mec_core::account::AccountStatus;
use mec_core::answer::Decision;
use mec_core::book::{Levels, TreeHead};
use mec_core::change::Change;
use mec_core::command::{Env, Executed, execute};
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::need::Loaded;
use mec_core::ops::account::CreateAccount;
use mec_core::ops::check::{Check, check_levels};
use mec_core::ops::consume::Consume;
use mec_core::ops::entitlement::CreateEntitlement;
use mec_core::ops::grant::GrantCredit;
use mec_core::ops::lease::Acquire;
use mec_core::usage::CounterKey;
use mec_core::{
    AccountId, Book, Catalogue, Command, IdSource, Namespace, Need, Quantity, Stop, Timestamp, seed,
};
use uuid::Uuid;

/// Ids that count up.
pub struct CountingIds(pub u128);

impl IdSource for CountingIds {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

pub struct World {
    pub catalogue: Catalogue,
    pub book: Book,
    pub now: Timestamp,
    pub ids: CountingIds,
    /// From the owner down.
    pub accounts: Vec<AccountId>,
    /// All usage that was ever added, as a store would keep it.
    usage: Vec<Change>,
}

impl World {
    /// A tree of so many levels, with the catalogue of a new installation.
    pub fn new(levels: usize) -> Self {
        let mut ids = CountingIds(1 << 64);
        let now = Timestamp::parse("2026-03-15T12:34:56Z").unwrap();
        let namespace = Namespace::default_namespace();
        let mut catalogue = Catalogue::empty(namespace.clone(), Arc::new(seed::lookups()));
        for resource in seed::resource_types() {
            let code = resource.resource_type_code.clone();
            catalogue.resource_types.insert(code, resource);
        }
        for rule in seed::rules(&mut ids, now) {
            let rules = catalogue.rules.entry(rule.resource_type_code.clone());
            rules.or_default().push(rule);
        }
        let owner = ids.next_id();
        let mut world = Self {
            catalogue,
            book: Book::new(namespace, TreeHead::new(owner, 0)),
            now,
            ids,
            accounts: Vec::new(),
            usage: Vec::new(),
        };
        for level in 0..levels {
            let parent = world.accounts.last().copied();
            let account = if level == 0 {
                owner
            } else {
                world.ids.next_id()
            };
            let create = CreateAccount {
                account_id: account,
                account_type: "organization".into(),
                parent,
                external_id: None,
                display_name: None,
                email: None,
                timezone: None,
                metadata: BTreeMap::new(),
                status: AccountStatus::Active,
            };
            world.run(parent.unwrap_or(account), &Command::CreateAccount(create));
            world.accounts.push(account);
        }
        world
    }

    /// The account of the lowest level.
    pub fn lowest(&self) -> AccountId {
        *self.accounts.last().unwrap()
    }

    /// Entitles the account of every level.
    pub fn entitle(
        mut self,
        resource: &str,
        window_type: &str,
        scope: Option<&str>,
        quantity: i64,
    ) -> Self {
        let is_concurrency = self
            .catalogue
            .resource_type(resource)
            .unwrap()
            .is_concurrency;
        for account in self.accounts.clone() {
            let create = CreateEntitlement {
                entitlement_id: None,
                resource: resource.into(),
                scope: scope.map(Into::into),
                limit_kind: if is_concurrency {
                    LimitKind::Concurrency
                } else {
                    LimitKind::Cumulative
                },
                quantity_allowed: Some(Quantity::from_int(quantity)),
                unit: None,
                effective_start: None,
                effective_end: None,
                window_type: Some(window_type.into()),
                window_anchor: None,
                usage_from: None,
                priority: 0,
                status: EntitlementStatus::Active,
                conditions: Vec::new(),
            };
            self.run(account, &Command::CreateEntitlement(create));
        }
        self
    }

    pub fn grant(mut self, resource: &str, window_type: &str, quantity: i64) -> Self {
        let grant = GrantCredit {
            grant_id: None,
            resource: resource.into(),
            scope: None,
            quantity: Quantity::from_int(quantity),
            window_type: Some(window_type.into()),
            priority: 0,
            expires_at: None,
            reason: None,
        };
        self.run(self.lowest(), &Command::GrantCredit(grant));
        self
    }

    /// Uses one unit at a time, a minute apart.
    pub fn used(mut self, resource: &str, scope: Option<&str>, times: u32) -> Self {
        for _ in 0..times {
            let executed = self.run(self.lowest(), &consume(resource, scope));
            assert!(executed.keep_key, "{:?}", executed.answer);
            self.now = self.now.saturating_add_micros(Timestamp::MICROS_PER_MINUTE);
        }
        self
    }

    /// Holds so many leases.
    pub fn leased(mut self, resource: &str, leases: u32) -> Self {
        for _ in 0..leases {
            let executed = self.run(self.lowest(), &acquire(resource));
            assert!(executed.keep_key, "{:?}", executed.answer);
        }
        self
    }

    /// Decides a command, applies its changes, and forgets that they are not committed.
    pub fn run(&mut self, account: AccountId, command: &Command) -> Executed {
        let executed = self.decide(account, command);
        self.book.apply(&executed.changes, self.now).unwrap();
        self.book.uncommitted.clear();
        let usage = executed.changes.iter().cloned();
        self.usage
            .extend(usage.filter(|change| matches!(change, Change::UsageAdded { .. })));
        executed
    }

    /// Decides a command; what is missing is taken in as a store would give it.
    pub fn decide(&mut self, account: AccountId, command: &Command) -> Executed {
        loop {
            let Self {
                catalogue,
                book,
                now,
                ids,
                ..
            } = self;
            let env = Env {
                catalogue,
                book,
                account,
                by: "bench",
                key: Some("key"),
                now: *now,
                max_scopes: 1_000,
            };
            match execute(command, &env, ids) {
                Ok(executed) => return executed,
                Err(Stop::Need(need)) => self.absorb(&need),
                Err(Stop::Refused(refusal)) => panic!("{refusal}"),
            }
        }
    }

    fn absorb(&mut self, need: &Need) {
        let loaded = match need {
            Need::Sum {
                level,
                counter,
                from,
                to,
            } => {
                let lies_in = |at: Timestamp| {
                    from.is_none_or(|from| from <= at) && to.is_none_or(|to| at < to)
                };
                let usage = self
                    .usage_of(*level, counter)
                    .filter(|(at, _)| lies_in(*at));
                Loaded::Sum(usage.map(|(_, amount)| amount).sum())
            }
            Need::Rolling {
                level,
                counter,
                from_hour,
                minutes_of,
            } => {
                let usage = || self.usage_of(*level, counter);
                let hours = usage().map(|(at, amount)| (at.floor_hour(), amount));
                Loaded::Rolling {
                    hours: hours.filter(|(at, _)| at >= from_hour).collect(),
                    minutes: usage()
                        .filter(|(at, _)| at.floor_hour() == *minutes_of)
                        .collect(),
                }
            }
            Need::Scopes(_) => Loaded::Scopes(HashSet::new()),
            other => panic!("not expected here: {other:?}"),
        };
        assert!(self.book.absorb(need, loaded));
    }

    fn usage_of(
        &self,
        of: AccountId,
        counter: &CounterKey,
    ) -> impl Iterator<Item = (Timestamp, i128)> {
        self.usage.iter().filter_map(move |change| match change {
            Change::UsageAdded {
                level,
                resource,
                scope,
                drawn_for,
                bucket,
                amount,
            } if *level == of
                && *resource == counter.resource
                && *drawn_for == counter.drawn_for
                && (counter.scope.is_none() || *scope == counter.scope) =>
            {
                Some((*bucket, *amount))
            }
            _ => None,
        })
    }

    /// The levels of the lowest account, as a check reads them.
    pub fn levels(&self) -> Levels<'_> {
        self.book.levels(self.lowest()).unwrap()
    }

    /// What a check of the lowest account says; everything that it needs is taken in first.
    pub fn warm(mut self, check: &Check) -> (Self, Decision) {
        self.decide(self.lowest(), &Command::Check(check.clone()));
        let decision = check_levels(check, &self.catalogue, &self.levels(), self.now).unwrap();
        (self, decision)
    }
}

pub fn check(resource: &str, scope: Option<&str>) -> Check {
    Check {
        resource: resource.into(),
        scope: scope.map(Into::into),
        quantity: Quantity::ONE,
        unit: None,
        context: BTreeMap::new(),
        explain: false,
    }
}

pub fn consume(resource: &str, scope: Option<&str>) -> Command {
    Command::Consume(Consume {
        resource: resource.into(),
        scope: scope.map(Into::into),
        quantity: Quantity::ONE,
        unit: None,
        context: BTreeMap::new(),
        details: BTreeMap::new(),
    })
}

pub fn acquire(resource: &str) -> Command {
    Command::AcquireLease(Acquire {
        resource: resource.into(),
        scope: None,
        session_token: None,
        ttl_seconds: 3600,
        slots: 1,
        session_metadata: None,
        context: BTreeMap::new(),
    })
}
