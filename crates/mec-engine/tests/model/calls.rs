//! Calls: who is asked about, whether the key was used before, and what each command does.

use mec_core::account::AccountStatus;
use mec_core::catalogue::ResourceType;
use mec_core::entitlement::LimitKind;
use mec_core::verdict::{DecisionCode, Verdict};
use mec_core::{Code, Command, Quantity, Timestamp, ops};
use mec_engine::Target;
use serde_json::{Value, json};
use uuid::Uuid;

use super::decide::{Effect, Judged, denied};
use super::limits::Ask;
use super::naive::{Account, Kept, Naive};

pub const ALL: &[LimitKind] = &LimitKind::ALL;
pub const CONSUMABLE: &[LimitKind] = &[
    LimitKind::Cumulative,
    LimitKind::Inventory,
    LimitKind::TimeAccess,
];
pub const LEASABLE: &[LimitKind] = &[LimitKind::Concurrency, LimitKind::TimeAccess];
/// The answer, to be had after the others' that came at once, of a call that concerns two trees.
pub const LATER: &str = "later";

/// What should have been answered: a body, or an error's code.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub answer: Result<Value, &'static str>,
    pub replayed: bool,
    pub late: bool,
}

/// What the engine named: the model takes its names and judges all else.
#[derive(Clone, Copy, Default)]
pub struct Named {
    pub id: Option<Uuid>,
    pub token: Option<u64>,
}

impl Named {
    pub fn id(&self) -> Uuid {
        self.id.unwrap_or_default()
    }
}

/// What a command did.
pub struct Done {
    pub answer: Value,
    pub keeps_key: bool,
    pub changed: bool,
    pub late: bool,
}

/// A refusal is its error's code.
pub type Outcome = Result<Done, &'static str>;

pub fn unchanged(answer: Value) -> Outcome {
    Ok(Done {
        answer,
        keeps_key: false,
        changed: false,
        late: false,
    })
}

pub fn changed(answer: Value) -> Outcome {
    Ok(Done {
        answer,
        keeps_key: true,
        changed: true,
        late: false,
    })
}

impl Naive {
    /// Performs a call at a clock's time.
    pub fn call(
        &mut self,
        target: &Target,
        key: Option<&str>,
        command: &Command,
        clock: Timestamp,
        named: Named,
    ) -> Expected {
        let expected = |answer, replayed, late| Expected {
            answer,
            replayed,
            late,
        };
        let Some(account) = self.find(target) else {
            return expected(self.about_nobody(command, clock), false, false);
        };
        let call = format!("{command:?}");
        if let Some(kept) = key.and_then(|key| self.keys.get(key)) {
            let same = kept.call == call && kept.account == account;
            let answer = same
                .then(|| kept.answer.clone())
                .ok_or("idempotency_conflict");
            return expected(answer, same, false);
        }
        let trees = self.trees(account, command);
        let now = self.now(&trees, clock);
        let done = match self.perform(account, command, now, named) {
            Ok(done) => done,
            Err(code) => return expected(Err(code), false, false),
        };
        if let Some(key) = key.filter(|_| done.keeps_key) {
            let kept = Kept {
                call,
                account,
                answer: done.answer.clone(),
            };
            self.keys.insert(key.to_owned(), kept);
        }
        if done.changed {
            self.last.extend(trees.into_iter().map(|tree| (tree, now)));
        }
        expected(Ok(done.answer), false, done.late)
    }

    /// Whom a call is about.
    pub fn find(&self, target: &Target) -> Option<Uuid> {
        match target {
            Target::NewTree(id) => Some(*id),
            Target::Account(id) => self.account(*id).map(|a| a.id),
            Target::External(id) => {
                let named = |a: &&Account| a.external.as_ref() == Some(id);
                self.accounts.iter().find(named).map(|a| a.id)
            }
            Target::Event(id) => self.events.iter().find(|e| e.id == *id).map(|e| e.account),
            Target::Grant(id) => self.grants.iter().find(|g| g.id == *id).map(|g| g.account),
            Target::Entitlement(id) => {
                let held = self.entitlements.iter().find(|e| e.entitlement_id == *id);
                held.map(|e| e.account_id)
            }
            Target::Lease(id) => self.leases.iter().find(|l| l.id == *id).map(|l| l.account),
            Target::Reservation(id) => {
                let named = |r: &&super::naive::Reservation| r.id == *id;
                self.reservations.iter().find(named).map(|r| r.account)
            }
        }
    }

    fn about_nobody(&self, command: &Command, now: Timestamp) -> Result<Value, &'static str> {
        let told = |resource: &Code, explain: bool| {
            let code = match self.resource(resource) {
                Some(_) => DecisionCode::AccountNotFound,
                None => DecisionCode::UnknownResourceType,
            };
            let ask = Ask {
                account: Uuid::nil(),
                under: None,
                resource,
                scope: None,
                amount: 0,
                kinds: ALL,
                context: &Default::default(),
                at: now,
            };
            self.told(&denied(code), &ask, Effect::default(), explain)
        };
        match command {
            // Nothing is known of an account that is not there, so there is nothing to explain.
            Command::Check(check) => Ok(told(&check.resource, false)),
            Command::Consume(consume) => Ok(with_event(told(&consume.resource, false), None)),
            Command::Reserve(reserve) => Ok(with_hold(told(&reserve.resource, false), None)),
            Command::AcquireLease(acquire) => Ok(with_lease(told(&acquire.resource, false), None)),
            Command::ReleaseReservation(_)
            | Command::HeartbeatLease(_)
            | Command::ReleaseLease(_) => Ok(json!(false)),
            Command::CommitReservation(_) => Err("reservation_not_found"),
            Command::Correct(_) => Err("event_not_found"),
            Command::VoidGrant(_) => Err("grant_not_found"),
            Command::CreateAccount(_) => Err("parent_not_found"),
            _ => Err("account_not_found"),
        }
    }

    fn perform(
        &mut self,
        account: Uuid,
        command: &Command,
        now: Timestamp,
        named: Named,
    ) -> Outcome {
        match command {
            Command::Check(check) => self.check(account, check, now),
            Command::Meter(meter) => self.meter(account, meter, now, named),
            Command::Consume(consume) => self.consume(account, consume, now, named),
            Command::Reserve(reserve) => self.reserve(account, reserve, now, named),
            Command::CommitReservation(commit) => self.commit(commit, now, named),
            Command::ReleaseReservation(release) => self.release(release, now),
            Command::Correct(correct) => self.correct(correct, now, named),
            Command::SetInventory(set) => self.set_inventory(account, set, now, named),
            Command::GrantCredit(grant) => self.grant_credit(account, grant, now, named),
            Command::VoidGrant(void) => self.void_grant(void, now),
            Command::AcquireLease(acquire) => self.acquire(account, acquire, now, named),
            Command::HeartbeatLease(heartbeat) => self.heartbeat(account, heartbeat, now),
            Command::ReleaseLease(release) => self.give_back_lease(release, now),
            Command::CreateAccount(create) => self.create_account(create, now),
            Command::SetAccountStatus(set) => self.set_status(account, set.status, now),
            Command::CreateEntitlement(create) => self.create_entitlement(account, create, now),
            Command::ProvisionPlan(provision) => self.provision(account, provision, now),
            Command::ChangePlan(change) => self.change_plan(account, change, now),
            Command::CancelPlan(cancel) => self.cancel_plan(account, cancel, now),
            Command::MoveAccount(to) => self.move_account(account, to.new_parent, now),
            Command::EraseAccount => self.erase(account, now),
            Command::UsageSummary => panic!("a summary is no step of a history"),
            Command::UpdateAccount(_)
            | Command::UpdateEntitlement(_)
            | Command::UpdateGrant(_)
            | Command::LinkExternalId(_)
            | Command::UnlinkExternalId(_) => unreachable!("no history has it"),
        }
    }

    /// Why an account is not served; none where it is.
    pub fn not_served(&self, account: Uuid) -> Option<DecisionCode> {
        let path = self.path(account);
        let status = |level: &Uuid| match self.account(*level).unwrap().status {
            AccountStatus::Active => None,
            AccountStatus::Suspended => Some(DecisionCode::AccountSuspended),
            AccountStatus::Inactive => Some(DecisionCode::AccountInactive),
        };
        // The nearest level that is not served is told.
        path.iter().find_map(status)
    }

    /// Denies for an account that is not served, else asks the limits.
    pub fn decide(&self, ask: &Ask<'_>) -> Judged {
        match self.not_served(ask.account) {
            Some(code) => denied(code),
            None => self.judge(ask),
        }
    }

    fn check(&self, account: Uuid, check: &ops::check::Check, now: Timestamp) -> Outcome {
        let mut ask = Ask {
            account,
            under: None,
            resource: &check.resource,
            scope: check.scope.as_ref(),
            amount: 0,
            kinds: ALL,
            context: &check.context,
            at: now,
        };
        let Some(resource) = self.resource(&check.resource) else {
            return unchanged(self.unknown(&ask, check.explain));
        };
        let unit = check.unit.as_ref();
        if resource.is_concurrency {
            self.unit_of(resource, unit)?;
            if check.quantity.decimals() > 0 {
                return Err("too_many_decimals");
            }
            ask.amount = check.quantity.micros();
        } else {
            ask.amount = self.amount(check.quantity, resource, unit)?.0;
        }
        if ask.amount < 0 && !resource.is_inventory {
            return Err("invalid_value");
        }
        let judged = self.decide(&ask);
        unchanged(self.told(&judged, &ask, Effect::default(), check.explain))
    }

    /// The decision on a resource type that does not exist.
    pub fn unknown(&self, ask: &Ask<'_>, explain: bool) -> Value {
        let code = DecisionCode::UnknownResourceType;
        self.told(&denied(code), ask, Effect::default(), explain)
    }

    fn unit_of(&self, resource: &ResourceType, unit: Option<&Code>) -> Result<Code, &'static str> {
        let unit = unit.unwrap_or(&resource.default_unit_code);
        let allowed = resource.allowed_units.contains(unit);
        allowed.then(|| unit.clone()).ok_or("unit_not_allowed")
    }

    /// A quantity in the base unit, and the unit it was sent in.
    pub fn amount(
        &self,
        quantity: Quantity,
        resource: &ResourceType,
        unit: Option<&Code>,
    ) -> Result<(i128, Code), &'static str> {
        let unit = self.unit_of(resource, unit)?;
        let places = quantity.micros() % 10_i128.pow(6 - self.unit(&unit).scale);
        if places != 0 {
            return Err("too_many_decimals");
        }
        Ok((quantity.micros() * self.factor(&unit), unit))
    }
}

pub fn is_granted(judged: &Judged) -> bool {
    judged.verdict != Verdict::Deny
}

pub fn with_event(mut told: Value, event: Option<Uuid>) -> Value {
    told["event_id"] = json!(event);
    told
}

pub fn with_hold(mut told: Value, held: Option<(Uuid, Timestamp)>) -> Value {
    told["reservation_id"] = json!(held.map(|(id, _)| id));
    told["expires_at"] = json!(held.map(|(_, at)| at));
    told
}

pub fn with_lease(mut told: Value, held: Option<(Uuid, u64, Timestamp)>) -> Value {
    told["success"] = json!(held.is_some());
    told["lease_id"] = json!(held.map(|(id, _, _)| id));
    told["fencing_token"] = json!(held.map(|(_, token, _)| token));
    told["expires_at"] = json!(held.map(|(_, _, at)| at));
    told
}
