//! The decision tables against the core alone: one Book in memory, nothing loaded from anywhere.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "cases/catalogue.rs"]
mod catalogue;
#[path = "cases/commands.rs"]
mod commands;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use commands::About;
use mec_cases::{Names, Step, World};
use mec_core::account::AccountStatus;
use mec_core::book::TreeHead;
use mec_core::change::Change;
use mec_core::command::{Env, execute, without_account};
use mec_core::ledger::EventFacts;
use mec_core::need::Loaded;
use mec_core::{
    Book, Catalogue, Command, IdSource, Namespace, Need, Refusal, Stop, Timestamp, ops, seed,
};
use uuid::Uuid;

struct Ids;

impl IdSource for Ids {
    fn next_id(&mut self) -> Uuid {
        Uuid::now_v7()
    }
}

struct Core {
    clock: Timestamp,
    catalogue: Catalogue,
    book: Option<Book>,
    /// Whose each lease, reservation, event and grant is.
    owners: HashMap<Uuid, Uuid>,
    keys: u32,
}

fn core() -> Core {
    let lookups = Arc::new(seed::lookups());
    let mut catalogue = Catalogue::empty(Namespace::default_namespace(), lookups);
    for resource in seed::resource_types() {
        let code = resource.resource_type_code.clone();
        catalogue.resource_types.insert(code, resource);
    }
    Core {
        clock: Timestamp::parse(mec_cases::START).unwrap(),
        catalogue,
        book: None,
        owners: HashMap::new(),
        keys: 0,
    }
}

/// What was committed before there was anything: nothing. The Book adds all that was applied since.
fn load(book: &Book, need: &Need) -> Loaded {
    let applied = book.uncommitted.iter().rev();
    match need {
        Need::Part(_) => Loaded::Part(None),
        Need::Sum { .. } => Loaded::Sum(0),
        Need::Rolling { .. } => Loaded::Rolling {
            hours: Vec::new(),
            minutes: Vec::new(),
        },
        Need::LevelsBelow(_) => Loaded::LevelsBelow(0),
        Need::Scopes(_) => Loaded::Scopes(HashSet::new()),
        Need::OwnTotal { .. } => Loaded::OwnTotal(0),
        Need::Event(id) => Loaded::Event(applied.clone().find_map(|change| match change {
            Change::EventRecorded { event, amount } if event.event_id == *id => {
                Some(Box::new(EventFacts {
                    event: event.as_ref().clone(),
                    net: *amount,
                    draws: Vec::new(),
                }))
            }
            _ => None,
        })),
        Need::Reservation(id) => {
            Loaded::Reservation(applied.clone().find_map(|change| match change {
                Change::ReservationPut { reservation, .. } if reservation.reservation_id == *id => {
                    Some(reservation.clone())
                }
                _ => None,
            }))
        }
        Need::Entitlement(_) => Loaded::Entitlement(None),
        Need::Linked(_) => Loaded::Linked(None),
        Need::Grant(id) => Loaded::Grant(applied.clone().find_map(|change| match change {
            Change::GrantPut(grant) if grant.grant_id == *id => Some(grant.clone()),
            _ => None,
        })),
    }
}

impl Core {
    fn run(&mut self, account: Uuid, command: &Command) -> Result<String, String> {
        let told = |refusal: Refusal| refusal.code().to_owned();
        let book = self.book.as_mut().unwrap();
        let is_new = matches!(command, Command::CreateAccount(_));
        if !is_new && !book.parts.contains_key(&account) {
            let answer = without_account(command, &self.catalogue, self.clock).map_err(told)?;
            return Ok(answer.to_json());
        }
        self.keys += 1;
        let key = format!("key {}", self.keys);
        loop {
            let now = self.clock.max(book.head.last_at);
            let env = Env {
                catalogue: &self.catalogue,
                book,
                account,
                by: "tester",
                key: Some(&key),
                now,
                max_scopes: 1_000,
            };
            match execute(command, &env, &mut Ids) {
                Ok(executed) => {
                    book.apply(&executed.changes, now).unwrap();
                    let made = executed.made.into_iter();
                    self.owners.extend(made.map(|id| (id, account)));
                    return Ok(executed.answer.to_json());
                }
                Err(Stop::Refused(refusal)) => return Err(told(refusal)),
                Err(Stop::Need(need)) => {
                    let loaded = load(book, &need);
                    assert!(book.absorb(&need, loaded), "{need:?}");
                }
            }
        }
    }
}

impl World for Core {
    fn at(&mut self, time: &str) {
        self.clock = Timestamp::parse(time).unwrap();
    }

    fn wait(&mut self, seconds: i64) {
        self.clock = self.clock.saturating_add_secs(seconds);
    }

    fn catalogue(&mut self, rules: &[&Step], offers: &[&Step]) -> Vec<String> {
        let rules = catalogue::rules(rules);
        let ids = rules.iter().map(|rule| rule.rule_id.to_string()).collect();
        for rule in rules {
            let of = self.catalogue.rules.entry(rule.resource_type_code.clone());
            of.or_default().push(rule);
        }
        for plan in catalogue::plans(offers) {
            self.catalogue.plans.insert(plan.plan_id.clone(), plan);
        }
        ids
    }

    fn account(&mut self, id: &str, account_type: &str, parent: Option<&str>, zone: Option<&str>) {
        let account_id: Uuid = id.parse().unwrap();
        let parent: Option<Uuid> = parent.map(|parent| parent.parse().unwrap());
        if parent.is_none() {
            let head = TreeHead::new(account_id, 0);
            self.book = Some(Book::new(Namespace::default_namespace(), head));
        }
        let create = ops::account::CreateAccount {
            account_id,
            account_type: account_type.into(),
            parent,
            external_id: None,
            display_name: None,
            email: None,
            timezone: zone.map(str::to_owned),
            metadata: BTreeMap::new(),
            status: AccountStatus::Active,
        };
        let about = parent.unwrap_or(account_id);
        self.run(about, &Command::CreateAccount(create)).unwrap();
    }

    fn act(&mut self, step: &Step, names: &Names) -> Result<String, String> {
        let (about, command) = commands::command(step, names);
        let account = match about {
            About::Account(account) => account,
            About::Lease(id) | About::Reservation(id) | About::Event(id) | About::Grant(id) => {
                self.owners.get(&id).copied().unwrap_or(id)
            }
        };
        self.run(account, &command)
    }
}

#[test]
fn the_core_answers_every_row_of_the_decision_tables() {
    let rows = mec_cases::run_all(core).unwrap_or_else(|told| panic!("{told}"));
    assert!(rows >= 150, "{rows} rows");
}
