//! Rows of accounts that are written, over the embedded store.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod writing;

use mec_engine::{Engine, RisingIds};
use mec_store_sqlite::{SqliteConfig, SqliteStore};
use std::sync::Arc;
use writing::{Machine, Place, singly, start, together};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Place for Folder {
    async fn open(&self) -> Engine {
        let config = SqliteConfig {
            data_dir: self.0.path().to_owned(),
            ..SqliteConfig::default()
        };
        start(SqliteStore::open(&config, Arc::new(Machine), &mut RisingIds).unwrap())
    }
}

#[tokio::test]
async fn an_account_is_changed_by_columns() {
    singly::an_account_is_changed_by_columns(&Folder::new()).await;
}

#[tokio::test]
async fn an_entitlement_is_changed_as_its_next_version() {
    singly::an_entitlement_is_changed_as_its_next_version(&Folder::new()).await;
}

#[tokio::test]
async fn usage_counts_anew_from_a_minute() {
    singly::usage_counts_anew_from_a_minute(&Folder::new()).await;
}

#[tokio::test]
async fn a_grant_is_changed_until_it_is_voided() {
    singly::a_grant_is_changed_until_it_is_voided(&Folder::new()).await;
}

#[tokio::test]
async fn a_linked_id_names_its_account() {
    singly::a_linked_id_names_its_account(&Folder::new()).await;
}

#[tokio::test]
async fn a_refusal_of_one_undoes_all() {
    together::a_refusal_of_one_undoes_all(&Folder::new()).await;
}

#[tokio::test]
async fn a_rollback_tells_what_would_be_and_leaves_nothing() {
    together::a_rollback_tells_what_would_be_and_leaves_nothing(&Folder::new()).await;
}

#[tokio::test]
async fn later_requests_see_what_earlier_ones_changed() {
    together::later_requests_see_what_earlier_ones_changed(&Folder::new()).await;
}

#[tokio::test]
async fn names_pass_between_trees() {
    together::names_pass_between_trees(&Folder::new()).await;
}

#[tokio::test]
async fn a_move_is_the_only_request() {
    together::a_move_is_the_only_request(&Folder::new()).await;
}

#[tokio::test]
async fn nothing_is_lost_or_granted_twice_beside_groups() {
    together::nothing_is_lost_or_granted_twice_beside_groups(&Folder::new()).await;
}
