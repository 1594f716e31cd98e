//! One batch of the Journal: its commands are decided, all changes are committed at once, and only
//! then is anything published or answered.

use std::time::{Duration, Instant};

use mec_core::{IdSource, Refusal, TreeHead};
use mec_store::{
    Batch, CommitError, CommitSet, DecisionRow, KeyRef, KeyState, Store, StoreError, TreeRef,
};
use rustc_hash::FxHashMap;

use crate::deciding::{Run, TreeKey, key_of};
use crate::error::EngineError;
use crate::names::Names;
use crate::request::{Outcome, Request};
use crate::working::Working;
use crate::{Shared, Stats, peers};

type Answer = Result<Outcome, EngineError>;

/// So often a batch is tried that other writers are in the way of.
pub(crate) const TRIES: usize = 8;

/// No try begins later than this after the first: callers are better told than kept waiting.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Answers requests in order. When a constraint refuses the commit, or something that one of them reads is
/// damaged, each is tried alone, so that only the guilty one errs.
pub(crate) async fn run<S: Store>(
    store: &S,
    shared: &Shared,
    lane: usize,
    ids: &mut dyn IdSource,
    requests: &[Request],
    decisions: Vec<DecisionRow>,
) -> Vec<Answer> {
    let logged = u64::try_from(decisions.len()).unwrap_or(0);
    let spare = if store.has_peers() {
        decisions.clone()
    } else {
        Vec::new()
    };
    let begun = Instant::now();
    let mut attempted = attempt(store, shared, lane, ids, requests, decisions).await;
    for _ in 0..TRIES {
        if !is_to_be_repeated(&attempted) || begun.elapsed() > PATIENCE {
            break;
        }
        attempted = attempt(store, shared, lane, ids, requests, spare.clone()).await;
    }
    if attempted.is_err() {
        Stats::add(&shared.stats.decisions_dropped, logged);
    }
    let together = match attempted {
        Ok(answers) => answers,
        Err(error) if requests.len() > 1 && is_of_one_command(&error) => {
            requests.iter().map(|_| None).collect()
        }
        Err(error) => {
            let error = refused(error);
            return requests.iter().map(|_| Err(error.repeat())).collect();
        }
    };
    let mut answers = Vec::with_capacity(requests.len());
    for (request, answer) in requests.iter().zip(together) {
        answers.push(match answer {
            Some(answer) => answer,
            None => alone(store, shared, lane, ids, request).await,
        });
    }
    answers
}

async fn alone<S: Store>(
    store: &S,
    shared: &Shared,
    lane: usize,
    ids: &mut dyn IdSource,
    request: &Request,
) -> Answer {
    let requests = std::slice::from_ref(request);
    let begun = Instant::now();
    for _ in 0..TRIES {
        let attempted = attempt(store, shared, lane, ids, requests, Vec::new()).await;
        if is_to_be_repeated(&attempted) && begun.elapsed() <= PATIENCE {
            continue;
        }
        if let Some(answer) = attempted.map_err(refused)?.pop().flatten() {
            return answer;
        }
    }
    Err(StoreError::Again("the account's tree changes all the time".to_owned()).into())
}

/// Whether a batch failed for something that may concern only one of its commands.
fn is_of_one_command(error: &CommitError) -> bool {
    match error {
        CommitError::Refused { .. } => true,
        CommitError::NotDone(error) => {
            matches!(error, StoreError::Damaged(_) | StoreError::Internal(..))
        }
        CommitError::InDoubt(_) => false,
    }
}

fn is_to_be_repeated<T>(attempted: &Result<T, CommitError>) -> bool {
    matches!(attempted, Err(CommitError::NotDone(StoreError::Again(_))))
}

/// The fields that constraints keep unique, by what names them in the constraint's words.
const UNIQUE: [(&str, &str); 5] = [
    ("external_id", "external_id"),
    ("entitlement_id", "entitlement_id"),
    ("entitlements_pkey", "entitlement_id"),
    ("grant_id", "grant_id"),
    ("accounts", "account_id"),
];

pub(crate) fn refused(error: CommitError) -> EngineError {
    match error {
        CommitError::Refused { overflow: true, .. } => Refusal::QuantityOverflow.into(),
        CommitError::Refused { reason, .. } => {
            match UNIQUE.iter().find(|(of, _)| reason.contains(of)) {
                Some((_, field)) => Refusal::Taken { field }.into(),
                None => EngineError::Internal(reason),
            }
        }
        CommitError::NotDone(error) | CommitError::InDoubt(error) => error.into(),
    }
}

/// Begins a batch for requests: finds the trees that they are about, and locks them.
pub(crate) async fn begin<'a, S: Store>(
    store: &S,
    shared: &'a Shared,
    lane: usize,
    requests: &[Request],
) -> Result<Run<'a, S::Batch>, StoreError> {
    let keys: Vec<KeyRef> = requests.iter().filter_map(key_of).collect();
    let hints = peers::hints(store, shared, requests).await?;
    let batch = store.begin(lane, &hints.trees, &keys).await?;
    let heads = hints.trees.into_iter().zip(batch.heads().iter().cloned());
    let known = keys.into_iter().zip(batch.keys().iter().cloned());
    let known = known.filter_map(|(key, state)| match state {
        KeyState::Taken(stored) => Some((key, stored)),
        KeyState::Free => None,
    });
    let locked: Option<FxHashMap<TreeRef, TreeHead>> = store
        .has_peers()
        .then(|| heads.filter_map(|(of, head)| Some((of, head?))).collect());
    for (of, head) in locked.iter().flatten() {
        // What others have committed to it since is loaded anew, and names nothing from memory.
        let version = head.version;
        shared.books.forget_older(&of.namespace, of.tree, version);
    }
    let mut run = Run {
        now: batch.now(),
        known: known.collect(),
        is_alone: requests.len() == 1,
        stuck: None,
        locked,
        batch,
        shared,
        trees: FxHashMap::default(),
        work: shared.books.work(),
        names: Names::default(),
        places: hints.places,
        catalogues: FxHashMap::default(),
        keys: Vec::new(),
    };
    run.find_externals(hints.externals).await?;
    Ok(run)
}

async fn attempt<S: Store>(
    store: &S,
    shared: &Shared,
    lane: usize,
    ids: &mut dyn IdSource,
    requests: &[Request],
    decisions: Vec<DecisionRow>,
) -> Result<Vec<Option<Answer>>, CommitError> {
    let mut run = begin(store, shared, lane, requests).await?;
    let mut answers = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        let catalogue = run.catalogue(store, &request.namespace).await?;
        let answer = run.answer(index, request, &catalogue, ids).await;
        // A statement that failed has ended the transaction: nothing of the batch can be done any more.
        if let Err(EngineError::Store(error)) = answer {
            return Err(CommitError::NotDone(error));
        }
        answers.push(answer.transpose());
    }
    let told = requests.iter().zip(&answers);
    let told = told.filter_map(|(request, answer)| match answer {
        Some(Ok(outcome)) => Some((request, outcome)),
        _ => None,
    });
    commit(run, told, decisions, ids).await?;
    Ok(answers)
}

/// Commits what was decided, and then makes it visible to readers.
pub(crate) async fn commit<'r, B: Batch>(
    run: Run<'_, B>,
    told: impl Iterator<Item = (&'r Request, &'r Outcome)>,
    decisions: Vec<DecisionRow>,
    ids: &mut dyn IdSource,
) -> Result<(), CommitError> {
    let shared = run.shared;
    let trees: Vec<_> = run
        .trees
        .values()
        .filter(|tree| tree.is_changed())
        .map(Working::commit)
        .collect();
    if !trees.is_empty() || !run.keys.is_empty() || !decisions.is_empty() {
        let set = CommitSet {
            trees,
            keys: run.keys,
            decisions,
        };
        let begun = Instant::now();
        let committed = run.batch.commit(set).await;
        shared.stats.commit_micros.observe_time(begun.elapsed());
        if committed.is_err() {
            Stats::add(&shared.stats.commits_failed, 1);
        }
        if let Err(CommitError::InDoubt(_)) = committed {
            // What is in memory may be behind of it; whoever loads it anew waits until it has ended.
            for (namespace, tree) in run.trees.keys() {
                shared.books.forget_tree(namespace, *tree);
            }
        }
        committed?;
        Stats::add(&shared.stats.commits, 1);
    }
    for (request, outcome) in told {
        if let Some(catalogue) = run.catalogues.get(&request.namespace) {
            shared
                .decisions
                .note(shared, request, outcome, catalogue, run.now, ids);
        }
    }
    publish(shared, run.trees);
    Ok(())
}

/// Makes what was committed visible to readers.
fn publish(shared: &Shared, mut trees: FxHashMap<TreeKey, Working>) {
    let mut publishing = shared.books.publishing();
    // All heads before any part: a part is told with the last now of its tree.
    for tree in trees.values_mut() {
        tree.publish_head(&mut publishing);
    }
    let mut evicted = 0;
    for tree in trees.into_values() {
        evicted += tree.publish_parts(&mut publishing);
    }
    drop(publishing);
    Stats::add(&shared.stats.evictions, u64::try_from(evicted).unwrap_or(0));
}
