//! The naive model as judge of the engine over PostgreSQL. It stands apart from the model's other
//! settings: a program that is just being started would hold the lock of a folder for a moment.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "model/accounts.rs"]
mod accounts;
#[path = "model/calls.rs"]
mod calls;
#[path = "model/commands.rs"]
mod commands;
#[path = "model/compare.rs"]
mod compare;
#[path = "model/decide.rs"]
mod decide;
#[path = "model/effects.rs"]
mod effects;
#[path = "model/grants.rs"]
mod grants;
#[path = "model/held.rs"]
mod held;
#[path = "model/history.rs"]
mod history;
#[path = "model/holds.rs"]
mod holds;
#[path = "model/limits.rs"]
mod limits;
#[path = "model/look.rs"]
mod look;
#[path = "model/naive.rs"]
mod naive;
#[path = "model/offers.rs"]
mod offers;
#[path = "model/plans.rs"]
mod plans;
#[path = "model/play.rs"]
mod play;
#[path = "model/rows.rs"]
mod rows;
#[path = "model/steps.rs"]
mod steps;
#[path = "model/trees.rs"]
mod trees;
#[path = "model/usage.rs"]
mod usage;
#[path = "model/windows.rs"]
mod windows;
#[path = "model/world.rs"]
mod world;

use mec_test_postgres::Server;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner};

use crate::play::play;
use crate::world::{Kept, Setting};

/// Plays so many in a hundred of the histories.
fn judge(setting: Setting, percent: u32) {
    let asked = std::env::var("MEC_MODEL_HISTORIES").ok();
    let histories: u32 = asked.map_or(800, |text| text.parse().unwrap());
    const SEEDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/seeds.txt");
    let mut runner = TestRunner::new(Config {
        cases: (histories * percent / 100).max(1),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        max_shrink_iters: 20_000,
        ..Config::default()
    });
    let judged = runner.run(&steps::history(), |history| {
        play(&history, setting).map_err(TestCaseError::fail)
    });
    match judged {
        Ok(()) => {}
        Err(TestError::Fail(why, history)) => panic!("{why}\nin {history:?}"),
        Err(error) => panic!("{error}"),
    }
}

fn new_database() -> String {
    let server = Server::shared();
    server.url("mec_engine", &server.database())
}

#[test]
fn histories_on_postgres_are_answered_as_the_model_answers_them() {
    let setting = Setting {
        kept: Kept::Postgres(new_database),
        crowded: false,
    };
    judge(setting, 3);
}
