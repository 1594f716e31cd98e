//! Plays a history against the engine and the model, and compares every answer.

use std::collections::BTreeMap;

use mec_core::{Command, Namespace, Timestamp};
use mec_engine::{EngineError, Outcome, Target};
use mec_store::UsageQuery;
use serde_json::Value;
use uuid::Uuid;

use super::calls::{Expected, Named};
use super::commands::{self, RESOURCES, STARTS};
use super::history::{History, Step, What};
use super::naive::Naive;
use super::offers;
use super::windows::Span;
use super::world::{Setting, World};

/// As many accounts as a shard of an engine with little memory has room for.
const CROWD: usize = 8;
const FIRST_OF_CROWD: usize = 1_000;

/// A call that bore a key.
#[derive(Clone)]
pub struct Keyed {
    pub target: Target,
    pub key: String,
    pub command: Command,
}

pub struct Play {
    pub naive: Naive,
    pub clock: Timestamp,
    pub keyed: Vec<Keyed>,
    pub focus: usize,
    world: World,
    /// How often the crowd pushed in.
    pushes: usize,
    /// The engine's names for the entitlements that the model named itself, and back.
    names: BTreeMap<String, String>,
}

/// The first difference between the engine and the model, if there is one.
pub fn play(history: &History, setting: Setting) -> Result<(), String> {
    let start = STARTS[history.start % STARTS.len()];
    let start = Timestamp::parse(start).unwrap();
    let (lookups, resources) = (mec_core::seed::lookups(), mec_core::seed::resource_types());
    let mut play = Play {
        naive: Naive::new(lookups, resources),
        clock: start,
        keyed: Vec::new(),
        focus: history.focus,
        world: World::new(setting, start),
        pushes: 0,
        names: BTreeMap::new(),
    };
    play.naive.plans = offers::plans();
    play.put_rules(&[])?;
    let first = Step::Account {
        under: None,
        kind: 0,
        zone: 0,
    };
    if setting.crowded {
        play.gather();
    }
    let steps = history.given.iter().chain(&history.steps);
    let steps = std::iter::once(&first).chain(steps);
    for (index, step) in steps.chain([&Step::Look]).enumerate() {
        let at = play.clock;
        play.step(step)
            .map_err(|why| format!("step {index} {step:?} at {at}: {why}"))?;
        if setting.crowded {
            play.push_in();
        }
    }
    play.world.verify();
    Ok(())
}

impl Play {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Pass { seconds, shy } => {
                self.set_clock(self.clock.as_micros() + seconds * 1_000_000 - i64::from(*shy));
            }
            Step::ToMinute => {
                let minute = Timestamp::MICROS_PER_MINUTE;
                self.set_clock((self.clock.as_micros() / minute + 1) * minute);
            }
            Step::ToEnd { nth, shy } => {
                if let Some(at) = self.naive.next_moments(self.clock).get(*nth) {
                    self.set_clock(at.as_micros() - i64::from(*shy));
                }
            }
            Step::Back(seconds) => self.set_clock(self.clock.as_micros() - seconds * 1_000_000),
            Step::Restart => self.world.restart(),
            Step::Rules(rows) => {
                self.naive.rules = rows
                    .iter()
                    .enumerate()
                    .map(|(at, row)| offers::rule(at, row, self))
                    .collect();
                let rules = self.naive.rules.clone();
                self.put_rules(&rules)?;
            }
            Step::Look => self.look()?,
            Step::Together(steps) => self.together(steps)?,
            Step::Again { .. } => {
                if let Some(again) = self.again(step) {
                    self.call(again.target, Some(&again.key), again.command)?;
                }
            }
            step => {
                let Some((target, command)) = commands::command(self, step) else {
                    return Ok(());
                };
                let key = self.key(&target, &command);
                self.call(target, key.as_deref(), command)?;
            }
        }
        Ok(())
    }

    /// Creates accounts that have nothing to do with the history but want its place in memory.
    fn gather(&self) {
        for number in 0..CROWD {
            let id = commands::account_id(FIRST_OF_CROWD + number);
            let create = commands::bystander(id);
            let made = self.world.call(Target::NewTree(id), None, create);
            assert!(made.is_ok());
        }
    }

    fn push_in(&mut self) {
        for _ in 0..3 {
            self.pushes += 1;
            let id = commands::account_id(FIRST_OF_CROWD + self.pushes % CROWD);
            let check = commands::check_of_nothing();
            assert!(self.world.call(Target::Account(id), None, check).is_ok());
        }
    }

    /// Hands in what the steps mean now at once; the model does one after the other.
    fn together(&mut self, steps: &[Step]) -> Result<(), String> {
        // All are named by what is known before any of them is done.
        let meant: Vec<_> = steps.iter().map(|s| commands::command(self, s)).collect();
        let mut calls = Vec::new();
        for (step, meant) in steps.iter().zip(meant) {
            if let Some((target, command)) = meant {
                let key = self.key(&target, &command);
                calls.push((target, key, command));
            } else if let Some(again) = self.again(step) {
                calls.push((again.target, Some(again.key), again.command));
            }
        }
        let clock = self.clock;
        for ((target, key, command), got) in calls.iter().zip(self.world.call_all(&calls)) {
            let named = named(&got);
            let expected = self
                .naive
                .call(target, key.as_deref(), command, clock, named);
            self.judge(target, command, &expected, &got)?;
        }
        Ok(())
    }

    /// An earlier call with a key, or another one with its key.
    fn again(&self, step: &Step) -> Option<Keyed> {
        let Step::Again { nth, other } = *step else {
            return None;
        };
        let count = self.keyed.len().max(1);
        let mut again = self.keyed.get(nth % count)?.clone();
        if other {
            (again.target, again.command) = commands::another_call(self);
        }
        Some(again)
    }

    /// A new key, for a command that takes one.
    fn key(&mut self, target: &Target, command: &Command) -> Option<String> {
        let key = commands::takes_key(command).then(|| format!("k{}", self.keyed.len()))?;
        self.keyed.push(Keyed {
            target: target.clone(),
            key: key.clone(),
            command: command.clone(),
        });
        Some(key)
    }

    fn set_clock(&mut self, micros: i64) {
        self.clock = Timestamp::from_micros(micros);
        self.world.clock.set(self.clock);
    }

    fn put_rules(&mut self, rules: &[mec_core::rule::Rule]) -> Result<(), String> {
        self.world.put_catalogue(mec_store::CatalogueDraft {
            resource_types: self.naive.resources.clone(),
            plans: self.naive.plans.clone(),
            rules: rules.to_vec(),
        });
        Ok(())
    }

    fn call(&mut self, target: Target, key: Option<&str>, command: Command) -> Result<(), String> {
        let got = self.world.call(target.clone(), key, command.clone());
        let named = named(&got);
        let expected = self.naive.call(&target, key, &command, self.clock, named);
        self.judge(&target, &command, &expected, &got)
    }

    fn judge(
        &mut self,
        target: &Target,
        command: &Command,
        expected: &Expected,
        got: &Result<Outcome, EngineError>,
    ) -> Result<(), String> {
        self.compare(expected, got).map_err(|why| {
            let body = |outcome: &Outcome| outcome.body.clone();
            let told = match &expected.answer {
                Ok(answer) => answer.to_string(),
                Err(code) => (*code).to_owned(),
            };
            let got = got.as_ref().map(body);
            format!("{target:?} {command:?}: {why}\nexpected {told}\ngot {got:?}")
        })
    }

    fn compare(
        &mut self,
        expected: &Expected,
        got: &Result<Outcome, EngineError>,
    ) -> Result<(), String> {
        match (&expected.answer, got) {
            (Err(code), Err(EngineError::Refused(refusal))) if refusal.code() == *code => Ok(()),
            (Ok(answer), Ok(outcome)) => {
                if (outcome.replayed, outcome.late) != (expected.replayed, expected.late) {
                    return Err("another kind of answer".to_owned());
                }
                let mut body: Value = serde_json::from_str(&outcome.body).unwrap();
                let mut answer = answer.clone();
                sort_limits(&mut body);
                sort_limits(&mut answer);
                self.same("", &answer, &body)
            }
            _ => Err("an answer for a refusal, or another one".to_owned()),
        }
    }

    fn same(&mut self, name: &str, expected: &Value, got: &Value) -> Result<(), String> {
        let differ = || Err(format!("{name}: expected {expected}, got {got}"));
        match (expected, got) {
            (Value::Object(a), Value::Object(b)) => {
                if !a.keys().eq(b.keys()) {
                    return differ();
                }
                let mut fields = a.iter().zip(b.values());
                fields.try_for_each(|((name, a), b)| self.same(name, a, b))
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                let mut elements = a.iter().zip(b);
                elements.try_for_each(|(a, b)| self.same(name, a, b))
            }
            (Value::String(a), Value::String(b)) if name.starts_with("entitlement_id") => {
                self.names.entry(a.clone()).or_insert_with(|| b.clone());
                self.names.entry(b.clone()).or_insert_with(|| a.clone());
                if self.names[a] == *b && self.names[b] == *a {
                    Ok(())
                } else {
                    differ()
                }
            }
            _ if expected == got => Ok(()),
            _ => differ(),
        }
    }

    fn look(&mut self) -> Result<(), String> {
        for who in 0..self.naive.accounts.len() {
            for resource in self.touched() {
                for scope in 0..2 {
                    let what = What {
                        who,
                        resource,
                        scope,
                        context: 0,
                    };
                    let check = Step::Check {
                        what,
                        quantity: 0,
                        unit: 0,
                        explain: true,
                    };
                    self.step(&check)?;
                    self.look_at_usage(what)?;
                }
            }
        }
        self.look_at_grants()
    }

    fn look_at_grants(&self) -> Result<(), String> {
        for grant in &self.naive.grants {
            let expected = self.naive.left(grant);
            let owner = self.naive.owner(grant.account);
            let got = self.world.left_of_grant(owner, grant.id);
            if got.is_some_and(|got| got != expected) {
                let (id, got) = (grant.id, got.unwrap_or_default());
                return Err(format!("grant {id}: expected {expected} left, got {got}"));
            }
        }
        Ok(())
    }

    /// The resources that anything is known of, and the history's own.
    fn touched(&self) -> Vec<usize> {
        let naive = &self.naive;
        let allowed = naive.entitlements.iter().map(|e| &e.resource_type_code);
        let used = naive.events.iter().map(|e| &e.resource);
        let known: Vec<_> = allowed.chain(used).collect();
        let is_known = |index: &usize| {
            *index != self.focus && known.iter().any(|code| &***code == RESOURCES[*index])
        };
        let others = (0..RESOURCES.len()).filter(is_known);
        std::iter::once(0)
            .chain(others.map(|index| index + 1))
            .collect()
    }

    /// The usage of yesterday and today so far, and of all time, with and without children.
    fn look_at_usage(&self, what: What) -> Result<(), String> {
        let account = self.naive.accounts[what.who].id;
        let now = self.clock.floor_minute();
        let from = now.saturating_add_secs(-86_460);
        for (from, to) in [(None, None), (Some(from), Some(now))] {
            for include_children in [true, false] {
                let query = UsageQuery {
                    namespace: Namespace::default_namespace(),
                    account,
                    resource: commands::resource(self, what),
                    scope: commands::scope(what),
                    from,
                    to,
                    include_children,
                };
                let expected = self.naive.usage(&query);
                let got = self.world.usage(query.clone());
                if got != expected {
                    return Err(format!("{query:?}: expected {expected}, got {got}"));
                }
            }
        }
        Ok(())
    }
}

impl Naive {
    fn usage(&self, query: &UsageQuery) -> i128 {
        let span = Span {
            start: query.from,
            end: query.to,
        };
        let counted = self.events.iter().filter(|event| {
            let own = event.account == query.account;
            event.resource == query.resource
                && (query.scope.is_none() || event.scope == query.scope)
                && super::naive::within(span, event.occurred_at)
                && (own || (query.include_children && self.is_below(event.account, query.account)))
        });
        counted.map(|event| event.amount).sum()
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

/// The order in which limits of one level are told means nothing.
fn sort_limits(answer: &mut Value) {
    if let Some(Value::Array(limits)) = answer.get_mut("limits") {
        limits.sort_by_key(|limit| {
            let name = |field: &str| limit[field].to_string();
            (
                name("level"),
                name("limit_kind"),
                name("window_type"),
                name("resource_scope"),
            )
        });
    }
}
