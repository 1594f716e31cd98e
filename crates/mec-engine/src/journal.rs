//! The Journal: the one way by which anything changes. A writer thread takes all commands that wait,
//! so that a batch grows while the previous one is being synced, and no timer delays anyone.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mec_core::{Catalogue, IdSource, Namespace};
use mec_store::{CatalogueDraft, CommitError, Expired, Retention, Store};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::error::EngineError;
use crate::request::{Outcome, Request};
use crate::{Shared, Stats, batch, expiry, replacing};

type Answers = Vec<Result<Outcome, EngineError>>;

enum Job {
    Commands(Vec<Request>, oneshot::Sender<Answers>),
    Catalogue(
        Namespace,
        Box<CatalogueDraft>,
        Option<u64>,
        oneshot::Sender<Result<Arc<Catalogue>, EngineError>>,
    ),
    Retention(Retention, oneshot::Sender<Result<Expired, EngineError>>),
    Stop(oneshot::Sender<()>),
}

pub(crate) struct Journal {
    jobs: mpsc::Sender<Job>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
}

/// How often the decision log is written and ended holds are trimmed where nothing else happens.
const HOUSEKEEPING: Duration = Duration::from_millis(250);

impl Journal {
    pub(crate) fn start<S: Store>(
        store: Arc<S>,
        shared: Arc<Shared>,
        ids: Box<dyn IdSource + Send>,
    ) -> Result<Self, EngineError> {
        let (jobs, waiting) = mpsc::channel(shared.config.max_waiting);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        let writer = thread::Builder::new()
            .name("mec-journal".to_owned())
            .spawn(move || runtime.block_on(write(store, shared, ids, waiting)))
            .map_err(|error| EngineError::Internal(error.to_string()))?;
        Ok(Self {
            jobs,
            writer: Mutex::new(Some(writer)),
        })
    }

    pub(crate) async fn submit(&self, requests: Vec<Request>) -> Result<Answers, EngineError> {
        let (answer, answered) = oneshot::channel();
        self.jobs
            .try_send(Job::Commands(requests, answer))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => EngineError::Busy,
                mpsc::error::TrySendError::Closed(_) => EngineError::Closed,
            })?;
        answered.await.map_err(|_| EngineError::Closed)
    }

    pub(crate) async fn put_catalogue(
        &self,
        namespace: Namespace,
        draft: CatalogueDraft,
        over: Option<u64>,
    ) -> Result<Arc<Catalogue>, EngineError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Catalogue(namespace, Box::new(draft), over, answer);
        self.jobs.send(job).await.map_err(|_| EngineError::Closed)?;
        answered.await.map_err(|_| EngineError::Closed)?
    }

    pub(crate) async fn apply_retention(
        &self,
        retention: Retention,
    ) -> Result<Expired, EngineError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Retention(retention, answer);
        self.jobs.send(job).await.map_err(|_| EngineError::Closed)?;
        answered.await.map_err(|_| EngineError::Closed)?
    }

    pub(crate) async fn close(&self) {
        let (answer, answered) = oneshot::channel();
        if self.jobs.send(Job::Stop(answer)).await.is_ok() {
            // A writer that has gone has nothing left to finish.
            let _ = answered.await;
        }
        let writer = self.writer.lock().take();
        if let Some(writer) = writer {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

async fn write<S: Store>(
    store: Arc<S>,
    shared: Arc<Shared>,
    mut ids: Box<dyn IdSource + Send>,
    mut waiting: mpsc::Receiver<Job>,
) {
    loop {
        let first = tokio::time::timeout(HOUSEKEEPING, waiting.recv()).await;
        shared.books.tick();
        expiry::trim(&shared);
        let mut next = match first {
            Ok(Some(job)) => Some(job),
            Ok(None) => return,
            Err(_) => {
                take_batch(&*store, &shared, &mut *ids, Vec::new()).await;
                continue;
            }
        };
        let mut commands = Vec::new();
        let mut count = 0;
        while let Some(job) = next.take() {
            match job {
                Job::Commands(requests, answer) => {
                    count += requests.len();
                    commands.push((requests, answer));
                }
                Job::Catalogue(namespace, draft, over, answer) => {
                    take_batch(&*store, &shared, &mut *ids, std::mem::take(&mut commands)).await;
                    // A caller that no longer waits has still had its catalogue put.
                    let _ = answer.send(put(&*store, &shared, namespace, &draft, over).await);
                }
                Job::Retention(retention, answer) => {
                    take_batch(&*store, &shared, &mut *ids, std::mem::take(&mut commands)).await;
                    let dropped = store.apply_retention(&retention).await;
                    // A caller that no longer waits asks again, and finds less.
                    let _ = answer.send(dropped.map_err(batch::refused));
                }
                Job::Stop(answer) => {
                    waiting.close();
                    take_batch(&*store, &shared, &mut *ids, std::mem::take(&mut commands)).await;
                    while let Some(job) = waiting.recv().await {
                        // Whatever else was asked for is told that the engine has stopped.
                        if let Job::Commands(requests, answer) = job {
                            let last = vec![(requests, answer)];
                            take_batch(&*store, &shared, &mut *ids, last).await;
                        }
                    }
                    take_batch(&*store, &shared, &mut *ids, Vec::new()).await;
                    let _ = answer.send(());
                    return;
                }
            }
            if count < shared.config.max_batch {
                next = waiting.try_recv().ok();
            }
        }
        take_batch(&*store, &shared, &mut *ids, commands).await;
    }
}

async fn take_batch<S: Store>(
    store: &S,
    shared: &Shared,
    ids: &mut dyn IdSource,
    commands: Vec<(Vec<Request>, oneshot::Sender<Answers>)>,
) {
    let decisions = shared.decisions.take();
    if commands.is_empty() && decisions.is_empty() {
        return;
    }
    let mut requests = Vec::new();
    let mut callers = Vec::with_capacity(commands.len());
    for (of_caller, answer) in commands {
        callers.push((of_caller.len(), answer));
        requests.extend(of_caller);
    }
    Stats::add(&shared.stats.batches, 1);
    Stats::add(
        &shared.stats.commands,
        u64::try_from(requests.len()).unwrap_or(0),
    );
    let mut answers = batch::run(store, shared, ids, &requests, decisions)
        .await
        .into_iter();
    for (count, caller) in callers {
        // A caller that no longer waits has still had its commands done.
        let _ = caller.send(answers.by_ref().take(count).collect());
    }
}

async fn put<S: Store>(
    store: &S,
    shared: &Shared,
    namespace: Namespace,
    draft: &CatalogueDraft,
    over: Option<u64>,
) -> Result<Arc<Catalogue>, EngineError> {
    if let Some(version) = over {
        let before = store.catalogue(&namespace, None).await?;
        if let Some(before) = before {
            if before.version != version {
                let held = before.version;
                return Err(mec_core::Refusal::CatalogueChanged { held }.into());
            }
            let touched = replacing::touched(&before, draft);
            let used = store.used(&namespace, touched).await?;
            replacing::refuse_loss(&before, draft, &used)?;
        }
    }
    match store.put_catalogue(&namespace, draft, shared.now()).await {
        Ok(catalogue) => Ok(shared.catalogues.put_if_newer(catalogue)),
        Err(CommitError::Refused { reason, .. }) => {
            Err(mec_core::Refusal::Catalogue(reason).into())
        }
        Err(CommitError::NotDone(error)) => Err(error.into()),
    }
}
