//! What other writers have committed is told once, however late they commit, and however long nobody looked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use mec_store::conformance::TestIds;
use mec_store::{Cursor, Moved, Store};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::{Server, Session};
use uuid::Uuid;

struct World {
    store: PostgresStore,
    runtime: tokio::runtime::Runtime,
    database: String,
}

impl World {
    fn new(log_kept: Duration) -> Self {
        let server = Server::shared();
        let database = server.database();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut config = PostgresConfig::new(server.url("mec_engine", &database).into());
        config.log_kept = log_kept;
        let store = runtime.block_on(PostgresStore::open(&config, &mut TestIds::default()));
        Self {
            store: store.unwrap(),
            runtime,
            database,
        }
    }

    fn look(&self, since: Option<&Cursor>) -> Moved {
        let looked = self.store.moved(since.cloned());
        self.runtime.block_on(looked).unwrap()
    }

    fn session(&self) -> Session {
        Server::shared().session(&self.database).unwrap()
    }

    fn psql(&self, sql: &str) -> String {
        Server::shared().psql(&self.database, sql).unwrap()
    }
}

fn tree(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A row as another writer leaves it.
fn written(number: u128, version: u64) -> String {
    format!(
        "INSERT INTO mec.tree_log (namespace_id, tree_id, version, writer_id)
         VALUES ('default', '{}', {version}, gen_random_uuid())",
        tree(number)
    )
}

fn trees(moved: &Moved) -> Vec<(Uuid, u64)> {
    let mut trees: Vec<_> = moved.trees.iter().map(|(of, v)| (of.tree, *v)).collect();
    trees.sort_unstable();
    trees
}

#[test]
fn what_commits_late_is_told_by_the_look_after_it_and_only_by_that() {
    let world = World::new(Duration::from_secs(600));
    let begin = world.look(None);
    let mut late = world.session();
    late.say(&format!("BEGIN; {}", written(1, 5))).unwrap();
    world.psql(&written(2, 7));
    world.psql(
        "UPDATE mec.catalogue_versions SET version = version + 1, xid = pg_current_xact_id()",
    );
    let first = world.look(Some(&begin.cursor));
    assert_eq!(trees(&first), [(tree(2), 7)]);
    assert_eq!((first.catalogues.len(), first.lookups.is_some()), (1, true));
    // It is still under way, and holds back no other's news, nor has them told again.
    world.psql(&written(3, 1));
    let second = world.look(Some(&first.cursor));
    assert_eq!(trees(&second), [(tree(3), 1)]);
    assert_eq!((second.catalogues.len(), second.lookups), (0, None));
    late.say("COMMIT").unwrap();
    let third = world.look(Some(&second.cursor));
    assert_eq!(trees(&third), [(tree(1), 5)]);
    assert_eq!(trees(&world.look(Some(&third.cursor))), []);
    let whole = world.look(Some(&begin.cursor));
    assert_eq!(trees(&whole), [(tree(1), 5), (tree(2), 7), (tree(3), 1)]);
    assert!(
        ![first, second, third, whole]
            .iter()
            .any(|look| look.everything)
    );
}

#[test]
fn whoever_looked_last_before_the_log_begins_is_told_that_everything_may_have_changed() {
    let world = World::new(Duration::ZERO);
    let asleep = world.look(None);
    world.psql(&written(1, 5));
    let mut awake = world.look(Some(&asleep.cursor));
    assert!(!awake.everything, "nothing was dropped yet");
    // The first look notes what is old and the next drops it.
    for _ in 0..2 {
        world.psql(&written(2, 6));
        awake = world.look(Some(&awake.cursor));
        assert!(!awake.everything, "who looks all the time misses nothing");
    }
    assert_eq!(
        world.psql("SELECT count(*) FROM mec.tree_log WHERE version = 5"),
        "0"
    );
    assert!(world.look(Some(&asleep.cursor)).everything);
}

#[test]
fn a_transaction_that_never_ends_keeps_what_nobody_may_have_missed() {
    let world = World::new(Duration::ZERO);
    let mut long = world.session();
    long.say(&format!("BEGIN; {}", written(1, 5))).unwrap();
    let number = long.say("SELECT pg_current_xact_id()").unwrap();
    let number = number
        .split_whitespace()
        .find(|word| word.parse::<u64>().is_ok());
    // Transactions of other tests run on the same server. Those that began before it have ended first, so that
    // it alone is what keeps the log.
    let oldest = format!("{}:", number.unwrap());
    let asleep = loop {
        let seen = world.look(None);
        if seen.cursor.0.starts_with(&oldest) {
            break seen;
        }
    };
    world.psql(&written(2, 6));
    let mut awake = world.look(Some(&asleep.cursor));
    for _ in 0..3 {
        awake = world.look(Some(&awake.cursor));
    }
    let late = world.look(Some(&asleep.cursor));
    assert_eq!((trees(&late), late.everything), (vec![(tree(2), 6)], false));
}

#[test]
fn numbers_of_another_server_are_not_taken_for_news() {
    let world = World::new(Duration::from_secs(600));
    let of_another = Cursor("900000000000:900000000001:".to_owned());
    assert!(world.look(Some(&of_another)).everything);
}

#[test]
fn a_database_that_was_restored_row_by_row_forgets_the_numbers_of_the_server_it_came_from() {
    let world = World::new(Duration::from_secs(600));
    let restored = "UPDATE mec.store_meta SET value = 900000000000 WHERE name = 'tree_log_begin';
        UPDATE mec.catalogue_versions SET xid = '900000000000';
        INSERT INTO mec.tree_log (namespace_id, tree_id, version, writer_id, xid)
        VALUES ('default', gen_random_uuid(), 3, gen_random_uuid(), '900000000000')";
    world.psql(restored);
    let news = |moved: &Moved| {
        let catalogues = moved.catalogues.len() + usize::from(moved.lookups.is_some());
        (moved.trees.len(), catalogues, moved.everything)
    };
    let begin = world.look(None);
    let first = world.look(Some(&begin.cursor));
    let second = world.look(Some(&first.cursor));
    assert_eq!(news(&second), (0, 0, false));
    // The same under a node that is looking already.
    world.psql(restored);
    let third = world.look(Some(&second.cursor));
    assert!(third.everything);
    let fourth = world.look(Some(&third.cursor));
    let fifth = world.look(Some(&fourth.cursor));
    assert_eq!(news(&fifth), (0, 0, false));
}
