//! How the database is reached.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use mec_store::{Clock, StoreError};
use secrecy::SecretString;
use tokio_postgres::config::Host;

use crate::address::{Address, Mode};

/// Settings of the store on PostgreSQL.
#[derive(Clone)]
pub struct PostgresConfig {
    /// Where it is: `postgres://user:password@host:5432/database`, or the same in key words. Its `sslmode`
    /// and `sslrootcert` say whether it is encrypted, and whose certificate is accepted.
    pub url: SecretString,
    /// So many connections write at the same time, each a batch of its own, at least 1. Default 2.
    pub writers: usize,
    /// So many connections are open for reading at the most, at least 1. Default 8.
    pub readers: usize,
    /// How long a connection may take to be made. Default 5 seconds.
    pub connect_timeout: Duration,
    /// How long a read waits for one of the connections. Default 5 seconds.
    pub wait_timeout: Duration,
    /// How long a statement may take. Default 30 seconds.
    pub statement_timeout: Duration,
    /// How long a query of resources may take before it is given up. Default 5 seconds.
    pub query_timeout: Duration,
    /// How long a batch waits for another node to let go of a tree. Default 7 seconds: longer than
    /// a node that was stopped keeps one.
    pub lock_timeout: Duration,
    /// How long a transaction may stand idle, as that of a process that was stopped, before the database
    /// ends it and lets go of its trees. Default 5 seconds.
    pub idle_timeout: Duration,
    /// How long it is kept what changed, for nodes that looked last before that. A node that slept for
    /// longer loads everything anew. Default 10 minutes.
    pub log_kept: Duration,
    /// The clock that commands are decided by; none for the database's own.
    pub clock: Option<Arc<dyn Clock>>,
}

impl PostgresConfig {
    /// The defaults for a database.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            writers: 2,
            readers: 8,
            connect_timeout: Duration::from_secs(5),
            wait_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            query_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(7),
            idle_timeout: Duration::from_secs(5),
            log_kept: Duration::from_secs(600),
            clock: None,
        }
    }
}

impl PostgresConfig {
    /// Whether the address can be read; nothing is connected to.
    ///
    /// # Errors
    /// A sentence that tells no password.
    pub fn check(&self) -> Result<(), StoreError> {
        Address::parse(&self.url).map(drop)
    }

    /// Whether nobody between can pass for the database: it is on this machine, or proves who it is.
    pub fn is_proven(&self) -> bool {
        let Ok(Address { settings, mode, .. }) = Address::parse(&self.url) else {
            return false;
        };
        let is_here = |host: &Host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) if name == "localhost" => true,
            Host::Tcp(name) => name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        };
        matches!(mode, Mode::VerifyCa | Mode::VerifyFull)
            || settings.get_hosts().iter().all(is_here)
    }

    /// The host and the database, for people.
    pub fn shown(&self) -> String {
        let Ok(Address { settings, .. }) = Address::parse(&self.url) else {
            return "an address that cannot be read".to_owned();
        };
        let host = settings.get_hosts().first().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        });
        format!(
            "{}, database {}",
            host.as_deref().unwrap_or("this machine"),
            settings.get_dbname().unwrap_or_default()
        )
    }

    /// What every connection begins with.
    pub fn session_options(&self) -> String {
        let millis = |duration: Duration| duration.as_millis().max(1);
        // Every statement finds its rows by an index. A plan that was made while a table was empty is kept,
        // and would walk all of it once it has grown; and none of them is worth being compiled.
        format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} \
             -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off \
             -c timezone=UTC -c search_path=mec,pg_temp -c default_transaction_isolation=read\\ committed",
            millis(self.statement_timeout),
            millis(self.lock_timeout),
            millis(self.idle_timeout),
        )
    }

    /// The password in the address, where it is that of a user.
    pub fn password_of(&self, user: &str) -> Option<SecretString> {
        let Address { settings, .. } = Address::parse(&self.url).ok()?;
        let password = settings.get_password()?;
        let text = String::from_utf8(password.to_vec()).ok()?;
        (settings.get_user() == Some(user)).then(|| text.into())
    }
}

impl std::fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}
