//! Changes: what a decided command does to a Book and to the store, as typed rows. Both apply the
//! same list, so memory and disk cannot disagree.

use std::sync::Arc;

use uuid::Uuid;

use crate::account::{Account, ExternalLink};
use crate::entitlement::{Entitlement, EntitlementAudit, LimitKind};
use crate::grant::{Draw, Grant};
use crate::ids::{AccountId, Code, TreeId};
use crate::lease::Lease;
use crate::ledger::Event;
use crate::plan::Subscription;
use crate::reservation::Reservation;
use crate::time::Timestamp;

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new account. Without a parent it is the owner of a new tree.
    AccountCreated(Arc<Account>),
    /// An account's columns changed, its parent excepted.
    AccountUpdated(Arc<Account>),
    /// An account got another parent, and everything below it moved along.
    AccountMoved(AccountMove),
    /// An id of a provider's that was linked to no account names this one from now on.
    ExternalIdLinked(ExternalLink),
    /// An id of a provider's does not name this account any more.
    ExternalIdUnlinked(ExternalLink),
    /// A new entitlement (`old` is none) or a new version of one.
    EntitlementPut {
        /// The row before.
        old: Option<Arc<Entitlement>>,
        /// The row after.
        new: Arc<Entitlement>,
        /// The row of the audit.
        audit: EntitlementAudit,
    },
    /// A new subscription or its new state.
    SubscriptionPut(Arc<Subscription>),
    /// A new row of the ledger; moves the head of the tree's chain.
    EventRecorded {
        /// The row.
        event: Arc<Event>,
        /// Its quantity in the base unit.
        amount: i128,
    },
    /// An amount added to the counters of one level: minute, hour, day and total, for all scopes
    /// and for the exact scope where there is one.
    UsageAdded {
        /// The account whose counters rise.
        level: AccountId,
        /// The resource.
        resource: Code,
        /// The event's scope.
        scope: Option<Code>,
        /// None for usage; the window type of the grants drawn from, for draws.
        drawn_for: Option<Code>,
        /// The start of the finest bucket: a whole minute, or the moment within it from which an
        /// entitlement counts anew.
        bucket: Timestamp,
        /// How much, in the base unit; may be negative.
        amount: i128,
    },
    /// An amount added to an account's own total of an inventory.
    OwnTotalAdded {
        /// Whose.
        level: AccountId,
        /// Of what.
        resource: Code,
        /// In which scope exactly.
        scope: Option<Code>,
        /// How much, in the base unit.
        amount: i128,
    },
    /// A scope that the tree had not used of the resource.
    ScopeSeen {
        /// The resource.
        resource: Code,
        /// The scope.
        scope: Code,
    },
    /// A new grant or its new state.
    GrantPut(Grant),
    /// What an event drew from a grant (positive) or gave back (negative), with what is left of the grant.
    Drawn {
        /// The event that drew; of a correction, the original.
        event_id: Uuid,
        /// From which grant, and how much.
        draw: Draw,
        /// What is left of the grant after it, in the base unit.
        grant_remaining: i128,
    },
    /// A new reservation or its new state, with the accounts whose limits it counts against, nearest first.
    ReservationPut {
        /// The row.
        reservation: Arc<Reservation>,
        /// What it holds, in the base unit.
        amount: i128,
        /// Its account and those above it.
        levels: Vec<AccountId>,
    },
    /// A new lease or its new state, with the accounts whose limits it counts against, nearest first.
    LeasePut {
        /// The row.
        lease: Arc<Lease>,
        /// Its account and those above it.
        levels: Vec<AccountId>,
    },
    /// The grace clock of a limit starts (some) or is cleared (none).
    GraceClock {
        /// The limit.
        limit: LimitKey,
        /// When it started, and the start of the window in which it did.
        clock: Option<GraceClock>,
    },
}

/// An account's way from one place to another, in the same tree or between two. What was recorded
/// stays with the levels under which it was recorded; what is held counts at the new ones.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountMove {
    /// The row after the move.
    pub account: Arc<Account>,
    /// The accounts above it before, nearest first.
    pub was_under: Vec<AccountId>,
    /// The accounts above it after, nearest first; none for the owner of a tree.
    pub is_under: Vec<AccountId>,
    /// The tree that it leaves.
    pub from_tree: TreeId,
    /// The tree that it joins; its own id when it becomes an owner.
    pub to_tree: TreeId,
}

/// What makes a limit one: its level, resource, kind, window type and scope.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct LimitKey {
    /// The account that holds its entitlements.
    pub level: AccountId,
    /// The resource.
    pub resource: Code,
    /// How it counts.
    pub kind: LimitKind,
    /// Its window type.
    pub window_type: Code,
    /// Its scope.
    pub scope: Option<Code>,
}

/// When usage first rose above a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GraceClock {
    /// The moment of the write.
    pub since: Timestamp,
    /// The start of the window at that time, for calendar and anniversary windows.
    pub window_start: Option<Timestamp>,
}
