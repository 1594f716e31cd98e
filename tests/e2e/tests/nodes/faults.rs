//! The database goes away and comes back, cuts connections in the middle of a commit, or is held up by
//! somebody else: writes happen once or are told to come again, and everything heals by itself.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use crate::client::{Client, Reply};
use crate::world::{Node, World, entitlement, until};

const CALLERS: u64 = 8;

/// Records one use; asks until an answer comes that is final.
fn consume(client: &Client, node: &Node, key: &str) -> Option<Reply> {
    let args = json!({ "p_idempotency_key": key, "p_external_id": "acme", "p_resource_type": "api_requests" });
    client.ask(&node.server.address, "consume", &args)
}

/// Whether a reply says that the use is recorded; the only other one allowed says when to come again.
fn is_done(reply: Option<&Reply>) -> bool {
    let Some(reply) = reply else {
        return false;
    };
    match reply.status {
        200 => assert_eq!(reply.body["decision"], "allow", "{reply:?}"),
        _ => assert!(reply.is_later() && reply.retry_after, "{reply:?}"),
    }
    reply.status == 200
}

/// Load on a node. Every caller holds on to a key until it is recorded.
struct Load {
    done: AtomicU64,
    later: AtomicU64,
    is_over: AtomicBool,
}

impl Load {
    /// Runs load beside `meanwhile`, and proves that every key was recorded exactly once.
    fn beside(world: &World, node: &Node, meanwhile: impl FnOnce(&Self)) {
        let load = Self {
            done: AtomicU64::new(0),
            later: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        };
        let keys: BTreeSet<String> = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    scope.spawn({
                        let load = &load;
                        move || load.call(node, caller)
                    })
                })
                .collect();
            // A fault that is not found must not leave the callers calling.
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| meanwhile(&load)));
            load.is_over.store(true, Ordering::SeqCst);
            let keys = callers
                .into_iter()
                .flat_map(|caller| caller.join().unwrap());
            let keys = keys.collect();
            ended.unwrap();
            keys
        });
        let recorded = world
            .rows("SELECT idempotency_key, count(*) AS count FROM consumption_ledger GROUP BY 1");
        assert!(recorded.iter().all(|row| row["count"] == 1), "{recorded:?}");
        let recorded: BTreeSet<String> = recorded
            .iter()
            .map(|row| row["idempotency_key"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(recorded, keys);
        world.verify();
    }

    fn call(&self, node: &Node, caller: u64) -> Vec<String> {
        let client = Client::new(&node.server.token);
        let mut keys = Vec::new();
        while !self.is_over.load(Ordering::SeqCst) {
            let key = format!("{caller}-{}", keys.len());
            until("a use is recorded", || {
                let reply = consume(&client, node, &key);
                let is_done = is_done(reply.as_ref());
                if is_done {
                    self.done.fetch_add(1, Ordering::SeqCst);
                } else if reply.is_some() {
                    self.later.fetch_add(1, Ordering::SeqCst);
                }
                is_done
            });
            keys.push(key);
        }
        keys
    }

    fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Waits until more is recorded.
    fn goes_on(&self) {
        let before = self.done();
        until("uses are recorded again", || self.done() > before + CALLERS);
    }
}

fn limited(node: &Node) {
    let limit = entitlement("api_requests", "cumulative", "none", 1_000_000);
    node.server.organization("acme", Some(limit));
}

#[test]
fn a_database_that_goes_away_is_told_to_callers_and_found_again() {
    let world = World::of_its_own();
    let node = world.node();
    limited(&node);
    let client = Client::new(&node.server.token);
    let check = json!({ "p_external_id": "acme", "p_resource_type": "api_requests" });
    let checked = || {
        let reply = client.ask(&node.server.address, "check_entitlement", &check);
        let reply = reply.expect("a check is always answered");
        assert!(reply.status == 200 || reply.is_later(), "{reply:?}");
        reply
    };
    Load::beside(&world, &node, |load| {
        for _ in 0..6 {
            load.goes_on();
            assert_eq!(checked().body["decision"], "allow");
            world.postgres.halt().unwrap();
            until("checks say that they are degraded", || {
                checked().body["degraded"] == true
            });
            let before = load.later.load(Ordering::SeqCst);
            until("callers are told to come again", || {
                load.later.load(Ordering::SeqCst) > before
            });
            assert_eq!(checked().body["decision"], "allow");
            world.postgres.resume().unwrap();
            load.goes_on();
            until("checks are fresh again", || {
                let reply = checked();
                reply.status == 200 && reply.body["degraded"].is_null()
            });
        }
    });
}

#[test]
fn a_connection_cut_in_the_middle_of_a_commit_loses_nothing_and_repeats_nothing() {
    let world = World::new();
    let node = world.node();
    limited(&node);
    let mut session = world.postgres.session(&world.database).unwrap();
    Load::beside(&world, &node, |load| {
        let mut cut = 0;
        until("enough connections were cut at work", || {
            let told = session.say(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE datname = current_database() AND usename = 'mec_engine' AND state <> 'idle'",
            );
            let told: u64 = told.unwrap().parse().unwrap();
            cut += told;
            if told > 0 {
                load.goes_on();
            }
            cut >= 40
        });
    });
}

#[test]
fn who_is_held_up_by_a_lock_is_told_to_come_again() {
    let world = World::new();
    let node = world.node();
    limited(&node);
    Load::beside(&world, &node, |load| {
        load.goes_on();
        let mut session = world.postgres.session(&world.database).unwrap();
        session.say("BEGIN; LOCK TABLE mec.trees").unwrap();
        until("callers are told to come again", || {
            load.later.load(Ordering::SeqCst) > 0
        });
        let before = load.done();
        session.say("SELECT 1").unwrap();
        assert_eq!(
            load.done(),
            before,
            "nothing can be recorded under the lock"
        );
        drop(session);
        load.goes_on();
    });
}
