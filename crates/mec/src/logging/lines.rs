//! Lines on their way to a file or a stream: callers leave them in memory and never wait; a thread writes them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// So much waits to be written at the most, in bytes; what comes on top is dropped and counted.
const MOST_WAITING_BYTES: usize = 4 * 1024 * 1024;
/// How long the end waits for a stream that nobody reads.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);

/// Where lines are written to. It may block.
pub trait Target: Send + 'static {
    /// Writes whole lines.
    fn write(&mut self, lines: &[u8]) -> io::Result<()>;
}

/// Takes lines. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lines {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lines: u64,
    is_closing: bool,
    has_ended: bool,
}

impl Lines {
    /// Leaves a line to be written.
    pub fn push(&self, line: &str) {
        let mut waiting = self.shared.waiting.lock();
        if waiting.bytes.len().saturating_add(line.len()) > MOST_WAITING_BYTES {
            drop(waiting);
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line.as_bytes());
        waiting.lines = waiting.lines.saturating_add(1);
        drop(waiting);
        if was_empty {
            self.shared.changed.notify_all();
        }
    }

    /// How many lines were dropped: there were too many, or they could not be written.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

/// The thread that writes. When it is dropped, what waits is written first.
#[derive(Debug)]
pub struct Writer {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts one. It waits for `gather` after the first line, so that many are written at once.
    pub fn start(name: &str, target: impl Target, gather: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let lines = Lines {
            shared: shared.clone(),
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || write_all(&shared, target, gather))?;
        Ok(Self {
            lines,
            thread: Some(thread),
        })
    }

    pub fn lines(&self) -> Lines {
        self.lines.clone()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let shared = &self.lines.shared;
        let mut waiting = shared.waiting.lock();
        waiting.is_closing = true;
        shared.changed.notify_all();
        let until = Instant::now() + CLOSING_TIMEOUT;
        while !waiting.has_ended {
            if shared.changed.wait_until(&mut waiting, until).timed_out() {
                // Nobody reads; the process must end all the same.
                return;
            }
        }
        drop(waiting);
        if let Some(thread) = self.thread.take() {
            // It has ended; how, it has said before.
            let _ = thread.join();
        }
    }
}

fn write_all(shared: &Shared, mut target: impl Target, gather: Duration) {
    let mut taken = Vec::new();
    while let Some(lines) = take(shared, &mut taken, gather) {
        if target.write(&taken).is_err() {
            shared.dropped.fetch_add(lines, Ordering::Relaxed);
        }
        taken.clear();
    }
    shared.waiting.lock().has_ended = true;
    shared.changed.notify_all();
}

/// Waits for lines and takes them; how many, or none at the end.
fn take(shared: &Shared, into: &mut Vec<u8>, gather: Duration) -> Option<u64> {
    let mut waiting = shared.waiting.lock();
    while waiting.bytes.is_empty() {
        if waiting.is_closing {
            return None;
        }
        shared.changed.wait(&mut waiting);
    }
    if !waiting.is_closing && !gather.is_zero() {
        shared.changed.wait_for(&mut waiting, gather);
    }
    std::mem::swap(&mut waiting.bytes, into);
    Some(std::mem::take(&mut waiting.lines))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Hands over what is written, once it is told to go on.
    struct Held {
        go: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Target for Held {
        fn write(&mut self, lines: &[u8]) -> io::Result<()> {
            self.go.recv().map_err(io::Error::other)?;
            self.written.send(lines.to_vec()).map_err(io::Error::other)
        }
    }

    fn held() -> (Writer, Sender<()>, Receiver<Vec<u8>>) {
        let (go, told) = channel();
        let (written, got) = channel();
        let target = Held { go: told, written };
        (
            Writer::start("test", target, Duration::ZERO).unwrap(),
            go,
            got,
        )
    }

    #[test]
    fn lines_are_written_in_their_order_and_all_at_the_end() {
        let (writer, go, written) = held();
        let lines = writer.lines();
        for number in 0..1000 {
            lines.push(&format!("{number}\n"));
            go.send(()).unwrap();
        }
        drop(writer);
        let bytes: Vec<u8> = written.iter().flatten().collect();
        let expected: String = (0..1000).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        assert_eq!(lines.dropped(), 0);
    }

    #[test]
    fn who_writes_slowly_keeps_nobody_waiting() {
        let (writer, go, written) = held();
        let lines = writer.lines();
        let line = "x".repeat(1024 * 1024 - 1) + "\n";
        lines.push(&line);
        for _ in 0..20 {
            lines.push(&line);
        }
        // Four wait, and up to four more are in the writer's hands, which took what was there when it came.
        let dropped = lines.dropped();
        assert!((13..=17).contains(&dropped), "{dropped}");
        for _ in 0..21 {
            go.send(()).unwrap();
        }
        drop(writer);
        let bytes = written.iter().map(|part| part.len()).sum::<usize>();
        assert_eq!(bytes as u64, (21 - dropped) * 1024 * 1024);
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let (writer, go, written) = held();
        drop(written);
        let lines = writer.lines();
        lines.push("a\n");
        go.send(()).unwrap();
        drop(writer);
        assert_eq!(lines.dropped(), 1);
    }
}
