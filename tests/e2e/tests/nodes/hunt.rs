//! Three nodes, two hundred callers and limits that all of them want to pass, while nodes are killed,
//! started again, and held still for longer than the database waits for them.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::history::{History, judge_minutes, judge_total};
use crate::world::{Node, World, entitlement, until};

const CALLERS: u64 = 200;
const TOTAL: u64 = 1_000;
const A_MINUTE: u64 = 300;
const SLOTS: u64 = 7;
/// So long a caller waits for a node before it asks another.
const PATIENCE: Duration = Duration::from_secs(8);

const MINUTE: &str = r#"
[[window_types]]
window_type_code = "calendar_minute"
description = "A minute"
mode = "calendar"
period_unit = "minute"
period_count = 1
"#;

/// What the callers share.
struct Hunt {
    nodes: Vec<RwLock<String>>,
    token: String,
    answers: AtomicU64,
    is_over: AtomicBool,
}

struct Caller<'a> {
    hunt: &'a Hunt,
    client: Client,
    number: u64,
    steps: u64,
    chance: u64,
    history: History,
    /// Events that may be corrected, and answers that may be asked for again.
    mine: Vec<(String, Value, Value)>,
}

impl Caller<'_> {
    /// The next number below `below`; the same in every run.
    fn chance(&mut self, below: u64) -> u64 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005);
        self.chance = self.chance.wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % below
    }

    /// Asks one node after the other until one answers.
    fn ask(&mut self, rpc: &str, args: &Value) -> Reply {
        let mut answer = None;
        until("a node answers", || {
            let nodes = &self.hunt.nodes;
            let at = usize::try_from(self.chance(nodes.len() as u64)).unwrap();
            let address = nodes[at].read().unwrap().clone();
            answer = self.client.ask(&address, rpc, args);
            answer.as_ref().is_some_and(|reply| !reply.is_later())
        });
        self.hunt.answers.fetch_add(1, Ordering::SeqCst);
        answer.unwrap()
    }

    fn key(&mut self) -> String {
        self.steps += 1;
        let key = format!("{}-{}", self.number, self.steps);
        self.history.sent.insert(key.clone());
        key
    }

    fn step(&mut self) {
        match self.chance(12) {
            0..=2 => self.consume("total", 1),
            3 => self.consume("total", 3),
            4 => self.consume("minute", 1),
            5 | 6 => self.reserve(),
            7 | 8 => self.lease(),
            9 | 10 => self.correct(),
            _ => self.repeat(),
        }
    }

    fn consume(&mut self, account: &str, quantity: i64) {
        let key = self.key();
        let args = json!({ "p_idempotency_key": key, "p_external_id": account,
                           "p_resource_type": "api_requests", "p_quantity": quantity });
        let reply = self.ask("consume", &args);
        assert_eq!(reply.status, 200, "{reply:?}");
        match reply.body["event_id"].as_str() {
            Some(event) => {
                let event = event.to_owned();
                self.history.events.insert(event, (Some(key), quantity));
                self.mine.push(("consume".to_owned(), args, reply.body));
            }
            None => {
                assert_eq!(reply.body["code"], "limit_reached", "{reply:?}");
                self.history.refused.insert(key);
            }
        }
    }

    /// Holds, then commits the half, lets go, or leaves it to its expiry.
    fn reserve(&mut self) {
        let key = self.key();
        let end = self.chance(3);
        let ttl = if end == 2 { 1 } else { 300 };
        let args = json!({ "p_idempotency_key": key, "p_external_id": "total", "p_quantity": 4,
                           "p_resource_type": "api_requests", "p_ttl_seconds": ttl });
        let reply = self.ask("reserve", &args);
        assert_eq!(reply.status, 200, "{reply:?}");
        let Some(hold) = reply.body["reservation_id"].as_str() else {
            return;
        };
        let of = json!({ "p_reservation_id": hold });
        if end == 0 {
            let args = json!({ "p_reservation_id": hold, "p_quantity": 2 });
            let reply = self.ask("commit_reservation", &args);
            assert_eq!(reply.status, 200, "{reply:?}");
            let event = reply.body.as_str().unwrap().to_owned();
            self.history.events.insert(event, (None, 2));
        } else if end == 1 {
            let reply = self.ask("release_reservation", &of);
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    }

    fn lease(&mut self) {
        let session = self.key();
        let args = json!({ "p_external_id": "leases", "p_resource_type": "concurrent_jobs",
                           "p_session_token": session, "p_ttl_seconds": 1 });
        let reply = self.ask("acquire_lease", &args);
        assert_eq!(reply.status, 200, "{reply:?}");
        let Some(lease) = reply.body["lease_id"].as_str() else {
            return;
        };
        let token = reply.body["fencing_token"].as_i64().unwrap();
        self.history.leases.insert(lease.to_owned(), token);
        if self.chance(4) > 0 {
            let of = json!({ "p_lease_id": lease });
            assert_eq!(self.ask("release_lease", &of).status, 200);
        }
    }

    /// Takes back an event, so that the limit is never reached for good.
    fn correct(&mut self) {
        let Some(at) = self
            .mine
            .iter()
            .position(|(_, args, _)| args["p_external_id"] == "total")
        else {
            return;
        };
        let (_, args, answer) = self.mine.swap_remove(at);
        let key = self.key();
        let correct =
            json!({ "p_idempotency_key": key, "p_event_id": answer["event_id"], "p_quantity": 0 });
        let reply = self.ask("correct_consumption", &correct);
        assert_eq!(reply.status, 200, "{reply:?}");
        let event = reply.body.as_str().unwrap().to_owned();
        let back = -args["p_quantity"].as_i64().unwrap();
        self.history.events.insert(event, (Some(key), back));
    }

    /// A repeated key is answered as it was at first, whatever node is asked.
    fn repeat(&mut self) {
        let Some((rpc, args, answer)) = self.mine.last().cloned() else {
            return;
        };
        let again = self.ask(&rpc, &args);
        assert_eq!((again.status, again.body), (200, answer));
    }
}

fn call(hunt: &Hunt, number: u64) -> History {
    let mut caller = Caller {
        hunt,
        client: Client::with_patience(&hunt.token, PATIENCE),
        number,
        steps: 0,
        chance: number,
        history: History::default(),
        mine: Vec::new(),
    };
    while !hunt.is_over.load(Ordering::SeqCst) {
        caller.step();
    }
    caller.history
}

fn prepare(world: &World, node: &Node) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lookups.toml");
    std::fs::write(&file, node.mec(&["lookups", "show"]) + MINUTE).unwrap();
    node.mec(&["lookups", "apply", file.to_str().unwrap()]);
    let limits = [
        (
            "total",
            entitlement("api_requests", "cumulative", "none", TOTAL),
        ),
        (
            "minute",
            entitlement("api_requests", "cumulative", "calendar_minute", A_MINUTE),
        ),
        (
            "leases",
            entitlement("concurrent_jobs", "concurrency", "none", SLOTS),
        ),
    ];
    for (account, limit) in limits {
        node.server.organization(account, Some(limit));
    }
    // So near to the limit that every call may be the one too many.
    let args = json!({ "p_idempotency_key": "first", "p_external_id": "total",
                       "p_resource_type": "api_requests", "p_quantity": TOTAL - 100 });
    assert_eq!(node.server.rpc("consume", args).1["decision"], "allow");
    assert_eq!(
        world.rows("SELECT 1 AS one FROM consumption_ledger").len(),
        1
    );
}

impl Hunt {
    /// Waits until callers have been answered so often again.
    fn goes_on(&self, answers: u64) {
        let before = self.answers.load(Ordering::SeqCst);
        until("callers are answered", || {
            self.answers.load(Ordering::SeqCst) > before + answers
        });
    }
}

/// Hurts the nodes, one after the other, until a minute has ended in between.
fn hurt(world: &World, hunt: &Hunt, nodes: &mut [Node]) {
    // Milliseconds of the database's clock.
    let now = || {
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        world.psql(sql).parse::<i64>().unwrap()
    };
    let began = now();
    hunt.goes_on(CALLERS);
    let grant = json!({ "p_idempotency_key": "grant", "p_external_id": "total",
                        "p_resource_type": "api_requests", "p_quantity": 20 });
    assert_eq!(nodes[0].server.rpc("grant_credit", grant).0, 200);
    let stopped = now();
    nodes[1].server.signal("STOP");
    hunt.goes_on(1);
    until("the database has waited long enough", || {
        now() > stopped + 6_500
    });
    nodes[1].server.signal("CONT");
    for round in 0..4 {
        let at = round % nodes.len();
        hunt.goes_on(CALLERS);
        nodes[at].server.kill();
        nodes[at] = world.node();
        *hunt.nodes[at].write().unwrap() = nodes[at].server.address.clone();
    }
    until("another minute has begun", || {
        now() / 60_000 > began / 60_000
    });
    hunt.goes_on(2 * CALLERS);
}

#[test]
fn no_limit_is_passed_on_three_nodes_that_are_killed_and_held_still() {
    let world = World::new();
    let mut nodes = [world.node(), world.node(), world.node()];
    prepare(&world, &nodes[0]);
    let hunt = Hunt {
        nodes: nodes
            .iter()
            .map(|node| RwLock::new(node.server.address.clone()))
            .collect(),
        token: nodes[0].server.token.clone(),
        answers: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    };
    let mut history = History::default();
    history.sent.insert("first".to_owned());
    std::thread::scope(|scope| {
        let hunt = &hunt;
        let callers: Vec<_> = (0..CALLERS)
            .map(|number| scope.spawn(move || call(hunt, number)))
            .collect();
        // A fault that is not found must not leave the callers calling.
        let hurt = std::panic::AssertUnwindSafe(|| hurt(&world, hunt, &mut nodes));
        let hurt = std::panic::catch_unwind(hurt);
        hunt.is_over.store(true, Ordering::SeqCst);
        for caller in callers {
            history.join(caller.join().unwrap());
        }
        hurt.unwrap();
    });
    history.judge_events(&world);
    history.judge_leases(&world, usize::try_from(SLOTS).unwrap());
    let total = i64::try_from(TOTAL).unwrap();
    let most = judge_total(&world, "total", total);
    assert!(most > total - 5, "the limit was never reached: {most}");
    let minutes = judge_minutes(&world, "minute", i64::try_from(A_MINUTE).unwrap());
    assert!(minutes >= 2, "no minute ended meanwhile");
    assert!(
        history.events.len() > 500 && !history.refused.is_empty() && history.leases.len() > 20,
        "the load was too small to mean anything"
    );
    world.verify();
}
