//! What callers page through is read by an index from where a page begins. The steps are those of SQLite's
//! planner, which knows nothing of how many rows there are.

use std::sync::Arc;

use mec_core::{IdSource, Namespace, Timestamp};
use mec_query::plan::{Asking, Reach, plan};
use mec_query::schema::Resource;
use mec_query::{Role, parse, sql};
use mec_store::Clock;
use rusqlite::params_from_iter;
use uuid::Uuid;

use super::dialect::Sqlite;
use super::values;
use crate::{SqliteConfig, SqliteStore, open};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

struct Ids(u128);

impl IdSource for Ids {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

const A: &str = "account_id=eq.00000000-0000-0000-0000-000000000010";
/// The place of a row in the middle, from the last to the first and the other way.
const BELOW: &str = "or=(occurred_at.lt.2026-06-01,and(occurred_at.eq.2026-06-01,event_id.lt.00000000-0000-0000-0000-000000000010))&order=occurred_at.desc";
const ABOVE: &str = "or=(occurred_at.gt.2026-06-01,and(occurred_at.eq.2026-06-01,event_id.gt.00000000-0000-0000-0000-000000000010))&order=occurred_at";

struct Planner {
    reading: crate::readers::Reading,
    // The folder goes last.
    _store: SqliteStore,
    _folder: tempfile::TempDir,
}

impl Planner {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SqliteConfig {
            data_dir: folder.path().to_owned(),
            ..SqliteConfig::default()
        };
        let store = SqliteStore::open(&config, Arc::new(Still), &mut Ids(0)).unwrap();
        let reading = open::answering(&folder.path().join(crate::DATABASE_FILE)).unwrap();
        Self {
            reading,
            _store: store,
            _folder: folder,
        }
    }

    /// The steps that read tables or sort, for a caller that sees an account and what is below it, or all.
    fn steps(&self, account: Option<Uuid>, resource: &str, query: &str) -> Vec<String> {
        let query = parse::parse(parse::pairs(query).unwrap()).unwrap();
        let asking = Asking {
            resource: Resource::find(resource).unwrap(),
            role: Role::MecService,
            reach: Reach {
                namespace: Some(Namespace::default_namespace()),
                account,
            },
            is_counted: false,
            timezone: None,
        };
        let plan = plan(&query, &asking).unwrap();
        let statement = sql::rows(&plan, &Sqlite { timezone: None });
        let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let mut prepared = self.reading.connection.prepare(&explain).unwrap();
        let steps = prepared.query_map(params_from_iter(values(&statement)), |row| {
            row.get::<_, String>(3)
        });
        let steps = steps.unwrap().map(Result::unwrap);
        steps
            .filter(|step| {
                ["SEARCH", "SCAN", "USE"]
                    .iter()
                    .any(|of| step.starts_with(of))
            })
            .collect()
    }

    #[track_caller]
    fn check(&self, resource: &str, query: &str, wanted: &[&str]) {
        assert_eq!(
            self.steps(None, resource, query),
            wanted,
            "{resource}?{query}"
        );
    }
}

#[test]
fn a_page_of_the_ledger_begins_where_the_last_one_ended() {
    let planner = Planner::new();
    let by_time =
        "SEARCH consumption_ledger USING INDEX consumption_ledger_by_time (namespace_id=?";
    let by_account = "SEARCH consumption_ledger USING INDEX consumption_ledger_by_account (namespace_id=? AND account_id=?";
    let (below, above) = (
        " AND (occurred_at,event_id)<(?,?))",
        " AND (occurred_at,event_id)>(?,?))",
    );
    let check = |query: &str, index: &str, rest: &str| {
        planner.check("consumption", query, &[&format!("{index}{rest}")]);
    };
    check("order=occurred_at.desc", by_time, ")");
    check("order=occurred_at", by_time, ")");
    check(BELOW, by_time, below);
    check(ABOVE, by_time, above);
    check(&format!("{A}&order=occurred_at.desc"), by_account, ")");
    check(&format!("{A}&{BELOW}"), by_account, below);
    check(&format!("{A}&{ABOVE}"), by_account, above);
}

#[test]
fn what_is_asked_of_an_account_is_read_by_the_account() {
    let planner = Planner::new();
    let by = |table: &str, index: &str| format!("SEARCH {table} USING INDEX {index}");
    for (resource, filter, index) in [
        (
            "consumption",
            "",
            by("consumption_ledger", "consumption_ledger_by_account"),
        ),
        (
            "consumption",
            "&event_id=gt.00000000-0000-0000-0000-000000000010",
            by("consumption_ledger", "consumption_ledger_by_account"),
        ),
        (
            "consumption",
            "&resource_type_code=eq.gpu_hours&occurred_at=gte.2026-06-01&order=occurred_at.desc",
            by("consumption_ledger", "consumption_ledger_by_account"),
        ),
        ("entitlements", "", by("t1", "entitlements_by_account")),
        (
            "entitlements",
            "&order=priority.desc",
            by("t1", "entitlements_by_account"),
        ),
        (
            "active_entitlements",
            "",
            by("e", "entitlements_by_account"),
        ),
        ("grants", "", by("t1", "grants_by_account")),
        (
            "concurrency_leases",
            "",
            by("t1", "concurrency_leases_by_account"),
        ),
        (
            "active_leases",
            "",
            by("l", "concurrency_leases_held_by_account"),
        ),
        ("reservations", "", by("t1", "reservations_by_account")),
        ("subscriptions", "", by("t1", "subscriptions_by_account")),
    ] {
        let wanted = format!("{index} (namespace_id=? AND account_id=?");
        let query = format!("{A}{filter}");
        // A user, who is bound to an account, reads in the same way.
        for account in [None, Some(Uuid::from_u128(16))] {
            let steps = planner.steps(account, resource, &query);
            let is_read = steps.iter().any(|step| step.starts_with(&wanted));
            assert!(is_read, "{resource}?{query}: {steps:#?}");
            let walks = |step: &String| step.ends_with("(namespace_id=?)");
            assert!(!steps.iter().any(walks), "{resource}?{query}: {steps:#?}");
        }
    }
}

#[test]
fn what_hangs_on_a_row_is_read_by_that_row() {
    let planner = Planner::new();
    let id = "eq.00000000-0000-0000-0000-000000000010";
    for (resource, filter) in [
        ("consumption", "event_id"),
        ("consumption_event_details", "event_id"),
        ("grant_draws", "event_id"),
        ("entitlements_audit", "entitlement_id"),
        ("entitlement_conditions", "entitlement_id"),
        ("account_external_ids", "account_id"),
        ("accounts", "parent_account_id"),
        ("control_decisions", "decision_id"),
    ] {
        let query = format!("{filter}={id}");
        let steps = planner.steps(None, resource, &query);
        let walks =
            |step: &String| step.contains("(namespace_id=?)") || step.starts_with("SCAN t1");
        assert!(!steps.iter().any(walks), "{resource}?{query}: {steps:#?}");
    }
    // Of each row that another is embedded in, too.
    let embedded = "account_id=eq.00000000-0000-0000-0000-000000000010&select=account_id,\
                    entitlements(entitlement_id),consumption(event_id),control_decisions(code)";
    let steps = planner.steps(None, "accounts", embedded);
    let walks = |step: &String| step.contains("(namespace_id=?)");
    assert!(!steps.iter().any(walks), "{steps:#?}");
}

#[test]
fn decisions_of_an_account_are_read_from_each_of_their_places_in_order() {
    let planner = Planner::new();
    let place = "decided_at.eq.2026-06-01,decision_id.lt.00000000-0000-0000-0000-000000000010";
    let after = format!("&or=(decided_at.lt.2026-06-01,and({place}))");
    for (page, range) in [("", ""), (&*after, " AND (VALUES_OF_PLACE)<(?,?)")] {
        let query = format!("{A}&select=code&order=decided_at.desc&limit=50{page}");
        let steps = planner.steps(None, "control_decisions", &query);
        let read = |table: &str, index: &str, at: &str| {
            let range = range.replace("VALUES_OF_PLACE", at);
            let wanted = format!("{index} (namespace_id=? AND account_id=?{range})");
            let is_read = |step: &&String| {
                step.starts_with(&format!("SEARCH {table} ")) && step.ends_with(&wanted)
            };
            assert_eq!(
                steps.iter().filter(is_read).count(),
                1,
                "{wanted}: {steps:#?}"
            );
        };
        read(
            "control_decisions_log",
            "control_decisions_log_by_account",
            "decided_at,decision_id",
        );
        read("l", "consumption_ledger_by_account", "occurred_at,event_id");
        read("r", "reservations_by_account", "created_at,reservation_id");
        read(
            "concurrency_leases",
            "concurrency_leases_by_account",
            "created_at,lease_id",
        );
        // What is sorted is the four pages together.
        let sorts = steps
            .iter()
            .filter(|step| step.starts_with("USE TEMP B-TREE"));
        assert_eq!(sorts.count(), 1, "{steps:#?}");
    }
}
