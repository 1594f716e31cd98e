//! What the core takes to decide, and to change a Book: `cargo bench -p mec-core`.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod world;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mec_core::book::PartRows;
use mec_core::need::Loaded;
use mec_core::ops::check::{Check, check_levels};
use mec_core::verdict::Verdict;
use mec_core::{Book, Need, Part};
use world::{World, acquire, check, consume};

/// Measures a check of the lowest account, after it has said what it is expected to.
fn bench_check(c: &mut Criterion, name: &str, world: World, check: &Check, expected: Verdict) {
    let (world, decision) = world.warm(check);
    assert_eq!(decision.decision, expected, "{name}: {decision:?}");
    let levels = world.levels();
    c.bench_function(name, |b| {
        b.iter(|| check_levels(black_box(check), &world.catalogue, &levels, world.now));
    });
}

fn decisions(c: &mut Criterion) {
    let month = "calendar_month";
    let api = || check("api_requests", None);
    let one = World::new(1).entitle("api_requests", month, None, 1_000);
    bench_check(c, "check/allow, one level", one, &api(), Verdict::Allow);

    let three = World::new(3).entitle("api_requests", month, None, 1_000);
    bench_check(
        c,
        "check/allow, three levels",
        three,
        &api(),
        Verdict::Allow,
    );

    let ruled = World::new(1)
        .entitle("benchmark_runs", month, None, 100)
        .used("benchmark_runs", None, 85);
    let runs = check("benchmark_runs", None);
    bench_check(c, "check/warn by a rule", ruled, &runs, Verdict::Warn);

    let eu = Some("region:eu");
    let scoped = World::new(1)
        .entitle("api_requests", "rolling_24h", None, 1_000)
        .entitle("api_requests", "rolling_24h", eu, 500)
        .used("api_requests", eu, 100);
    let in_eu = check("api_requests", eu);
    bench_check(
        c,
        "check/allow, scope and rolling",
        scoped,
        &in_eu,
        Verdict::Allow,
    );

    let granted = World::new(1)
        .entitle("api_requests", month, None, 10)
        .grant("api_requests", month, 100)
        .used("api_requests", None, 50);
    bench_check(
        c,
        "check/allow from a grant",
        granted,
        &api(),
        Verdict::Allow,
    );

    let full = World::new(1)
        .entitle("api_requests", "rolling_24h", None, 100)
        .used("api_requests", None, 100);
    bench_check(
        c,
        "check/deny, rolling resets_at",
        full,
        &api(),
        Verdict::Deny,
    );

    let held = World::new(1)
        .entitle("concurrent_users", "none", None, 1_000_000)
        .leased("concurrent_users", 10_000);
    let users = check("concurrent_users", None);
    bench_check(
        c,
        "check/allow under 10000 leases",
        held,
        &users,
        Verdict::Allow,
    );
}

fn writes(c: &mut Criterion) {
    let consumer = || World::new(1).entitle("api_requests", "calendar_month", None, 1_000_000_000);
    let command = consume("api_requests", None);
    let mut world = consumer();
    let account = world.lowest();
    let executed = world.run(account, &command);
    c.bench_function("consume/decide", |b| {
        b.iter(|| world.decide(account, black_box(&command)));
    });
    let book = world.book.clone();
    c.bench_function("consume/apply its changes", |b| {
        let apply = |mut book: Book| {
            book.apply(&executed.changes, world.now).unwrap();
            book
        };
        b.iter_batched(|| book.clone(), apply, BatchSize::SmallInput);
    });
    let part = book.part(account).unwrap().clone();
    c.bench_function("book/clone a part", |b| b.iter(|| black_box(&part).clone()));
    let rows = rows_of(&part);
    c.bench_function("book/absorb a part", |b| {
        let absorb = |(mut book, rows): (Book, PartRows)| {
            book.absorb(&Need::Part(account), Loaded::Part(Some(Box::new(rows))));
            book
        };
        let fresh = || {
            (
                Book::new(book.namespace.clone(), book.head.clone()),
                rows.clone(),
            )
        };
        b.iter_batched(fresh, absorb, BatchSize::SmallInput);
    });
}

fn holds(c: &mut Criterion) {
    let mut world = World::new(1)
        .entitle("concurrent_users", "none", None, 1_000_000)
        .leased("concurrent_users", 10_000);
    let account = world.lowest();
    let command = acquire("concurrent_users");
    c.bench_function("lease/decide beside 10000", |b| {
        b.iter(|| world.decide(account, black_box(&command)));
    });
    let executed = world.decide(account, &command);
    let book = world.book.clone();
    c.bench_function("lease/apply beside 10000", |b| {
        let apply = |mut book: Book| {
            book.apply(&executed.changes, world.now).unwrap();
            book
        };
        b.iter_batched(|| book.clone(), apply, BatchSize::SmallInput);
    });
    let part = book.part(account).unwrap().clone();
    c.bench_function("book/clone a part with 10000 leases", |b| {
        b.iter(|| black_box(&part).clone());
    });
}

/// The rows that a store would give for an account without holds.
fn rows_of(part: &Part) -> PartRows {
    PartRows {
        tree_id: part.id(),
        account: part.account.clone(),
        entitlements: part.entitlements.clone(),
        subscriptions: part.subscriptions.clone(),
        grants: part.grants.clone(),
        granted_ever: Vec::new(),
        leases: Vec::new(),
        reservations: Vec::new(),
        holds: Vec::new(),
        grace: Vec::new(),
    }
}

criterion_group!(benches, decisions, writes, holds);
criterion_main!(benches);
