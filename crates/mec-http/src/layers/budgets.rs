//! How many requests are worked on at once. Checks, writes and queries have budgets of their own, so that
//! checks go on being answered while queries are slow. What is over a budget waits in a short queue for a
//! moment, and else is refused at once: a client that is told to come again costs less than one that waits.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use mec_query::schema::RESOURCES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::counts::FrontCounts;
use crate::error::ApiError;
use crate::rpc::rpc_work;

/// What a request costs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Work {
    /// An answer from memory, as a rule.
    Check,
    /// A change, which waits for the disk.
    Write,
    /// A question to the store.
    Query,
}

impl Work {
    /// What a request costs; none where nothing is worked on, as for pages about the service itself.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let is_reading = [Method::GET, Method::HEAD].contains(method);
        if *method == Method::OPTIONS {
            return None;
        }
        if let Some(name) = path.strip_prefix("/api/rpc/") {
            return rpc_work(name);
        }
        let by_method = if is_reading { Self::Query } else { Self::Write };
        if let Some(name) = path.strip_prefix("/api/") {
            let is_known = RESOURCES.iter().any(|resource| resource.name == name);
            return is_known.then_some(by_method);
        }
        let is_deeper = |root: &str| path.starts_with(root);
        (is_deeper("/admin/") || is_deeper("/webhooks/")).then_some(by_method)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Check => "checks",
            Self::Write => "writes",
            Self::Query => "queries",
        }
    }
}

/// The settings of budgets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BudgetsConfig {
    /// So many checks are worked on at once, and as many more wait. Default 2,048.
    pub checks: usize,
    /// The same of writes. Default 2,048.
    pub writes: usize,
    /// The same of queries. Default 64.
    pub queries: usize,
    /// So long a request waits for its turn at the most. Default 250 ms.
    pub wait: Duration,
}

impl Default for BudgetsConfig {
    fn default() -> Self {
        Self {
            checks: 2_048,
            writes: 2_048,
            queries: 64,
            wait: Duration::from_millis(250),
        }
    }
}

/// The budgets of a front door.
pub struct Budgets {
    config: BudgetsConfig,
    checks: Budget,
    writes: Budget,
    queries: Budget,
    counts: Arc<FrontCounts>,
}

struct Budget {
    work: Arc<Semaphore>,
    queue: Semaphore,
}

impl Budget {
    fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self {
            work: Arc::new(Semaphore::new(most)),
            queue: Semaphore::new(most),
        }
    }
}

/// A request that is being worked on, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _held: OwnedSemaphorePermit,
}

impl Budgets {
    pub fn new(config: BudgetsConfig, counts: Arc<FrontCounts>) -> Self {
        Self {
            config,
            checks: Budget::new(config.checks),
            writes: Budget::new(config.writes),
            queries: Budget::new(config.queries),
            counts,
        }
    }

    pub fn config(&self) -> BudgetsConfig {
        self.config
    }

    /// Waits for the turn of a request.
    ///
    /// # Errors
    /// `busy` where the queue is full or the turn does not come in time.
    pub async fn enter(&self, work: Work) -> Result<Permit, ApiError> {
        let (budget, shed) = match work {
            Work::Check => (&self.checks, &self.counts.shed_checks),
            Work::Write => (&self.writes, &self.counts.shed_writes),
            Work::Query => (&self.queries, &self.counts.shed_queries),
        };
        if let Ok(held) = budget.work.clone().try_acquire_owned() {
            return Ok(Permit { _held: held });
        }
        let busy = || {
            FrontCounts::count(shed);
            ApiError::new("busy", "too many requests of this kind are worked on")
        };
        let _queued = budget.queue.try_acquire().map_err(|_| busy())?;
        let turn = budget.work.clone().acquire_owned();
        match tokio::time::timeout(self.config.wait, turn).await {
            Ok(Ok(held)) => Ok(Permit { _held: held }),
            _ => Err(busy().with_details(work.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &Method, path: &str, expected: Option<Work>) {
        assert_eq!(Work::of(method, path), expected, "{method} {path}");
    }

    #[test]
    fn each_request_has_its_budget() {
        use Work::{Check, Query, Write};
        for method in [Method::GET, Method::POST] {
            check(&method, "/api/rpc/check_entitlement", Some(Check));
            check(&method, "/api/rpc/get_usage", Some(Check));
            check(&method, "/api/rpc/usage_series", Some(Query));
        }
        check(&Method::POST, "/api/rpc/consume", Some(Write));
        check(&Method::GET, "/api/accounts", Some(Query));
        check(&Method::HEAD, "/api/accounts", Some(Query));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            check(&method, "/api/accounts", Some(Write));
        }
        check(&Method::GET, "/admin/catalogue", Some(Query));
        check(&Method::PUT, "/admin/catalogue", Some(Write));
        check(&Method::POST, "/webhooks/stripe", Some(Write));
        check(&Method::OPTIONS, "/api/accounts", None);
        for path in [
            "/health",
            "/ready",
            "/metrics",
            "/docs",
            "/api/",
            "/api/no",
            "/api/rpc/no",
        ] {
            check(&Method::GET, path, None);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_over_a_budget_waits_for_a_moment_and_is_refused() {
        let budgets = Budgets::new(
            BudgetsConfig {
                queries: 1,
                ..BudgetsConfig::default()
            },
            Arc::default(),
        );
        let first = budgets.enter(Work::Query).await.unwrap();
        // The clock goes on by itself once nothing else is left to do.
        let late = budgets.enter(Work::Query).await.unwrap_err();
        assert_eq!(late.code(), "busy");
        let other = budgets.enter(Work::Check).await;
        assert!(other.is_ok() && budgets.enter(Work::Write).await.is_ok());
        let leaves = async {
            tokio::time::advance(Duration::from_millis(100)).await;
            drop(first);
        };
        let (second, third, ()) = tokio::join!(
            budgets.enter(Work::Query),
            budgets.enter(Work::Query),
            leaves
        );
        assert!(second.is_ok());
        assert_eq!(third.unwrap_err().code(), "busy");
    }
}
