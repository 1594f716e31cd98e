//! The catalogues in force, each swapped whole.

use std::sync::Arc;

use mec_core::{Catalogue, Namespace};
use parking_lot::RwLock;
use rustc_hash::FxHashMap;

/// So many namespaces are held at the most; beyond it all are dropped and loaded anew.
const MAX_HELD: usize = 10_000;

#[derive(Default)]
pub(crate) struct Catalogues {
    held: RwLock<FxHashMap<Namespace, Arc<Catalogue>>>,
}

impl Catalogues {
    pub(crate) fn get(&self, namespace: &Namespace) -> Option<Arc<Catalogue>> {
        self.held.read().get(namespace).cloned()
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

    /// Puts a catalogue unless a newer one is held; returns the one that is.
    pub(crate) fn put_if_newer(&self, catalogue: Catalogue) -> Arc<Catalogue> {
        let mut held = self.held.write();
        if let Some(known) = held
            .get(&catalogue.namespace)
            .filter(|known| known.version >= catalogue.version)
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
}
