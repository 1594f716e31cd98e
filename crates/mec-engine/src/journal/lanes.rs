//! Which lane does a command.

use std::hash::{Hash, Hasher};

use mec_core::{Command, Namespace};
use rustc_hash::FxHasher;

use super::Journal;
use crate::request::{Request, Target};

impl Journal {
    /// The lane of a command's tree; none where that is not in memory, or where it is not the only one.
    pub(super) fn lane_of(&self, request: &Request) -> Option<usize> {
        let is_of_one_tree = !matches!(request.command, Command::MoveAccount(_));
        let books = &self.shared.books;
        let place = books.place(&request.namespace, &request.target);
        let (_, tree) = place.filter(|_| is_of_one_tree)?;
        Some(self.lane_by(&request.namespace, tree))
    }

    /// A lane for a command whose tree is not in memory. It is a matter of speed only: two lanes that write
    /// to one tree wait for each other in the store. An owner has the id of its tree.
    pub(super) fn any_lane(&self, request: &Request) -> usize {
        match &request.target {
            Target::External(external) => self.lane_by(&request.namespace, external),
            Target::Account(id)
            | Target::NewTree(id)
            | Target::Lease(id)
            | Target::Reservation(id)
            | Target::Event(id)
            | Target::Grant(id)
            | Target::Entitlement(id) => self.lane_by(&request.namespace, id),
        }
    }

    fn lane_by(&self, namespace: &Namespace, key: impl Hash) -> usize {
        let mut hasher = FxHasher::default();
        (namespace, key).hash(&mut hasher);
        // The upper bits are the mixed ones.
        let hash = usize::try_from(hasher.finish() >> 32).unwrap_or_default();
        hash.checked_rem(self.lanes.len()).unwrap_or_default()
    }
}
