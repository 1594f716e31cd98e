//! Rows on their way: requests of up to 1,000, a few at once, tried again while the server is away.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::columns::Columns;
use super::reading::Rows;
use super::refusals::Refusals;
use crate::door::{Answer, Call, Door, Refused};

/// The most rows of a request.
const MAX_ROWS: usize = 1_000;
/// The most bytes of a request's rows; a server takes a body of 1 MiB.
const MAX_BYTES: usize = 900 * 1024;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How rows are sent.
pub struct Batches<'a> {
    pub door: &'a Door,
    pub in_flight: usize,
    pub patience_seconds: u64,
    pub progress: &'a ProgressBar,
}

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub new: u64,
    pub repeated: u64,
    pub refused: u64,
}

impl Counts {
    pub fn rows(&self) -> u64 {
        self.new + self.repeated + self.refused
    }
}

/// A row that waits for its answer.
struct Item {
    number: u64,
    key: String,
    json: String,
}

/// What is gathered while rows are under way.
struct Gathered<'a> {
    counts: Counts,
    refusals: &'a mut Refusals,
    failed: Option<anyhow::Error>,
}

#[derive(Deserialize)]
struct ItemAnswer<'a> {
    status: u16,
    #[serde(default)]
    replayed: bool,
    error: Option<Refused>,
    #[serde(borrow, rename = "result")]
    _result: Option<&'a RawValue>,
}

impl Batches<'_> {
    /// Sends all rows and counts what became of them.
    pub fn send<R: Read>(
        &self,
        rows: Rows<'_, R>,
        columns: &Columns,
        refusals: &mut Refusals,
    ) -> Result<Counts> {
        let gathered = Mutex::new(Gathered {
            counts: Counts::default(),
            refusals,
            failed: None,
        });
        let stop = AtomicBool::new(false);
        // A batch waits for each sender, so that memory holds twice as many as are under way.
        let (ready, waiting) = sync_channel::<Vec<Item>>(self.in_flight);
        let waiting = Mutex::new(waiting);
        let read = thread::scope(|scope| {
            for _ in 0..self.in_flight {
                scope.spawn(|| self.work(&waiting, &gathered, &stop));
            }
            let read = self.read(rows, columns, &ready, &gathered, &stop);
            // The senders end when nothing is left to take.
            drop(ready);
            read
        });
        let gathered = gathered
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        match gathered.failed {
            Some(error) => Err(error),
            None => read.map(|()| gathered.counts),
        }
    }

    fn read<R: Read>(
        &self,
        mut rows: Rows<'_, R>,
        columns: &Columns,
        ready: &SyncSender<Vec<Item>>,
        gathered: &Mutex<Gathered<'_>>,
        stop: &AtomicBool,
    ) -> Result<()> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let number = row.number;
            let read = row.values;
            let (key, json) = match read.and_then(|values| columns.arguments(number, values)) {
                Ok(read) => read,
                Err(why) => {
                    let mut gathered = lock(gathered);
                    gathered.counts.refused += 1;
                    gathered.refusals.add(number, "", "unreadable_row", &why)?;
                    continue;
                }
            };
            if !batch.is_empty() && (batch.len() == MAX_ROWS || bytes + json.len() > MAX_BYTES) {
                bytes = 0;
                // The senders are gone only after one of them has failed.
                if ready.send(std::mem::take(&mut batch)).is_err() {
                    return Ok(());
                }
            }
            bytes += json.len() + 1;
            batch.push(Item { number, key, json });
        }
        if !batch.is_empty() {
            // As above.
            let _ = ready.send(batch);
        }
        Ok(())
    }

    fn work(
        &self,
        waiting: &Mutex<Receiver<Vec<Item>>>,
        gathered: &Mutex<Gathered<'_>>,
        stop: &AtomicBool,
    ) {
        loop {
            let next = lock(waiting).recv();
            let Ok(batch) = next else { return };
            // After a failure what waits is only taken out of the way of the reader.
            if stop.load(Ordering::Relaxed) {
                continue;
            }
            if let Err(error) = self.deliver(batch, gathered) {
                stop.store(true, Ordering::Relaxed);
                lock(gathered).failed.get_or_insert(error);
            }
        }
    }

    /// Sends a batch until each of its rows has an answer that stays.
    fn deliver(&self, mut batch: Vec<Item>, gathered: &Mutex<Gathered<'_>>) -> Result<()> {
        let mut since = Instant::now();
        let mut pause = FIRST_PAUSE;
        while !batch.is_empty() {
            let before = batch.len();
            let why = match self.attempt(&mut batch, gathered)? {
                None => continue,
                Some(why) => why,
            };
            if batch.len() < before {
                (since, pause) = (Instant::now(), FIRST_PAUSE);
            }
            if since.elapsed() > Duration::from_secs(self.patience_seconds) {
                let seconds = self.patience_seconds;
                return Err(why.error)
                    .with_context(|| format!("nothing was taken for {seconds} seconds"));
            }
            thread::sleep(why.pause.unwrap_or(pause).min(LONGEST_PAUSE));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    /// One request. What is answered for good leaves the batch; says why the rest must wait.
    fn attempt(
        &self,
        batch: &mut Vec<Item>,
        gathered: &Mutex<Gathered<'_>>,
    ) -> Result<Option<Later>> {
        let rows: Vec<&str> = batch.iter().map(|item| item.json.as_str()).collect();
        let body = format!("{{\"p_events\":[{}]}}", rows.join(","));
        let call = Call::post("/api/rpc/meter_consumptions", body);
        let answer = match self.door.send(&call) {
            Ok(answer) => answer,
            Err(error) => return Ok(Some(Later { error, pause: None })),
        };
        if passes(answer.status) {
            let pause = retry_after(&answer);
            let error = answer.success().err();
            let error = error.unwrap_or_else(|| anyhow::anyhow!("the server is overloaded"));
            return Ok(Some(Later { error, pause }));
        }
        let text = answer.success()?;
        let answers: Vec<ItemAnswer<'_>> = serde_json::from_str(&text)?;
        if answers.len() != batch.len() {
            bail!(
                "the server answered {} of {} rows",
                answers.len(),
                batch.len()
            );
        }
        let mut gathered = lock(gathered);
        let mut later = Vec::new();
        for (item, answer) in batch.drain(..).zip(answers) {
            match answer.status {
                200 if answer.replayed => gathered.counts.repeated += 1,
                200 => gathered.counts.new += 1,
                status if passes(status) => later.push(item),
                _ => {
                    gathered.counts.refused += 1;
                    let (code, message) = match &answer.error {
                        Some(error) => (error.code.as_str(), error.message.as_str()),
                        None => ("", ""),
                    };
                    gathered
                        .refusals
                        .add(item.number, &item.key, code, message)?;
                }
            }
        }
        *batch = later;
        self.progress
            .set_message(format!("{} rows", gathered.counts.rows()));
        Ok((!batch.is_empty()).then(|| Later {
            error: anyhow::anyhow!("the server is overloaded"),
            pause: None,
        }))
    }
}

/// Why a request must be sent again, and when.
struct Later {
    error: anyhow::Error,
    pause: Option<Duration>,
}

/// Whether a refusal passes by waiting.
fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 502 | 503 | 504)
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let value = answer.headers.get("retry-after")?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

/// A thread that failed has told its failure; what it left is whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
