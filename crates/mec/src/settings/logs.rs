//! What is logged, where and for how long.

use clap::Args;
use mec_http::log::AccessLog;
use secrecy::SecretString;
use tracing_subscriber::filter::Targets;

use super::whole;

/// The shortest key that subjects are hashed with, in bytes.
const MIN_KEY_BYTES: usize = 16;

/// Logs: one line a request and what goes wrong on standard error, and the security events.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Logs")]
pub struct Logs {
    /// How lines are written: `json`, `text` for people, or `auto`: text on a terminal, JSON elsewhere
    #[arg(
        long,
        env = "MEC_LOG_FORMAT",
        value_name = "auto|json|text",
        default_value = "auto",
        value_parser = format,
        global = true,
        hide_short_help = true
    )]
    log_format: LogFormat,
    /// What of MEC's own work is logged: error, warn, info, debug or trace, also by part, such as
    /// `warn,mec_engine=debug`. Of other libraries only warnings and errors are
    #[arg(
        long,
        env = "MEC_LOG_LEVEL",
        value_name = "LEVEL",
        default_value = "info",
        value_parser = level,
        global = true,
        hide_short_help = true
    )]
    log_level: Targets,
    /// Which requests get a line: `on` all, `errors` those answered with a status of 400 or more, `off` none
    #[arg(
        long,
        env = "MEC_ACCESS_LOG",
        value_name = "on|errors|off",
        default_value = "on",
        value_parser = access,
        global = true,
        hide_short_help = true
    )]
    access_log: AccessLog,
    /// Where security events go: `file` is security.ndjson in the data folder, `stderr` among the other lines
    #[arg(
        long,
        env = "MEC_SECURITY_LOG",
        value_name = "file|stderr|off",
        default_value = "file",
        value_parser = security,
        global = true,
        hide_short_help = true
    )]
    security_log: SecurityTo,
    /// How long a file of security events is kept after its last event; 1 to 36,500 days
    #[arg(
        long,
        env = "MEC_SECURITY_LOG_DAYS",
        value_name = "DAYS",
        default_value = "400",
        value_parser = whole("MEC_SECURITY_LOG_DAYS", 1..=36_500, "days"),
        global = true,
        hide_short_help = true
    )]
    security_log_days: u64,
    /// Whether security events tell the client's address, which is a personal detail: on or off
    #[arg(
        long,
        env = "MEC_SECURITY_LOG_ADDRESSES",
        value_name = "on|off",
        default_value = "on",
        value_parser = on_or_off,
        global = true,
        hide_short_help = true
    )]
    security_log_addresses: OnOrOff,
    /// What the subjects of tokens are hashed with, 16 bytes or more; the same on all nodes, so that their
    /// lines can be put together. Without it, one is made and kept in the data folder
    #[arg(
        long,
        env = "MEC_LOG_SUBJECT_KEY",
        value_name = "SECRET",
        hide_env_values = true,
        value_parser = subject_key,
        global = true,
        hide_short_help = true
    )]
    log_subject_key: Option<SecretString>,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Json,
    Text,
}

/// Where security events go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecurityTo {
    File,
    Stderr,
    Off,
}

/// A switch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OnOrOff {
    On,
    Off,
}

impl Logs {
    pub fn format(&self) -> LogFormat {
        self.log_format
    }

    /// What of MEC's own work is logged.
    pub fn level(&self) -> &Targets {
        &self.log_level
    }

    pub fn access(&self) -> AccessLog {
        self.access_log
    }

    pub fn security(&self) -> SecurityTo {
        self.security_log
    }

    /// For how many days security events are kept.
    pub fn security_days(&self) -> u64 {
        self.security_log_days
    }

    /// Whether security events tell the client's address.
    pub fn tells_addresses(&self) -> bool {
        self.security_log_addresses == OnOrOff::On
    }

    pub fn subject_key(&self) -> Option<&SecretString> {
        self.log_subject_key.as_ref()
    }
}

fn format(text: &str) -> Result<LogFormat, &'static str> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "json" => Ok(LogFormat::Json),
        "text" => Ok(LogFormat::Text),
        _ => Err("MEC_LOG_FORMAT is auto, json or text"),
    }
}

fn level(text: &str) -> Result<Targets, String> {
    let wrong = "MEC_LOG_LEVEL is error, warn, info, debug, trace or off, also by part, such as \
                 warn,mec_engine=debug";
    // A word that is no level would be taken for the name of a part, and switch off all others.
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let is_known = |part: &str| {
        let level = part.rsplit('=').next().unwrap_or_default();
        levels.contains(&level.trim().to_ascii_lowercase().as_str())
    };
    let parsed = text.parse().ok();
    let parsed = parsed.filter(|_| text.split(',').all(is_known));
    parsed.ok_or_else(|| wrong.to_owned())
}

fn access(text: &str) -> Result<AccessLog, &'static str> {
    match text {
        "on" => Ok(AccessLog::On),
        "errors" => Ok(AccessLog::Errors),
        "off" => Ok(AccessLog::Off),
        _ => Err("MEC_ACCESS_LOG is on, errors or off"),
    }
}

fn security(text: &str) -> Result<SecurityTo, &'static str> {
    match text {
        "file" => Ok(SecurityTo::File),
        "stderr" => Ok(SecurityTo::Stderr),
        "off" => Ok(SecurityTo::Off),
        _ => Err("MEC_SECURITY_LOG is file, stderr or off"),
    }
}

fn on_or_off(text: &str) -> Result<OnOrOff, &'static str> {
    match text {
        "on" => Ok(OnOrOff::On),
        "off" => Ok(OnOrOff::Off),
        _ => Err("MEC_SECURITY_LOG_ADDRESSES is on or off"),
    }
}

fn subject_key(text: &str) -> Result<SecretString, String> {
    if text.len() < MIN_KEY_BYTES {
        return Err(format!(
            "MEC_LOG_SUBJECT_KEY has {MIN_KEY_BYTES} bytes or more"
        ));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    #[test]
    fn by_default_every_request_and_every_event_is_kept() {
        let logs = parsed::<Logs>(&[]).unwrap();
        assert_eq!(logs.access(), AccessLog::On);
        assert_eq!(logs.security(), SecurityTo::File);
        assert!(logs.security_days() == 400 && logs.tells_addresses());
        assert!(
            logs.level()
                .would_enable("mec_engine", &tracing::Level::INFO)
        );
        assert!(
            !logs
                .level()
                .would_enable("mec_engine", &tracing::Level::DEBUG)
        );
    }

    #[test]
    fn a_part_may_have_a_level_of_its_own() {
        let logs = parsed::<Logs>(&["--log-level=warn,mec_engine=debug"]).unwrap();
        assert!(
            logs.level()
                .would_enable("mec_engine", &tracing::Level::DEBUG)
        );
        assert!(!logs.level().would_enable("mec_http", &tracing::Level::INFO));
    }

    #[test]
    fn what_is_no_value_is_refused_by_name() {
        for (flag, named) in [
            ("--log-format=xml", "MEC_LOG_FORMAT is auto, json or text"),
            ("--log-level=loud", "MEC_LOG_LEVEL is error, warn"),
            ("--log-level=warn,mec_http", "MEC_LOG_LEVEL is error, warn"),
            ("--log-level=", "MEC_LOG_LEVEL is error, warn"),
            ("--access-log=yes", "MEC_ACCESS_LOG is on, errors or off"),
            (
                "--security-log=disk",
                "MEC_SECURITY_LOG is file, stderr or off",
            ),
            (
                "--security-log-days=0",
                "MEC_SECURITY_LOG_DAYS is a whole number of days from 1",
            ),
            (
                "--security-log-addresses=maybe",
                "MEC_SECURITY_LOG_ADDRESSES is on or off",
            ),
            (
                "--log-subject-key=short",
                "MEC_LOG_SUBJECT_KEY has 16 bytes or more",
            ),
        ] {
            let told = parsed::<Logs>(&[flag]).unwrap_err();
            assert!(told.contains(named), "{flag}: {told}");
        }
    }
}
