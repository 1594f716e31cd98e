//! The Book: what is known of one account tree, in parts. [`Book::apply`] is the only way a Book
//! changes; [`Book::absorb`] takes in what was loaded.

mod absorb;
mod apply;
mod lost;
mod part;

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use uuid::Uuid;

use crate::account::{ExternalKey, MAX_DEPTH};
use crate::change::Change;
use crate::entitlement::Entitlement;
use crate::grant::Grant;
use crate::ids::{AccountId, Namespace, TreeId};
use crate::ledger::{Event, EventFacts};
use crate::need::Need;
use crate::reservation::Reservation;
use crate::time::Timestamp;

pub use lost::LostChange;
pub use part::{Part, PartRows};

/// What a tree counts as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeHead {
    /// The tree: its owner's account id.
    pub tree_id: TreeId,
    /// The chain that new events of the tree join.
    pub chain_id: Uuid,
    /// The place of the chain's last event; 0 before the first.
    pub chain_seq: u64,
    /// The hash of the chain's last event; zeros before the first.
    pub chain_hash: [u8; 32],
    /// The last fencing token given out.
    pub fencing_token: u64,
    /// The now of the last committed command.
    pub last_at: Timestamp,
    /// Rises with every commit that changes the tree.
    pub version: u64,
}

impl TreeHead {
    /// The head of a new tree; its chain bears the tree's own id.
    pub fn new(tree_id: TreeId, fencing_epoch: u64) -> Self {
        Self {
            tree_id,
            chain_id: tree_id,
            chain_seq: 0,
            chain_hash: [0; 32],
            fencing_token: fencing_epoch << FENCING_EPOCH_SHIFT,
            last_at: Timestamp::MIN,
            version: 0,
        }
    }
}

/// Fencing tokens count in the bits below this one; the epoch stands above, within what a JSON
/// number carries exactly.
pub const FENCING_EPOCH_SHIFT: u32 = 40;

/// The parts of one tree that a batch of commands reads and changes.
#[derive(Clone, Debug)]
pub struct Book {
    /// Whose it is.
    pub namespace: Namespace,
    /// What the tree counts as a whole.
    pub head: TreeHead,
    /// Its parts by account.
    pub parts: FxHashMap<AccountId, Arc<Part>>,
    /// Events that were loaded for corrections.
    pub events: FxHashMap<Uuid, Option<EventFacts>>,
    /// Reservations that are not open any more; none where there is no such reservation.
    pub closed_reservations: FxHashMap<Uuid, Option<Arc<Reservation>>>,
    /// Grants with nothing left.
    pub closed_grants: FxHashMap<Uuid, Option<Grant>>,
    /// Superseded entitlements that no part holds.
    pub superseded: FxHashMap<Uuid, Option<Arc<Entitlement>>>,
    /// The accounts that ids of providers are linked to.
    pub links: FxHashMap<ExternalKey, Option<AccountId>>,
    /// How many levels stand below the accounts that are about to move.
    pub levels_below: FxHashMap<AccountId, usize>,
    /// What was applied since the Book was taken from committed state; what is loaded from the
    /// store meanwhile lacks it.
    pub uncommitted: Vec<Change>,
    /// Whether an account has moved since. The store shows every part as it was before, so none is
    /// taken in until the move is committed.
    is_outdated: bool,
}

/// The parts of an account and of those above it, nearest first.
pub type Levels<'a> = SmallVec<[&'a Part; 4]>;

impl Book {
    /// A Book that holds nothing yet.
    pub fn new(namespace: Namespace, head: TreeHead) -> Self {
        Self {
            namespace,
            head,
            parts: FxHashMap::default(),
            events: FxHashMap::default(),
            closed_reservations: FxHashMap::default(),
            closed_grants: FxHashMap::default(),
            superseded: FxHashMap::default(),
            links: FxHashMap::default(),
            levels_below: FxHashMap::default(),
            uncommitted: Vec::new(),
            is_outdated: false,
        }
    }

    /// A part, or the need for it.
    pub fn part(&self, id: AccountId) -> Result<&Part, Need> {
        self.parts
            .get(&id)
            .map(|part| &**part)
            .ok_or(Need::Part(id))
    }

    /// An account's part and those above it.
    pub fn levels(&self, account: AccountId) -> Result<Levels<'_>, Need> {
        let mut levels = Levels::new();
        let mut next = Some(account);
        while let Some(id) = next.filter(|_| levels.len() < MAX_DEPTH) {
            let part = self.part(id)?;
            levels.push(part);
            next = part.account.parent_account_id;
        }
        Ok(levels)
    }

    /// The parts of the account that recorded an event and of those above it then, nearest first.
    pub fn levels_then(&self, event: &Event) -> Result<Levels<'_>, Need> {
        std::iter::once(&event.account_id)
            .chain(&event.recorded_under)
            .map(|id| self.part(*id))
            .collect()
    }

    /// A part to load into or to change.
    pub fn part_mut(&mut self, id: AccountId) -> Option<&mut Part> {
        self.parts.get_mut(&id).map(Arc::make_mut)
    }
}
