//! A naive model as judge: it keeps the plain list of all that happened, sums it for every question
//! and knows nothing of how the engine counts. Random histories in two namespaces are played against
//! both, and every answer is compared. `MEC_MODEL_HISTORIES` sets how many are played.
#![allow(
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
#[path = "model/found.rs"]
mod found;
#[path = "model/found_trees.rs"]
mod found_trees;
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

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner};

use crate::play::play;
use crate::world::{Kept, Setting};

const IN_MEMORY: Setting = Setting {
    kept: Kept::Memory,
    crowded: false,
};

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

#[test]
fn histories_in_memory_are_answered_as_the_model_answers_them() {
    judge(IN_MEMORY, 100);
}

#[test]
fn histories_on_disk_are_answered_as_the_model_answers_them() {
    let setting = Setting {
        kept: Kept::Folder,
        ..IN_MEMORY
    };
    judge(setting, 15);
}

#[test]
fn histories_that_memory_has_no_room_for_are_answered_as_the_model_answers_them() {
    let setting = Setting {
        crowded: true,
        ..IN_MEMORY
    };
    judge(setting, 50);
}
