//! What a query of resources may cost.

use std::time::Duration;

use clap::Args;

use super::whole;

/// Queries of resources, in the data folder and on PostgreSQL.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Queries")]
pub struct Queries {
    /// How long a query of resources (GET /api/NAME) may take before it is refused with query_too_slow;
    /// 10 to 600,000 milliseconds
    #[arg(
        long,
        env = "MEC_QUERY_TIMEOUT_MS",
        value_name = "MILLISECONDS",
        default_value = "5000",
        value_parser = whole("MEC_QUERY_TIMEOUT_MS", 10..=600_000, "milliseconds"),
        global = true,
        hide_short_help = true
    )]
    query_timeout_ms: u64,
}

impl Queries {
    /// How long one may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.query_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use mec_store_postgres::PostgresConfig;
    use mec_store_sqlite::SqliteConfig;

    use super::super::parsed;
    use super::*;

    fn timeout(flags: &[&str]) -> Result<Duration, String> {
        Ok(parsed::<Queries>(flags)?.timeout())
    }

    #[test]
    fn both_stores_go_by_it() {
        let default = timeout(&[]).unwrap();
        assert_eq!(default, SqliteConfig::default().query_timeout);
        let postgres = PostgresConfig::new("postgres://h/d".into());
        assert_eq!(default, postgres.query_timeout);
        let least = timeout(&["--query-timeout-ms=10"]);
        assert_eq!(least, Ok(Duration::from_millis(10)));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_name() {
        let named = "MEC_QUERY_TIMEOUT_MS is a whole number of milliseconds from 10 to 600000";
        for flag in ["9", "600001", "5s", ""] {
            let told = timeout(&[&format!("--query-timeout-ms={flag}")]).unwrap_err();
            assert!(told.contains(named), "{told}");
        }
    }
}
