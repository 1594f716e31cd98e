//! A real PostgREST as the referee of MEC's resources: the same requests to both over the same database, and to
//! MEC over the embedded store that the database was copied from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod answer;
mod differences;
mod filters;
mod generate;
mod request;
mod seed;
mod world;

use differences::Difference;
use generate::{Generator, Random};
use mec_query::schema::{ForeignKey, Resource};
use request::{Ask, Who};
use serde_json::Value;
use world::World;

const SEED: u64 = 20;
/// How many requests are made up of each resource, beside those of every foreign key.
const EACH: usize = 12;
const WRITTEN: &str = include_str!("requests.txt");

/// The requests that are written down, and those that are made up.
fn asks(world: &World) -> Vec<Ask> {
    let lines = WRITTEN.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let written = lines.map(|line| Ask::parse(line).unwrap_or_else(|| panic!("{line}")));
    let mut asks: Vec<Ask> = written.collect();
    let declared = world.declared_keys();
    let mut generator = Generator {
        random: Random(SEED),
        rows: &|resource: &Resource| {
            let order = resource.key.join(",");
            let all = Ask::new(Who::Service, resource.name).with("order", order);
            let told = world.postgrest(&all.with("limit", "20"));
            let rows: Value = serde_json::from_str(&told.body).unwrap();
            rows.as_array().unwrap().clone()
        },
        is_declared: &|key: &ForeignKey| {
            let of = match key.of {
                "consumption" => "consumption_ledger",
                "active_entitlements" => "entitlements",
                "active_leases" => "concurrency_leases",
                "account_hierarchy" => "accounts",
                name => name,
            };
            let same = |(table, column, to): &(String, String, String)| {
                table == of && column == key.column && to == key.to
            };
            declared.iter().any(same)
        },
    };
    asks.extend(generator.all(EACH));
    asks
}

/// What is wrong about the answers to a request, and which difference they show.
fn judged(world: &World, ask: &Ask, listed: &[Difference]) -> (Option<String>, Option<usize>) {
    let theirs = world.postgrest(ask);
    let ours = world.postgres.ask(ask);
    let embedded = world.sqlite.ask(ask);
    let all = || {
        let (theirs, ours, embedded) = (theirs.shown(), ours.shown(), embedded.shown());
        format!(
            "{ask}\n  PostgREST       {theirs}\n  MEC, PostgreSQL {ours}\n  MEC, embedded   {embedded}"
        )
    };
    if !ours.is_exactly(&embedded) {
        return (Some(format!("the two stores differ: {}", all())), None);
    }
    let (line, outcome) = (format!("{ask} {}", theirs.tag()), theirs.outcome());
    let about = listed
        .iter()
        .position(|difference| difference.is_about(&line, &outcome));
    match (theirs.difference(&ours, ask.orders()), about) {
        (None, None) => (None, None),
        (Some(how), Some(index)) if listed[index].allows(&how) => (None, Some(index)),
        (Some(how), _) => {
            let parting = theirs.parting(&ours, ask.orders());
            let how = format!("MEC differs, {how}: {}\n  where           {parting}", all());
            (Some(how), None)
        }
        (None, Some(index)) => {
            let what = listed[index].what;
            (Some(format!("no longer differs ({what}): {}", all())), None)
        }
    }
}

#[test]
fn mec_answers_as_postgrest_does_but_for_what_is_written_down() {
    let place = tempfile::tempdir().unwrap();
    seed::fill(place.path());
    let world = World::of(place.path());
    let listed = Difference::all();
    let mut seen = vec![0; listed.len()];
    let mut wrong = Vec::new();
    let asks = asks(&world);
    for ask in &asks {
        let (problem, difference) = judged(&world, ask, &listed);
        wrong.extend(problem);
        if let Some(index) = difference {
            seen[index] += 1;
        }
    }
    let unseen = listed.iter().zip(&seen).filter(|(_, seen)| **seen == 0);
    wrong.extend(unseen.map(|(difference, _)| format!("nothing shows: {}", difference.what)));
    assert!(asks.len() >= 400, "only {} requests", asks.len());
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
