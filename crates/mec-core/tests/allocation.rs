//! A check that is plainly allowed takes no memory: it is the most frequent call of all.
#![allow(
    unsafe_code,
    reason = "only a global allocator can count what is allocated, and that is an unsafe trait"
)]

#[path = "../benches/world/mod.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mec_core::ops::check::{Check, check_levels};
use mec_core::verdict::Verdict;
use world::{World, check};

/// The system's allocator, which counts what each thread asks of it.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    COUNT.set(COUNT.get() + 1);
}

// SAFETY: every call is handed to the system's allocator as it came. The count is a plain number
// of the thread, which needs neither memory nor a destructor of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from the same allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often a hundred checks of the lowest account allocate.
fn allocations(world: World, check: &Check, expected: Verdict) -> u64 {
    let (world, decision) = world.warm(check);
    assert_eq!(decision.decision, expected, "{decision:?}");
    let levels = world.levels();
    let before = COUNT.get();
    for _ in 0..100 {
        let decision = check_levels(check, &world.catalogue, &levels, world.now);
        assert!(decision.is_ok_and(|decision| decision.decision == expected));
    }
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    let before = COUNT.get();
    let text = std::hint::black_box(String::from("something"));
    assert_eq!((text.len(), COUNT.get() - before), (9, 1));
}

#[test]
fn a_plain_allow_allocates_nothing() {
    let api = check("api_requests", None);
    for window_type in ["calendar_month", "billing_cycle", "none"] {
        for levels in [1, 3] {
            let world = World::new(levels).entitle("api_requests", window_type, None, 1_000);
            let count = allocations(world, &api, Verdict::Allow);
            assert_eq!(count, 0, "{window_type}, {levels} levels");
        }
    }
}

#[test]
fn a_rule_a_scope_and_a_rolling_window_allocate_nothing_either() {
    let eu = Some("region:eu");
    let scoped = World::new(1)
        .entitle("api_requests", "rolling_24h", None, 1_000)
        .entitle("api_requests", "rolling_24h", eu, 500)
        .used("api_requests", eu, 100);
    let in_eu = check("api_requests", eu);
    assert_eq!(allocations(scoped, &in_eu, Verdict::Allow), 0, "scope");
    let ruled = World::new(1)
        .entitle("benchmark_runs", "calendar_month", None, 100)
        .used("benchmark_runs", None, 85);
    let runs = check("benchmark_runs", None);
    assert_eq!(allocations(ruled, &runs, Verdict::Warn), 0, "rule");
}
