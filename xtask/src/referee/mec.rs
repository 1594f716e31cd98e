//! MEC itself: the release binary on a folder of its own, driven by its own `mec bench`.

use super::child::Child;
use super::record::Figures;
use crate::workspace::output;
use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const CHECK_PATH: &str = "/api/rpc/check_entitlement";

/// A running MEC with the accounts of the bench.
pub struct Mec {
    server: Child,
    binary: PathBuf,
    data: PathBuf,
    /// The PostgreSQL database that it keeps its data in; none for the embedded store.
    database: Option<String>,
    url: String,
    token: String,
    accounts: usize,
}

/// The secret of a node on PostgreSQL, which every node must have.
pub const SECRET: &str = "the referee's own secret of 32 bytes or more";

/// A load, as `mec bench` takes it.
pub struct Load<'a> {
    pub workload: &'a str,
    pub callers: usize,
    pub hot: bool,
    pub batch: usize,
}

impl<'a> Load<'a> {
    /// Over all accounts, one item a request.
    pub fn spread(workload: &'a str, callers: usize) -> Self {
        Self {
            workload,
            callers,
            hot: false,
            batch: 1,
        }
    }
}

/// What is read of the answer of `mec bench --json`.
#[derive(Deserialize)]
struct BenchAnswer {
    items_per_second: f64,
    errors: BTreeMap<String, u64>,
    latency_us: Option<Latency>,
}

#[derive(Deserialize)]
struct Latency {
    p50: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
}

impl Mec {
    /// Starts the embedded store in `folder`, which is made, with as many accounts as asked.
    pub fn start(binary: &Path, folder: &Path, accounts: usize) -> Result<Self> {
        Self::start_on(binary, folder, accounts, None)
    }

    /// The same on a PostgreSQL database that was migrated, where one is named.
    pub fn start_on(
        binary: &Path,
        folder: &Path,
        accounts: usize,
        database: Option<String>,
    ) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let data = folder.join("data");
        let (server, url) = serve(binary, &data, database.as_deref())?;
        let mut command = mec(binary, "token", &data, database.as_deref());
        command.args(["--role", "mec_service", "--namespace", "default"]);
        let token = String::from_utf8(output(&mut command)?)?.trim().to_owned();
        let mec = Self {
            server,
            binary: binary.to_path_buf(),
            data,
            database,
            url,
            token,
            accounts,
        };
        output(mec.bench("check").arg("--prepare-only"))?;
        Ok(mec)
    }

    /// Runs a load for a while.
    pub fn measure(&self, load: &Load<'_>, duration: Duration) -> Result<Figures> {
        let mut bench = self.bench(load.workload);
        bench.args(["--callers", &load.callers.to_string()]);
        bench.args(["--batch", &load.batch.to_string()]);
        bench.args(load.hot.then_some("--hot"));
        figures(&mut bench, duration)
    }

    /// Runs a load of reads against another server of the same resources, whose paths have no base.
    pub fn measure_elsewhere(
        &self,
        url: &str,
        load: &Load<'_>,
        duration: Duration,
    ) -> Result<Figures> {
        let mut bench = self.bench(load.workload);
        bench.args(["--server", url, "--token", &self.token, "--base", "/"]);
        bench.args(["--callers", &load.callers.to_string()]);
        figures(&mut bench, duration)
    }

    /// Asks its own route for checks about one account, as another route is asked.
    pub fn measure_alone(&self, callers: usize, duration: Duration) -> Result<Figures> {
        self.measure_other(&self.url, callers, duration)
    }

    /// Ends the server and answers where it has left its data.
    pub fn leave(self) -> PathBuf {
        self.data
    }

    /// Asks another route with the bytes of a check and with the generator that asks MEC.
    pub fn measure_other(&self, url: &str, callers: usize, duration: Duration) -> Result<Figures> {
        let mut bench = self.bench("check");
        bench.args(["--server", url, "--token", &self.token]);
        bench.args(["--callers", &callers.to_string()]);
        bench.args(["--url", CHECK_PATH, "--body", &self.check_body(0)]);
        figures(&mut bench, duration)
    }

    /// Records so many events of one unit, over all accounts or on the hot one, in full requests.
    pub fn fill(&self, events: usize, hot: bool) -> Result<()> {
        const EVENTS_A_REQUEST: usize = 1_000;
        let requests = events.div_ceil(EVENTS_A_REQUEST);
        let mut bench = self.bench("meter100");
        bench.args(["--batch", &EVENTS_A_REQUEST.to_string()]);
        bench.args(["--callers", "8", "--duration", "86400", "--warmup", "0"]);
        bench.args(["--requests", &requests.to_string()]);
        bench.args(hot.then_some("--hot"));
        answer(&mut bench).map(drop)
    }

    /// The length of the answer to a check, so that the empty route answers as much.
    pub fn answer_bytes(&self) -> Result<usize> {
        let answer = self.check(&ureq::Agent::new_with_defaults(), 0)?;
        ensure!(
            answer.contains("\"decision\":\"allow\""),
            "the first check answered {answer}"
        );
        Ok(answer.len())
    }

    /// Asks about one account and answers how long the answer took.
    pub fn time_check(&self, agent: &ureq::Agent, account: usize) -> Result<Duration> {
        let start = Instant::now();
        self.check(agent, account)?;
        Ok(start.elapsed())
    }

    fn check(&self, agent: &ureq::Agent, account: usize) -> Result<String> {
        let request = agent
            .post(format!("{}{CHECK_PATH}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json");
        let mut answer = request.send(self.check_body(account))?;
        Ok(answer.body_mut().read_to_string()?)
    }

    /// The body that `mec bench check` sends.
    fn check_body(&self, account: usize) -> String {
        let id = format!("00000000-0000-8000-8000-{account:012x}");
        json!({ "p_account_id": id, "p_resource_type": "api_requests" }).to_string()
    }

    /// Kills the server, starts it again and answers how long it took to be ready.
    pub fn restart(&mut self) -> Result<Duration> {
        self.server.kill();
        std::fs::remove_file(self.data.join("mec.addr")).context("removing the old address")?;
        let start = Instant::now();
        (self.server, self.url) = serve(&self.binary, &self.data, self.database.as_deref())?;
        Ok(start.elapsed())
    }

    /// The memory that the server holds, in MiB.
    pub fn resident_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.server.id());
        let status = std::fs::read_to_string(&path)?;
        resident_kib(&status)
            .map(|kib| kib / 1024.0)
            .with_context(|| format!("{path} has no VmRSS"))
    }

    /// What the data folder takes on the disk, in MiB.
    pub fn disk_mib(&self) -> Result<f64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(&self.data)? {
            bytes += entry?.metadata()?.len();
        }
        Ok(bytes as f64 / f64::from(1 << 20))
    }

    fn bench(&self, workload: &str) -> Command {
        let mut bench = mec(&self.binary, "bench", &self.data, self.database.as_deref());
        bench.args(["--json", "--accounts", &self.accounts.to_string()]);
        bench.arg(workload);
        bench
    }
}

/// Starts the server and waits until it says that it is ready; answers its URL too.
fn serve(binary: &Path, data: &Path, database: Option<&str>) -> Result<(Child, String)> {
    let log = data.with_extension("log");
    let file = std::fs::File::create(&log)?;
    let mut command = mec(binary, "serve", data, database);
    command.args(["--listen", "127.0.0.1:0"]);
    command.env("MEC_RATE_LIMIT_API", "off");
    command.stdout(file.try_clone()?).stderr(file);
    let mut server = Child::spawn("mec serve", &mut command)?;
    let url = server
        .wait_until(|| {
            let address = std::fs::read_to_string(data.join("mec.addr")).ok()?;
            let url = format!("http://{}", address.trim());
            ureq::get(format!("{url}/ready")).call().ok().map(|_| url)
        })
        .map_err(|error| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            anyhow!("{error}; its log: {}", log.trim())
        })?;
    Ok((server, url))
}

/// A command of the binary on its folder, free of settings of the caller's own.
pub fn mec(binary: &Path, command: &str, data: &Path, database: Option<&str>) -> Command {
    let mut mec = Command::new(binary);
    mec.arg(command).arg("--data-dir").arg(data);
    for (name, _) in std::env::vars_os() {
        if name == "DATABASE_URL"
            || name == "JWT_SECRET"
            || name.to_string_lossy().starts_with("MEC_")
        {
            mec.env_remove(name);
        }
    }
    if let Some(database) = database {
        mec.env("DATABASE_URL", database).env("JWT_SECRET", SECRET);
    }
    mec
}

fn figures(bench: &mut Command, duration: Duration) -> Result<Figures> {
    bench.args(["--duration", &duration.as_secs_f64().to_string()]);
    bench.args(["--warmup", "0.5"]);
    let BenchAnswer {
        items_per_second,
        latency_us,
        ..
    } = answer(bench)?;
    Ok(Figures {
        per_second: items_per_second,
        p50_us: latency_us.as_ref().map(|us| us.p50),
        p99_us: latency_us.as_ref().map(|us| us.p99),
        p999_us: latency_us.as_ref().map(|us| us.p999),
    })
}

/// Runs a bench; a refused request spoils it.
fn answer(bench: &mut Command) -> Result<BenchAnswer> {
    let printed = output(bench)?;
    let answer: BenchAnswer =
        serde_json::from_slice(&printed).context("reading what `mec bench` printed")?;
    ensure!(
        answer.errors.is_empty(),
        "the server refused: {}",
        Value::from_iter(answer.errors)
    );
    Ok(answer)
}

fn resident_kib(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{BenchAnswer, resident_kib};

    #[test]
    fn memory_is_read_from_the_status_of_the_process() {
        assert_eq!(
            resident_kib("Name:\tmec\nVmRSS:\t   2048 kB\n"),
            Some(2048.0)
        );
        assert_eq!(resident_kib("Name:\tmec\n"), None);
    }

    #[test]
    fn the_answer_of_the_bench_is_read() {
        let printed = r#"{"workload":"check","items_per_second":2.5,"errors":{"503 busy":1},
            "latency_us":{"p50":1.0,"p90":2.0,"p99":3.0,"p99.9":4.0,"max":5.0}}"#;
        let answer: BenchAnswer = serde_json::from_str(printed).unwrap();
        assert_eq!(
            (answer.items_per_second, answer.errors["503 busy"]),
            (2.5, 1)
        );
        assert_eq!(answer.latency_us.unwrap().p999, 4.0);
    }
}
