//! How large and how slow a request may be, and how many are worked on at once.

use std::time::Duration;

use clap::Args;
use mec_http::{BudgetsConfig, Limits as Sizes};

use super::whole;

/// The bounds of requests to a server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of requests")]
pub struct Limits {
    /// The largest body; 1,024 to 67,108,864 bytes
    #[arg(
        long,
        env = "MEC_BODY_LIMIT_BYTES",
        value_name = "BYTES",
        default_value = "1048576",
        value_parser = whole("MEC_BODY_LIMIT_BYTES", 1_024..=67_108_864, "bytes"),
        hide_short_help = true
    )]
    body_limit_bytes: u64,
    /// The longest path with query; 256 to 65,536 bytes
    #[arg(
        long,
        env = "MEC_URL_LIMIT_BYTES",
        value_name = "BYTES",
        default_value = "8192",
        value_parser = whole("MEC_URL_LIMIT_BYTES", 256..=65_536, "bytes"),
        hide_short_help = true
    )]
    url_limit_bytes: u64,
    /// The most that all header fields have together, names and values; 1,024 to 262,144 bytes
    #[arg(
        long,
        env = "MEC_HEADER_LIMIT_BYTES",
        value_name = "BYTES",
        default_value = "32768",
        value_parser = whole("MEC_HEADER_LIMIT_BYTES", 1_024..=262_144, "bytes"),
        hide_short_help = true
    )]
    header_limit_bytes: u64,
    /// The most header fields; 8 to 100
    #[arg(
        long,
        env = "MEC_HEADER_LIMIT_FIELDS",
        value_name = "NUMBER",
        default_value = "64",
        value_parser = whole("MEC_HEADER_LIMIT_FIELDS", 8..=100, "fields"),
        hide_short_help = true
    )]
    header_limit_fields: u64,
    /// How long a body may take to arrive; 1 to 600 seconds
    #[arg(
        long,
        env = "MEC_BODY_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value = "30",
        value_parser = whole("MEC_BODY_TIMEOUT_SECONDS", 1..=600, "seconds"),
        hide_short_help = true
    )]
    body_timeout_seconds: u64,
    /// How long a request may take as a whole once its head is there; 1 to 3,600 seconds
    #[arg(
        long,
        env = "MEC_REQUEST_TIMEOUT_SECONDS",
        value_name = "SECONDS",
        default_value = "120",
        value_parser = whole("MEC_REQUEST_TIMEOUT_SECONDS", 1..=3_600, "seconds"),
        hide_short_help = true
    )]
    request_timeout_seconds: u64,
    /// How many checks are worked on at once, and as many more wait; 1 to 100,000
    #[arg(
        long,
        env = "MEC_CHECKS_AT_ONCE",
        value_name = "NUMBER",
        default_value = "2048",
        value_parser = whole("MEC_CHECKS_AT_ONCE", 1..=100_000, "requests"),
        hide_short_help = true
    )]
    checks_at_once: u64,
    /// How many writes are worked on at once, and as many more wait; 1 to 100,000
    #[arg(
        long,
        env = "MEC_WRITES_AT_ONCE",
        value_name = "NUMBER",
        default_value = "2048",
        value_parser = whole("MEC_WRITES_AT_ONCE", 1..=100_000, "requests"),
        hide_short_help = true
    )]
    writes_at_once: u64,
    /// How many queries are worked on at once, and as many more wait; 1 to 100,000
    #[arg(
        long,
        env = "MEC_QUERIES_AT_ONCE",
        value_name = "NUMBER",
        default_value = "64",
        value_parser = whole("MEC_QUERIES_AT_ONCE", 1..=100_000, "requests"),
        hide_short_help = true
    )]
    queries_at_once: u64,
    /// How long a request waits for its turn before it is refused with busy; 0 to 60,000 milliseconds
    #[arg(
        long,
        env = "MEC_TURN_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "250",
        value_parser = whole("MEC_TURN_TIMEOUT_MS", 0..=60_000, "milliseconds"),
        hide_short_help = true
    )]
    turn_timeout_ms: u64,
}

impl Limits {
    /// What one request may be.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            body_bytes: size(self.body_limit_bytes),
            uri_bytes: size(self.url_limit_bytes),
            header_bytes: size(self.header_limit_bytes),
            header_count: size(self.header_limit_fields),
            body_seconds: self.body_timeout_seconds,
            request_seconds: self.request_timeout_seconds,
        }
    }

    /// How many are worked on at once.
    pub fn budgets(&self) -> BudgetsConfig {
        BudgetsConfig {
            checks: size(self.checks_at_once),
            writes: size(self.writes_at_once),
            queries: size(self.queries_at_once),
            wait: Duration::from_millis(self.turn_timeout_ms),
        }
    }
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    fn read(flags: &[&str]) -> Result<(Sizes, BudgetsConfig), String> {
        let read = parsed::<Limits>(flags)?;
        Ok((read.sizes(), read.budgets()))
    }

    #[test]
    fn what_is_said_is_what_the_door_goes_by() {
        let default = (Sizes::default(), BudgetsConfig::default());
        assert_eq!(read(&[]), Ok(default));
        let flags = [
            "--body-limit-bytes=1024",
            "--url-limit-bytes=256",
            "--header-limit-bytes=1025",
            "--header-limit-fields=8",
            "--body-timeout-seconds=1",
            "--request-timeout-seconds=2",
            "--checks-at-once=3",
            "--writes-at-once=4",
            "--queries-at-once=5",
            "--turn-timeout-ms=0",
        ];
        let sizes = Sizes {
            body_bytes: 1_024,
            uri_bytes: 256,
            header_bytes: 1_025,
            header_count: 8,
            body_seconds: 1,
            request_seconds: 2,
        };
        let budgets = BudgetsConfig {
            checks: 3,
            writes: 4,
            queries: 5,
            wait: Duration::ZERO,
        };
        assert_eq!(read(&flags), Ok((sizes, budgets)));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let check = |flag: &str, named: &str| {
            let told = read(&[flag]).unwrap_err();
            assert!(told.contains(named), "{told}");
        };
        let body = "MEC_BODY_LIMIT_BYTES is a whole number of bytes from 1024 to 67108864";
        check("--body-limit-bytes=1MiB", body);
        check("--body-limit-bytes=1023", body);
        let fields = "MEC_HEADER_LIMIT_FIELDS is a whole number of fields from 8 to 100";
        check("--header-limit-fields=101", fields);
        check(
            "--queries-at-once=0",
            "MEC_QUERIES_AT_ONCE is a whole number of requests",
        );
        check(
            "--turn-timeout-ms=60001",
            "MEC_TURN_TIMEOUT_MS is a whole number",
        );
    }
}
