//! How the PostgreSQL database is connected to, and how long it is waited for.

use std::time::Duration;

use clap::Args;
use mec_store_postgres::PostgresConfig;
use secrecy::SecretString;

use super::whole;

/// The connections to PostgreSQL of a node, or of a command that opens the database itself.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connections to PostgreSQL")]
pub struct Connections {
    /// How many connections write at the same time, each a batch of its own; 1 to 64
    #[arg(
        long,
        env = "MEC_POSTGRES_WRITERS",
        value_name = "NUMBER",
        default_value = "2",
        value_parser = whole("MEC_POSTGRES_WRITERS", 1..=64, "connections"),
        global = true,
        hide_short_help = true
    )]
    postgres_writers: u64,
    /// How many connections are open for reading at the most, beside those that write; 1 to 1,000
    #[arg(
        long,
        env = "MEC_POSTGRES_READERS",
        value_name = "NUMBER",
        default_value = "8",
        value_parser = whole("MEC_POSTGRES_READERS", 1..=1_000, "connections"),
        global = true,
        hide_short_help = true
    )]
    postgres_readers: u64,
    /// How long a connection may take to be made; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_POSTGRES_CONNECT_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "5000",
        value_parser = timeout("MEC_POSTGRES_CONNECT_TIMEOUT_MS"),
        global = true,
        hide_short_help = true
    )]
    postgres_connect_timeout_ms: u64,
    /// How long a read waits for one of the connections to be free; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_POSTGRES_WAIT_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "5000",
        value_parser = timeout("MEC_POSTGRES_WAIT_TIMEOUT_MS"),
        global = true,
        hide_short_help = true
    )]
    postgres_wait_timeout_ms: u64,
    /// How long a statement may take before the database gives it up; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_POSTGRES_STATEMENT_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "30000",
        value_parser = timeout("MEC_POSTGRES_STATEMENT_TIMEOUT_MS"),
        global = true,
        hide_short_help = true
    )]
    postgres_statement_timeout_ms: u64,
    /// How long a batch waits for another node to let go of a tree; 100 to 600,000 milliseconds. Longer than
    /// the idle time-out of the others, so that it outlives a node that was stopped
    #[arg(
        long,
        env = "MEC_POSTGRES_LOCK_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "7000",
        value_parser = timeout("MEC_POSTGRES_LOCK_TIMEOUT_MS"),
        global = true,
        hide_short_help = true
    )]
    postgres_lock_timeout_ms: u64,
    /// How long a transaction may stand idle, as that of a process that was stopped, before the database ends
    /// it and lets go of its trees; 100 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_POSTGRES_IDLE_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "5000",
        value_parser = timeout("MEC_POSTGRES_IDLE_TIMEOUT_MS"),
        global = true,
        hide_short_help = true
    )]
    postgres_idle_timeout_ms: u64,
}

fn timeout(
    setting: &'static str,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    whole(setting, 100..=600_000, "milliseconds")
}

impl Connections {
    /// The way to a database that goes by it.
    pub fn to(&self, url: SecretString) -> PostgresConfig {
        PostgresConfig {
            writers: usize::try_from(self.postgres_writers).unwrap_or(1),
            readers: usize::try_from(self.postgres_readers).unwrap_or(usize::MAX),
            connect_timeout: Duration::from_millis(self.postgres_connect_timeout_ms),
            wait_timeout: Duration::from_millis(self.postgres_wait_timeout_ms),
            statement_timeout: Duration::from_millis(self.postgres_statement_timeout_ms),
            lock_timeout: Duration::from_millis(self.postgres_lock_timeout_ms),
            idle_timeout: Duration::from_millis(self.postgres_idle_timeout_ms),
            ..PostgresConfig::new(url)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    /// What a configuration says, in the order of the flags.
    fn said(config: &PostgresConfig) -> ([usize; 2], [u128; 5]) {
        let times = [
            config.connect_timeout,
            config.wait_timeout,
            config.statement_timeout,
            config.lock_timeout,
            config.idle_timeout,
        ];
        (
            [config.writers, config.readers],
            times.map(|time| time.as_millis()),
        )
    }

    fn config(flags: &[&str]) -> Result<PostgresConfig, String> {
        Ok(parsed::<Connections>(flags)?.to("postgres://h/d".into()))
    }

    #[test]
    fn what_is_said_is_what_the_store_goes_by() {
        let default = PostgresConfig::new("postgres://h/d".into());
        assert_eq!(said(&config(&[]).unwrap()), said(&default));
        let flags = [
            "--postgres-writers=64",
            "--postgres-readers=1000",
            "--postgres-connect-timeout-ms=100",
            "--postgres-wait-timeout-ms=101",
            "--postgres-statement-timeout-ms=102",
            "--postgres-lock-timeout-ms=103",
            "--postgres-idle-timeout-ms=600000",
        ];
        let config = config(&flags).unwrap();
        assert_eq!(said(&config), ([64, 1_000], [100, 101, 102, 103, 600_000]));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let check = |flag: &str, named: &str| {
            let told = config(&[flag]).unwrap_err();
            assert!(told.contains(named), "{told}");
        };
        let readers = "MEC_POSTGRES_READERS is a whole number of connections from 1 to 1000";
        check("--postgres-readers=0", readers);
        check("--postgres-readers=1001", readers);
        let writers = "MEC_POSTGRES_WRITERS is a whole number of connections from 1 to 64";
        check("--postgres-writers=0", writers);
        check("--postgres-writers=65", writers);
        for kind in ["connect", "wait", "statement", "lock", "idle"] {
            let named = kind.to_uppercase();
            let named = format!(
                "MEC_POSTGRES_{named}_TIMEOUT_MS is a whole number of milliseconds from 100 to 600000"
            );
            check(&format!("--postgres-{kind}-timeout-ms=99"), &named);
            check(&format!("--postgres-{kind}-timeout-ms=600001"), &named);
        }
    }
}
