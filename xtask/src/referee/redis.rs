//! Redis as the usual fast counter: scripts that check, and that check and count, with every write
//! synced, driven by its own `redis-benchmark`. It keeps a number only: no ledger, no idempotency
//! key, no history.

use super::child::Child;
use super::record::Figures;
use crate::workspace::output;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const CHECK: &str = include_str!("redis_check.lua");
const COUNT: &str = include_str!("redis_check_and_count.lua");
const LIMIT: &str = "999999999";
/// Calls by which the number of calls of a run is estimated: its tool takes no duration.
const ESTIMATE_CALLS: usize = 20_000;

/// Which script a run calls.
#[derive(Clone, Copy)]
pub enum Script {
    Check,
    CheckAndCount,
}

/// A running server on a folder of its own.
pub struct Redis {
    _server: Child,
    socket: PathBuf,
    check_hash: String,
    count_hash: String,
}

impl Redis {
    /// Whether the server and its tools are installed.
    pub fn is_installed() -> bool {
        ["redis-server", "redis-cli", "redis-benchmark"]
            .iter()
            .all(|program| {
                Command::new(program)
                    .arg("--version")
                    .stdout(Stdio::null())
                    .status()
                    .is_ok_and(|status| status.success())
            })
    }

    pub fn start(folder: &Path) -> Result<Self> {
        let folder = folder.join("redis");
        std::fs::create_dir(&folder)?;
        let socket = folder.join("socket");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--unixsocket"]);
        command.arg(&socket);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]);
        command.arg(&folder).stdout(Stdio::null());
        let mut server = Child::spawn("redis-server", &mut command)?;
        let answers = || output(program("redis-cli", &socket).arg("PING")).ok();
        server.wait_until(|| answers().filter(|answer| answer.starts_with(b"PONG")))?;
        let load = |script: &str| -> Result<String> {
            let printed = output(program("redis-cli", &socket).args(["SCRIPT", "LOAD", script]))?;
            Ok(String::from_utf8(printed)?.trim().to_owned())
        };
        let (check_hash, count_hash) = (load(CHECK)?, load(COUNT)?);
        Ok(Self {
            _server: server,
            socket,
            check_hash,
            count_hash,
        })
    }

    /// Calls one script over `keys` counters, from each caller over its own connection.
    pub fn measure(
        &self,
        script: Script,
        keys: usize,
        callers: usize,
        duration: Duration,
    ) -> Result<Figures> {
        let estimate = self.run(script, keys, callers, ESTIMATE_CALLS)?;
        let calls = estimate.per_second * duration.as_secs_f64();
        self.run(script, keys, callers, (calls as usize).max(ESTIMATE_CALLS))
    }

    fn run(&self, script: Script, keys: usize, callers: usize, calls: usize) -> Result<Figures> {
        let hash = match script {
            Script::Check => &self.check_hash,
            Script::CheckAndCount => &self.count_hash,
        };
        let mut benchmark = program("redis-benchmark", &self.socket);
        benchmark.args([
            "--csv",
            "-c",
            &callers.to_string(),
            "-n",
            &calls.to_string(),
        ]);
        benchmark.args(["-r", &keys.to_string(), "EVALSHA", hash, "1"]);
        benchmark.args(["used:__rand_int__", LIMIT, "1"]);
        let printed = String::from_utf8(output(&mut benchmark)?)?;
        figures(&printed).with_context(|| format!("no figures in: {printed}"))
    }
}

/// A program that connects by the socket.
fn program(name: &str, socket: &Path) -> Command {
    let mut command = Command::new(name);
    command.arg("-s").arg(socket);
    command
}

/// The last row of the table that redis-benchmark prints, by its column's names.
fn figures(printed: &str) -> Option<Figures> {
    let mut lines = printed.lines();
    let names: Vec<&str> = fields(lines.find(|line| line.contains("\"rps\""))?);
    let row = fields(lines.last()?);
    let column = |name: &str| -> Option<f64> {
        let at = names.iter().position(|held| *held == name)?;
        row.get(at)?.parse().ok()
    };
    Some(Figures {
        per_second: column("rps")?,
        p50_us: column("p50_latency_ms").map(|ms| ms * 1000.0),
        p99_us: column("p99_latency_ms").map(|ms| ms * 1000.0),
        p999_us: None,
    })
}

/// The fields of a row, each in quotation marks.
fn fields(row: &str) -> Vec<&str> {
    let row = row.trim().trim_matches('"');
    row.split("\",\"").collect()
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn the_table_is_read_by_the_names_of_its_columns() {
        let printed = "\"test\",\"rps\",\"avg_latency_ms\",\"p50_latency_ms\",\"p99_latency_ms\"\n\
             \"EVALSHA a 1 used:__rand_int__ 9 1\",\"1234.50\",\"0.3\",\"0.25\",\"0.75\"\n";
        let figures = figures(printed).unwrap();
        assert_eq!(figures.per_second, 1234.5);
        assert_eq!((figures.p50_us, figures.p99_us), (Some(250.0), Some(750.0)));
        assert!(super::figures("ERR").is_none());
    }
}
