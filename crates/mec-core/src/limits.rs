//! Limits: the entitlements of one level that count together, and what is asked of them.

mod applicable;
mod facts;

use std::collections::BTreeMap;

use smallvec::SmallVec;
use uuid::Uuid;

use crate::Code;
use crate::book::Part;
use crate::catalogue::ResourceType;
use crate::change::LimitKey;
use crate::entitlement::{Entitlement, LimitKind};
use crate::time::Timestamp;
use crate::verdict::DecisionCode;
use crate::window::{Window, WindowMode, WindowType};

pub use applicable::applicable;
pub use facts::LimitFacts;

/// What a caller tells about its request, for conditions. Keys that begin with `mec.` are MEC's own.
pub type Context = BTreeMap<String, String>;

/// What `check` asks: every limit.
pub const ALL: &[LimitKind] = &LimitKind::ALL;
/// What `consume` and `reserve` ask.
pub const CONSUMABLE: &[LimitKind] = &[
    LimitKind::Cumulative,
    LimitKind::Inventory,
    LimitKind::TimeAccess,
];
/// What `acquire_lease` asks.
pub const LEASABLE: &[LimitKind] = &[LimitKind::Concurrency, LimitKind::TimeAccess];

/// What is asked of the limits.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The resource.
    pub resource: &'a ResourceType,
    /// The requested scope.
    pub scope: Option<&'a Code>,
    /// Which kinds of limits are asked.
    pub kinds: &'static [LimitKind],
    /// What the caller told.
    pub context: &'a Context,
}

/// Entitlements of one level, kind, window type and scope: one limit.
#[derive(Clone, Debug)]
pub struct Limit<'a> {
    /// 0 for the account asked about, 1 for the one above it, and so on.
    pub level: usize,
    /// The part of the account that holds it.
    pub part: &'a Part,
    /// Its kind.
    pub kind: LimitKind,
    /// Its window type.
    pub window_type: &'a WindowType,
    /// Its scope.
    pub scope: Option<&'a Code>,
    /// The entitlements that count, oldest first. Empty for a limit that only grants make.
    pub members: SmallVec<[&'a Entitlement; 2]>,
    /// What it allows in the base unit; none for unlimited.
    pub allowed: Option<i128>,
    /// The unit in which it is told.
    pub unit: &'a Code,
    /// The window around the moment asked about.
    pub window: Window,
}

impl<'a> Limit<'a> {
    /// The entitlement that answers for it.
    pub fn oldest(&self) -> Option<&'a Entitlement> {
        self.members.first().copied()
    }

    /// What makes it one.
    pub fn key(&self, resource: &Code) -> LimitKey {
        LimitKey {
            level: self.part.id(),
            resource: resource.clone(),
            kind: self.kind,
            window_type: self.window_type.code.clone(),
            scope: self.scope.cloned(),
        }
    }

    /// Whether its window moves with every minute.
    pub fn is_rolling(&self) -> bool {
        self.kind == LimitKind::Cumulative && self.window_type.mode == WindowMode::Rolling
    }

    /// Where its sum ends: a rolling window counts what lies ahead, too.
    pub fn sum_end(&self) -> Option<Timestamp> {
        if self.is_rolling() {
            None
        } else {
            self.window.end
        }
    }
}

/// A level that holds entitlements of which none is in force.
#[derive(Clone, Copy, Debug)]
pub struct Lapse {
    /// Which level.
    pub level: usize,
    /// Why none is in force.
    pub code: DecisionCode,
    /// The entitlement that fits the reason.
    pub entitlement_id: Uuid,
    /// When one begins, if one will.
    pub begins_at: Option<Timestamp>,
}

/// What applies to a request.
#[derive(Debug, Default)]
pub struct Applicable<'a> {
    /// The limits, nearest level first.
    pub limits: SmallVec<[Limit<'a>; 4]>,
    /// The levels that deny whatever the others say.
    pub lapses: SmallVec<[Lapse; 1]>,
}
