//! Whoever follows `Link` from page to page is told each row once, in the order of the rows in the database.

use serde_json::{Value, json};

use super::database::Database;
use super::world::{Caller, OWNER, STRANGER, World};

/// So many events are in the ledger, thirty of one moment each.
const EVENTS: u32 = 3_000;

/// Puts rows into the tables that grow: `{id}`, `{at}`, `{account}` and the like stand for what is made of
/// each number `n`. No id follows the time, which are those from `first` on.
fn insert(world: &World, table: &str, columns: &str, values: &str, [first, rows]: [u32; 2]) {
    let account = |id| world.database.literal(&super::database::Literal::Uuid(id));
    let (owner, stranger) = (account(OWNER), account(STRANGER));
    let spread = format!("({first} + (n * 7919) % {rows})");
    let made = match world.database {
        Database::Sqlite(_) => [
            ("{id}", format!("unhex(printf('%032x', {spread}))")),
            ("{at}", "1780000000000000 + n / 30 * 1000000".to_owned()),
            ("{hash}", "zeroblob(32)".to_owned()),
            ("{under}", "x''".to_owned()),
            ("{false}", "0".to_owned()),
            ("{key}", format!("unhex(printf('%032x', {spread}))")),
            ("{one}", "1000000".to_owned()),
            ("{holds}", "'[]'".to_owned()),
        ],
        Database::Postgres(_) => [
            ("{id}", format!("lpad(to_hex({spread}), 32, '0')::uuid")),
            ("{at}", "to_timestamp(1780000000 + n / 30)".to_owned()),
            ("{hash}", "decode(repeat('00', 32), 'hex')".to_owned()),
            ("{under}", "'{}'::uuid[]".to_owned()),
            ("{false}", "false".to_owned()),
            (
                "{key}",
                format!("decode(lpad(to_hex({spread}), 32, '0'), 'hex')"),
            ),
            ("{one}", "1".to_owned()),
            ("{holds}", "'[]'::jsonb".to_owned()),
        ],
    };
    let mut values = values.to_owned();
    let of = format!("CASE WHEN n % 3 = 0 THEN {owner} ELSE {stranger} END");
    let answer = r#"'{"decision":"allow","code":"ok","reason":"' || n || '"}'"#;
    for (place, made) in made {
        values = values.replace(place, &made);
    }
    values = values.replace("{account}", &of).replace("{answer}", answer);
    world.database.run(&format!(
        "WITH RECURSIVE series (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < {rows})
         INSERT INTO {table} (namespace_id, {columns}) SELECT 'default', {values} FROM series"
    ));
}

/// Rows of two accounts in what grows.
pub async fn fill(world: &World) {
    let service = Caller::service("default");
    for account in [OWNER, STRANGER] {
        let row =
            json!({"account_id": account, "account_type_code": "team", "display_name": "same"});
        world.call(&service, "/api/accounts", row).await;
    }
    insert(
        world,
        "consumption_ledger",
        "event_id, account_id, resource_type_code, quantity, unit_code, occurred_at, is_correction, created_at, \
         owner_account_id, recorded_under, chain_id, chain_seq, chain_hash",
        "{id}, {account}, 'benchmark_runs', {one}, 'count', {at}, {false}, {at}, {account}, {under}, {account}, \
         n + 1, {hash}",
        [0, EVENTS],
    );
    // Of a part of the events, those that were asked for before.
    insert(
        world,
        "idempotency_keys",
        "key_hash, key, rpc, args_hash, event_id, answer, created_at",
        "{key}, 'k', CASE WHEN n % 4 = 0 THEN 'consume' ELSE 'meter_consumption' END, {hash}, {id},
         CASE WHEN n % 4 = 0 THEN {answer} END, {at}",
        [0, EVENTS],
    );
    insert(
        world,
        "entitlements",
        "entitlement_id, account_id, resource_type_code, limit_kind_code, unit_code, effective_start, \
         window_type_code, priority, status, version, created_at, updated_at",
        "{id}, {account}, 'benchmark_runs', 'cumulative', 'count', {at}, 'none', n % 5, 'active', n + 1, {at}, {at}",
        [0, 900],
    );
    insert(
        world,
        "control_decisions_log",
        "decision_id, account_id, resource_type_code, requested_quantity, decision, code, reason, decided_at",
        "{id}, {account}, 'benchmark_runs', {one}, 'deny', 'limit_reached', 'logged ' || n, {at}",
        [10_000, 500],
    );
    insert(
        world,
        "concurrency_leases",
        "lease_id, account_id, resource_type_code, slots, fencing_token, acquired_at, expires_at, last_heartbeat, \
         ttl_seconds, decision, created_at",
        "{id}, {account}, 'concurrent_users', 1, n, {at}, {at}, {at}, 60, {answer}, {at}",
        [20_000, 400],
    );
    insert(
        world,
        "reservations",
        "reservation_id, account_id, resource_type_code, quantity, unit_code, created_at, expires_at, status, \
         grant_holds",
        "{id}, {account}, 'benchmark_runs', {one}, 'count', {at}, {at}, 'open', {holds}",
        [30_000, 300],
    );
    insert(
        world,
        "idempotency_keys",
        "key_hash, key, rpc, args_hash, event_id, answer, created_at",
        "{key}, 'k', 'reserve', {hash}, {id}, {answer}, {at}",
        [30_000, 300],
    );
}

/// Where the next page of an answer is.
fn next(link: &str) -> String {
    let link = link.strip_prefix('<').unwrap();
    link.strip_suffix(">; rel=\"next\"").unwrap().to_owned()
}

/// A column that differs from row to row, page by page.
async fn walk(world: &World, path: &str, column: &str, limit: usize) -> Vec<String> {
    let service = Caller::service("default");
    let mut told = Vec::new();
    let mut at = Some(format!("{path}&select={column}&limit={limit}"));
    let mut pages = 0;
    while let Some(path) = at {
        let answer = world.get(&service, &path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        let rows: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
        assert!(
            rows.iter().all(|row| row.as_object().unwrap().len() == 1),
            "{path}"
        );
        told.extend(rows.iter().map(|row| match &row[column] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
        at = answer.header("link").map(next);
        assert_eq!(at.is_some(), rows.len() == limit, "{path}");
        pages += 1;
        assert!(pages <= EVENTS, "{path} has no end");
    }
    told
}

/// Walks a resource: `filter` of the address is `condition` of the database, and `order` is `sorted`.
async fn check(world: &World, resource: &str, column: &str, filter: &str, order: [&str; 2]) {
    let [order, sorted] = order;
    let path = format!("/api/{resource}?{filter}{order}");
    let told = walk(world, &path, column, 70).await;
    let relation = world.database.relation(resource);
    let condition = match filter {
        "" => String::new(),
        _ => format!(
            " AND account_id = {}",
            world
                .database
                .literal(&super::database::Literal::Uuid(OWNER))
        ),
    };
    let wanted = world.database.ask(&format!(
        "SELECT CAST({column} AS text) FROM {relation} WHERE namespace_id = 'default'{condition} ORDER BY {sorted}"
    ));
    assert!(wanted.len() > 200, "{path}");
    assert!(
        told == wanted,
        "{path}: {} of {} rows, or in another order",
        told.len(),
        wanted.len()
    );
}

async fn pages_hold_each_row_once(world: &World) {
    fill(world).await;
    let of_owner = format!("account_id=eq.{OWNER}&");
    for filter in ["", of_owner.as_str()] {
        for (resource, column, orders) in [
            (
                "consumption",
                "chain_seq",
                vec![
                    ["order=occurred_at", "occurred_at, event_id"],
                    ["order=occurred_at.desc", "occurred_at DESC, event_id DESC"],
                    [
                        "order=occurred_at.desc,event_id",
                        "occurred_at DESC, event_id",
                    ],
                    [
                        "order=unit_code,occurred_at.desc",
                        "unit_code, occurred_at DESC, event_id DESC",
                    ],
                    ["", "event_id"],
                ],
            ),
            (
                "entitlements",
                "version",
                vec![
                    ["order=priority.desc", "priority DESC, entitlement_id DESC"],
                    ["order=created_at", "created_at, entitlement_id"],
                    ["", "entitlement_id"],
                ],
            ),
            (
                "control_decisions",
                "reason",
                vec![
                    [
                        "order=decided_at.desc,decision_id,code",
                        "decided_at DESC, decision_id, code",
                    ],
                    [
                        "order=decided_at,code.desc",
                        "decided_at, code DESC, decision_id DESC",
                    ],
                ],
            ),
        ] {
            for order in orders {
                check(world, resource, column, filter, order).await;
            }
        }
    }
    // Where the place of a row has no name there is no link, however full the page.
    let service = Caller::service("default");
    for path in [
        "/api/entitlements?order=resource_scope&limit=5",
        "/api/entitlements?select=version,accounts(display_name)&order=accounts(display_name)&limit=5",
        "/api/accounts?select=account_id&order=metadata-%3E%3Etier&limit=1",
    ] {
        let answer = world.get(&service, path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        assert_eq!(answer.header("link"), None, "{path}");
    }
}

#[tokio::test]
async fn pages_of_the_embedded_store_hold_each_row_once() {
    pages_hold_each_row_once(&World::on_sqlite().await).await;
}

#[tokio::test]
async fn pages_of_postgresql_hold_each_row_once() {
    pages_hold_each_row_once(&World::on_postgres().await).await;
}
