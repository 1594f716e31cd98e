//! One batch of the Journal: every command is decided in order against what the ones before it
//! left, all changes are committed at once, and only then is anything published or answered.

use std::sync::Arc;

use mec_core::book::TreeHead;
use mec_core::command::{Env, execute, without_account};
use mec_core::{Catalogue, IdSource, Namespace, Need, Refusal, Stop, Timestamp};
use mec_store::{
    Batch, CommitError, CommitSet, DecisionRow, KeyRef, KeyRow, KeyState, Store, StoredAnswer,
    key_hash,
};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::error::EngineError;
use crate::request::{Outcome, Request, Target};
use crate::working::Working;
use crate::{Shared, Stats};

type Answer = Result<Outcome, EngineError>;
type TreeKey = (Namespace, Uuid);

/// The most pieces that one command may need; more means that core and store talk past each other.
const MAX_NEEDS: usize = 100_000;

/// Answers requests in order. When a constraint refuses the commit, each is tried alone, so that
/// only the guilty one errs.
pub(crate) async fn run<S: Store>(
    store: &S,
    shared: &Shared,
    ids: &mut dyn IdSource,
    requests: &[Request],
    decisions: Vec<DecisionRow>,
) -> Vec<Answer> {
    let logged = u64::try_from(decisions.len()).unwrap_or(0);
    let attempted = attempt(store, shared, ids, requests, decisions).await;
    if attempted.is_err() {
        Stats::add(&shared.stats.decisions_dropped, logged);
    }
    match attempted {
        Ok(answers) => answers,
        Err(CommitError::Refused { .. }) if requests.len() > 1 => {
            let mut answers = Vec::with_capacity(requests.len());
            for request in requests {
                let alone = attempt(
                    store,
                    shared,
                    ids,
                    std::slice::from_ref(request),
                    Vec::new(),
                )
                .await;
                answers.push(alone.map_or_else(|error| Err(refused(error)), only));
            }
            answers
        }
        Err(error) => {
            let error = refused(error);
            requests.iter().map(|_| Err(error.repeat())).collect()
        }
    }
}

fn only(mut answers: Vec<Answer>) -> Answer {
    answers.pop().unwrap_or(Err(EngineError::Closed))
}

fn refused(error: CommitError) -> EngineError {
    match error {
        CommitError::Refused { overflow: true, .. } => Refusal::QuantityOverflow.into(),
        CommitError::Refused { reason, .. } if reason.contains("accounts") => Refusal::Taken {
            field: "account_id",
        }
        .into(),
        CommitError::Refused { reason, .. } => EngineError::Internal(reason),
        CommitError::NotDone(error) => error.into(),
    }
}

async fn attempt<S: Store>(
    store: &S,
    shared: &Shared,
    ids: &mut dyn IdSource,
    requests: &[Request],
    decisions: Vec<DecisionRow>,
) -> Result<Vec<Answer>, CommitError> {
    let keys: Vec<KeyRef> = requests.iter().filter_map(key_of).collect();
    let batch = store.begin(0, &keys).await?;
    let known = keys.into_iter().zip(batch.keys().iter().cloned());
    let known = known.filter_map(|(key, state)| match state {
        KeyState::Taken(stored) => Some((key, stored)),
        KeyState::Free => None,
    });
    let mut run = Run {
        now: batch.now().max(shared.books.last_now()),
        known: known.collect(),
        batch,
        shared,
        trees: FxHashMap::default(),
        externals: FxHashMap::default(),
        keys: Vec::new(),
    };
    let mut answers = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        let catalogue = catalogue(store, shared, &request.namespace).await?;
        let answer = run.answer(index, request, &catalogue, ids).await;
        if let Ok(outcome) = &answer {
            shared
                .decisions
                .note(shared, request, outcome, &catalogue, run.now, ids);
        }
        answers.push(answer);
    }
    let trees: Vec<_> = run
        .trees
        .values()
        .filter(|tree| !tree.changes.is_empty())
        .map(Working::commit)
        .collect();
    if !trees.is_empty() || !run.keys.is_empty() || !decisions.is_empty() {
        run.batch
            .commit(CommitSet {
                trees,
                keys: run.keys,
                decisions,
            })
            .await?;
        Stats::add(&shared.stats.commits, 1);
    }
    for tree in run.trees.into_values() {
        tree.publish(shared);
    }
    Ok(answers)
}

async fn catalogue<S: Store>(
    store: &S,
    shared: &Shared,
    namespace: &Namespace,
) -> Result<Arc<Catalogue>, CommitError> {
    if let Some(held) = shared.catalogues.get(namespace) {
        return Ok(held);
    }
    let loaded = store.catalogue(namespace, None).await?;
    let loaded = loaded.ok_or_else(|| {
        mec_store::StoreError::Internal("a store gave no catalogue".to_owned(), None)
    })?;
    Ok(shared.catalogues.put_if_newer(loaded))
}

fn key_of(request: &Request) -> Option<KeyRef> {
    let key = request.key.as_deref()?;
    Some(KeyRef {
        namespace: request.namespace.clone(),
        hash: key_hash(key),
    })
}

struct Run<'a, B> {
    batch: B,
    shared: &'a Shared,
    now: Timestamp,
    known: FxHashMap<KeyRef, StoredAnswer>,
    trees: FxHashMap<TreeKey, Working>,
    externals: FxHashMap<(Namespace, String), (Uuid, Uuid)>,
    keys: Vec<KeyRow>,
}

impl<B: Batch> Run<'_, B> {
    async fn answer(
        &mut self,
        index: usize,
        request: &Request,
        catalogue: &Catalogue,
        ids: &mut dyn IdSource,
    ) -> Answer {
        let Some((account, tree)) = self.place(request).await? else {
            let answer = without_account(&request.command, catalogue, self.now)?;
            return Ok(Outcome::of(answer, None));
        };
        if let Some(stored) = key_of(request).and_then(|key| self.known.get(&key)) {
            return replay(stored, request, account);
        }
        if !matches!(request.target, Target::NewTree(_)) {
            self.refuse_taken(request).await?;
        }
        let book_key = (request.namespace.clone(), tree);
        let executed =
            loop_until_decided(self, &book_key, request, account, catalogue, ids).await?;
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
        let Some(working) = self.trees.get_mut(&book_key) else {
            return Err(EngineError::Closed);
        };
        if !executed.changes.is_empty() {
            let now = self.now.max(working.book.head.last_at);
            working.book.apply(&executed.changes, now);
            self.note_new_accounts(request, &executed.changes, tree);
            if let Some(working) = self.trees.get_mut(&book_key) {
                working
                    .changes
                    .extend(executed.changes.into_iter().map(|change| (index, change)));
            }
        }
        Ok(outcome)
    }

    fn note_new_accounts(
        &mut self,
        request: &Request,
        changes: &[mec_core::change::Change],
        tree: Uuid,
    ) {
        for change in changes {
            if let mec_core::change::Change::AccountCreated(account) = change
                && let Some(external) = &account.external_id
            {
                self.externals.insert(
                    (request.namespace.clone(), external.clone()),
                    (account.account_id, tree),
                );
            }
        }
    }

    /// The account and tree that a request is about, if it exists and lies where the caller may act.
    async fn place(&mut self, request: &Request) -> Result<Option<(Uuid, Uuid)>, EngineError> {
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
        let here = |((ns, tree), working): (&TreeKey, &Working)| {
            (ns == namespace && working.book.parts.contains_key(&account))
                .then_some((account, *tree))
        };
        self.trees.iter().find_map(here).or_else(|| {
            self.shared
                .books
                .get(namespace, account)
                .map(|(_, tree)| (account, tree))
        })
    }

    async fn open_tree(&mut self, namespace: &Namespace, tree: Uuid) -> Result<(), EngineError> {
        let key = (namespace.clone(), tree);
        if self.trees.contains_key(&key) {
            return Ok(());
        }
        let head = match self.shared.books.head(namespace, tree) {
            Some(head) => head,
            None => self
                .batch
                .head(namespace, tree)
                .await?
                .ok_or_else(|| EngineError::Internal(format!("tree {tree} has no head")))?,
        };
        self.now = self.now.max(head.last_at);
        self.trees
            .insert(key, Working::new(namespace.clone(), head, false));
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
                Err(need) => working.satisfy(need, self.shared, &mut self.batch).await?,
            }
        }
        Ok(false)
    }

    /// A new account's id and external id must be free.
    async fn refuse_taken(&mut self, request: &Request) -> Result<(), EngineError> {
        let mec_core::Command::CreateAccount(create) = &request.command else {
            return Ok(());
        };
        let mut locators = vec![mec_store::Locator::Account(create.account_id)];
        locators.extend(create.external_id.clone().map(mec_store::Locator::External));
        let here = create.external_id.as_ref().is_some_and(|e| {
            self.externals
                .contains_key(&(request.namespace.clone(), e.clone()))
        });
        let id_here = self.trees.iter().any(|((namespace, _), tree)| {
            *namespace == request.namespace && tree.book.parts.contains_key(&create.account_id)
        });
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

async fn loop_until_decided<B: Batch>(
    run: &mut Run<'_, B>,
    tree: &TreeKey,
    request: &Request,
    account: Uuid,
    catalogue: &Catalogue,
    ids: &mut dyn IdSource,
) -> Result<mec_core::command::Executed, EngineError> {
    let Some(working) = run.trees.get_mut(tree) else {
        return Err(EngineError::Closed);
    };
    for _ in 0..MAX_NEEDS {
        let env = Env {
            catalogue,
            book: &working.book,
            account,
            by: &request.by,
            key: request.key.as_deref(),
            now: run.now.max(working.book.head.last_at),
        };
        let need: Need = match execute(&request.command, &env, ids) {
            Ok(executed) => return Ok(executed),
            Err(Stop::Refused(refusal)) => return Err(refusal.into()),
            Err(Stop::Need(need)) => need,
        };
        working.satisfy(need, run.shared, &mut run.batch).await?;
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
    })
}
