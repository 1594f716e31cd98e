//! A PostgreSQL server for tests: a cluster of its own in a temporary folder, on a private socket. It
//! goes, with its folder, when the process that started it does, however that ends.
//!
//! A process has one server ([`Server::shared`]) and each test a database of its own, copied from one
//! that was migrated.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use mec_store_postgres::{Passwords, PostgresConfig};

/// Where Debian keeps the programs of its server packages.
const PACKAGES: &str = "/usr/lib/postgresql";
/// The database that others are copied from.
const TEMPLATE: &str = "mec_template";

/// What a session prints when a statement is done.
const DONE: &str = "-- done --";

/// Starts the server, says when it is ready, and stops it and removes its folder when its own standard
/// input ends.
const KEEPER: &str = r#"
trap '' INT
"$1/pg_ctl" -w -s -D "$2/data" -l "$2/log" start -o "-k '$2' $3 -c max_connections=300 \
    -c fsync=off -c full_page_writes=off -c max_wal_size=2GB -c timezone=UTC" && echo ready
cat >/dev/null
"$1/pg_ctl" -s -D "$2/data" -m immediate stop 2>/dev/null
rm -rf "$2"
"#;

/// What a server listens on that has only its socket.
const SOCKET_ONLY: &str = "-c listen_addresses=";
/// Its port, which is a part of the socket's name.
const SOCKET_PORT: u16 = 5432;

/// Who may log in on a server with TLS: over the network only who encrypts.
const ENCRYPTED_HBA: &str = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";

/// What a server with TLS proves itself with, in PEM.
pub struct Identity {
    /// Its certificate, and those that lead to an authority.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// A running server.
pub struct Server {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    // Its standard input keeps the server up.
    _keeper: Child,
    count: AtomicU32,
}

impl Server {
    /// The server of this process, started when it is first asked for, with a migrated database to
    /// copy. Says what to install where there is no server.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Server>> = OnceLock::new();
        let started = SHARED.get_or_init(|| {
            let server = Self::start()?;
            server.psql("postgres", &format!("CREATE DATABASE {TEMPLATE}"))?;
            server.migrate(TEMPLATE)?;
            Ok(server)
        });
        match started {
            Ok(server) => server,
            Err(error) => unusable(error),
        }
    }

    /// Starts a server without any database of MEC's.
    pub fn start() -> Result<Self> {
        let (programs, folder) = prepare()?;
        Self::run(programs, folder, SOCKET_PORT, SOCKET_ONLY)
    }

    /// Starts a server that also listens on 127.0.0.1, where it admits nobody without TLS.
    pub fn start_encrypted(identity: &Identity) -> Result<Self> {
        let (programs, folder) = prepare()?;
        let data = folder.join("data");
        std::fs::write(data.join("pg_hba.conf"), ENCRYPTED_HBA)?;
        for (name, text) in [
            ("server.crt", &identity.certificate),
            ("server.key", &identity.key),
        ] {
            let path = data.join(name);
            std::fs::write(&path, text)?;
            // The server refuses a key that others may read, or that is not its own.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            give(&path)?;
        }
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listens = format!("-c listen_addresses=127.0.0.1 -c port={free} -c ssl=on");
        Self::run(programs, folder, free, &listens)
    }

    fn run(programs: PathBuf, folder: PathBuf, port: u16, listens: &str) -> Result<Self> {
        let mut keeper = as_user(Path::new("sh"))?;
        keeper
            .args(["-c", KEEPER, "keeper"])
            .arg(&programs)
            .arg(&folder)
            .arg(listens);
        let mut keeper = keeper
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        if said.trim() != "ready" {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("the PostgreSQL server did not become ready:\n{log}");
        }
        Ok(Self {
            folder,
            programs,
            port,
            _keeper: keeper,
            count: AtomicU32::new(0),
        })
    }

    /// The address of a database for a user.
    pub fn url(&self, user: &str, database: &str) -> String {
        let host = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://{user}@{host}:{}/{database}", self.port)
    }

    /// The port that it listens on, where it does.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A new database, copied from the migrated one; its name.
    pub fn database(&self) -> String {
        let name = format!("mec_{}", self.count.fetch_add(1, Ordering::Relaxed));
        let copied = self.psql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy"),
        );
        match copied {
            Ok(_) => name,
            Err(error) => unusable(&error),
        }
    }

    /// Brings a database to the newest schema, as an administrator does.
    pub fn migrate(&self, database: &str) -> Result<()> {
        let url = self.url("postgres", database);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let config = PostgresConfig::new(url.into());
        runtime.block_on(mec_store_postgres::migrate(&config, &Passwords::default()))?;
        Ok(())
    }

    /// Runs SQL as the administrator and returns what it prints, without headings.
    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        self.psql_as("postgres", database, sql)
    }

    /// Runs SQL as a user; an error holds what the database said.
    pub fn psql_as(&self, user: &str, database: &str, sql: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(self.url(user, database))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = psql.spawn().context("psql")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(sql.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}", said.trim());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Stops the server as a crash of the machine would: nobody is told, nothing is finished.
    pub fn halt(&self) -> Result<()> {
        self.control(&["-m", "immediate", "stop"])
    }

    /// Starts the server again after [`Server::halt`], with the same settings.
    pub fn resume(&self) -> Result<()> {
        self.control(&["restart"])
    }

    fn control(&self, what: &[&str]) -> Result<()> {
        let mut control = as_user(&self.programs.join("pg_ctl"))?;
        control
            .args(["-w", "-s", "-D"])
            .arg(self.folder.join("data"));
        control.arg("-l").arg(self.folder.join("log"));
        run(control.args(what))
    }

    /// A conversation with a database as the administrator, which may hold a transaction open.
    pub fn session(&self, database: &str) -> Result<Session> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(self.url("postgres", database))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = psql.spawn().context("psql")?;
        let said = child.stdout.take().context("psql has no output")?;
        let says = child.stdin.take().context("psql has no input")?;
        Ok(Session {
            child,
            says,
            said: BufReader::new(said),
        })
    }

    /// The folder of the server's programs.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A conversation with a database; it ends, and what it holds is let go of, when this is dropped.
pub struct Session {
    child: Child,
    says: std::process::ChildStdin,
    said: BufReader<std::process::ChildStdout>,
}

impl Session {
    /// Runs SQL and returns what it prints, once it has been done.
    pub fn say(&mut self, sql: &str) -> Result<String> {
        writeln!(self.says, "{sql};\n\\echo {DONE}")?;
        self.says.flush()?;
        let mut told = String::new();
        loop {
            let mut line = String::new();
            ensure!(self.said.read_line(&mut line)? > 0, "psql ended: {sql}");
            if line.trim() == DONE {
                return Ok(told.trim().to_owned());
            }
            told.push_str(&line);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // One that has ended by itself is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A test without its server ends here, with the reason.
#[allow(
    clippy::panic,
    reason = "what needs the server is a test, and ends by panicking"
)]
fn unusable(error: &anyhow::Error) -> ! {
    panic!("{error:#}")
}

/// The programs of the newest server that is installed.
fn programs() -> Result<PathBuf> {
    let versions = std::fs::read_dir(PACKAGES).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path(),
            ))
        })
        .filter(|(version, path)| *version >= 15 && path.join("bin/initdb").is_file())
        .max();
    let (_, path) = newest.context(
        "no PostgreSQL server (15 or newer) is installed; install the package postgresql, as in \
         `apt-get install postgresql`",
    )?;
    Ok(path.join("bin"))
}

/// A cluster that is not running yet: the programs and the folder.
fn prepare() -> Result<(PathBuf, PathBuf)> {
    let programs = programs()?;
    let folder = tempfile::Builder::new()
        .prefix("mec-postgres-")
        .tempdir()?
        .keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
    give(&folder)?;
    let mut init = as_user(&programs.join("initdb"))?;
    init.args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
        "-D",
    ]);
    run(init.arg(folder.join("data")))?;
    Ok((programs, folder))
}

/// Makes a path the server's own.
fn give(path: &Path) -> Result<()> {
    if is_root()? {
        run(Command::new("chown").arg("postgres").arg(path))?;
    }
    Ok(())
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

/// A program as an ordinary user: the server refuses to run as root.
fn as_user(program: &Path) -> Result<Command> {
    if !is_root()? {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("setpriv");
    command
        .args([
            "--reuid=postgres",
            "--regid=postgres",
            "--init-groups",
            "--",
        ])
        .arg(program);
    command.current_dir("/");
    Ok(command)
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.trim());
    Ok(())
}
