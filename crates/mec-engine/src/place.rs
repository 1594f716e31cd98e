//! Finding the account and tree that a request is about, and opening what a batch works on.

use mec_core::book::TreeHead;
use mec_core::{Command, Namespace, Refusal, Timestamp};
use mec_store::{Batch, Locator, StoreError, TreeRef};
use uuid::Uuid;

use crate::deciding::{MAX_NEEDS, Run};
use crate::error::EngineError;
use crate::names::External;
use crate::request::{Request, Target};
use crate::working::Working;

/// Where a request's account stands.
pub(crate) enum Placed {
    /// There, and its tree: open for work.
    At(Uuid, Uuid),
    /// It does not exist, or not where the caller may act.
    Nowhere,
    /// In a tree that the batch has not locked.
    Unlocked,
}

impl<B: Batch> Run<'_, B> {
    /// The account and tree that a request is about, if it exists and lies where the caller may act.
    pub(crate) async fn place(&mut self, request: &Request) -> Result<Placed, EngineError> {
        let namespace = &request.namespace;
        let found = match &request.target {
            Target::NewTree(account) => {
                if request.guard.is_some() {
                    return Ok(Placed::Nowhere);
                }
                // Before anything of the new tree exists, so that a tree that has the id already
                // is not touched.
                self.refuse_taken(request, *account).await?;
                let head = TreeHead::new(*account, self.batch.fencing_epoch());
                let working = Working::new(namespace.clone(), head, true);
                self.open(working);
                return Ok(Placed::At(*account, *account));
            }
            Target::External(external) => match self.names.external(namespace, external) {
                Some(External::Own(spot) | External::Found(spot)) => Some(spot),
                Some(External::Changed { .. }) => {
                    self.stuck = Some(Refusal::bad_value(
                        "p_external_id",
                        "an id that nothing before it in the same call changes",
                    ));
                    return Ok(Placed::Unlocked);
                }
                None => self.known_place(namespace, &request.target),
            },
            Target::Entitlement(id) | Target::Grant(id) => self.names.made(namespace, *id),
            target => self.known_place(namespace, target),
        };
        let is_known = found.is_some();
        let place = match (found, request.target.locator()) {
            (Some(place), _) => place,
            (None, Some(locator)) => {
                let mut located = self.batch.locate(namespace, &[locator]).await?;
                let Some(place) = located.pop().flatten() else {
                    return Ok(Placed::Nowhere);
                };
                let account = (namespace.clone(), place.account);
                self.places.insert(account, place.tree);
                if let Target::External(external) = &request.target {
                    let spot = (place.account, place.tree);
                    self.names.found(namespace, external.clone(), spot);
                }
                (place.account, place.tree)
            }
            (None, None) => return Ok(Placed::Nowhere),
        };
        // What an external id names may change until the tree is locked.
        let needs_lock = !self.is_alone || matches!(request.target, Target::External(_));
        if needs_lock && !self.is_locked(namespace, place.1) {
            return Ok(Placed::Unlocked);
        }
        self.open_tree(namespace, place.1).await?;
        let Some(root) = request.guard else {
            return Ok(Placed::At(place.0, place.1));
        };
        Ok(match self.is_below(namespace, place, root).await? {
            Some(true) => Placed::At(place.0, place.1),
            Some(false) => {
                // The store is asked as it is about what does not exist, so that the time of the answer does
                // not tell what memory holds of others.
                if is_known && let Some(locator) = request.target.locator() {
                    self.batch.locate(namespace, &[locator]).await?;
                }
                Placed::Nowhere
            }
            None => Placed::Unlocked,
        })
    }

    /// Whether nobody else can change a tree before the batch ends.
    fn is_locked(&self, namespace: &Namespace, tree: Uuid) -> bool {
        if self.trees.contains_key(&(namespace.clone(), tree)) {
            return true;
        }
        let namespace = namespace.clone();
        self.locked
            .as_ref()
            .is_none_or(|locked| locked.contains_key(&TreeRef { namespace, tree }))
    }

    fn known_place(&self, namespace: &Namespace, target: &Target) -> Option<(Uuid, Uuid)> {
        if let Target::Account(account) = target
            && let Some(tree) = self.places.get(&(namespace.clone(), *account))
        {
            return Some((*account, *tree));
        }
        self.shared.books.place(namespace, target)
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
        let head = match self.known_head(namespace, tree) {
            Some(head) => head,
            None => self
                .batch
                .head(namespace, tree)
                .await?
                .ok_or_else(|| EngineError::Internal(format!("tree {tree} has no head")))?,
        };
        if self.locked.is_some() {
            // What others have committed to it since is loaded anew.
            let version = head.version;
            self.shared.books.forget_older(namespace, tree, version);
        }
        let last_at = head.last_at;
        self.open(Working::new(namespace.clone(), head, false));
        Ok(last_at)
    }

    fn open(&mut self, working: Working) {
        let key = (working.book.namespace.clone(), working.book.head.tree_id);
        if self.locked.is_some() {
            self.work.on(&key);
        }
        self.trees.insert(key, working);
    }

    /// The head of a tree as it is now: what others may change, only under the batch's lock.
    fn known_head(&self, namespace: &Namespace, tree: Uuid) -> Option<TreeHead> {
        let Some(locked) = &self.locked else {
            return self.shared.books.head(namespace, tree);
        };
        let namespace = namespace.clone();
        locked.get(&TreeRef { namespace, tree }).cloned()
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
        self.open(Working::new(namespace.clone(), head, true));
        Ok(())
    }

    /// Whether an account stands below another; none where it has left the tree.
    async fn is_below(
        &mut self,
        namespace: &Namespace,
        (account, tree): (Uuid, Uuid),
        root: Uuid,
    ) -> Result<Option<bool>, EngineError> {
        let Some(working) = self.trees.get_mut(&(namespace.clone(), tree)) else {
            return Ok(Some(false));
        };
        for _ in 0..MAX_NEEDS {
            let found = working
                .book
                .levels(account)
                .map(|levels| levels.iter().any(|part| part.id() == root));
            match found {
                Ok(is_below) => return Ok(Some(is_below)),
                Err(need) => {
                    let other = working
                        .satisfy(need.clone(), self.shared, &mut self.batch)
                        .await?;
                    if other.is_some() {
                        working.forget(&need);
                        return Ok(None);
                    }
                }
            }
        }
        Ok(Some(false))
    }

    /// An account moves only below one that exists, or that was created before in this batch.
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
        let id = (request.namespace.clone(), parent);
        if self.places.contains_key(&id) {
            return Ok(());
        }
        let locators = [Locator::Account(parent)];
        let found = self.batch.locate(&request.namespace, &locators).await?;
        match found.first() {
            Some(Some(_)) => Ok(()),
            _ => Err(Refusal::ParentNotFound.into()),
        }
    }

    /// Finds what external ids name, now that the trees are locked.
    pub(crate) async fn find_externals(
        &mut self,
        mut asked: Vec<(Namespace, String)>,
    ) -> Result<(), StoreError> {
        asked.sort_unstable();
        for of_one in asked.chunk_by(|(a, _), (b, _)| a == b) {
            let Some((namespace, _)) = of_one.first() else {
                continue;
            };
            let locators = of_one.iter().map(|(_, id)| Locator::External(id.clone()));
            let locators: Vec<_> = locators.collect();
            let found = self.batch.locate(namespace, &locators).await?;
            for ((_, external), place) in of_one.iter().zip(found) {
                if let Some(place) = place {
                    let spot = (place.account, place.tree);
                    self.names.found(namespace, external.clone(), spot);
                }
            }
        }
        Ok(())
    }
}
