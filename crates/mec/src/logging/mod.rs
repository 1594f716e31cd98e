//! Logs: a line for each request and for what goes wrong on standard error, and security events in a stream
//! of their own. Callers never wait for any of them.

mod events;
mod line;
mod lines;
mod security_file;
mod sink;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use mec_http::log::{LogConfig, LogSink, SubjectKey};
use secrecy::ExposeSecret;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use uuid::Uuid;

use crate::private;
use crate::settings::{LogFormat, Logs, SecurityTo};
use events::Events;
use line::Format;
use lines::{Lines, Target, Writer};
use security_file::SecurityFile;
use sink::Sink;

/// What subjects are hashed with, in the data folder.
const SUBJECT_KEY_FILE: &str = "log_subject_key";
/// How long lines are gathered before they are written at once.
const GATHER: Duration = Duration::from_millis(10);

/// The logs of a process. When it is dropped, what waits is written.
pub struct Logging {
    config: LogConfig,
    level: Option<reload::Handle<Targets, Registry>>,
    /// They write until they are dropped.
    _writers: Vec<Writer>,
}

impl Logging {
    /// The logs of a server: all of them.
    pub fn of_server(folder: &Path, logs: &Logs) -> Result<Self> {
        let format = match logs.format() {
            LogFormat::Json => Format::Json,
            LogFormat::Text => Format::Text,
            LogFormat::Auto if io::stderr().is_terminal() => Format::Text,
            LogFormat::Auto => Format::Json,
        };
        let writer = Writer::start("mec-log", Stderr, GATHER)?;
        let out = writer.lines();
        let level = tell_events(format, out.clone(), logs.level().clone())?;
        tell_panics();
        let mut writers = vec![writer];
        let security = match logs.security() {
            SecurityTo::Off => None,
            SecurityTo::Stderr => Some((format, out.clone())),
            SecurityTo::File => Some(to_file(folder, logs, &mut writers)?),
        };
        let requests = Some((format, out));
        Ok(Self {
            config: config(folder, logs, Sink { requests, security })?,
            level: Some(level),
            _writers: writers,
        })
    }

    /// The logs of a command that changes the data itself, as no server runs: the security events, where
    /// there is a folder with a file for them.
    pub fn of_command(folder: &Path, logs: &Logs) -> Result<Self> {
        let mut writers = Vec::new();
        let security = match logs.security() {
            SecurityTo::File if folder.is_dir() => Some(to_file(folder, logs, &mut writers)?),
            _ => None,
        };
        let sink = Sink {
            requests: None,
            security,
        };
        let config = match &sink.security {
            Some(_) => config(folder, logs, sink)?,
            None => LogConfig::default(),
        };
        Ok(Self {
            config,
            level: None,
            _writers: writers,
        })
    }

    /// What the front door tells, and to whom.
    pub fn config(&self) -> LogConfig {
        self.config.clone()
    }

    /// Goes by another level from now on.
    pub fn reload(&self, logs: &Logs) {
        let told = self.level.as_ref();
        let told = told.map(|level| level.reload(logs.level().clone()));
        if let Some(Err(error)) = told {
            tracing::error!(%error, "the level of the log stays");
        }
    }
}

fn config(folder: &Path, logs: &Logs, sink: Sink) -> Result<LogConfig> {
    let subject_key = match logs.subject_key() {
        Some(key) => SubjectKey::of(key.expose_secret().as_bytes()),
        None => kept_subject_key(folder)?,
    };
    let sink: Arc<dyn LogSink> = Arc::new(sink);
    Ok(LogConfig {
        sink: Some(sink),
        access: logs.access(),
        subject_key,
        addresses: logs.tells_addresses(),
    })
}

fn to_file(folder: &Path, logs: &Logs, writers: &mut Vec<Writer>) -> Result<(Format, Lines)> {
    let file = SecurityFile::open(folder, logs.security_days(), SystemTime::now);
    let file = file.with_context(|| {
        let path = folder.join(security_file::FILE);
        format!("{} cannot be written", path.display())
    })?;
    let writer = Writer::start("mec-security", file, Duration::ZERO)?;
    let lines = writer.lines();
    writers.push(writer);
    Ok((Format::Json, lines))
}

/// Writes what the code says by `tracing` from now on.
fn tell_events(
    format: Format,
    out: Lines,
    level: Targets,
) -> Result<reload::Handle<Targets, Registry>> {
    let (level, handle) = reload::Layer::new(level);
    let all = Registry::default()
        .with(level)
        .with(Events::new(format, out));
    tracing::subscriber::set_global_default(all).map_err(|error| anyhow!(error))?;
    Ok(handle)
}

/// Tells panics as lines. A text that was put together may hold what a client sent, so that only fixed
/// ones are told.
fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let cause = panic.payload().downcast_ref::<&'static str>().copied();
        let place = panic.location().map(ToString::to_string);
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or_default();
        tracing::error!(cause, place, thread, "a thread panicked");
    }));
}

/// The key of the folder, made where there is none yet.
fn kept_subject_key(folder: &Path) -> Result<SubjectKey> {
    let path = folder.join(SUBJECT_KEY_FILE);
    let about = || format!("{} cannot be read or made", path.display());
    let made = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let key = match private::write_new(&path, &made) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::read_to_string(&path).with_context(about)?
        }
        written => written.map(|()| made).with_context(about)?,
    };
    Ok(SubjectKey::of(key.trim().as_bytes()))
}

/// Standard error.
struct Stderr;

impl Target for Stderr {
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        io::stderr().lock().write_all(lines)
    }
}
