//! The deciding of a batch: every command in order, against what the ones before it left.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::change::Change;
use mec_core::command::{Env, Executed, execute, without_account};
use mec_core::{Book, Catalogue, Command, IdSource, Namespace, Need, Refusal, Stop, Timestamp};
use mec_store::{
    Batch, CatalogueAge, KeyRef, KeyRow, Store, StoreError, StoredAnswer, TreeRef, key_hash,
};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::Shared;
use crate::books::Work;
use crate::error::EngineError;
use crate::names::Names;
use crate::place::Placed;
use crate::request::{Outcome, Request, Target};
use crate::working::Working;

type Answer = Result<Outcome, EngineError>;
pub(crate) type TreeKey = (Namespace, Uuid);

/// The most pieces that one command may need; more means that core and store talk past each other.
pub(crate) const MAX_NEEDS: usize = 100_000;

/// What a request's key is looked up by.
pub(crate) fn key_of(request: &Request) -> Option<KeyRef> {
    let key = request.key.as_deref()?;
    Some(KeyRef {
        namespace: request.namespace.clone(),
        hash: key_hash(key),
    })
}

/// A batch that is being decided.
pub(crate) struct Run<'a, B> {
    pub batch: B,
    pub shared: &'a Shared,
    pub now: Timestamp,
    pub trees: FxHashMap<TreeKey, Working>,
    /// Tells what others commit to these trees meanwhile.
    pub work: Work<'a>,
    /// What names accounts, as the batch knows it.
    pub names: Names,
    /// The trees of accounts that were looked up or made in this batch.
    pub places: FxHashMap<(Namespace, Uuid), Uuid>,
    /// The heads of the trees that the batch has locked; none where nobody else writes to the store.
    pub locked: Option<FxHashMap<TreeRef, TreeHead>>,
    pub catalogues: FxHashMap<Namespace, Arc<Catalogue>>,
    pub known: FxHashMap<KeyRef, StoredAnswer>,
    pub keys: Vec<KeyRow>,
    // A command that needs two trees runs alone, so that no part is worked on twice.
    pub is_alone: bool,
    /// Why a command must run alone, where that does not change by another look for its tree.
    pub stuck: Option<Refusal>,
}

impl<B: Batch> Run<'_, B> {
    /// The catalogue that this batch decides by: where others may have put a newer one, that.
    pub(crate) async fn catalogue<S: Store>(
        &mut self,
        store: &S,
        namespace: &Namespace,
    ) -> Result<Arc<Catalogue>, StoreError> {
        if let Some(chosen) = self.catalogues.get(namespace) {
            return Ok(chosen.clone());
        }
        let mut held = self.shared.catalogues.get(namespace);
        if self.locked.is_some() {
            let newest = self.batch.catalogue_age(namespace).await?;
            held = held.filter(|held| CatalogueAge::of(held).covers(newest));
        }
        let chosen = match held {
            Some(held) => held,
            None => {
                let loaded = store.catalogue(namespace, None).await?;
                let missing = || StoreError::Internal("a store gave no catalogue".to_owned(), None);
                let loaded = loaded.ok_or_else(missing)?;
                self.shared.catalogues.put_if_newer(loaded)
            }
        };
        self.catalogues.insert(namespace.clone(), chosen.clone());
        Ok(chosen)
    }

    /// Answers a command; none where it must run alone.
    pub(crate) async fn answer(
        &mut self,
        index: usize,
        request: &Request,
        catalogue: &Catalogue,
        ids: &mut dyn IdSource,
    ) -> Result<Option<Outcome>, EngineError> {
        let (account, tree) = match self.place(request).await? {
            Placed::At(account, tree) => (account, tree),
            Placed::Nowhere => {
                let answer = without_account(&request.command, catalogue, self.now)?;
                return Ok(Some(Outcome::of(answer, None)));
            }
            Placed::Unlocked => return Ok(None),
        };
        if let Some(stored) = key_of(request).and_then(|key| self.known.get(&key)) {
            return replay(stored, request, account).map(Some);
        }
        if !matches!(request.target, Target::NewTree(_)) {
            self.refuse_taken(request, account).await?;
        }
        self.refuse_unknown_parent(request).await?;
        let book_key = (request.namespace.clone(), tree);
        let decided = loop_until_decided(self, &book_key, request, account, catalogue, ids).await?;
        let Some(executed) = decided else {
            return Ok(None);
        };
        self.take_in(index, request, tree, executed.changes).await?;
        let mut outcome = Outcome::of(executed.answer, Some(account));
        outcome.made = executed.made;
        outcome.late = executed.late;
        if executed.keep_key
            && let Some(key) = &request.key
        {
            let stored = StoredAnswer {
                rpc: request.command.name().into(),
                args_hash: request.args_hash(account),
                event_id: executed.made,
                answer: Some(outcome.body.clone()),
            };
            if let Some(of) = key_of(request) {
                self.known.insert(of, stored.clone());
            }
            let row = KeyRow {
                command: index,
                namespace: request.namespace.clone(),
                key: key.clone(),
                stored,
                created_at: self.now,
            };
            self.keys.push(row);
        }
        Ok(Some(outcome))
    }

    /// Applies what a command changes, and notes it for the commit. Nothing is noted of a command
    /// whose changes cannot be applied.
    async fn take_in(
        &mut self,
        index: usize,
        request: &Request,
        tree: Uuid,
        changes: Vec<Change>,
    ) -> Result<(), EngineError> {
        if changes.is_empty() {
            return Ok(());
        }
        let joined = changes.iter().find_map(|change| match change {
            Change::AccountMoved(moved) => Some(moved.to_tree),
            _ => None,
        });
        // What an account that moves changes is committed by the tree that it joins.
        let commits = joined.unwrap_or(tree);
        if commits != tree {
            self.open_or_make_tree(&request.namespace, commits).await?;
        }
        let last_of = |working: &Working| working.book.head.last_at;
        let last_at = match self.is_alone {
            true => self.trees.values().map(last_of).max(),
            false => None,
        };
        let Some(working) = self.trees.get_mut(&(request.namespace.clone(), commits)) else {
            return Err(EngineError::Closed);
        };
        let left = left_by(&changes, &working.book);
        let now = self.now.max(last_at.unwrap_or_else(|| last_of(working)));
        working
            .book
            .apply(&changes, now)
            .map_err(|lost| EngineError::Internal(lost.to_string()))?;
        self.note_names(request, &changes, tree, left.as_deref());
        if self.is_alone {
            self.touch_others(commits, now, joined.is_some());
        }
        if let Some(working) = self.trees.get_mut(&(request.namespace.clone(), commits)) {
            let noted = changes.into_iter().map(|change| (index, change));
            working.changes.extend(noted);
        }
        Ok(())
    }

    /// Notes that a lone command, which another tree commits, concerned all trees that it opened.
    fn touch_others(&mut self, commits: Uuid, now: Timestamp, has_moved: bool) {
        let tokens = self.trees.values().map(|tree| tree.book.head.fencing_token);
        let token = tokens.max().unwrap_or_default();
        for ((_, id), other) in &mut self.trees {
            other.is_touched |= *id != commits;
            other.book.head.last_at = now;
            other.has_moved |= has_moved;
            if has_moved {
                // The parts show what was before the move.
                other.book.parts.clear();
                other.book.head.fencing_token = token;
            }
        }
    }

    fn note_names(
        &mut self,
        request: &Request,
        changes: &[Change],
        tree: Uuid,
        left: Option<&str>,
    ) {
        let namespace = &request.namespace;
        for change in changes {
            if let Change::AccountCreated(account) = change {
                let key = (namespace.clone(), account.account_id);
                self.places.insert(key, tree);
            }
            if let Change::ExternalIdLinked(link) | Change::ExternalIdUnlinked(link) = change {
                // Commands of other trees ask anew.
                for other in self.trees.values_mut() {
                    other.book.links.remove(&link.key);
                }
            }
            self.names.take_in(namespace, tree, change, left);
        }
    }
}

/// The external id of the account whose columns a command changes, before it.
fn left_by(changes: &[Change], book: &Book) -> Option<String> {
    changes.iter().find_map(|change| match change {
        Change::AccountUpdated(account) => {
            let before = book.part(account.account_id).ok()?;
            before.account.external_id.clone()
        }
        _ => None,
    })
}

async fn loop_until_decided<B: Batch>(
    run: &mut Run<'_, B>,
    tree: &TreeKey,
    request: &Request,
    account: Uuid,
    catalogue: &Catalogue,
    ids: &mut dyn IdSource,
) -> Result<Option<Executed>, EngineError> {
    if matches!(request.command, Command::MoveAccount(_)) && !run.is_alone {
        run.stuck = Some(Refusal::MoveNotAlone);
        return Ok(None);
    }
    for _ in 0..MAX_NEEDS {
        let Some(working) = run.trees.get_mut(tree) else {
            return Err(EngineError::Closed);
        };
        let env = Env {
            catalogue,
            book: &working.book,
            account,
            by: &request.by,
            key: request.key.as_deref(),
            now: run.now.max(working.book.head.last_at),
            max_scopes: run.shared.config.max_scopes,
        };
        let need: Need = match execute(&request.command, &env, ids) {
            Ok(executed) => return Ok(Some(executed)),
            Err(Stop::Refused(refusal)) => return Err(refusal.into()),
            Err(Stop::Need(need)) => need,
        };
        if let Need::Linked(key) = &need
            && let Some(link) = run.names.link(&request.namespace, key)
        {
            // What another tree's command changed before, the store does not show.
            working.book.links.insert(key.clone(), link);
            continue;
        }
        let other = working
            .satisfy(need.clone(), run.shared, &mut run.batch)
            .await?;
        match other {
            // It has moved since its tree was looked up.
            Some(_) if need == Need::Part(account) && run.locked.is_some() => return Ok(None),
            Some(_) if !run.is_alone => {
                // The other tree's own working copy may change it in this batch.
                working.forget(&need);
                run.stuck = Some(Refusal::MoveNotAlone);
                return Ok(None);
            }
            Some(other) => {
                let key = (request.namespace.clone(), other);
                let was_open = run.trees.contains_key(&key);
                let last_at = run.open_tree(&request.namespace, other).await?;
                run.now = run.now.max(last_at);
                if !was_open
                    && run.locked.is_some()
                    && let Some(working) = run.trees.get_mut(tree)
                {
                    // It was read before its tree was locked, and is read again.
                    working.forget(&need);
                }
            }
            None => {}
        }
    }
    Err(EngineError::Internal("a command needs too much".to_owned()))
}

fn replay(stored: &StoredAnswer, request: &Request, account: Uuid) -> Answer {
    if &*stored.rpc != request.command.name() || stored.args_hash != request.args_hash(account) {
        return Err(Refusal::IdempotencyConflict.into());
    }
    let without_answer =
        || serde_json::json!({ "event_id": stored.event_id, "code": "replayed" }).to_string();
    Ok(Outcome {
        body: stored.answer.clone().unwrap_or_else(without_answer),
        account: Some(account),
        made: stored.event_id,
        replayed: true,
        late: false,
        decision: None,
        limits: None,
    })
}
