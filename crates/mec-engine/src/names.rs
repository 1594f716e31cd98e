//! What names accounts within a batch: what was found under its locks, and what its commands changed
//! since, which the store does not show yet.

use mec_core::account::ExternalKey;
use mec_core::change::Change;
use mec_core::{AccountId, Namespace};
use rustc_hash::FxHashMap;
use uuid::Uuid;

/// An account and its tree.
pub(crate) type Spot = (Uuid, Uuid);

/// What an external id names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum External {
    /// The account whose own column the batch set to it.
    Own(Spot),
    /// The account that the store found by it.
    Found(Spot),
    /// The batch changed what it names, so that what the store finds by it may be over.
    Changed {
        /// The account that gave it up.
        left_by: Option<AccountId>,
        /// The account that a provider's id was linked to.
        linked_to: Option<AccountId>,
    },
}

/// The names that a batch knows better than the store.
#[derive(Default)]
pub(crate) struct Names {
    externals: FxHashMap<(Namespace, String), External>,
    links: FxHashMap<(Namespace, ExternalKey), Option<AccountId>>,
    made: FxHashMap<(Namespace, Uuid), Spot>,
}

impl Names {
    /// What an external id names, as far as it was looked up or changed.
    pub(crate) fn external(&self, namespace: &Namespace, external: &str) -> Option<External> {
        let key = (namespace.clone(), external.to_owned());
        self.externals.get(&key).copied()
    }

    /// Notes what the store found.
    pub(crate) fn found(&mut self, namespace: &Namespace, external: String, spot: Spot) {
        let key = (namespace.clone(), external);
        self.externals.entry(key).or_insert(External::Found(spot));
    }

    /// The account that an id of a provider's is linked to, where the batch has changed that.
    pub(crate) fn link(
        &self,
        namespace: &Namespace,
        key: &ExternalKey,
    ) -> Option<Option<AccountId>> {
        let key = (namespace.clone(), key.clone());
        self.links.get(&key).copied()
    }

    /// The account of an entitlement or grant that the batch made.
    pub(crate) fn made(&self, namespace: &Namespace, id: Uuid) -> Option<Spot> {
        self.made.get(&(namespace.clone(), id)).copied()
    }

    /// Takes in a change that is about a tree. `left` is the external id that the account of the change
    /// had before.
    pub(crate) fn take_in(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
        change: &Change,
        left: Option<&str>,
    ) {
        match change {
            Change::AccountCreated(account) | Change::AccountUpdated(account) => {
                let id = account.account_id;
                let now = account.external_id.as_deref();
                if let Some(left) = left.filter(|left| Some(*left) != now) {
                    self.externals.remove(&(namespace.clone(), left.to_owned()));
                    self.leave(namespace, left, id);
                }
                if let Some(now) = now {
                    let key = (namespace.clone(), now.to_owned());
                    self.externals.insert(key, External::Own((id, tree)));
                }
            }
            Change::ExternalIdLinked(link) => {
                let key = (namespace.clone(), link.key.clone());
                self.links.insert(key, Some(link.account_id));
                let changed = |left_by| External::Changed {
                    left_by,
                    linked_to: Some(link.account_id),
                };
                self.change(namespace, &link.key.external_id, changed);
            }
            Change::ExternalIdUnlinked(link) => {
                let key = (namespace.clone(), link.key.clone());
                self.links.insert(key, None);
                self.leave(namespace, &link.key.external_id, link.account_id);
            }
            Change::EntitlementPut { old: None, new, .. } => {
                let key = (namespace.clone(), new.entitlement_id);
                self.made.insert(key, (new.account_id, tree));
            }
            Change::GrantPut(grant) => {
                let key = (namespace.clone(), grant.grant_id);
                self.made.insert(key, (grant.account_id, tree));
            }
            _ => {}
        }
    }

    fn leave(&mut self, namespace: &Namespace, external: &str, account: AccountId) {
        self.change(namespace, external, |_| External::Changed {
            left_by: Some(account),
            linked_to: None,
        });
    }

    /// An account's own column goes before what is linked.
    fn change(
        &mut self,
        namespace: &Namespace,
        external: &str,
        changed: impl FnOnce(Option<AccountId>) -> External,
    ) {
        let key = (namespace.clone(), external.to_owned());
        let left_by = match self.externals.get(&key) {
            Some(External::Own(_)) => return,
            Some(External::Changed { left_by, .. }) => *left_by,
            Some(External::Found(_)) | None => None,
        };
        self.externals.insert(key, changed(left_by));
    }
}
