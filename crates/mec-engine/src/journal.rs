//! The Journal: the one way by which anything changes. A writer thread takes all commands that wait,
//! so that a batch grows while the previous one is being synced, and no timer delays anyone.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mec_core::catalogue::Lookups;
use mec_core::{Catalogue, IdSource, Namespace, Refusal};
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
        Option<Over>,
        oneshot::Sender<Result<Arc<Catalogue>, EngineError>>,
    ),
    Lookups(
        Box<Lookups>,
        u64,
        oneshot::Sender<Result<Arc<Lookups>, EngineError>>,
    ),
    Retention(Retention, oneshot::Sender<Result<Expired, EngineError>>),
    Stop(oneshot::Sender<()>),
}

/// The versions that a replacement of a catalogue is meant for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    pub catalogue: u64,
    pub lookups: u64,
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
        over: Option<Over>,
    ) -> Result<Arc<Catalogue>, EngineError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Catalogue(namespace, Box::new(draft), over, answer);
        self.jobs.send(job).await.map_err(|_| EngineError::Closed)?;
        answered.await.map_err(|_| EngineError::Closed)?
    }

    pub(crate) async fn put_lookups(
        &self,
        lookups: Lookups,
        over: u64,
    ) -> Result<Arc<Lookups>, EngineError> {
        let (answer, answered) = oneshot::channel();
        let job = Job::Lookups(Box::new(lookups), over, answer);
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
                act => {
                    take_batch(&*store, &shared, &mut *ids, std::mem::take(&mut commands)).await;
                    do_act(&*store, &shared, act).await;
                }
            }
            if count < shared.config.max_batch {
                next = waiting.try_recv().ok();
            }
        }
        take_batch(&*store, &shared, &mut *ids, commands).await;
    }
}

/// Does what is no command of an account. A caller that no longer waits has still had it done.
async fn do_act<S: Store>(store: &S, shared: &Shared, act: Job) {
    match act {
        Job::Catalogue(namespace, draft, over, answer) => {
            let _ = answer.send(put(store, shared, namespace, &draft, over).await);
        }
        Job::Lookups(lookups, over, answer) => {
            let _ = answer.send(put_lookups(store, shared, &lookups, over).await);
        }
        Job::Retention(retention, answer) => {
            let dropped = store.apply_retention(&retention).await;
            let _ = answer.send(dropped.map_err(batch::refused));
        }
        // The writer keeps these to itself.
        Job::Commands(..) | Job::Stop(_) => {}
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
    over: Option<Over>,
) -> Result<Arc<Catalogue>, EngineError> {
    let lookups = store.lookups().await?;
    if let Some(over) = over
        && let Some(before) = store.catalogue(&namespace, None).await?
    {
        if before.version != over.catalogue {
            let held = before.version;
            return Err(Refusal::CatalogueChanged { held }.into());
        }
        if lookups.version != over.lookups {
            let held = lookups.version;
            return Err(Refusal::LookupsChanged { held }.into());
        }
        let touched = replacing::touched(&before, draft);
        let used = store.used(&namespace, touched).await?;
        replacing::refuse_loss(&before, draft, &used)?;
    }
    replacing::refuse_unknown(&lookups, draft)?;
    match store.put_catalogue(&namespace, draft, shared.now()).await {
        Ok(catalogue) => Ok(shared.catalogues.put_if_newer(catalogue)),
        Err(CommitError::Refused { reason, .. }) => Err(Refusal::Catalogue(reason).into()),
        Err(CommitError::NotDone(error) | CommitError::InDoubt(error)) => Err(error.into()),
    }
}

async fn put_lookups<S: Store>(
    store: &S,
    shared: &Shared,
    after: &Lookups,
    over: u64,
) -> Result<Arc<Lookups>, EngineError> {
    let before = store.lookups().await?;
    if before.version != over {
        let held = before.version;
        return Err(Refusal::LookupsChanged { held }.into());
    }
    replacing::refuse_faults(after.faults())?;
    let used = store.used_lookups(before.touched(after)).await?;
    replacing::refuse_faults(before.losses(&used, after))?;
    match store.put_lookups(after).await {
        Ok(lookups) => {
            shared.catalogues.lookups_are(lookups.version);
            Ok(lookups)
        }
        Err(CommitError::Refused { reason, .. }) => Err(Refusal::Catalogue(reason).into()),
        Err(CommitError::NotDone(error) | CommitError::InDoubt(error)) => Err(error.into()),
    }
}
