//! Rows of accounts that are written, over PostgreSQL.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod writing;

use mec_engine::{Engine, RisingIds};
use mec_store_postgres::{PostgresConfig, PostgresStore};
use mec_test_postgres::Server;
use writing::{Place, singly, start, together};

struct Database(PostgresConfig);

impl Database {
    fn new() -> Self {
        // To start the server waits, which a thread of the runtime may not.
        let made = std::thread::spawn(|| {
            let server = Server::shared();
            server.url("mec_engine", &server.database())
        });
        Self(PostgresConfig::new(made.join().unwrap().into()))
    }
}

impl Place for Database {
    async fn open(&self) -> Engine {
        start(PostgresStore::open(&self.0, &mut RisingIds).await.unwrap())
    }
}

#[tokio::test]
async fn an_account_is_changed_by_columns() {
    singly::an_account_is_changed_by_columns(&Database::new()).await;
}

#[tokio::test]
async fn an_entitlement_is_changed_as_its_next_version() {
    singly::an_entitlement_is_changed_as_its_next_version(&Database::new()).await;
}

#[tokio::test]
async fn usage_counts_anew_from_a_minute() {
    singly::usage_counts_anew_from_a_minute(&Database::new()).await;
}

#[tokio::test]
async fn a_grant_is_changed_until_it_is_voided() {
    singly::a_grant_is_changed_until_it_is_voided(&Database::new()).await;
}

#[tokio::test]
async fn a_linked_id_names_its_account() {
    singly::a_linked_id_names_its_account(&Database::new()).await;
}

#[tokio::test]
async fn a_refusal_of_one_undoes_all() {
    together::a_refusal_of_one_undoes_all(&Database::new()).await;
}

#[tokio::test]
async fn a_rollback_tells_what_would_be_and_leaves_nothing() {
    together::a_rollback_tells_what_would_be_and_leaves_nothing(&Database::new()).await;
}

#[tokio::test]
async fn later_requests_see_what_earlier_ones_changed() {
    together::later_requests_see_what_earlier_ones_changed(&Database::new()).await;
}

#[tokio::test]
async fn names_pass_between_trees() {
    together::names_pass_between_trees(&Database::new()).await;
}

#[tokio::test]
async fn a_move_is_the_only_request() {
    together::a_move_is_the_only_request(&Database::new()).await;
}

#[tokio::test]
async fn nothing_is_lost_or_granted_twice_beside_groups() {
    together::nothing_is_lost_or_granted_twice_beside_groups(&Database::new()).await;
}
