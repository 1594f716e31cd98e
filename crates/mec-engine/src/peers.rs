//! Other processes on the same store: what they commit is looked for all the time, so that checks from
//! memory are behind by a bound at most, and a batch locks the trees that it works on.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use mec_core::Namespace;
use mec_store::{Cursor, Locator, Moved, Store, StoreError, TreeRef};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::Shared;
use crate::error::EngineError;
use crate::request::{Request, Target};

/// So often within the staleness bound the store is looked at.
const LOOKS: u32 = 4;

/// The thread that looks at the store.
pub(crate) struct Watch {
    stop: Mutex<Option<oneshot::Sender<()>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Watch {
    /// Starts to look, where others write to the store.
    pub(crate) fn start<S: Store>(store: Arc<S>, shared: Arc<Shared>) -> Result<Self, EngineError> {
        let (stop, stopped) = oneshot::channel();
        let thread = if shared.freshness.bound().is_some() {
            let failed = |error: std::io::Error| EngineError::Internal(error.to_string());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            let looking = move || runtime.block_on(look_until(store, shared, stopped));
            let thread = thread::Builder::new().name("mec-watch".to_owned());
            Some(thread.spawn(looking).map_err(failed)?)
        } else {
            None
        };
        Ok(Self {
            stop: Mutex::new(Some(stop)),
            thread: Mutex::new(thread),
        })
    }

    pub(crate) async fn close(&self) {
        drop(self.stop.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

async fn look_until<S: Store>(
    store: Arc<S>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Some(bound) = shared.freshness.bound() else {
        return;
    };
    let mut cursor = None;
    loop {
        let looked = tokio::time::timeout(bound, look(&*store, &shared, cursor.clone()));
        tokio::select! {
            _ = &mut stopped => return,
            looked = looked => match looked {
                Ok(Some(seen)) => cursor = Some(seen),
                // What could not be asked now is told by the next look, which has the same cursor.
                Ok(None) | Err(_) => shared.freshness.lost(),
            }
        }
        tokio::select! {
            _ = &mut stopped => return,
            () = tokio::time::sleep(bound / LOOKS) => {}
        }
    }
}

async fn look<S: Store>(store: &S, shared: &Shared, cursor: Option<Cursor>) -> Option<Cursor> {
    let since = Instant::now();
    let before = shared.clock.now();
    // The first look tells where to begin: what was loaded before it may have changed before it, too.
    let is_first = cursor.is_none();
    let moved = match store.moved(cursor).await {
        Ok(moved) => moved,
        Err(error) => {
            tracing::warn!(%error, "what other processes wrote could not be asked");
            return None;
        }
    };
    if let Some(theirs) = moved.now {
        let took = shared.clock.now().micros_since(before);
        let ours = before.saturating_add_micros(took / 2);
        shared.freshness.measured(ours, theirs);
    }
    if is_first || moved.everything {
        shared.books.forget_all();
        shared.catalogues.forget_all();
        shared.key_changes.note();
    }
    take_in(shared, &moved);
    shared.freshness.seen(since);
    Some(moved.cursor)
}

fn take_in(shared: &Shared, moved: &Moved) {
    for (of, version) in &moved.trees {
        shared.books.forget_older(&of.namespace, of.tree, *version);
    }
    if let Some(version) = moved.lookups {
        shared.catalogues.lookups_are(version);
    }
    if moved.api_keys {
        shared.key_changes.note();
    }
    for (namespace, version) in &moved.catalogues {
        shared.catalogues.forget_older(namespace, *version);
    }
}

/// The trees that requests are about, as far as that can be told before they are locked.
pub(crate) struct Hints {
    pub trees: Vec<TreeRef>,
    /// Where accounts were found that are not in memory.
    pub places: FxHashMap<(Namespace, Uuid), Uuid>,
    /// The external ids that were found. What they name may change until the trees are locked.
    pub externals: Vec<(Namespace, String)>,
}

/// Finds the trees that a batch is to lock; none where nobody else writes to the store.
pub(crate) async fn hints<S: Store>(
    store: &S,
    shared: &Shared,
    requests: &[Request],
) -> Result<Hints, StoreError> {
    let mut hints = Hints {
        trees: Vec::new(),
        places: FxHashMap::default(),
        externals: Vec::new(),
    };
    if !store.has_peers() {
        return Ok(hints);
    }
    let mut unknown: Vec<(Namespace, Locator)> = Vec::new();
    for request in requests {
        match shared.books.place(&request.namespace, &request.target) {
            Some((_, tree)) => hints.trees.push(TreeRef {
                namespace: request.namespace.clone(),
                tree,
            }),
            None => unknown.extend(
                request
                    .target
                    .locator()
                    .map(|locator| (request.namespace.clone(), locator)),
            ),
        }
    }
    let located = if unknown.is_empty() {
        Vec::new()
    } else {
        store.locate(&unknown).await?
    };
    for ((namespace, locator), place) in unknown.into_iter().zip(located) {
        let Some(place) = place else {
            continue;
        };
        if let Locator::External(external) = locator {
            hints.externals.push((namespace.clone(), external));
        }
        hints
            .places
            .insert((namespace.clone(), place.account), place.tree);
        let tree = place.tree;
        hints.trees.push(TreeRef { namespace, tree });
    }
    hints.trees.sort_unstable();
    hints.trees.dedup();
    Ok(hints)
}

impl crate::books::Books {
    /// The account that a target names and its tree, if the account is in memory and current.
    pub(crate) fn place(&self, namespace: &Namespace, target: &Target) -> Option<(Uuid, Uuid)> {
        let account = match target {
            Target::Account(account) => *account,
            Target::External(external) => self.external(namespace, external)?,
            _ => return None,
        };
        let part = self.get(namespace, account)?;
        if let Target::External(external) = target
            && part.account.external_id.as_ref() != Some(external)
        {
            return None;
        }
        Some((account, part.tree_id))
    }
}
