//! Sending: callers that wait for their answers (closed loop), or a schedule that waits for nobody
//! (open loop). On a schedule, latencies count from the scheduled start, so that a server that
//! stalls is charged for every request that it kept from being sent.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

use super::client::{Connection, Origin};
use super::kind::Kind;
use super::workload::{Load, Requests};

/// The longest latency that is told apart from longer ones.
const LONGEST_NS: u64 = 600_000_000_000;
/// Three digits of a latency are kept.
const DIGITS: u8 = 3;
/// So long the answers to a schedule are waited for after its end.
const DRAIN: Duration = Duration::from_secs(10);

/// When the next request is sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// When the answer to the one before has come.
    Closed,
    /// On a schedule.
    Open { per_second: f64 },
}

/// How a load is sent.
pub struct Drive {
    pub pace: Pace,
    /// So many at the most in a closed loop.
    pub requests: u64,
    pub warmup: Duration,
    pub duration: Duration,
}

/// What one kind of request measured.
pub struct Latencies {
    pub latency_ns: Histogram<u64>,
    /// Checks, events or leases: more than the answers where one carries many.
    pub items: u64,
}

impl Latencies {
    pub fn new() -> Result<Self> {
        let latency_ns = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)
            .map_err(|error| anyhow!("the histogram cannot be made: {error}"))?;
        Ok(Self {
            latency_ns,
            items: 0,
        })
    }
}

/// What a run measured.
pub struct Measured {
    pub cells: BTreeMap<Kind, Latencies>,
    /// Refused requests, by status and code. They are not among the latencies.
    pub errors: BTreeMap<String, u64>,
    /// Requests of the schedule that were not answered in time.
    pub unanswered: u64,
    /// From the first request that counts to the last answer.
    pub elapsed: Duration,
}

struct Run {
    load: Rc<Load>,
    pace: Pace,
    heads: BTreeMap<Kind, Vec<u8>>,
    gets: (Vec<u8>, Vec<u8>),
    counted_from: Instant,
    end: Instant,
    measured: RefCell<Measured>,
}

/// Sends a load and measures.
pub async fn run(origin: &Origin, load: &Rc<Load>, drive: &Drive) -> Result<Measured> {
    let mut connections = Vec::new();
    for _ in 0..load.callers {
        connections.push(Connection::open(origin.address).await?);
    }
    let heads = Kind::ALL.map(|kind| (kind, origin.post(&load.path(kind))));
    let start = Instant::now();
    let counted_from = start + drive.warmup;
    let run = Rc::new(Run {
        load: load.clone(),
        pace: drive.pace,
        heads: heads.into(),
        gets: origin.get(&load.base),
        counted_from,
        end: counted_from + drive.duration,
        measured: RefCell::new(Measured {
            cells: BTreeMap::new(),
            errors: BTreeMap::new(),
            unanswered: 0,
            elapsed: drive.duration,
        }),
    });
    let local = LocalSet::new();
    match drive.pace {
        Pace::Closed => {
            local
                .run_until(run.closed(connections, drive.requests))
                .await?
        }
        Pace::Open { per_second } => {
            let schedule = Schedule { start, per_second };
            local.run_until(run.open(connections, schedule)).await?;
        }
    }
    drop(local);
    let run = Rc::into_inner(run).context("a caller is still at work")?;
    Ok(run.measured.into_inner())
}

impl Run {
    async fn closed(self: &Rc<Self>, connections: Vec<Connection>, requests: u64) -> Result<()> {
        let left = Rc::new(Cell::new(requests));
        let mut callers = JoinSet::new();
        for (caller, connection) in (0..).zip(connections) {
            let (run, left) = (self.clone(), left.clone());
            callers.spawn_local(async move {
                let mut caller = Caller::new(&run, caller, connection);
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    if caller.ask(Instant::now()).await? >= run.end {
                        break;
                    }
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended??;
        }
        let elapsed = Instant::now().min(self.end) - self.counted_from.min(self.end);
        self.measured.borrow_mut().elapsed = elapsed;
        Ok(())
    }

    async fn open(self: &Rc<Self>, connections: Vec<Connection>, schedule: Schedule) -> Result<()> {
        let places = schedule.places_until(self.end);
        let due = Arc::new(Semaphore::new(0));
        let pacer = std::thread::spawn({
            let due = due.clone();
            move || schedule.release(places, &due)
        });
        let next = Rc::new(Cell::new(0_u64));
        let mut callers = JoinSet::new();
        for (caller, connection) in (0..).zip(connections) {
            let (run, due, next) = (self.clone(), due.clone(), next.clone());
            callers.spawn_local(async move {
                let mut caller = Caller::new(&run, caller, connection);
                while next.get() < places {
                    due.acquire().await?.forget();
                    let place = next.replace(next.get() + 1);
                    if place < places {
                        let answered = caller.ask(schedule.at(place)).await?;
                        let mut measured = run.measured.borrow_mut();
                        measured.elapsed = measured.elapsed.max(answered - run.counted_from);
                    }
                }
                // Whoever waits for a place that does not come is let go.
                due.add_permits(1);
                anyhow::Ok(())
            });
        }
        let drain = tokio::time::Instant::from_std(self.end) + DRAIN;
        let all = async {
            while let Some(ended) = callers.join_next().await {
                ended??;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout_at(drain, all).await {
            Ok(done) => done?,
            Err(_) => callers.shutdown().await,
        }
        pacer
            .join()
            .map_err(|_| anyhow!("the pacing thread ended early"))?;
        let before = schedule.places_until(self.counted_from);
        let mut measured = self.measured.borrow_mut();
        measured.unanswered = (places - before).saturating_sub(measured.answered());
        Ok(())
    }
}

/// When each request of an open loop is due.
#[derive(Clone, Copy)]
struct Schedule {
    start: Instant,
    per_second: f64,
}

impl Schedule {
    fn at(self, place: u64) -> Instant {
        self.start + Duration::from_secs_f64(place as f64 / self.per_second)
    }

    /// How many are due before a moment.
    fn places_until(self, moment: Instant) -> u64 {
        let seconds = moment.saturating_duration_since(self.start).as_secs_f64();
        (seconds * self.per_second).ceil() as u64
    }

    /// Lets each request go when it is due. A thread of its own sleeps more finely than the timers
    /// of the runtime, which count in milliseconds.
    fn release(self, places: u64, due: &Semaphore) {
        let mut released = 0;
        while released < places {
            std::thread::sleep(self.at(released).saturating_duration_since(Instant::now()));
            let now_due = self.places_until(Instant::now()).min(places);
            due.add_permits(usize::try_from(now_due - released).unwrap_or(usize::MAX));
            released = now_due;
        }
    }
}

/// One connection with its requests.
struct Caller<'a> {
    run: &'a Run,
    connection: Connection,
    requests: Requests<'a>,
}

impl<'a> Caller<'a> {
    fn new(run: &'a Run, number: u32, connection: Connection) -> Self {
        Self {
            run,
            connection,
            requests: Requests::new(&run.load, number),
        }
    }

    /// Asks once; the latency counts from `since`. Answers when the answer came.
    async fn ask(&mut self, since: Instant) -> Result<Instant> {
        let (kind, body) = self.requests.next();
        let answer = if kind.is_get() {
            self.connection.get(&self.run.gets, body).await?
        } else {
            let head = self.run.heads.get(&kind).map_or(&[][..], Vec::as_slice);
            self.connection.ask(head, body).await?
        };
        let answered = Instant::now();
        let refusal = kind.refusal(&answer);
        self.requests.answered(kind, answer.body);
        let counts = match self.run.pace {
            Pace::Closed => self.run.counted_from <= answered && answered < self.run.end,
            Pace::Open { .. } => self.run.counted_from <= since,
        };
        if counts {
            let mut measured = self.run.measured.borrow_mut();
            match refusal {
                None => measured.add(kind, answered - since, self.run.load.items(kind))?,
                Some(code) => *measured.errors.entry(code).or_default() += 1,
            }
        }
        Ok(answered)
    }
}

impl Measured {
    fn add(&mut self, kind: Kind, latency: Duration, items: u64) -> Result<()> {
        let cell = match self.cells.entry(kind) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => free.insert(Latencies::new()?),
        };
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST_NS);
        cell.latency_ns
            .saturating_record(nanoseconds.clamp(1, LONGEST_NS));
        cell.items += items;
        Ok(())
    }

    /// All requests that were answered and counted, refused or not.
    fn answered(&self) -> u64 {
        let taken: u64 = self.cells.values().map(|cell| cell.latency_ns.len()).sum();
        taken + self.errors.values().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_its_places_at_even_distances() {
        let start = Instant::now();
        let schedule = Schedule {
            start,
            per_second: 100.0,
        };
        assert_eq!(schedule.at(0), start);
        assert_eq!(schedule.at(250), start + Duration::from_millis(2_500));
        for (millis, places) in [(0, 0), (5, 1), (10, 1), (11, 2), (1_000, 100)] {
            let moment = start + Duration::from_millis(millis);
            assert_eq!(schedule.places_until(moment), places, "{millis} ms");
        }
    }

    #[test]
    fn a_schedule_lets_every_place_go() {
        let due = Semaphore::new(0);
        let schedule = Schedule {
            start: Instant::now(),
            per_second: 1e6,
        };
        schedule.release(1_000, &due);
        assert_eq!(due.available_permits(), 1_000);
    }

    #[test]
    fn refused_requests_are_counted_and_not_measured() {
        let mut measured = Measured {
            cells: BTreeMap::new(),
            errors: BTreeMap::from([("503 unavailable".to_owned(), 2)]),
            unanswered: 0,
            elapsed: Duration::ZERO,
        };
        for millis in 1..=100 {
            let latency = Duration::from_millis(millis);
            assert!(measured.add(Kind::Meters, latency, 100).is_ok());
        }
        let cell = &measured.cells[&Kind::Meters];
        let p90_ms = cell.latency_ns.value_at_quantile(0.9) / 1_000_000;
        assert_eq!((cell.items, p90_ms, measured.answered()), (10_000, 90, 102));
    }
}
