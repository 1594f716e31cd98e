//! The model: plain lists of everything that happened, and sums over all of it for every question.

use std::collections::BTreeMap;

use mec_core::account::AccountStatus;
use mec_core::catalogue::{Lookups, ResourceType, Unit};
use mec_core::entitlement::Entitlement;
use mec_core::plan::{Plan, Subscription};
use mec_core::rule::Rule;
use mec_core::{Code, Quantity, Timestamp};
use uuid::Uuid;

use super::windows::{self, Span};

pub struct Account {
    pub id: Uuid,
    pub kind: Code,
    pub parent: Option<Uuid>,
    pub external: Option<String>,
    /// Name, e-mail and metadata, while it tells who a person is.
    pub person: Option<Person>,
    pub zone: Option<String>,
    pub status: AccountStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone)]
pub struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

impl Account {
    pub fn zone(&self) -> &str {
        self.zone.as_deref().unwrap_or("UTC")
    }
}

#[derive(Clone)]
pub struct Event {
    pub id: Uuid,
    pub account: Uuid,
    pub resource: Code,
    pub scope: Option<Code>,
    pub unit: Code,
    pub amount: i128,
    pub occurred_at: Timestamp,
    /// From which moment it counts at each level under which it was recorded: nearest first, the
    /// account itself included. An account that moves leaves it where it is.
    pub counts_from: Vec<(Uuid, Timestamp)>,
    pub corrects: Option<Uuid>,
    pub details: BTreeMap<String, String>,
}

impl Event {
    pub fn levels(&self) -> Vec<Uuid> {
        self.counts_from.iter().map(|(level, _)| *level).collect()
    }

    pub fn counts_at(&self, level: Uuid) -> bool {
        self.counts_from.iter().any(|(of, _)| *of == level)
    }
}

#[derive(Clone)]
pub struct Grant {
    pub id: Uuid,
    pub account: Uuid,
    pub resource: Code,
    pub scope: Option<Code>,
    pub window_type: Code,
    pub unit: Code,
    pub amount: i128,
    pub priority: i32,
    pub expires_at: Option<Timestamp>,
    pub voided: bool,
}

/// What an event took from a grant (positive) or a correction gave back (negative).
#[derive(Clone)]
pub struct Draw {
    pub event: Uuid,
    pub grant: Uuid,
    pub amount: i128,
    /// Whether what was given back came to nothing, as the grant had ended.
    pub lost: bool,
}

#[derive(Clone)]
pub struct Reservation {
    pub id: Uuid,
    pub account: Uuid,
    pub resource: Code,
    pub scope: Option<Code>,
    pub quantity: Quantity,
    pub unit: Code,
    pub amount: i128,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// The event and the quantity it was committed with.
    pub committed: Option<(Uuid, Quantity)>,
    pub released: bool,
    /// What it holds of the grants of a level and window type.
    pub grant_holds: Vec<(Uuid, Code, i128)>,
}

#[derive(Clone)]
pub struct Lease {
    pub id: Uuid,
    pub account: Uuid,
    pub resource: Code,
    pub scope: Option<Code>,
    pub slots: u32,
    pub ttl_seconds: i64,
    pub expires_at: Timestamp,
    pub released: bool,
    pub session: Option<String>,
    pub answer: serde_json::Value,
}

/// What a key was first used for, and what was answered.
pub struct Kept {
    pub call: String,
    pub account: Uuid,
    pub answer: serde_json::Value,
}

/// A limit's name: level, resource, kind, window type, scope.
pub type LimitName = (
    Uuid,
    Code,
    mec_core::entitlement::LimitKind,
    Code,
    Option<Code>,
);

#[derive(Default)]
pub struct Naive {
    pub namespace: String,
    pub resources: Vec<ResourceType>,
    pub units: Vec<Unit>,
    pub rules: Vec<Rule>,
    pub plans: Vec<Plan>,
    pub accounts: Vec<Account>,
    pub entitlements: Vec<Entitlement>,
    pub subscriptions: Vec<Subscription>,
    pub events: Vec<Event>,
    pub grants: Vec<Grant>,
    pub draws: Vec<Draw>,
    pub reservations: Vec<Reservation>,
    pub leases: Vec<Lease>,
    pub keys: BTreeMap<String, Kept>,
    /// Since when usage is above a limit, and the window in which it rose.
    pub clocks: Vec<(LimitName, Timestamp, Option<Timestamp>)>,
    /// The last committed now of each tree.
    pub last: BTreeMap<Uuid, Timestamp>,
    /// The last fencing token of each tree.
    pub tokens: BTreeMap<Uuid, u64>,
    /// Whether calls come at once with others: then what concerns two trees is done after them.
    pub at_once: bool,
    ids: u128,
}

impl Naive {
    pub fn new(namespace: String, lookups: Lookups, resources: Vec<ResourceType>) -> Self {
        Self {
            namespace,
            resources,
            units: lookups.units.into_values().collect(),
            ..Self::default()
        }
    }

    /// An id of the model's own, for what the engine names by itself; rising.
    pub fn own_id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128((1 << 100) + self.ids)
    }

    pub fn account(&self, id: Uuid) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    pub fn resource(&self, code: &str) -> Option<&ResourceType> {
        let named = |r: &&ResourceType| &*r.resource_type_code == code;
        self.resources.iter().find(named)
    }

    pub fn unit(&self, code: &str) -> &Unit {
        let named = |unit: &&Unit| &*unit.unit_code == code;
        self.units.iter().find(named).unwrap()
    }

    pub fn factor(&self, unit: &str) -> i128 {
        i128::from(self.unit(unit).base_factor)
    }

    /// The account and those above it, nearest first.
    pub fn path(&self, account: Uuid) -> Vec<Uuid> {
        let mut path = vec![account];
        while let Some(above) = self.account(path[path.len() - 1]).and_then(|a| a.parent) {
            path.push(above);
        }
        path
    }

    pub fn owner(&self, account: Uuid) -> Uuid {
        *self.path(account).last().unwrap()
    }

    pub fn is_below(&self, account: Uuid, level: Uuid) -> bool {
        self.path(account).contains(&level)
    }

    /// The command's now: a clock that steps back reopens nothing in any tree that it concerns.
    pub fn now(&self, trees: &[Uuid], clock: Timestamp) -> Timestamp {
        let last = trees.iter().filter_map(|tree| self.last.get(tree)).max();
        last.map_or(clock, |last| clock.max(*last))
    }

    /// From which moment an event counts at a level: its whole minute, or the moment in that minute
    /// from which an entitlement there that is known by then counts anew.
    pub fn counts_from(&self, level: Uuid, resource: &str, at: Timestamp) -> Timestamp {
        let minute = at.floor_minute();
        self.entitlements
            .iter()
            .filter(|e| e.account_id == level && &*e.resource_type_code == resource)
            .filter_map(|e| e.usage_from)
            .filter(|from| minute < *from && *from <= at)
            .max()
            .unwrap_or(minute)
    }

    /// What the events at and below a level used in a span, less what they drew from the level's
    /// grants of a window type.
    pub fn used(
        &self,
        level: Uuid,
        resource: &str,
        scope: Option<&Code>,
        span: Span,
        drawn_for: Option<&str>,
    ) -> i128 {
        let counted = |event: &&Event| {
            &*event.resource == resource
                && (scope.is_none() || event.scope.as_ref() == scope)
                && event
                    .counts_from
                    .iter()
                    .any(|(l, at)| *l == level && within(span, *at))
        };
        let events = self.events.iter().filter(counted);
        events
            .map(|event| event.amount - self.drawn(event.id, level, drawn_for))
            .sum()
    }

    fn drawn(&self, event: Uuid, level: Uuid, window_type: Option<&str>) -> i128 {
        let from = |draw: &&Draw| {
            draw.event == event
                && self.grants.iter().any(|grant| {
                    grant.id == draw.grant
                        && grant.account == level
                        && Some(&*grant.window_type) == window_type
                })
        };
        self.draws.iter().filter(from).map(|draw| draw.amount).sum()
    }

    /// What is left of a grant.
    pub fn left(&self, grant: &Grant) -> i128 {
        if grant.voided {
            return 0;
        }
        let taken = self
            .draws
            .iter()
            .filter(|draw| draw.grant == grant.id && !draw.lost);
        grant.amount - taken.map(|draw| draw.amount).sum::<i128>()
    }

    /// The grants of a level that an event of a scope may draw from, in the order in which it does.
    pub fn open_grants(
        &self,
        level: Uuid,
        resource: &str,
        scope: Option<&Code>,
        at: Timestamp,
    ) -> Vec<&Grant> {
        let mut open: Vec<&Grant> = self
            .grants
            .iter()
            .filter(|grant| {
                grant.account == level
                    && &*grant.resource == resource
                    && (grant.scope.is_none() || grant.scope.as_ref() == scope)
                    && grant.expires_at.is_none_or(|end| at < end)
                    && self.left(grant) > 0
            })
            .collect();
        // The list is in the order of their making, and the sort keeps it where all else is equal.
        open.sort_by_key(|grant| {
            let expiry = grant.expires_at.unwrap_or(Timestamp::MAX);
            (std::cmp::Reverse(grant.priority), expiry)
        });
        open
    }

    /// The next moments at which something ends or begins by itself.
    pub fn next_moments(&self, clock: Timestamp) -> Vec<Timestamp> {
        let mut moments: Vec<Timestamp> = Vec::new();
        moments.extend(self.reservations.iter().map(|r| r.expires_at));
        moments.extend(self.leases.iter().map(|l| l.expires_at));
        moments.extend(self.grants.iter().filter_map(|g| g.expires_at));
        moments.extend(self.entitlements.iter().map(|e| e.effective_start));
        moments.extend(self.entitlements.iter().filter_map(|e| e.effective_end));
        moments.extend(self.entitlements.iter().filter_map(|e| e.usage_from));
        for entitlement in &self.entitlements {
            let anchor = entitlement.window_anchor;
            let anchor = anchor.unwrap_or(entitlement.effective_start);
            let zone = self.account(entitlement.account_id).unwrap().zone();
            let of = &entitlement.window_type_code;
            moments.extend(windows::window(of, anchor, zone, clock).end);
        }
        for (_, since, _) in &self.clocks {
            let hours = self.rules.iter().filter_map(|rule| rule.grace_window_hours);
            moments.extend(hours.map(|hours| since.saturating_add_secs(i64::from(hours) * 3_600)));
        }
        moments.retain(|moment| clock < *moment);
        moments.sort();
        moments.dedup();
        moments
    }

    /// The open reservations at and below a level.
    pub fn open_reservations<'a>(
        &'a self,
        level: Uuid,
        resource: &'a str,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Reservation> {
        self.reservations.iter().filter(move |r| {
            &*r.resource == resource
                && r.committed.is_none()
                && !r.released
                && now < r.expires_at
                && self.is_below(r.account, level)
        })
    }

    /// The live leases at and below a level.
    pub fn live_leases<'a>(
        &'a self,
        level: Uuid,
        resource: &'a str,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Lease> {
        self.leases.iter().filter(move |l| {
            &*l.resource == resource
                && !l.released
                && now < l.expires_at
                && self.is_below(l.account, level)
        })
    }
}

pub fn within(span: Span, at: Timestamp) -> bool {
    span.start.is_none_or(|start| start <= at) && span.end.is_none_or(|end| at < end)
}
