//! What the real binary logs: lines that say what happened, and nothing that is nobody's business.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod canary;
mod framing;
mod lines;
mod raw;
mod security;
#[path = "../support/mod.rs"]
mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use mec_http::Role;
use serde_json::Value;
use support::{Server, command, token};

/// A server whose streams are kept.
struct Logged {
    server: Server,
    folder: tempfile::TempDir,
    secret: String,
}

impl Logged {
    fn start(secret: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_on(tempfile::tempdir().unwrap(), secret, settings)
    }

    fn start_on(folder: tempfile::TempDir, secret: &str, settings: &[(&str, &str)]) -> Self {
        let mut serve = command(&folder.path().join("data"), &["serve"]);
        serve.args(["--listen", "127.0.0.1:0"]);
        serve.env("JWT_SECRET", secret);
        serve.envs(settings.iter().copied());
        let errors = File::create(stderr(folder.path())).unwrap();
        serve.stderr(Stdio::from(errors));
        let all = token(secret, Role::MecAdmin, "*", "somebody");
        Self {
            server: Server::spawn(&mut serve, Some(all)),
            folder,
            secret: secret.to_owned(),
        }
    }

    fn token(&self, role: Role, sub: &str) -> String {
        token(&self.secret, role, "default", sub)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Stops it; what it wrote on standard error.
    fn stop(&mut self) -> String {
        self.server.stop();
        fs::read_to_string(stderr(self.folder.path())).unwrap()
    }

    /// The security events.
    fn security(&self) -> Vec<Value> {
        let files = fs::read_dir(self.data()).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let kept = files.filter(|path| path.extension().is_some_and(|end| end == "ndjson"));
        kept.flat_map(|path| json_lines(&fs::read_to_string(path).unwrap()))
            .collect()
    }
}

fn stderr(folder: &Path) -> PathBuf {
    folder.join("stderr")
}

#[track_caller]
fn json_lines(text: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    text.lines().map(read).collect()
}

/// The lines of requests.
fn access(text: &str) -> Vec<Value> {
    let lines = json_lines(text).into_iter();
    lines.filter(|line| line["target"] == "access").collect()
}
