//! The catalogues in force, each swapped whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mec_core::{Catalogue, Namespace};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

/// So many namespaces are held at the most; beyond it all are dropped and loaded anew.
const MAX_HELD: usize = 10_000;

#[derive(Default)]
pub(crate) struct Catalogues {
    held: RwLock<FxHashMap<Namespace, Arc<Catalogue>>>,
    /// The newest version of the lookups that is known: a catalogue with older ones is not in force.
    lookups: AtomicU64,
}

impl Catalogues {
    pub(crate) fn get(&self, namespace: &Namespace) -> Option<Arc<Catalogue>> {
        let newest = self.lookups.load(Ordering::Acquire);
        let held = self.held.read();
        let held = held.get(namespace);
        held.filter(|held| held.lookups.version >= newest).cloned()
    }

    /// Lets go of a catalogue that is older than a version.
    pub(crate) fn forget_older(&self, namespace: &Namespace, version: u64) {
        let is_older = |held: &Arc<Catalogue>| held.version < version;
        if self.held.read().get(namespace).is_some_and(is_older) {
            let mut held = self.held.write();
            if held.get(namespace).is_some_and(is_older) {
                held.remove(namespace);
            }
        }
    }

    /// Lets go of all catalogues.
    pub(crate) fn forget_all(&self) {
        self.held.write().clear();
    }

    /// Puts a catalogue unless a newer one is held; returns the one that is.
    pub(crate) fn put_if_newer(&self, catalogue: Catalogue) -> Arc<Catalogue> {
        let age = |catalogue: &Catalogue| (catalogue.version, catalogue.lookups.version);
        self.lookups_are(catalogue.lookups.version);
        let mut held = self.held.write();
        if let Some(known) = held
            .get(&catalogue.namespace)
            .filter(|known| age(known) >= age(&catalogue))
        {
            return known.clone();
        }
        if held.len() >= MAX_HELD {
            held.clear();
        }
        let catalogue = Arc::new(catalogue);
        held.insert(catalogue.namespace.clone(), catalogue.clone());
        catalogue
    }

    /// Takes notice of a version of the lookups.
    pub(crate) fn lookups_are(&self, version: u64) {
        self.lookups.fetch_max(version, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use mec_core::catalogue::Lookups;

    use super::*;

    fn catalogue(version: u64, lookups: u64) -> Catalogue {
        let lookups = Lookups {
            version: lookups,
            ..Lookups::default()
        };
        let mut catalogue = Catalogue::empty(Namespace::default_namespace(), Arc::new(lookups));
        catalogue.version = version;
        catalogue
    }

    #[test]
    fn what_was_read_before_the_lookups_changed_is_not_in_force() {
        let catalogues = Catalogues::default();
        let held = || {
            let held = catalogues.get(&Namespace::default_namespace());
            held.map(|held| (held.version, held.lookups.version))
        };
        catalogues.put_if_newer(catalogue(3, 1));
        assert_eq!(held(), Some((3, 1)));
        catalogues.lookups_are(2);
        assert_eq!(held(), None);
        // Loads that began before come late, and in any order.
        catalogues.put_if_newer(catalogue(4, 1));
        assert_eq!(held(), None);
        catalogues.put_if_newer(catalogue(4, 2));
        for late in [catalogue(3, 1), catalogue(4, 1)] {
            assert_eq!(catalogues.put_if_newer(late).lookups.version, 2);
            assert_eq!(held(), Some((4, 2)));
        }
    }
}
