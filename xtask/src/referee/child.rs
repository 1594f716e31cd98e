//! Servers that the referee starts, waits for and ends.

use anyhow::{Context, Result, bail};
use std::process::{ChildStdout, Command};
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(5);

/// A child process that is killed when this is dropped.
pub struct Child {
    name: &'static str,
    process: std::process::Child,
}

impl Child {
    pub fn spawn(name: &'static str, command: &mut Command) -> Result<Self> {
        let process = command
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self { name, process })
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends the process at once, as a failing machine would.
    pub fn kill(&mut self) {
        // Both fail only for a process that has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.process.stdout.take()
    }

    /// Asks `ready` again and again until it answers something.
    ///
    /// Fails when the process ends first or takes longer than a minute.
    pub fn wait_until<T>(&mut self, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
        let start = Instant::now();
        loop {
            if let Some(answer) = ready() {
                return Ok(answer);
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("{} ended at its start with {status}", self.name);
            }
            if start.elapsed() > START_TIMEOUT {
                bail!(
                    "{} is not ready after {} s",
                    self.name,
                    START_TIMEOUT.as_secs()
                );
            }
            std::thread::sleep(POLL_EVERY);
        }
    }

    /// Waits for a process that was told to end by other means.
    pub fn wait(&mut self) {
        // A process that cannot be waited for is gone, which is what was asked.
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
