//! `mec copy`: a whole installation moves into PostgreSQL, whatever happens on the way.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod copied;
mod support;

use std::path::Path;

use copied::{World, fill, lease, usage};
use mec_engine::RisingIds;
use mec_store::copy::{
    CopyError, CopyReport, Facts, Rows, Source, Summary, TABLES, Table, Target, copy,
};
use mec_store::verify::{ChainHead, VerifyReport};
use mec_store_postgres::{PostgresConfig, PostgresStore, PostgresTarget};
use mec_store_sqlite::SqliteSource;
use mec_test_postgres::Server;
use serde_json::json;
use support::{Ran, command, ran};

fn database() -> (String, String) {
    let server = Server::shared();
    let name = server.database();
    let url = server.url("mec_engine", &name);
    (name, url)
}

fn mec_copy(folder: &Path, url: &str, json: &[&str]) -> Ran {
    let from = folder.to_str().unwrap();
    let args = [&["copy", "--from", from, "--to", url], json].concat();
    ran(&mut command(folder, &args))
}

/// Waits until no node is connected any more.
fn wait_for_nobody(name: &str) {
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'mec'";
    while Server::shared().psql(name, connected).unwrap() != "0" {
        std::thread::yield_now();
    }
}

#[test]
fn everything_moves_and_goes_on_where_it_was() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    let keyed = fill(folder);
    let old = World::in_folder(folder);
    let used = usage(&old);
    let token = lease(&old);
    // While it is served it is not copied.
    let (name, url) = database();
    let beside = mec_copy(folder, &url, &[]);
    assert!(
        beside.code == Some(1) && beside.err.contains("is in use by another mec process"),
        "{beside:?}"
    );
    old.close();

    let report = mec_copy(folder, &url, &["--json"]).ok().json();
    assert_eq!(
        (&report["problem"], &report["resumed"]),
        (&json!(null), &json!(0))
    );
    for (table, rows) in report["tables"].as_object().unwrap() {
        assert_ne!(*rows, json!(0), "{table} has no row: {report}");
    }
    let new = World::in_database(&url);
    for call in &keyed {
        call.is_replayed_by(&new);
    }
    assert_eq!(usage(&new), used);
    new.rpc("release_lease", json!({"p_lease_id": first_lease(&name)}));
    assert!(lease(&new) > token);
    for n in 0..3 {
        let args = json!({
            "p_idempotency_key": format!("new-{n}"), "p_external_id": "ada", "p_resource_type": "gpu_hours",
            "p_quantity": 1,
        });
        new.rpc("meter_consumption", args);
    }
    new.close();
    // The chains go on from the heads of the folder.
    let heads = mec_store_sqlite::verify(folder, &mut |_| {}).unwrap().heads;
    let mut target = PostgresTarget::open(&PostgresConfig::new(url.clone().into())).unwrap();
    let proven = target.verify(&heads).unwrap();
    assert_eq!(proven.problem, None);
    let events = report["verified"]["events"].as_u64().unwrap();
    assert_eq!(proven.events, events + 3);
    drop(target);
    // It is not copied over.
    wait_for_nobody(&name);
    let again = mec_copy(folder, &url, &[]);
    assert!(
        again.code == Some(1) && again.err.contains("holds data already"),
        "{again:?}"
    );
}

fn first_lease(name: &str) -> String {
    let live = "SELECT lease_id FROM mec.concurrency_leases WHERE released_at IS NULL ORDER BY lease_id LIMIT 1";
    Server::shared().psql(name, live).unwrap()
}

/// A target that fails at one batch: before it is put, or when it is, but the answer is lost.
struct Failing {
    target: PostgresTarget,
    puts: usize,
    is_put: bool,
}

impl Target for Failing {
    fn begin(&mut self, facts: &Facts) -> Result<Vec<u64>, CopyError> {
        self.target.begin(facts)
    }

    fn put(&mut self, rows: &Rows) -> Result<(), CopyError> {
        let stop = || Err(CopyError::Refused("stopped".to_owned()));
        if self.puts == 0 && !self.is_put {
            return stop();
        }
        self.target.put(rows)?;
        if self.puts == 0 {
            return stop();
        }
        self.puts -= 1;
        Ok(())
    }

    fn summary(&mut self, table: &'static Table) -> Result<Summary, CopyError> {
        self.target.summary(table)
    }

    fn verify(&mut self, earlier: &[ChainHead]) -> Result<VerifyReport, CopyError> {
        self.target.verify(earlier)
    }

    fn finish(&mut self, facts: &Facts) -> Result<(), CopyError> {
        self.target.finish(facts)
    }
}

fn stopped_at(
    folder: &Path,
    url: &str,
    puts: usize,
    is_put: bool,
) -> Result<CopyReport, CopyError> {
    let target = PostgresTarget::open(&PostgresConfig::new(url.to_owned().into()))?;
    let mut failing = Failing {
        target,
        puts,
        is_put,
    };
    copy(&SqliteSource::open(folder)?, &mut failing, &mut |_| {})
}

/// All that a database holds, but for what a copy does not bring.
fn contents(name: &str) -> Vec<String> {
    let of = |table: &&Table| {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|(column, _)| format!("\"{column}\""))
            .collect();
        let columns = columns.join(", ");
        let all = format!(
            "SELECT ({columns})::text AS row FROM mec.{} ORDER BY 1",
            table.name
        );
        Server::shared().psql(name, &all).unwrap()
    };
    TABLES.iter().map(of).collect()
}

#[test]
fn a_copy_that_stops_anywhere_goes_on_and_ends_with_the_same() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fill(folder);
    let (whole, url) = database();
    mec_copy(folder, &url, &[]).ok();
    let (name, url) = database();
    for (run, puts) in [0, 0, 5, 8, 3, 4].into_iter().enumerate() {
        let stopped = stopped_at(folder, &url, puts, run % 2 == 1);
        assert_eq!(stopped.unwrap_err().to_string(), "stopped", "{run}");
        let (config, mut ids) = (PostgresConfig::new(url.clone().into()), RisingIds);
        let served = PostgresStore::open(&config, &mut ids);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let refused = runtime.block_on(served).unwrap_err().to_string();
        assert!(
            refused.contains("holds a part of an installation"),
            "{refused}"
        );
    }
    let report = mec_copy(folder, &url, &["--json"]).ok().json();
    assert!(report["resumed"].as_u64().unwrap() > 20, "{report}");
    assert_eq!(contents(&name), contents(&whole));
    World::in_database(&url).close();
}

#[test]
fn history_that_today_would_be_refused_moves_under_the_guards() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fill(folder);
    // Retention has dropped all of the audit, and a unit that was metered in is no longer allowed.
    let source = rusqlite::Connection::open(folder.join("mec.db")).unwrap();
    source
        .execute_batch(
            "UPDATE store_meta SET value = 9000000000000000 WHERE name = 'audit_drop_before';
             DELETE FROM entitlements_audit;
             UPDATE store_meta SET value = 0 WHERE name = 'audit_drop_before';
             DELETE FROM resource_type_allowed_units WHERE unit_code = 'gpu_hours';",
        )
        .unwrap();
    drop(source);
    let (name, url) = database();
    mec_copy(folder, &url, &[]).ok();
    let server = Server::shared();
    let made =
        "SELECT count(*) = (SELECT count(*) FROM mec.entitlements) FROM mec.entitlements_audit
        WHERE changed_by = 'mec copy'";
    assert_eq!(server.psql(&name, made).unwrap(), "t");
    let off = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'";
    assert_eq!(server.psql(&name, off).unwrap(), "0");
}

#[test]
fn what_does_not_fit_is_refused_and_stays_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let (folder, empty) = (place.path().join("data"), place.path().join("empty"));
    fill(&folder);
    std::fs::create_dir(&empty).unwrap();
    let (_, url) = database();
    let refused = |folder: &Path, url: &str, sentence: &str| {
        let ran = mec_copy(folder, url, &[]);
        assert!(ran.code == Some(1) && ran.err.contains(sentence), "{ran:?}");
    };
    refused(&empty, &url, "holds no database");
    assert!(std::fs::read_dir(&empty).unwrap().next().is_none());
    refused(&folder, "nowhere", "is not an address");
    let server = Server::shared();
    server.psql("postgres", "CREATE DATABASE bare").unwrap();
    refused(
        &folder,
        &server.url("postgres", "bare"),
        "run `mec migrate`",
    );

    // A node that is there, on a database that holds what a new installation begins with.
    let (name, url) = database();
    let node = World::in_database(&url);
    refused(&folder, &url, "a mec is connected to the database");
    node.close();
    wait_for_nobody(&name);
    // Two at once; then a folder that has changed between two runs.
    let config = PostgresConfig::new(url.clone().into());
    let mut holder = PostgresTarget::open(&config).unwrap();
    holder
        .begin(&SqliteSource::open(&folder).unwrap().facts().unwrap())
        .unwrap();
    refused(&folder, &url, "another `mec copy` fills this database");
    drop(holder);
    World::in_folder(&folder).rpc(
        "meter_consumption",
        json!({"p_idempotency_key": "late", "p_external_id": "acme", "p_resource_type": "gpu_hours", "p_quantity": 1}),
    );
    refused(&folder, &url, "or of this one before it was served again");
    // What a text in the database cannot hold.
    let source = rusqlite::Connection::open(folder.join("mec.db")).unwrap();
    source
        .execute_batch(
            "UPDATE accounts SET display_name = 'a' || char(0) WHERE external_id = 'acme'",
        )
        .unwrap();
    drop(source);
    refused(
        &folder,
        &database().1,
        "a display_name holds the character NUL",
    );
}

#[test]
fn what_differs_is_told_and_is_not_served() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fill(folder);
    let (name, url) = database();
    // Stopped behind the last table that holds usage; then somebody writes to the database.
    let batches = TABLES
        .iter()
        .position(|table| table.name == "own_totals")
        .unwrap();
    assert!(stopped_at(folder, &url, batches - 4, true).is_err());
    let server = Server::shared();
    let changed = "UPDATE mec.accounts SET updated_at = updated_at + interval '1 microsecond' WHERE external_id = 'acme'
        AND namespace_id = 'default'";
    server.psql(&name, changed).unwrap();
    let differs = mec_copy(folder, &url, &["--json"]);
    assert_eq!(differs.code, Some(4), "{differs:?}");
    let problem = differs.json()["problem"].as_str().unwrap().to_owned();
    assert!(
        problem.starts_with("accounts: the sum of updated_at is "),
        "{problem}"
    );
    let again = mec_copy(folder, &url, &[]);
    assert!(
        again.code == Some(4) && again.out.contains("is not served"),
        "{again:?}"
    );
}
