//! Usage by SQL against the store's own, over a random history and random bounds.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use mec_core::change::Change;
use mec_core::{Quantity, Timestamp};
use mec_store::conformance::{TestClock, TestIds, given};
use mec_store::{Store, UsageQuery};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;

/// The next of a row of numbers below a bound, the same in every run.
fn draw(seed: &mut u64, below: u64) -> i64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    i64::try_from((*seed >> 33) % below).unwrap()
}

/// A moment within four days, on a whole minute, and mostly near an edge of an hour or a day.
fn minute(seed: &mut u64) -> Timestamp {
    let day = draw(seed, 4) * 1440;
    let hour = [0, 60, 720, 1380, 1440]
        .get(usize::try_from(draw(seed, 5)).unwrap())
        .unwrap()
        + day;
    let minutes = hour + draw(seed, 3) - 1 + draw(seed, 4) / 3 * draw(seed, 60);
    given::time("2026-02-27T00:00:00Z").saturating_add_secs(minutes * 60)
}

#[test]
fn usage_by_sql_is_the_stores_own() {
    let server = Server::shared();
    let database = server.database();
    let config = PostgresConfig {
        clock: Some(Arc::new(TestClock::at(given::NOW))),
        ..PostgresConfig::new(server.url("mec_engine", &database).into())
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut seed = 20_260_301;
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let store = PostgresStore::open(&config, &mut TestIds::default())
            .await
            .unwrap();
        given::family(&store).await;
        let mut changes: Vec<Change> = Vec::new();
        for number in 0..300 {
            let (account, above) = match draw(&mut seed, 3) {
                0 => (given::OWNER, vec![]),
                1 => (given::TEAM, vec![given::OWNER]),
                _ => (given::USER, vec![given::TEAM, given::OWNER]),
            };
            let at = minute(&mut seed).saturating_add_secs(draw(&mut seed, 60));
            let mut event = given::event(0x2000 + number, account, &above, 1, at);
            event.idempotency_key = None;
            event.quantity = Quantity::from_int(draw(&mut seed, 9) - 2);
            event.chain_seq = u64::try_from(number).unwrap() + 1;
            event.unit_code = given::code(if draw(&mut seed, 2) == 0 {
                "minutes"
            } else {
                "hours"
            });
            changes.extend(given::recorded(event));
        }
        given::commit(&store, changes).await;
        for _ in 0..400 {
            let account = [given::OWNER, given::TEAM, given::USER];
            let account = *account
                .get(usize::try_from(draw(&mut seed, 3)).unwrap())
                .unwrap();
            let mut bound = || (draw(&mut seed, 6) > 0).then(|| minute(&mut seed));
            let (from, to) = (bound(), bound());
            let include_children = draw(&mut seed, 3) > 0;
            let query = UsageQuery {
                namespace: given::namespace(),
                account,
                resource: given::code(given::RESOURCE),
                scope: None,
                from,
                to,
                include_children,
            };
            let amount = store.usage(query).await.unwrap();
            wanted.push(
                Quantity::from_micros(amount)
                    .div_round_half_even(60)
                    .to_string(),
            );
            let text = |at: Option<Timestamp>| {
                at.map_or("NULL".to_owned(), |at| format!("'{}'", at.to_canonical()))
            };
            asked.push(format!(
                "SELECT api.get_usage('{account}', '{}', NULL, {}, {}, {include_children});",
                given::RESOURCE,
                text(from),
                text(to)
            ));
        }
    });
    let claims = r#"BEGIN; SET LOCAL ROLE mec_service; SET LOCAL "request.jwt.claims" = '{"namespace_id": "default"}';"#;
    let sql = format!("{claims} {} COMMIT;", asked.join("\n"));
    let told = server.psql_as("authenticator", &database, &sql).unwrap();
    let told: Vec<&str> = told.lines().collect();
    for ((told, wanted), asked) in told.iter().zip(&wanted).zip(&asked) {
        assert_eq!(told, wanted, "{asked}");
    }
    assert_eq!(told.len(), 400);
    let mut different = wanted;
    different.sort_unstable();
    different.dedup();
    assert!(different.len() > 50, "{}", different.len());
}
