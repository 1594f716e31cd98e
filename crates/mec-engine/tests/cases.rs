//! The decision tables against the engine in memory and over the embedded store.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, and uses one store of those that there are"
)]

mod cases_world;

use std::path::Path;

use cases_world::{Place, Running, answers_every_row, running};

/// In a copy of a folder that was migrated once.
fn on_disk(fresh: &Path) -> Running {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fresh).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    running(Place::Folder(folder))
}

#[test]
fn the_engine_answers_every_row_of_the_decision_tables_in_memory() {
    answers_every_row(|| running(Place::Memory));
}

#[test]
fn the_engine_answers_every_row_of_the_decision_tables_from_what_is_stored() {
    let mut migrated = running(Place::Folder(tempfile::tempdir().unwrap()));
    migrated.close();
    let place = std::mem::replace(&mut migrated.place, Place::Memory);
    let Place::Folder(folder) = place else {
        panic!("the data is in no folder");
    };
    answers_every_row(|| on_disk(folder.path()));
}
