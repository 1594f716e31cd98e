//! Plays a history against the engine and the model, and compares every answer.

use std::collections::BTreeMap;

use mec_core::{Namespace, Timestamp};
use mec_engine::{EngineError, Outcome, Target};
use serde_json::Value;
use uuid::Uuid;

use super::accounts;
use super::calls::{Expected, LATER, Named};
use super::commands::{self, STARTS};
use super::compare::Names;
use super::history::{History, Step};
use super::naive::Naive;
use super::offers;
use super::world::{Call, Setting, World};

/// As many accounts as a shard of an engine with little memory has room for.
const CROWD: usize = 8;
const FIRST_OF_CROWD: usize = 1_000;

/// One namespace: what the model holds of it. The other has accounts of the same ids and external
/// ids, rules and plans of the same ids, and calls with the same keys.
pub struct Side {
    pub namespace: Namespace,
    pub naive: Naive,
    /// The calls that bore a key.
    pub keyed: Vec<Call>,
    pub names: Names,
}

pub struct Play {
    pub here: Side,
    pub elsewhere: Side,
    pub clock: Timestamp,
    pub focus: usize,
    pub world: World,
    /// How often everything was looked at.
    pub looks: usize,
    /// How often the crowd pushed in.
    pushes: usize,
}

/// The first difference between the engine and the model, if there is one.
pub fn play(history: &History, setting: Setting) -> Result<(), String> {
    let start = STARTS[history.start % STARTS.len()];
    let start = Timestamp::parse(start).unwrap();
    let mut play = Play {
        here: Side::new(Namespace::default_namespace()),
        elsewhere: Side::new(Namespace::parse("elsewhere").unwrap()),
        clock: start,
        focus: history.focus,
        world: World::new(setting, start),
        looks: 0,
        pushes: 0,
    };
    let first = Step::Account {
        under: None,
        kind: 0,
        zone: 0,
        named: false,
    };
    if setting.crowded {
        play.gather();
    }
    let begin = [
        Step::Rules(Vec::new()),
        Step::Elsewhere(Box::new(Step::Rules(Vec::new()))),
        first.clone(),
        Step::Elsewhere(Box::new(first)),
    ];
    let steps = history.given.iter().chain(&history.steps);
    let steps = begin.iter().chain(steps).chain([&Step::Look]);
    for (index, step) in steps.enumerate() {
        let at = play.clock;
        play.step(step)
            .map_err(|why| format!("step {index} {step:?} at {at}: {why}"))?;
        if setting.crowded {
            play.push_in();
        }
    }
    play.end()
}

impl Side {
    fn new(namespace: Namespace) -> Self {
        let (lookups, resources) = (mec_core::seed::lookups(), mec_core::seed::resource_types());
        let mut naive = Naive::new(namespace.to_string(), lookups, resources);
        naive.plans = offers::plans();
        Self {
            namespace,
            naive,
            keyed: Vec::new(),
            names: BTreeMap::new(),
        }
    }
}

impl Play {
    pub fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Pass { seconds, shy } => {
                self.set_clock(self.clock.as_micros() + seconds * 1_000_000 - i64::from(*shy));
            }
            Step::ToMinute => {
                let minute = Timestamp::MICROS_PER_MINUTE;
                self.set_clock((self.clock.as_micros() / minute + 1) * minute);
            }
            Step::ToEnd { nth, shy } => {
                if let Some(at) = self.here.naive.next_moments(self.clock).get(*nth) {
                    self.set_clock(at.as_micros() - i64::from(*shy));
                }
            }
            Step::Back(seconds) => self.set_clock(self.clock.as_micros() - seconds * 1_000_000),
            Step::Restart => self.world.restart(),
            Step::Rules(rows) => {
                self.here.naive.rules = rows
                    .iter()
                    .enumerate()
                    .map(|(at, row)| offers::rule(at, row, self))
                    .collect();
                self.put_catalogue();
            }
            Step::Elsewhere(step) => self.in_the_other(|play| play.step(step))?,
            Step::Look => {
                self.look()?;
                self.in_the_other(Self::look)?;
                self.looks += 1;
            }
            Step::Together(steps) => self.together(steps)?,
            step => {
                if let Some(call) = self.meant(step) {
                    let call = self.with_key(step, call);
                    let got = self.world.call(&self.here.namespace, &call);
                    let expected = self.expected(&call, &got);
                    self.judge(&call, &expected, &got)?;
                }
            }
        }
        Ok(())
    }

    /// Does something with the two namespaces in each other's place.
    fn in_the_other<T>(&mut self, with: impl FnOnce(&mut Self) -> T) -> T {
        std::mem::swap(&mut self.here, &mut self.elsewhere);
        let done = with(self);
        std::mem::swap(&mut self.here, &mut self.elsewhere);
        done
    }

    /// Creates accounts that have nothing to do with the history but want its place in memory.
    fn gather(&self) {
        for number in 0..CROWD {
            let id = accounts::account_id(FIRST_OF_CROWD + number);
            let call = Call {
                target: Target::NewTree(id),
                key: None,
                command: accounts::bystander(id),
            };
            assert!(self.world.call(&self.here.namespace, &call).is_ok());
        }
    }

    fn push_in(&mut self) {
        for _ in 0..3 {
            self.pushes += 1;
            let id = accounts::account_id(FIRST_OF_CROWD + self.pushes % CROWD);
            let call = Call {
                target: Target::Account(id),
                key: None,
                command: commands::check_of_nothing(),
            };
            assert!(self.world.call(&self.here.namespace, &call).is_ok());
        }
    }

    /// Hands in what the steps mean now at once; the model does one after the other, and last what
    /// concerns two trees.
    fn together(&mut self, steps: &[Step]) -> Result<(), String> {
        // All are named by what is known before any of them is done.
        let mut calls = Vec::new();
        for step in steps {
            let (is_here, step) = match step {
                Step::Elsewhere(step) => (false, &**step),
                step => (true, step),
            };
            let meant = self.at(is_here, |play| play.meant(step));
            calls.extend(meant.map(|call| (is_here, step, call)));
        }
        let with_keys = calls
            .into_iter()
            .map(|(is_here, step, call)| (is_here, self.at(is_here, |p| p.with_key(step, call))));
        let calls: Vec<(bool, Call)> = with_keys.collect();
        let namespaced = calls.iter().map(|(is_here, call)| {
            let side = if *is_here {
                &self.here
            } else {
                &self.elsewhere
            };
            (&side.namespace, call)
        });
        let got = self.world.call_all(namespaced);
        let mut waiting: Vec<_> = calls.iter().zip(&got).collect();
        for at_once in [calls.len() > 1, false] {
            let mut later = Vec::new();
            for (called, got) in waiting {
                let (is_here, call) = called;
                let expected = self.at(*is_here, |play| {
                    play.here.naive.at_once = at_once;
                    let expected = play.expected(call, got);
                    play.here.naive.at_once = false;
                    expected
                });
                if expected.answer == Err(LATER) {
                    later.push((called, got));
                } else {
                    self.at(*is_here, |play| play.judge(call, &expected, got))?;
                }
            }
            waiting = later;
        }
        Ok(())
    }

    fn at<T>(&mut self, is_here: bool, with: impl FnOnce(&mut Self) -> T) -> T {
        if is_here {
            with(self)
        } else {
            self.in_the_other(with)
        }
    }

    /// The call that a step means; none for a step about something that is not there yet.
    fn meant(&self, step: &Step) -> Option<Call> {
        let Step::Again { nth, other } = *step else {
            let (target, command) = commands::command(self, step)?;
            return Some(Call {
                target,
                key: None,
                command,
            });
        };
        let count = self.here.keyed.len().max(1);
        let mut again = self.here.keyed.get(nth % count)?.clone();
        if other {
            (again.target, again.command) = commands::another_call(self);
        }
        Some(again)
    }

    /// A call with a new key, if it takes one and does not come again.
    fn with_key(&mut self, step: &Step, mut call: Call) -> Call {
        let is_new = !matches!(step, Step::Again { .. });
        if is_new && commands::takes_key(&call.command) {
            call.key = Some(format!("k{}", self.here.keyed.len()));
            self.here.keyed.push(call.clone());
        }
        call
    }

    fn set_clock(&mut self, micros: i64) {
        self.clock = Timestamp::from_micros(micros);
        self.world.clock.set(self.clock);
    }

    fn put_catalogue(&self) {
        let naive = &self.here.naive;
        let draft = mec_store::CatalogueDraft {
            over: None,
            resource_types: naive.resources.clone(),
            plans: naive.plans.clone(),
            rules: naive.rules.clone(),
        };
        self.world.put_catalogue(&self.here.namespace, draft);
    }

    /// What the model answers to a call, with the names that the engine gave.
    fn expected(&mut self, call: &Call, got: &Result<Outcome, EngineError>) -> Expected {
        let key = call.key.as_deref();
        let clock = self.clock;
        let naive = &mut self.here.naive;
        naive.call(&call.target, key, &call.command, clock, named(got))
    }

    /// Everything must be on disk, and the ledger and the counters there must agree.
    fn end(mut self) -> Result<(), String> {
        self.world.close();
        self.look_at_rows()?;
        self.in_the_other(|play| play.look_at_rows())?;
        self.world.verify();
        Ok(())
    }
}

fn named(got: &Result<Outcome, EngineError>) -> Named {
    let Ok(outcome) = got else {
        return Named::default();
    };
    let body: Value = serde_json::from_str(&outcome.body).unwrap();
    Named {
        id: outcome.made.or_else(|| id(&body)),
        token: body["fencing_token"].as_u64(),
    }
}

fn id(body: &Value) -> Option<Uuid> {
    Uuid::parse_str(body.as_str()?).ok()
}
