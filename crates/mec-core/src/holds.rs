//! Holds: what live leases and open reservations take of the limits of one level. A hold ends at
//! its expiry by itself, whether or not anything has removed it.

use imbl::OrdMap;
use smallvec::SmallVec;
use uuid::Uuid;

use crate::ids::Code;
use crate::time::Timestamp;

/// What kind of hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum HoldKind {
    /// Slots of a lease.
    Lease,
    /// The quantity of a reservation.
    Reservation,
}

/// One hold at one level.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// The lease or reservation.
    pub id: Uuid,
    /// Its scope.
    pub scope: Option<Code>,
    /// Slots in millionths, or the quantity in the base unit.
    pub amount: i128,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, exclusively.
    pub expires_at: Timestamp,
    /// What it holds back of this level's own grants, by window type, in the base unit.
    pub grants: SmallVec<[(Code, i128); 1]>,
}

/// The holds of one kind and resource at one level, by expiry.
#[derive(Clone, Debug, Default)]
pub struct HoldSet {
    by_expiry: OrdMap<(Timestamp, Uuid), Hold>,
    total: i128,
    scoped: usize,
    oldest: Option<Timestamp>,
}

impl HoldSet {
    /// Adds a hold, or replaces the one with the same id and expiry.
    pub fn insert(&mut self, hold: Hold) {
        self.oldest = Some(
            self.oldest
                .map_or(hold.created_at, |at| at.min(hold.created_at)),
        );
        self.total = self.total.saturating_add(hold.amount);
        self.scoped += usize::from(hold.scope.is_some());
        if let Some(old) = self.by_expiry.insert((hold.expires_at, hold.id), hold) {
            self.forget(&old);
        }
    }

    /// Removes a hold by its expiry and id.
    pub fn remove(&mut self, expires_at: Timestamp, id: Uuid) {
        if let Some(old) = self.by_expiry.remove(&(expires_at, id)) {
            self.forget(&old);
        }
    }

    /// Removes what has ended by now.
    pub fn trim(&mut self, now: Timestamp) {
        while let Some((key, _)) = self
            .by_expiry
            .get_min()
            .filter(|((expires_at, _), _)| *expires_at <= now)
        {
            let (expires_at, id) = *key;
            self.remove(expires_at, id);
        }
    }

    fn forget(&mut self, old: &Hold) {
        self.total = self.total.saturating_sub(old.amount);
        self.scoped = self.scoped.saturating_sub(usize::from(old.scope.is_some()));
        if self.by_expiry.is_empty() {
            self.oldest = None;
        }
    }

    /// The holds that have not ended by now, the first to end first.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Hold> {
        // Uuid::max of a key whose expiry is now: everything up to it has ended.
        self.by_expiry
            .range((now, Uuid::max())..)
            .map(|(_, hold)| hold)
            .filter(move |hold| hold.expires_at > now)
    }

    /// The sum of what is held now, of one scope or of all, by holds made in `[from, to)`.
    pub fn sum(
        &self,
        now: Timestamp,
        scope: Option<&str>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> i128 {
        let Some(((first_expiry, _), _)) = self.by_expiry.get_min() else {
            return 0;
        };
        let all_live = *first_expiry > now;
        let all_in_window = from
            .is_none_or(|from| self.oldest.is_some_and(|oldest| oldest >= from))
            && to.is_none_or(|to| now < to);
        if all_live && all_in_window && scope.is_none() {
            return self.total;
        }
        self.live(now)
            .filter(|hold| scope.is_none() || hold.scope.as_deref() == scope)
            .filter(|hold| {
                from.is_none_or(|from| from <= hold.created_at)
                    && to.is_none_or(|to| hold.created_at < to)
            })
            .map(|hold| hold.amount)
            .sum()
    }

    /// When the first of what is held now ends, of one scope or of all.
    pub fn earliest_expiry(&self, now: Timestamp, scope: Option<&str>) -> Option<Timestamp> {
        self.live(now)
            .find(|hold| scope.is_none() || hold.scope.as_deref() == scope)
            .map(|hold| hold.expires_at)
    }

    /// What is held back now of grants of a window type.
    pub fn grants_held(&self, now: Timestamp, window_type: &str) -> i128 {
        self.live(now)
            .flat_map(|hold| hold.grants.iter())
            .filter(|(held_for, _)| &**held_for == window_type)
            .map(|(_, amount)| *amount)
            .sum()
    }

    /// When the first hold of all ends, ended or not.
    pub fn first_expiry(&self) -> Option<Timestamp> {
        self.by_expiry
            .get_min()
            .map(|((expires_at, _), _)| *expires_at)
    }
}
