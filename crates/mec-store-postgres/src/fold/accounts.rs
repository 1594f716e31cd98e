//! Accounts and the ids that providers have for them.

use std::sync::Arc;

use mec_core::account::{Account, ExternalLink};
use mec_core::{AccountId, Namespace};
use mec_store::{CommitError, TreeCommit};
use uuid::Uuid;

use super::{Folded, refused};

/// An account after the batch.
pub(crate) struct FoldedAccount {
    pub account: Arc<Account>,
    pub tree: Uuid,
    pub is_new: bool,
}

/// Whose an id of a provider's is after the batch.
#[derive(Default)]
pub(crate) struct FoldedLink {
    /// The account that it is taken from; none where it was linked to none.
    pub taken_from: Option<AccountId>,
    /// The account that it is linked to.
    pub account: Option<AccountId>,
}

impl Folded {
    pub(super) fn create_account(
        &mut self,
        tree: &TreeCommit,
        command: usize,
        account: &Arc<Account>,
    ) -> Result<(), CommitError> {
        let namespace = &tree.namespace;
        if let Some(parent) = account.parent_account_id {
            self.parents.insert((namespace.clone(), parent));
        }
        let row = FoldedAccount {
            account: account.clone(),
            tree: tree.head.tree_id,
            is_new: true,
        };
        match self
            .accounts
            .insert((namespace.clone(), account.account_id), row)
        {
            None => Ok(()),
            Some(_) => Err(refused(
                command,
                "accounts: the id is taken".to_owned(),
                false,
            )),
        }
    }

    pub(super) fn update_account(&mut self, tree: &TreeCommit, account: &Arc<Account>) {
        let key = (tree.namespace.clone(), account.account_id);
        let is_new = self.accounts.get(&key).is_some_and(|held| held.is_new);
        let row = FoldedAccount {
            account: account.clone(),
            tree: tree.head.tree_id,
            is_new,
        };
        self.accounts.insert(key, row);
    }

    pub(super) fn link(
        &mut self,
        namespace: &Namespace,
        command: usize,
        link: &ExternalLink,
    ) -> Result<(), CommitError> {
        let key = (namespace.clone(), link.key.clone());
        let held = self.links.entry(key).or_default();
        match held.account.replace(link.account_id) {
            None => Ok(()),
            Some(_) => {
                let reason = "external_id is linked already".to_owned();
                Err(refused(command, reason, false))
            }
        }
    }

    /// What the batch itself has linked is not in the database.
    pub(super) fn unlink(&mut self, namespace: &Namespace, link: &ExternalLink) {
        let key = (namespace.clone(), link.key.clone());
        let held = self.links.entry(key).or_default();
        if held.account.take().is_none() {
            held.taken_from = Some(link.account_id);
        }
    }
}
