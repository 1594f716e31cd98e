//! What callers page through is read by an index from where a page begins, as the database plans it for a
//! caller's role and claims over tables that hold rows and were analysed.

use mec_core::Namespace;
use mec_query::plan::{Asking, Reach, plan};
use mec_query::schema::Resource;
use mec_query::{Role, parse, sql};
use mec_store::Reader;
use mec_test_postgres::Server;
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::dialect::Postgres;
use super::{borrowed, claims, texts};
use crate::PostgresConfig;
use crate::connection::{Connection, Value};

/// Events in several partitions, of three accounts, and what hangs on them.
const ROWS: &str = "
SET search_path = mec;
SET session_replication_role = replica;
CREATE TABLE consumption_ledger_a PARTITION OF consumption_ledger
    FOR VALUES FROM ('00000000-0000-0000-0000-000000000000') TO ('00000000-0000-0000-0000-000000004000');
CREATE TABLE consumption_ledger_b PARTITION OF consumption_ledger
    FOR VALUES FROM ('00000000-0000-0000-0000-000000004000') TO ('00000000-0000-0000-0000-000000008000');
CREATE TEMP TABLE made AS
SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id, to_timestamp(1780000000 + n / 30) AS at,
    CASE WHEN n % 1000 = 7 THEN '00000000-0000-0000-0000-000000000030'
        WHEN n % 3 = 0 THEN '00000000-0000-0000-0000-000000000010' ELSE '00000000-0000-0000-0000-000000000020' END::uuid AS account
FROM generate_series(0, 39999) n;
INSERT INTO accounts (namespace_id, account_id, account_type_code, owner_account_id, metadata, status, created_at, updated_at)
SELECT DISTINCT 'default', account, 'team', account, '{}'::jsonb, 'active', now(), now() FROM made;
INSERT INTO consumption_ledger (namespace_id, event_id, account_id, resource_type_code, quantity, unit_code,
    occurred_at, is_correction, created_at, owner_account_id, recorded_under, chain_id, chain_seq, chain_hash)
SELECT 'default', id, account, 'r', 1, 'count', at, false, at, account, '{}', account, n + 1, decode(repeat('00', 32), 'hex')
FROM made;
INSERT INTO idempotency_keys (namespace_id, key_hash, key, rpc, args_hash, event_id, answer, created_at)
SELECT 'default', uuid_send(id), 'k', CASE WHEN n % 4 = 0 THEN 'consume' ELSE 'meter_consumption' END,
    decode(repeat('00', 32), 'hex'), id, CASE WHEN n % 4 = 0 THEN '{\"decision\":\"allow\",\"code\":\"ok\"}' END, at
FROM made;
INSERT INTO idempotency_keys (namespace_id, key_hash, key, rpc, args_hash, event_id, answer, created_at)
SELECT 'default', uuid_send(('1' || substr(id::text, 2))::uuid), 'k', 'reserve', decode(repeat('00', 32), 'hex'),
    ('1' || substr(id::text, 2))::uuid, '{\"decision\":\"allow\",\"code\":\"ok\"}', at
FROM made;
INSERT INTO control_decisions_log (namespace_id, decision_id, account_id, resource_type_code, requested_quantity,
    decision, code, reason, decided_at)
SELECT 'default', id, account, 'r', 1, 'deny', 'limit_reached', 'r', at FROM made;
INSERT INTO concurrency_leases (namespace_id, lease_id, account_id, resource_type_code, slots, fencing_token,
    acquired_at, expires_at, last_heartbeat, ttl_seconds, decision, created_at)
SELECT 'default', id, account, 'r', 1, n, at, at, at, 60, '{\"decision\":\"allow\",\"code\":\"ok\"}', at FROM made;
INSERT INTO reservations (namespace_id, reservation_id, account_id, resource_type_code, quantity, unit_code,
    created_at, expires_at, status, grant_holds)
SELECT 'default', ('1' || substr(id::text, 2))::uuid, account, 'r', 1, 'count', at, at, 'committed', '[]' FROM made;
INSERT INTO grants (namespace_id, grant_id, account_id, resource_type_code, window_type_code, quantity, unit_code,
    remaining, priority, created_at)
SELECT 'default', id, lpad(to_hex(n % 1000), 32, '0')::uuid, 'r', 'none', 1, 'count', 1, 0, at FROM made;
INSERT INTO entitlements (namespace_id, entitlement_id, account_id, resource_type_code, limit_kind_code, unit_code,
    effective_start, window_type_code, priority, status, version, created_at, updated_at)
SELECT 'default', id, lpad(to_hex(n % 1000), 32, '0')::uuid, 'r', 'cumulative', 'count', at, 'none', 0, 'active', 1, at, at
FROM made;
ANALYZE;
";

const A: &str = "account_id=eq.00000000-0000-0000-0000-000000000010";
/// The place of a row in the middle, from the last to the first and the other way.
const BELOW: &str = "or=(occurred_at.lt.2026-05-28T20:36:40Z,and(occurred_at.eq.2026-05-28T20:36:40Z,event_id.lt.00000000-0000-0000-0000-000000004e20))&order=occurred_at.desc&limit=50";
const ABOVE: &str = "or=(occurred_at.gt.2026-05-28T20:36:40Z,and(occurred_at.eq.2026-05-28T20:36:40Z,event_id.gt.00000000-0000-0000-0000-000000004e20))&order=occurred_at&limit=50";

struct Planner {
    connection: Connection,
    runtime: Runtime,
}

impl Planner {
    fn new() -> Self {
        let server = Server::shared();
        let database = server.database();
        server.psql(&database, ROWS).unwrap();
        let config = PostgresConfig::new(server.url("mec_engine", &database).into());
        let runtime = Runtime::new().unwrap();
        let connection = runtime.block_on(Connection::open(&config, runtime.handle()));
        Self {
            connection: connection.unwrap(),
            runtime,
        }
    }

    /// What the database did to answer, with the rows of each step.
    fn steps(&self, account: Option<Uuid>, resource: &str, query: &str) -> String {
        let query = parse::parse(parse::pairs(query).unwrap()).unwrap();
        let role = match account {
            Some(_) => Role::MecUser,
            None => Role::MecService,
        };
        let namespace = Some(Namespace::default_namespace());
        let asking = Asking {
            resource: Resource::find(resource).unwrap(),
            role,
            reach: Reach {
                namespace: namespace.clone(),
                account,
            },
            is_counted: false,
            timezone: None,
        };
        let statement = sql::rows(&plan(&query, &asking).unwrap(), &Postgres);
        let explain = format!(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {}",
            statement.sql
        );
        let reader = Reader {
            role,
            namespace,
            account,
        };
        let claims = claims(&reader);
        let become_caller: [Value<'_>; 4] = [&role.as_str(), &claims, &"UTC", &"10000"];
        let texts = texts(&statement);
        let client = &self.connection.client;
        let lines = self.runtime.block_on(async {
            client.batch_execute("BEGIN").await?;
            let becoming = client.prepare(crate::sql::CALLER_BECOME).await?;
            client.query(&becoming, &become_caller).await?;
            let lines = client.query(&explain, &borrowed(&texts)).await?;
            client.batch_execute("ROLLBACK").await?;
            Ok::<_, tokio_postgres::Error>(lines)
        });
        let lines = lines.unwrap();
        let lines = lines.iter().map(|line| line.get::<_, String>(0));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// How many rows the steps read at the most, those that they passed over counted.
fn most_read(steps: &str) -> u64 {
    let numbers = steps.lines().filter_map(|line| {
        let of_scan = line
            .contains("Scan")
            .then(|| line.split_once("(actual rows="));
        let passed_over = line.trim().strip_prefix("Rows Removed by Filter: ");
        let number = passed_over.or(of_scan.flatten().map(|(_, rest)| rest))?;
        number
            .split(|of: char| !of.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    });
    numbers.max().unwrap_or(0)
}

/// A page of fifty rows, which reads and sorts no more than a few pages.
#[track_caller]
fn check(planner: &Planner, resource: &str, query: &str, wanted: &[&str]) {
    for account in [None, Some(Uuid::from_u128(16))] {
        let steps = planner.steps(account, resource, query);
        for part in wanted {
            assert!(steps.contains(part), "{resource}?{query}: {part}\n{steps}");
        }
        assert!(
            !steps.contains("Seq Scan on consumption_ledger"),
            "{resource}?{query}\n{steps}"
        );
        assert!(
            !steps.contains("Sort Method"),
            "{resource}?{query}\n{steps}"
        );
        assert!(most_read(&steps) <= 150, "{resource}?{query}\n{steps}");
    }
}

#[test]
fn pages_are_read_by_an_index_from_where_they_begin() {
    let planner = Planner::new();
    let (below, above) = (
        "ROW(occurred_at, event_id) < ROW(",
        "ROW(occurred_at, event_id) > ROW(",
    );
    let by_time = "consumption_ledger_b_namespace_id_occurred_at_event_id_idx";
    let by_account = "consumption_ledger_b_namespace_id_account_id_occurred_at_ev_idx";
    check(&planner, "consumption", BELOW, &[by_time, below]);
    check(&planner, "consumption", ABOVE, &[by_time, above]);
    check(
        &planner,
        "consumption",
        &format!("{A}&{BELOW}"),
        &[by_account, below],
    );
    check(
        &planner,
        "consumption",
        &format!("{A}&{ABOVE}"),
        &[by_account, above],
    );
    check(
        &planner,
        "consumption",
        "limit=50",
        &["consumption_ledger_a_pkey"],
    );
    let after = "limit=50&event_id=gt.00000000-0000-0000-0000-000000005000";
    check(
        &planner,
        "consumption",
        after,
        &["consumption_ledger_b_pkey", "event_id > "],
    );
    let decisions = format!("{A}&select=code&order=decided_at.desc&limit=50");
    let place =
        "decided_at.eq.2026-05-28T20:36:40Z,decision_id.lt.00000000-0000-0000-0000-000000004e20";
    let after = format!("{decisions}&or=(decided_at.lt.2026-05-28T20:36:40Z,and({place}))");
    for query in [decisions, after] {
        for account in [None, Some(Uuid::from_u128(16))] {
            let steps = planner.steps(account, "control_decisions", &query);
            for index in [
                "control_decisions_log_by_account",
                "_namespace_id_account_id_occurred_at_",
                "reservations_by_account",
                "concurrency_leases_by_account",
            ] {
                assert!(steps.contains(index), "{query}: {index}\n{steps}");
            }
            assert!(most_read(&steps) <= 250, "{query}\n{steps}");
        }
    }
}

#[test]
fn what_is_asked_of_an_account_is_read_by_the_account() {
    let planner = Planner::new();
    let few = "account_id=eq.00000000-0000-0000-0000-000000000030";
    for (resource, index) in [
        ("consumption", "_namespace_id_account_id_"),
        ("entitlements", "entitlements_by_account"),
        ("grants", "grants_by_account"),
        ("concurrency_leases", "concurrency_leases_by_account"),
        ("reservations", "reservations_by_account"),
        ("control_decisions", "control_decisions_log_by_account"),
    ] {
        for account in [None, Some(Uuid::from_u128(48))] {
            let steps = planner.steps(account, resource, few);
            assert!(steps.contains(index), "{resource}: {index}\n{steps}");
            assert!(most_read(&steps) <= 150, "{resource}\n{steps}");
        }
    }
}
