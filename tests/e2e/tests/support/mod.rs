//! Starting, asking and killing the real binary.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use mec_http::{Claims, Role, issue_token};
use serde_json::{Value, json};

/// The binary: where the test command has put it, else built here, once.
pub fn binary() -> PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(find_binary).clone()
}

fn find_binary() -> PathBuf {
    if let Some(path) = std::env::var_os("MEC_BIN") {
        return path.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(env!("CARGO"))
        .args(["build", "-q", "-p", "mec"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(built.success());
    root.join("target/debug/mec")
}

/// What all nodes of a database sign with.
pub const NODES_SECRET: &str = "a secret that all nodes of a test share";

/// A token that is signed with a secret, for a day.
pub fn token(secret: &str, role: Role, namespace: &str, sub: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let claims = Claims {
        sub: sub.to_owned(),
        role,
        namespace_id: namespace.to_owned(),
        account_id: None,
        aud: "mec-service".to_owned(),
        exp: now.as_secs() + 86_400,
    };
    issue_token(secret.as_bytes(), &claims).unwrap()
}

pub struct Server {
    /// None where the server is another's.
    child: Option<Child>,
    agent: ureq::Agent,
    pub address: String,
    pub token: String,
}

impl Server {
    pub fn start(folder: &Path) -> Self {
        Self::start_at(folder, "127.0.0.1:0")
    }

    pub fn start_at(folder: &Path, listen: &str) -> Self {
        Self::spawn(&mut command(folder, &["serve", "--listen", listen]), None)
    }

    /// With settings as flags.
    pub fn start_with(folder: &Path, settings: &[&str]) -> Self {
        Self::spawn(
            command(folder, &["serve", "--listen", "127.0.0.1:0"]).args(settings),
            None,
        )
    }

    /// With settings as flags, and its standard error for the test to read.
    pub fn with(folder: &Path, settings: &[&str]) -> Self {
        Self::spawn(
            command(folder, &["serve", "--access-log=off"])
                .args(settings)
                .stderr(Stdio::piped()),
            None,
        )
    }

    /// What it writes to its standard error, where [`Server::with`] has started it.
    pub fn errors(&mut self) -> impl Iterator<Item = String> + use<> {
        let errors = self.child.as_mut().unwrap().stderr.take().unwrap();
        BufReader::new(errors).lines().map(Result::unwrap)
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) {
        let mut child = self.child.take().unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Its number among the processes.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// With settings of the environment.
    pub fn with_environment(folder: &Path, settings: &[(&str, &str)]) -> Self {
        // One that signs with a secret of somebody else's shows no token.
        let secret = settings.iter().find(|(name, _)| *name == "JWT_SECRET");
        let token = secret.map(|(_, it)| token(it, Role::MecService, "default", "e2e"));
        Self::spawn(
            command(folder, &["serve", "--listen", "127.0.0.1:0"]).envs(settings.iter().copied()),
            token,
        )
    }

    /// A node on a PostgreSQL database, with a folder of its own for what is no data.
    pub fn node(folder: &Path, database_url: &str, settings: &[&str]) -> Self {
        Self::spawn(
            Command::new(binary())
                .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
                .arg(folder)
                .args(settings)
                .env("DATABASE_URL", database_url)
                .env("JWT_SECRET", NODES_SECRET)
                // What it warns of is what the tests do to it.
                .stderr(Stdio::null()),
            Some(token(NODES_SECRET, Role::MecService, "default", "e2e")),
        )
    }

    /// Starts it and waits until it listens. Without a token it is asked for the one of its first screen, which
    /// shows it only where it has made up its secret.
    pub fn spawn(command: &mut Command, token: Option<String>) -> Self {
        // Tests send as fast as they can; one that is about the limit sets it by a flag, which goes before.
        command.env("MEC_RATE_LIMIT_API", "off");
        // What names the binary to the tests is no setting of it.
        let command = command.env_remove("MEC_BIN").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let address = lines
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .unwrap();
        let shown = || lines.find_map(|line| line.strip_prefix("TOKEN=").map(str::to_owned));
        let token = token.or_else(shown).unwrap();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        Self {
            child: Some(child),
            agent: ureq::Agent::new_with_config(config),
            address,
            token,
        }
    }

    /// Asks a server that another holds.
    pub fn client(address: &str, token: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        Self {
            child: None,
            agent: ureq::Agent::new_with_config(config),
            address: address.to_owned(),
            token: token.to_owned(),
        }
    }

    pub fn post(&self, token: Option<&str>, path: &str, body: &str) -> (u16, Value) {
        self.try_post(token, path, body).unwrap()
    }

    /// What it tells of itself, in the text format of Prometheus.
    pub fn metrics(&self) -> String {
        let answer = self.agent.get(format!("{}/metrics", self.address)).call();
        answer.unwrap().body_mut().read_to_string().unwrap()
    }

    /// An error where the connection broke before the answer came.
    pub fn try_post(
        &self,
        token: Option<&str>,
        path: &str,
        body: &str,
    ) -> Result<(u16, Value), ureq::Error> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("Content-Type", "application/json")
            .header("Prefer", "return=representation");
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send(body)?;
        let text = answer.body_mut().read_to_string()?;
        Ok((
            answer.status().as_u16(),
            serde_json::from_str(&text).unwrap_or(Value::Null),
        ))
    }

    pub fn rpc(&self, name: &str, args: Value) -> (u16, Value) {
        self.post(
            Some(&self.token),
            &format!("/api/rpc/{name}"),
            &args.to_string(),
        )
    }

    /// What it writes to standard error, where the command was told to pipe it.
    pub fn log(&mut self) -> impl Iterator<Item = String> + use<> {
        let log = self.child.as_mut().unwrap().stderr.take().unwrap();
        BufReader::new(log).lines().map(Result::unwrap)
    }

    /// Stops it as a service manager does, and waits until it is gone.
    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let told = Command::new("kill").arg(child.id().to_string()).status();
        assert!(told.unwrap().success());
        assert!(child.wait().unwrap().success());
    }

    pub fn kill(&mut self) {
        let child = self.child.as_mut().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let child = self.child.as_ref().unwrap();
        let told = Command::new("kill")
            .args([&format!("-{name}"), &child.id().to_string()])
            .status();
        assert!(told.unwrap().success());
    }

    pub fn try_rpc(&self, name: &str, args: &Value) -> Result<(u16, Value), ureq::Error> {
        self.try_post(
            Some(&self.token),
            &format!("/api/rpc/{name}"),
            &args.to_string(),
        )
    }

    /// A new organization; with an entitlement where one is given.
    pub fn organization(&self, external_id: &str, entitlement: Option<Value>) {
        let row = json!({ "account_type_code": "organization", "external_id": external_id });
        let (status, rows) = self.post(Some(&self.token), "/api/accounts", &row.to_string());
        assert_eq!(status, 201, "{rows}");
        if let Some(mut entitlement) = entitlement {
            entitlement["account_id"] = rows[0]["account_id"].clone();
            let made = self.post(
                Some(&self.token),
                "/api/entitlements",
                &entitlement.to_string(),
            );
            assert_eq!(made.0, 201, "{}", made.1);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that fails leaves no server behind; one that was killed is gone already.
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A command on a folder, without settings from the environment of the tests.
pub fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars() {
        if name == "JWT_SECRET" || name == "DATABASE_URL" || name.starts_with("MEC_") {
            command.env_remove(name);
        }
    }
    command.args(args).arg("--data-dir").arg(folder);
    command
}

/// Runs a command on a folder.
pub fn mec(folder: &Path, args: &[&str]) -> Ran {
    ran(&mut command(folder, args))
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What `mec verify` says of a folder: its exit code and report.
pub fn verify(folder: &Path) -> (Option<i32>, Value) {
    let verified = Command::new(binary())
        .args(["verify", "--json", "--data-dir"])
        .arg(folder)
        .output()
        .unwrap();
    (
        verified.status.code(),
        serde_json::from_slice(&verified.stdout).unwrap(),
    )
}

/// What `mec verify` says of a PostgreSQL database.
pub fn verify_database(url: &str) -> (Option<i32>, Value) {
    let verified = Command::new(binary())
        .args(["verify", "--json"])
        .env("DATABASE_URL", url)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&verified.stdout);
    (verified.status.code(), report.unwrap_or(Value::Null))
}
