//! The Journal: the one way by which anything changes. A writer thread takes all commands that wait,
//! so that a batch grows while the previous one is being synced, and no timer delays anyone.

mod lanes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mec_core::catalogue::Lookups;
use mec_core::{Catalogue, IdSource, Namespace};
use mec_store::{CatalogueAge, CatalogueDraft, Expired, Retention, Store};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::api_keys::KeyWrite;
use crate::error::EngineError;
use crate::request::{Outcome, Request};
use crate::together::{self, End, TogetherError};
use crate::{Shared, Stats, api_keys, batch, replacing};

type Answers = Vec<Result<Outcome, EngineError>>;

/// A job since when it waits.
type Waiting = (Instant, Job);

enum Job {
    Commands(Vec<Request>, oneshot::Sender<Answers>),
    Together(
        Vec<Request>,
        End,
        oneshot::Sender<Result<Vec<Outcome>, TogetherError>>,
    ),
    Catalogue(
        Namespace,
        Box<CatalogueDraft>,
        Option<CatalogueAge>,
        oneshot::Sender<Result<Arc<Catalogue>, EngineError>>,
    ),
    Lookups(
        Box<Lookups>,
        u64,
        oneshot::Sender<Result<Arc<Lookups>, EngineError>>,
    ),
    Retention(Retention, oneshot::Sender<Result<Expired, EngineError>>),
    Key(KeyWrite, oneshot::Sender<Result<bool, EngineError>>),
    Stop(oneshot::Sender<()>),
}

pub(crate) struct Journal {
    shared: Arc<Shared>,
    // At least one. What is no command of an account is done by the first.
    lanes: Vec<mpsc::Sender<Waiting>>,
    writers: Mutex<Vec<thread::JoinHandle<()>>>,
}

/// What a writer thread works with.
struct Writer<S> {
    store: Arc<S>,
    shared: Arc<Shared>,
    lane: usize,
    ids: SharedIds,
}

/// The ids of an engine, from which all its lanes take.
#[derive(Clone)]
struct SharedIds(Arc<Mutex<Box<dyn IdSource + Send>>>);

impl IdSource for SharedIds {
    fn next_id(&mut self) -> Uuid {
        self.0.lock().next_id()
    }
}

/// How often the decision log is written and ended holds are trimmed where nothing else happens.
const HOUSEKEEPING: Duration = Duration::from_millis(250);

impl Journal {
    pub(crate) fn start<S: Store>(
        store: Arc<S>,
        shared: Arc<Shared>,
        ids: Box<dyn IdSource + Send>,
    ) -> Result<Self, EngineError> {
        let ids = SharedIds(Arc::new(Mutex::new(ids)));
        let mut lanes = Vec::new();
        let mut writers = Vec::new();
        for lane in 0..store.lanes().max(1) {
            let (jobs, waiting) = mpsc::channel(shared.config.max_waiting);
            let writer = Writer {
                store: store.clone(),
                shared: shared.clone(),
                lane,
                ids: ids.clone(),
            };
            let failed = |error: std::io::Error| EngineError::Internal(error.to_string());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            let thread = thread::Builder::new()
                .name("mec-journal".to_owned())
                .spawn(move || runtime.block_on(writer.write(waiting)))
                .map_err(failed)?;
            lanes.push(jobs);
            writers.push(thread);
        }
        Ok(Self {
            shared,
            lanes,
            writers: Mutex::new(writers),
        })
    }

    /// Hands commands to the lanes of their trees. Where it is not known that each has its own tree to
    /// work on, all go to one lane, in which they are done in their order.
    ///
    /// # Errors
    /// Where none could be taken; where only some could, each answers for itself.
    pub(crate) async fn submit(&self, requests: Vec<Request>) -> Result<Answers, EngineError> {
        let lanes = match &*self.lanes {
            [_] | [] => None,
            [_, _, ..] => requests
                .iter()
                .map(|request| self.lane_of(request))
                .collect(),
        };
        let Some(lanes): Option<Vec<usize>> = lanes else {
            let first = requests.first().map_or(0, |first| self.any_lane(first));
            return self
                .send(first, requests)?
                .await
                .map_err(|_| EngineError::Closed);
        };
        let mut parts: BTreeMap<usize, (Vec<usize>, Vec<Request>)> = BTreeMap::new();
        for (place, (lane, request)) in lanes.into_iter().zip(requests).enumerate() {
            let (places, of_lane) = parts.entry(lane).or_default();
            places.push(place);
            of_lane.push(request);
        }
        let is_whole = parts.len() == 1;
        let send = |(lane, (places, requests))| (places, self.send(lane, requests));
        let sent: Vec<_> = parts.into_iter().map(send).collect();
        let mut answers = BTreeMap::new();
        for (places, sent) in sent {
            let told = match sent {
                Ok(answered) => answered.await.map_err(|_| EngineError::Closed),
                Err(error) => Err(error),
            };
            let told = match told {
                Ok(told) => told,
                Err(error) if is_whole => return Err(error),
                Err(error) => places.iter().map(|_| Err(error.repeat())).collect(),
            };
            answers.extend(places.into_iter().zip(told));
        }
        Ok(answers.into_values().collect())
    }

    /// Hands commands that are done together, or not at all, to the lane of the first.
    pub(crate) async fn submit_together(
        &self,
        requests: Vec<Request>,
        end: End,
    ) -> Result<Vec<Outcome>, TogetherError> {
        let Some(first) = requests.first() else {
            return Ok(Vec::new());
        };
        let lane = self.lane_of(first).unwrap_or_else(|| self.any_lane(first));
        let (answer, answered) = oneshot::channel();
        self.put(lane, Job::Together(requests, end, answer))?;
        answered.await.map_err(|_| EngineError::Closed)?
    }

    fn put(&self, lane: usize, job: Job) -> Result<(), EngineError> {
        let lane = self.lanes.get(lane).ok_or(EngineError::Closed)?;
        lane.try_send((Instant::now(), job))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => EngineError::Busy,
                mpsc::error::TrySendError::Closed(_) => EngineError::Closed,
            })
    }

    fn send(
        &self,
        lane: usize,
        requests: Vec<Request>,
    ) -> Result<oneshot::Receiver<Answers>, EngineError> {
        let (answer, answered) = oneshot::channel();
        self.put(lane, Job::Commands(requests, answer))?;
        Ok(answered)
    }

    async fn act<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Job,
    ) -> Result<T, EngineError> {
        let (answer, answered) = oneshot::channel();
        let lane = self.lanes.first().ok_or(EngineError::Closed)?;
        lane.send((Instant::now(), job(answer)))
            .await
            .map_err(|_| EngineError::Closed)?;
        answered.await.map_err(|_| EngineError::Closed)?
    }

    pub(crate) async fn put_catalogue(
        &self,
        namespace: Namespace,
        draft: CatalogueDraft,
        over: Option<CatalogueAge>,
    ) -> Result<Arc<Catalogue>, EngineError> {
        self.act(|answer| Job::Catalogue(namespace, Box::new(draft), over, answer))
            .await
    }

    pub(crate) async fn put_lookups(
        &self,
        lookups: Lookups,
        over: u64,
    ) -> Result<Arc<Lookups>, EngineError> {
        self.act(|answer| Job::Lookups(Box::new(lookups), over, answer))
            .await
    }

    pub(crate) async fn apply_retention(
        &self,
        retention: Retention,
    ) -> Result<Expired, EngineError> {
        self.act(|answer| Job::Retention(retention, answer)).await
    }

    /// How many calls wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        let waiting = |lane: &mpsc::Sender<Waiting>| lane.max_capacity() - lane.capacity();
        self.lanes.iter().map(waiting).sum()
    }

    /// Whether every lane takes commands.
    pub(crate) fn is_open(&self) -> bool {
        self.lanes.iter().all(|lane| !lane.is_closed())
    }

    pub(crate) async fn write_key(&self, write: KeyWrite) -> Result<bool, EngineError> {
        self.act(|answer| Job::Key(write, answer)).await
    }

    pub(crate) async fn close(&self) {
        let mut stopping = Vec::new();
        for lane in &self.lanes {
            let (answer, answered) = oneshot::channel();
            if lane.send((Instant::now(), Job::Stop(answer))).await.is_ok() {
                stopping.push(answered);
            }
        }
        for answered in stopping {
            // A writer that has gone has nothing left to finish.
            let _ = answered.await;
        }
        let writers = std::mem::take(&mut *self.writers.lock());
        let join = || writers.into_iter().for_each(|writer| drop(writer.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

impl<S: Store> Writer<S> {
    async fn write(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        loop {
            self.shared.beats.beat(self.lane);
            let first = tokio::time::timeout(HOUSEKEEPING, waiting.recv()).await;
            if self.lane == 0 {
                self.shared.books.tick();
                self.shared.books.trim();
            }
            let mut next = match first {
                Ok(Some(first)) => Some(self.taken(first)),
                Ok(None) => return,
                Err(_) => {
                    self.take_batch(Vec::new()).await;
                    continue;
                }
            };
            let mut commands = Vec::new();
            let mut count: usize = 0;
            while let Some(job) = next.take() {
                match job {
                    Job::Commands(requests, answer) => {
                        count = count.saturating_add(requests.len());
                        commands.push((requests, answer));
                    }
                    Job::Together(requests, end, answer) => {
                        self.take_batch(std::mem::take(&mut commands)).await;
                        self.take_together(&requests, end, answer).await;
                    }
                    Job::Stop(answer) => {
                        self.take_batch(std::mem::take(&mut commands)).await;
                        self.finish(waiting).await;
                        let _ = answer.send(());
                        return;
                    }
                    act => {
                        self.take_batch(std::mem::take(&mut commands)).await;
                        do_act(&*self.store, &self.shared, act).await;
                    }
                }
                if count < self.shared.config.max_batch {
                    next = waiting.try_recv().ok().map(|next| self.taken(next));
                }
            }
            self.take_batch(commands).await;
        }
    }

    /// A job whose waiting has ended.
    fn taken(&self, (since, job): Waiting) -> Job {
        let waited = &self.shared.stats.queue_wait_micros;
        waited.observe_time(since.elapsed());
        job
    }

    /// Does what still waits, and takes nothing more.
    async fn finish(&mut self, mut waiting: mpsc::Receiver<Waiting>) {
        waiting.close();
        while let Some(next) = waiting.recv().await {
            let job = self.taken(next);
            // Whatever else was asked for is told that the engine has stopped.
            match job {
                Job::Commands(requests, answer) => {
                    self.take_batch(vec![(requests, answer)]).await;
                }
                Job::Together(requests, end, answer) => {
                    self.take_together(&requests, end, answer).await;
                }
                _ => {}
            }
        }
        self.take_batch(Vec::new()).await;
    }

    /// A group is a batch of its own, so that none of its commands shares the fate of another caller's.
    async fn take_together(
        &mut self,
        requests: &[Request],
        end: End,
        answer: oneshot::Sender<Result<Vec<Outcome>, TogetherError>>,
    ) {
        let stats = &self.shared.stats;
        Stats::add(&stats.batches, 1);
        let count = u64::try_from(requests.len()).unwrap_or(0);
        Stats::add(&stats.commands, count);
        stats.batch_commands.observe(count);
        let ids = &mut self.ids;
        let done = together::run(&*self.store, &self.shared, self.lane, ids, requests, end).await;
        // A caller that no longer waits has still had it done.
        let _ = answer.send(done);
    }

    async fn take_batch(&mut self, commands: Vec<(Vec<Request>, oneshot::Sender<Answers>)>) {
        let shared = &self.shared;
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
        let count = u64::try_from(requests.len()).unwrap_or(0);
        Stats::add(&shared.stats.batches, 1);
        Stats::add(&shared.stats.commands, count);
        if count > 0 {
            shared.stats.batch_commands.observe(count);
        }
        let ids = &mut self.ids;
        let mut answers = batch::run(&*self.store, shared, self.lane, ids, &requests, decisions)
            .await
            .into_iter();
        for (count, caller) in callers {
            // A caller that no longer waits has still had its commands done.
            let _ = caller.send(answers.by_ref().take(count).collect());
        }
    }
}

/// Does what is no command of an account. A caller that no longer waits has still had it done.
async fn do_act<S: Store>(store: &S, shared: &Shared, act: Job) {
    match act {
        Job::Catalogue(namespace, draft, over, answer) => {
            let _ =
                answer.send(replacing::put_catalogue(store, shared, namespace, &draft, over).await);
        }
        Job::Lookups(lookups, over, answer) => {
            let _ = answer.send(replacing::put_lookups(store, shared, &lookups, over).await);
        }
        Job::Retention(retention, answer) => {
            let dropped = store.apply_retention(&retention).await;
            let _ = answer.send(dropped.map_err(batch::refused));
        }
        Job::Key(write, answer) => {
            let _ = answer.send(api_keys::write(store, shared, write).await);
        }
        // The writer keeps these to itself.
        Job::Commands(..) | Job::Together(..) | Job::Stop(_) => {}
    }
}
