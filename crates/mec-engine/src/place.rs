//! Finding the account and tree that a request is about, and opening what a batch works on.

use mec_core::book::TreeHead;
use mec_core::{Command, Namespace, Refusal, Timestamp};
use mec_store::{Batch, Locator};
use uuid::Uuid;

use crate::batch::{MAX_NEEDS, Run};
use crate::error::EngineError;
use crate::request::{Request, Target};
use crate::working::Working;

impl<B: Batch> Run<'_, B> {
    /// The account and tree that a request is about, if it exists and lies where the caller may act.
    pub(crate) async fn place(
        &mut self,
        request: &Request,
    ) -> Result<Option<(Uuid, Uuid)>, EngineError> {
        let namespace = &request.namespace;
        let found = match &request.target {
            Target::NewTree(account) => {
                if request.guard.is_some() {
                    return Ok(None);
                }
                // Before anything of the new tree exists, so that a tree that has the id already
                // is not touched.
                self.refuse_taken(request).await?;
                let head = TreeHead::new(*account, self.batch.fencing_epoch());
                let working = Working::new(namespace.clone(), head, true);
                self.trees.insert((namespace.clone(), *account), working);
                return Ok(Some((*account, *account)));
            }
            Target::External(external)
                if self
                    .externals
                    .contains_key(&(namespace.clone(), external.clone())) =>
            {
                self.externals
                    .get(&(namespace.clone(), external.clone()))
                    .copied()
            }
            target => self.known_place(namespace, target),
        };
        let place = match (found, request.target.locator()) {
            (Some(place), _) => place,
            (None, Some(locator)) => {
                let mut located = self.batch.locate(namespace, &[locator]).await?;
                let Some(place) = located.pop().flatten() else {
                    return Ok(None);
                };
                let account = (namespace.clone(), place.account);
                self.places.insert(account, place.tree);
                (place.account, place.tree)
            }
            (None, None) => return Ok(None),
        };
        self.open_tree(namespace, place.1).await?;
        if let Some(root) = request.guard
            && !self.is_below(namespace, place, root).await?
        {
            return Ok(None);
        }
        Ok(Some(place))
    }

    fn known_place(&self, namespace: &Namespace, target: &Target) -> Option<(Uuid, Uuid)> {
        let account = match target {
            Target::Account(account) => *account,
            Target::External(external) => self.shared.books.external(namespace, external)?,
            _ => return None,
        };
        let here = self.places.get(&(namespace.clone(), account)).copied();
        let tree = here.or_else(|| {
            let part = self.shared.books.get(namespace, account)?;
            Some(part.tree_id)
        })?;
        Some((account, tree))
    }

    /// Opens a tree, and tells the now of the last command that was committed to it.
    pub(crate) async fn open_tree(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<Timestamp, EngineError> {
        let key = (namespace.clone(), tree);
        if let Some(open) = self.trees.get(&key) {
            return Ok(open.book.head.last_at);
        }
        let head = match self.shared.books.head(namespace, tree) {
            Some(head) => head,
            None => self
                .batch
                .head(namespace, tree)
                .await?
                .ok_or_else(|| EngineError::Internal(format!("tree {tree} has no head")))?,
        };
        let last_at = head.last_at;
        self.trees
            .insert(key, Working::new(namespace.clone(), head, false));
        Ok(last_at)
    }

    /// Opens a tree, or makes one for an account that becomes an owner. One that was an owner before
    /// has a tree already, whose chain goes on.
    pub(crate) async fn open_or_make_tree(
        &mut self,
        namespace: &Namespace,
        tree: Uuid,
    ) -> Result<(), EngineError> {
        if self.batch.head(namespace, tree).await?.is_some() {
            return self.open_tree(namespace, tree).await.map(drop);
        }
        let head = TreeHead::new(tree, self.batch.fencing_epoch());
        let key = (namespace.clone(), tree);
        self.trees
            .insert(key, Working::new(namespace.clone(), head, true));
        Ok(())
    }

    async fn is_below(
        &mut self,
        namespace: &Namespace,
        (account, tree): (Uuid, Uuid),
        root: Uuid,
    ) -> Result<bool, EngineError> {
        let Some(working) = self.trees.get_mut(&(namespace.clone(), tree)) else {
            return Ok(false);
        };
        for _ in 0..MAX_NEEDS {
            let found = working
                .book
                .levels(account)
                .map(|levels| levels.iter().any(|part| part.id() == root));
            match found {
                Ok(is_below) => return Ok(is_below),
                Err(need) => {
                    working.satisfy(need, self.shared, &mut self.batch).await?;
                }
            }
        }
        Ok(false)
    }

    /// An account moves only below one that exists.
    pub(crate) async fn refuse_unknown_parent(
        &mut self,
        request: &Request,
    ) -> Result<(), EngineError> {
        let Command::MoveAccount(to) = &request.command else {
            return Ok(());
        };
        let Some(parent) = to.new_parent else {
            return Ok(());
        };
        let locators = [Locator::Account(parent)];
        let found = self.batch.locate(&request.namespace, &locators).await?;
        match found.first() {
            Some(Some(_)) => Ok(()),
            _ => Err(Refusal::ParentNotFound.into()),
        }
    }

    /// A new account's id and external id must be free.
    pub(crate) async fn refuse_taken(&mut self, request: &Request) -> Result<(), EngineError> {
        let Command::CreateAccount(create) = &request.command else {
            return Ok(());
        };
        let mut locators = vec![Locator::Account(create.account_id)];
        locators.extend(create.external_id.clone().map(Locator::External));
        let here = create.external_id.as_ref().is_some_and(|e| {
            self.externals
                .contains_key(&(request.namespace.clone(), e.clone()))
        });
        let id = (request.namespace.clone(), create.account_id);
        let id_here = self.places.contains_key(&id);
        let found = self.batch.locate(&request.namespace, &locators).await?;
        if id_here || found.first().is_some_and(Option::is_some) {
            return Err(Refusal::Taken {
                field: "account_id",
            }
            .into());
        }
        if here || found.get(1).is_some_and(Option::is_some) {
            return Err(Refusal::Taken {
                field: "external_id",
            }
            .into());
        }
        Ok(())
    }
}
