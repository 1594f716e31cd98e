//! PostgreSQL as the usual durable counter: a PL/pgSQL function in a transaction a call, driven by
//! pgbench over a private socket on a throw-away cluster with its default settings.

use super::child::Child;
use super::record::Figures;
use crate::workspace::{output, succeed};
use anyhow::{Context, Result};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

const SCHEMA: &str = include_str!("postgres_counter.sql");
const SCRIPT: &str = include_str!("postgres_consume.pgbench");
const INSTALLATIONS: &str = "/usr/lib/postgresql";

/// A running cluster with the table of counters.
pub struct Postgres {
    server: Child,
    programs: Programs,
    data: PathBuf,
    script: PathBuf,
}

/// The server's programs, and the account under which they run.
struct Programs {
    folder: PathBuf,
    /// User and group; `None` is the caller's own. The server refuses to run as root.
    user: Option<(u32, u32)>,
}

impl Programs {
    /// A program of the server, under the server's account.
    fn server(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// A program that connects to the server by the socket in its folder.
    fn client(&self, name: &str, data: &Path) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command.arg("--username=postgres").arg("--host").arg(data);
        command
    }
}

/// The folder of the newest installed server's programs.
pub fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir(INSTALLATIONS)
        .ok()?
        .filter_map(Result::ok);
    versions
        .filter(|entry| entry.path().join("bin/initdb").exists())
        .max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())
        .map(|entry| entry.path().join("bin"))
}

impl Postgres {
    /// Makes and starts a cluster in `folder`, with this many counters, for this many callers.
    pub fn start(
        installed: PathBuf,
        folder: &Path,
        accounts: usize,
        callers: usize,
    ) -> Result<Self> {
        let programs = Programs {
            folder: installed,
            user: server_user()?,
        };
        let data = folder.join("postgres");
        std::fs::create_dir(&data)?;
        if let Some((user, group)) = programs.user {
            chown(&data, Some(user), Some(group))?;
        }
        let mut initdb = programs.server("initdb");
        initdb.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--pgdata",
        ]);
        output(initdb.arg(&data))?;
        let configuration = data.join("postgresql.conf");
        let mut settings = std::fs::OpenOptions::new()
            .append(true)
            .open(configuration)?;
        writeln!(settings, "listen_addresses = ''")?;
        writeln!(settings, "unix_socket_directories = '{}'", data.display())?;
        writeln!(settings, "max_connections = {}", callers + 40)?;

        let mut command = programs.server("postgres");
        command.arg("-D").arg(&data).stdout(Stdio::null());
        command.stderr(std::fs::File::create(folder.join("postgres.log"))?);
        let mut server = Child::spawn("postgres", &mut command)?;
        server.wait_until(|| {
            let status = programs.client("pg_isready", &data).arg("--quiet").status();
            status.ok().filter(ExitStatus::success)
        })?;
        let postgres = Self {
            server,
            programs,
            data,
            script: folder.join("consume.pgbench"),
        };
        std::fs::write(&postgres.script, SCRIPT)?;
        let schema = folder.join("counter.sql");
        std::fs::write(&schema, SCHEMA)?;
        let mut psql = postgres.programs.client("psql", &postgres.data);
        psql.args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]);
        psql.arg(format!("--set=accounts={accounts}"));
        succeed(psql.arg("--file").arg(&schema).arg("postgres"))?;
        Ok(postgres)
    }

    /// A database for MEC on the same server, migrated; its address for MEC's own role.
    pub fn database_of_mec(&self, binary: &Path) -> Result<String> {
        let mut create = self.programs.client("createdb", &self.data);
        succeed(create.arg("mec"))?;
        let host = self.data.display().to_string().replace('/', "%2F");
        let url = format!("postgres://mec_engine@{host}/mec");
        let mut migrate = super::mec::mec(binary, "migrate", &self.data, Some(&url));
        succeed(migrate.args(["--admin-url", &format!("postgres://postgres@{host}/mec")]))?;
        Ok(url)
    }

    /// The address of MEC's database for the role by which PostgREST and its like log in.
    pub fn database_for_clients(&self) -> String {
        let host = self.data.display().to_string().replace('/', "%2F");
        format!("postgres://authenticator@{host}/mec")
    }

    /// Runs the counter over the first `accounts` rows; one row is the hot one.
    pub fn measure(&self, accounts: usize, callers: usize, duration: Duration) -> Result<Figures> {
        let seconds = duration.as_secs_f64().ceil().max(1.0);
        let mut pgbench = self.programs.client("pgbench", &self.data);
        pgbench.args(["--no-vacuum", "--protocol=prepared"]);
        pgbench.arg(format!("--client={callers}"));
        pgbench.arg(format!("--jobs={}", callers.min(2)));
        pgbench.arg(format!("--time={seconds}"));
        pgbench.arg(format!("--define=accounts={accounts}"));
        pgbench.arg("--file").arg(&self.script);
        let printed = String::from_utf8(output(pgbench.arg("postgres"))?)?;
        let per_second = rate(&printed).with_context(|| format!("no rate in: {printed}"))?;
        Ok(Figures {
            per_second,
            p50_us: None,
            p99_us: None,
            p999_us: None,
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = self.programs.server("pg_ctl");
        stop.args(["stop", "--silent", "--mode=immediate", "--pgdata"])
            .arg(&self.data);
        // A server that does not stop by itself is killed when the child is dropped.
        if succeed(&mut stop).is_ok() {
            self.server.wait();
        }
    }
}

/// The account `postgres` where this runs as root, else none.
fn server_user() -> Result<Option<(u32, u32)>> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let number = |flag: &str| -> Result<u32> {
        let printed = output(Command::new("id").args([flag, "postgres"]))?;
        Ok(String::from_utf8(printed)?.trim().parse()?)
    };
    Ok(Some((number("-u")?, number("-g")?)))
}

/// The transactions per second that pgbench printed.
fn rate(printed: &str) -> Option<f64> {
    let line = printed
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn the_rate_is_read_from_what_pgbench_prints() {
        let printed = "latency average = 1.2 ms\ntps = 5012.25 (without initial connection time)\n";
        assert_eq!(rate(printed), Some(5012.25));
        assert_eq!(rate("pgbench: error"), None);
    }
}
