//! Changes that a Book cannot take in. A part that a command has not read may lie in memory elsewhere,
//! published before; a change of it that only reached the store would make that copy wrong for good.

use smallvec::SmallVec;

use super::Book;
use crate::change::Change;
use crate::ids::AccountId;

/// A change of an account whose part the Book does not hold. The core names in its changes only
/// accounts that it has read, so this is a fault of its own or of the store, never of the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a change of account {account} would be lost, since its part is not in the Book")]
pub struct LostChange {
    /// Whose part is missing.
    pub account: AccountId,
}

/// The first account of which a change would be lost.
///
/// Within a part that is held, and beside the parts, what has not been loaded yet (a counter, an own
/// total, the scopes seen, an event, a closed reservation or grant) may lack: it is loaded later, and
/// [`Book::absorb`] adds to it what is not committed. An account that the changes create needs no part
/// before. What follows a move is read from the store again together with the move.
pub(super) fn first_lost(book: &Book, changes: &[Change]) -> Option<AccountId> {
    let mut created: SmallVec<[AccountId; 1]> = SmallVec::new();
    for change in changes {
        let levels = match change {
            Change::AccountCreated(account) => {
                created.push(account.account_id);
                continue;
            }
            Change::AccountMoved(_) => return None,
            // The chain's head is the Book's own.
            Change::EventRecorded { .. } => continue,
            Change::ReservationPut { levels, .. } | Change::LeasePut { levels, .. } => &**levels,
            _ => &[],
        };
        let holds = |id: &AccountId| book.parts.contains_key(id) || created.contains(id);
        let lost = levels.iter().find(|level| !holds(level)).copied();
        let lost = lost.or_else(|| of(book, change).filter(|account| !holds(account)));
        if lost.is_some() {
            return lost;
        }
    }
    None
}

/// The account that a change is about.
fn of(book: &Book, change: &Change) -> Option<AccountId> {
    Some(match change {
        Change::AccountCreated(_) | Change::AccountMoved(_) | Change::EventRecorded { .. } => {
            return None;
        }
        Change::AccountUpdated(account) => account.account_id,
        Change::ExternalIdLinked(link) | Change::ExternalIdUnlinked(link) => link.account_id,
        Change::EntitlementPut { new, .. } => new.account_id,
        Change::SubscriptionPut(subscription) => subscription.account_id,
        Change::UsageAdded { level, .. } | Change::OwnTotalAdded { level, .. } => *level,
        Change::ScopeSeen { .. } => book.head.tree_id,
        Change::GrantPut(grant) => grant.account_id,
        Change::Drawn { draw, .. } => draw.level,
        Change::ReservationPut { reservation, .. } => reservation.account_id,
        Change::LeasePut { lease, .. } => lease.account_id,
        Change::GraceClock { limit, .. } => limit.level,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::account::{Account, AccountStatus};
    use crate::book::{Part, PartRows, TreeHead};
    use crate::change::{AccountMove, GraceClock, LimitKey};
    use crate::entitlement::LimitKind;
    use crate::holds::HoldKind;
    use crate::lease::Lease;
    use crate::need::{Loaded, Need};
    use crate::usage::CounterKey;
    use crate::{Namespace, Timestamp};

    const HELD: Uuid = Uuid::from_u128(1);
    const MISSING: Uuid = Uuid::from_u128(2);
    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn account(account_id: Uuid, parent: Option<Uuid>) -> Arc<Account> {
        Arc::new(Account {
            account_id,
            account_type_code: "team".into(),
            parent_account_id: parent,
            external_id: None,
            display_name: None,
            email: None,
            timezone: None,
            metadata: Default::default(),
            status: AccountStatus::Active,
            created_at: NOW,
            updated_at: NOW,
        })
    }

    /// A Book of the tree of an owner that holds the part of another account.
    fn book(owner: Uuid) -> Book {
        let head = TreeHead::new(owner, 0);
        let mut book = Book::new(Namespace::default_namespace(), head);
        let part = Part::new(account(HELD, None), owner);
        book.parts.insert(HELD, Arc::new(part));
        book
    }

    fn usage(level: Uuid) -> Change {
        Change::UsageAdded {
            level,
            resource: "runs".into(),
            scope: None,
            drawn_for: None,
            bucket: NOW.floor_minute(),
            amount: 7,
        }
    }

    fn lease(levels: &[Uuid]) -> Change {
        let lease = Lease {
            lease_id: Uuid::from_u128(3),
            account_id: HELD,
            resource_type_code: "seats".into(),
            resource_scope: None,
            slots: 1,
            fencing_token: 1,
            acquired_at: NOW,
            expires_at: NOW.saturating_add_secs(60),
            last_heartbeat: NOW,
            released_at: None,
            session_token: None,
            session_metadata: None,
            ttl_seconds: 60,
            decision: String::new(),
        };
        Change::LeasePut {
            lease: Arc::new(lease),
            levels: levels.to_vec(),
        }
    }

    fn moved() -> Change {
        Change::AccountMoved(AccountMove {
            account: account(HELD, None),
            was_under: vec![MISSING],
            is_under: Vec::new(),
            from_tree: MISSING,
            to_tree: HELD,
        })
    }

    fn total(level: Uuid) -> Need {
        Need::Sum {
            level,
            counter: key(),
            from: None,
            to: None,
        }
    }

    fn key() -> CounterKey {
        CounterKey {
            resource: "runs".into(),
            scope: None,
            drawn_for: None,
        }
    }

    #[test]
    fn a_change_of_a_part_that_is_not_held_is_refused_and_nothing_is_applied() {
        let clock = Change::GraceClock {
            limit: LimitKey {
                level: MISSING,
                resource: "runs".into(),
                kind: LimitKind::Cumulative,
                window_type: "none".into(),
                scope: None,
            },
            clock: Some(GraceClock {
                since: NOW,
                window_start: None,
            }),
        };
        let own = Change::OwnTotalAdded {
            level: MISSING,
            resource: "runs".into(),
            scope: None,
            amount: 7,
        };
        let seen = Change::ScopeSeen {
            resource: "runs".into(),
            scope: "eu".into(),
        };
        let updated = Change::AccountUpdated(account(MISSING, None));
        for lost in [
            usage(MISSING),
            clock,
            own,
            seen,
            updated,
            lease(&[HELD, MISSING]),
        ] {
            let mut book = book(MISSING);
            let applied = book.apply(&[lease(&[HELD]), lost], NOW);
            assert_eq!(applied, Err(LostChange { account: MISSING }));
            let part = book.part(HELD).unwrap();
            assert!(part.leases.is_empty() && part.holds(HoldKind::Lease, "seats").is_none());
            assert!(book.uncommitted.is_empty());
            assert_eq!(book.head.last_at, Timestamp::MIN);
        }
    }

    #[test]
    fn what_is_loaded_after_a_change_holds_the_change() {
        let mut book = book(HELD);
        book.apply(&[usage(HELD)], NOW).unwrap();
        assert!(book.absorb(&total(HELD), Loaded::Sum(5)));
        let counter = book.part(HELD).unwrap().counter(&key()).unwrap();
        assert_eq!(counter.sum(None, None), Some(12));
        assert!(!book.absorb(&total(MISSING), Loaded::Sum(5)));
    }

    #[test]
    fn an_account_that_is_created_is_held_from_then_on() {
        let mut book = book(HELD);
        let created = Change::AccountCreated(account(MISSING, Some(HELD)));
        book.apply(&[created, usage(MISSING)], NOW).unwrap();
        book.apply(&[usage(MISSING)], NOW).unwrap();
    }

    #[test]
    fn no_part_is_taken_in_after_a_move_since_the_store_shows_what_was_before() {
        let mut book = book(HELD);
        book.apply(&[moved()], NOW).unwrap();
        let rows = PartRows {
            account: account(HELD, Some(MISSING)),
            tree_id: MISSING,
            entitlements: Vec::new(),
            subscriptions: Vec::new(),
            grants: Vec::new(),
            granted_ever: Vec::new(),
            leases: Vec::new(),
            reservations: Vec::new(),
            holds: Vec::new(),
            grace: Vec::new(),
        };
        let loaded = Loaded::Part(Some(Box::new(rows)));
        assert!(!book.absorb(&Need::Part(HELD), loaded));
        assert_eq!(book.part(HELD).unwrap_err(), Need::Part(HELD));
        let lost = book.apply(&[usage(HELD)], NOW);
        assert_eq!(lost, Err(LostChange { account: HELD }));
    }
}
