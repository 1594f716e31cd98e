//! The database itself: its statements, its guard, its versions, its owner.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use common::World;
use mec_store::{Store, StoreError};
use rusqlite::Connection;

fn statements() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sql");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    found.sort();
    assert!(found.len() > 90);
    found
}

/// What the ledger is called in a statement.
fn names_of_ledger(sql: &str) -> Vec<String> {
    let words: Vec<&str> = sql.split_whitespace().collect();
    let mut names = vec!["consumption_ledger".to_owned()];
    names.extend(
        words
            .windows(2)
            .filter(|pair| pair[0] == "consumption_ledger")
            .map(|pair| pair[1].to_owned()),
    );
    names
}

/// What the statements begin with that read or write a namespace's catalogue as a whole.
const OF_CATALOGUE: [&str; 6] = [
    "allowed_unit_",
    "catalogue_version_",
    "plan_",
    "resource_type_",
    "rule_",
    "template_",
];

/// What reads the newest rows of a namespace in the order of an index, and no more than a bound.
const BOUNDED: &str = "USING INDEX api_keys_by_time (namespace_id=?)";

#[test]
fn every_statement_prepares_and_none_walks_a_table_that_grows() {
    let mut world = World::new();
    drop(world.open());
    let connection = world.raw();
    for (name, sql) in statements() {
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = connection
            .prepare(&plan)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for index in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(index, 1).unwrap();
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            // By its namespace alone a table is read from end to end; a catalogue is meant to be.
            let is_of_catalogue = OF_CATALOGUE.iter().any(|of| name.starts_with(of));
            let walks =
                step.ends_with("(namespace_id=?)") && !is_of_catalogue && !step.ends_with(BOUNDED);
            assert!(!walks, "{name}: {step}");
            let scans = names_of_ledger(&sql)
                .iter()
                .any(|ledger| step.split_whitespace().take(2).eq(["SCAN", ledger]));
            assert!(
                !scans || name == "event_select_all_by_chain",
                "{name}: {step}"
            );
        }
    }
}

#[test]
fn every_statement_is_used() {
    let source =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql.rs")).unwrap();
    for (name, _) in statements() {
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name}.sql is not listed in sql.rs"
        );
    }
}

#[tokio::test]
async fn what_is_appended_is_never_changed_or_deleted() {
    let mut world = World::new();
    let store = world.open();
    let (mut tree, owner, child) = common::planted(&mut world, &store).await;
    let changes = tree.event(
        world.id(),
        &[child, owner],
        "benchmark_runs",
        None,
        3,
        "2026-05-04T10:00:00Z",
    );
    tree.commit(&store, changes).await.unwrap();
    let connection = world.raw();
    connection
        .execute_batch(
            "INSERT INTO entitlements_audit VALUES ('default', x'01', x'01', 'INSERT', NULL, '{}', 'me', 0);
             INSERT INTO control_decisions_log VALUES ('default', x'01', x'01', 'r', NULL, 1, NULL, 'deny', 'c', 'r', NULL, NULL, NULL, NULL, NULL, NULL, 0);",
        )
        .unwrap();
    let tables = [
        "consumption_ledger",
        "consumption_event_details",
        "entitlements_audit",
        "control_decisions_log",
    ];
    for table in tables {
        let count = |connection: &Connection| -> i64 {
            connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                    row.get(0)
                })
                .unwrap()
        };
        assert_eq!(count(&connection), 1);
        for statement in [
            "UPDATE {} SET namespace_id = namespace_id",
            "DELETE FROM {} WHERE namespace_id = 'default'",
            "DELETE FROM {}",
            "REPLACE INTO {} SELECT * FROM {}",
        ] {
            let error = connection
                .execute(&statement.replace("{}", table), [])
                .unwrap_err();
            assert!(
                error.to_string().contains("append-only"),
                "{table}: {error}"
            );
        }
        assert_eq!(count(&connection), 1);
    }
}

#[tokio::test]
async fn opening_again_changes_nothing() {
    let mut world = World::new();
    let first = world.open();
    let before = first
        .catalogue(&common::namespace(), None)
        .await
        .unwrap()
        .unwrap();
    drop(first);
    let second = world.open();
    let after = second
        .catalogue(&common::namespace(), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (before.version, &before.plans, &before.rules),
        (after.version, &after.plans, &after.rules)
    );
    assert_eq!(
        (after.version, after.plans.len(), after.resource_types.len()),
        (1, 4, 12)
    );
    assert_eq!(*after.lookups, mec_core::seed::lookups());
    assert!(
        second
            .catalogue(&common::namespace(), Some(1))
            .await
            .unwrap()
            .is_none()
    );
    let other = mec_core::Namespace::parse("other").unwrap();
    assert_eq!(
        second
            .catalogue(&other, None)
            .await
            .unwrap()
            .unwrap()
            .version,
        0
    );
}

#[test]
fn a_newer_schema_is_refused() {
    let mut world = World::new();
    drop(world.open());
    world
        .raw()
        .execute("INSERT INTO schema_migrations VALUES (99, 0)", [])
        .unwrap();
    let error = world.open_with(None).unwrap_err();
    assert!(
        matches!(&error, StoreError::Damaged(sentence) if sentence.contains("99")),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_database_is_damage() {
    let mut world = World::new();
    std::fs::write(world.path().join("mec.db"), vec![b'x'; 8192]).unwrap();
    assert!(matches!(world.open_with(None), Err(StoreError::Damaged(_))));
}

#[test]
fn a_folder_has_one_owner() {
    let mut world = World::new();
    let store = world.open();
    let error = world.open_with(None).unwrap_err();
    let pid = std::process::id().to_string();
    assert!(
        matches!(&error, StoreError::Owned(sentence) if sentence.contains(&pid)),
        "{error}"
    );
    drop(store);
    drop(world.open());
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let mut world = World::new();
    let folder = world.path().join("new/data");
    let config = mec_store_sqlite::SqliteConfig {
        data_dir: folder.clone(),
        ..mec_store_sqlite::SqliteConfig::default()
    };
    let store =
        mec_store_sqlite::SqliteStore::open(&config, world.clock.clone(), &mut world.ids).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    drop(store);
}

#[tokio::test]
async fn closing_leaves_one_file_that_can_be_copied() {
    let mut world = World::new();
    let store = world.open();
    common::planted(&mut world, &store).await;
    drop(store);
    assert!(!world.path().join("mec.db-wal").exists());
}
