//! Requests that are done together, or not at all.

use std::time::Instant;

use mec_core::{Command, IdSource, Refusal};
use mec_store::{CommitError, Store, StoreError};

use crate::Shared;
use crate::batch::{self, PATIENCE, TRIES};
use crate::error::EngineError;
use crate::request::{Outcome, Request};

/// So many requests are done together at the most.
pub(crate) const MOST: usize = 1_000;

/// How requests that were decided together end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// All that they change becomes durable at once.
    Commit,
    /// Nothing becomes of what they would change.
    Rollback,
}

/// Why none of the requests was done.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct TogetherError {
    /// The place of the request that is at fault; none where it is not a single one.
    pub index: Option<usize>,
    /// What is wrong with it.
    #[source]
    pub error: EngineError,
}

impl From<EngineError> for TogetherError {
    fn from(error: EngineError) -> Self {
        Self { index: None, error }
    }
}

impl TogetherError {
    fn at(index: usize, error: EngineError) -> Self {
        Self {
            index: Some(index),
            error,
        }
    }

    fn of(error: CommitError) -> Self {
        let index = match &error {
            CommitError::Refused { command, .. } => *command,
            CommitError::NotDone(_) | CommitError::InDoubt(_) => None,
        };
        let error = batch::refused(error);
        Self { index, error }
    }
}

/// Refuses what cannot be done together, before anything of it is looked at.
pub(crate) fn refuse(requests: &[Request]) -> Result<(), TogetherError> {
    if requests.len() > MOST {
        let refusal = Refusal::TooManyTogether { limit: MOST };
        return Err(EngineError::from(refusal).into());
    }
    let moves = |request: &Request| matches!(request.command, Command::MoveAccount(_));
    match requests.iter().position(moves) {
        Some(index) if requests.len() > 1 => {
            Err(TogetherError::at(index, Refusal::MoveNotAlone.into()))
        }
        _ => Ok(()),
    }
}

/// What came of a try.
enum Tried {
    Done(Vec<Outcome>),
    /// An account has left the tree that was locked for it.
    Moved,
    Refused(TogetherError),
}

/// Does requests in their order and all at once.
pub(crate) async fn run<S: Store>(
    store: &S,
    shared: &Shared,
    lane: usize,
    ids: &mut dyn IdSource,
    requests: &[Request],
    end: End,
) -> Result<Vec<Outcome>, TogetherError> {
    let begun = Instant::now();
    let mut was_refused = false;
    for _ in 0..TRIES {
        match attempt(store, shared, lane, ids, requests, end).await {
            Ok(Tried::Done(outcomes)) => return Ok(outcomes),
            Ok(Tried::Refused(error)) => return Err(error),
            Ok(Tried::Moved) | Err(CommitError::NotDone(StoreError::Again(_))) => {}
            // Whoever was faster has committed by now, so that the next try tells whose fault it is.
            Err(CommitError::Refused { .. }) if !was_refused => was_refused = true,
            Err(error) => return Err(TogetherError::of(error)),
        }
        if begun.elapsed() > PATIENCE {
            break;
        }
    }
    let again = StoreError::Again("the accounts' trees change all the time".to_owned());
    Err(EngineError::from(again).into())
}

async fn attempt<S: Store>(
    store: &S,
    shared: &Shared,
    lane: usize,
    ids: &mut dyn IdSource,
    requests: &[Request],
    end: End,
) -> Result<Tried, CommitError> {
    let mut run = batch::begin(store, shared, lane, requests).await?;
    let mut outcomes = Vec::with_capacity(requests.len());
    for (index, request) in requests.iter().enumerate() {
        let catalogue = run.catalogue(store, &request.namespace).await?;
        match run.answer(index, request, &catalogue, ids).await {
            Ok(Some(outcome)) => outcomes.push(outcome),
            Ok(None) => {
                return Ok(match run.stuck.take() {
                    Some(refusal) => Tried::Refused(TogetherError::at(index, refusal.into())),
                    None => Tried::Moved,
                });
            }
            Err(EngineError::Store(error)) => return Err(CommitError::NotDone(error)),
            Err(error) => return Ok(Tried::Refused(TogetherError::at(index, error))),
        }
    }
    if end == End::Commit {
        let told = requests.iter().zip(&outcomes);
        batch::commit(run, told, Vec::new(), ids).await?;
    }
    Ok(Tried::Done(outcomes))
}
