//! Commands: everything that can be asked of an account, and the one door to it.

use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::answer::Answer;
use crate::book::Book;
use crate::catalogue::Catalogue;
use crate::change::Change;
use crate::decide::{Effect, Judgement, decision};
use crate::ids::{AccountId, Code, IdSource};
use crate::need::Stop;
use crate::ops;
use crate::quantity::Quantity;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::verdict::{DecisionCode, Verdict};

/// A command. Its serialised form is what a repeated idempotency key is compared by.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "each operation is documented in its own file")]
pub enum Command {
    Check(ops::check::Check),
    Meter(ops::meter::Meter),
    Consume(ops::consume::Consume),
    Reserve(ops::reserve::Reserve),
    CommitReservation(ops::reserve::Commit),
    ReleaseReservation(ops::reserve::Release),
    Correct(ops::correct::Correct),
    SetInventory(ops::inventory::SetInventory),
    GrantCredit(ops::grant::GrantCredit),
    VoidGrant(ops::grant::VoidGrant),
    AcquireLease(ops::lease::Acquire),
    HeartbeatLease(ops::lease::Heartbeat),
    ReleaseLease(ops::lease::Release),
    ProvisionPlan(ops::provision::Provision),
    ChangePlan(ops::change_plan::ChangePlan),
    CancelPlan(ops::cancel_plan::CancelPlan),
    CreateAccount(ops::account::CreateAccount),
    SetAccountStatus(ops::account::SetStatus),
    EraseAccount,
    MoveAccount(ops::move_account::MoveAccount),
    CreateEntitlement(ops::entitlement::CreateEntitlement),
    UsageSummary,
    UpdateAccount(ops::update_account::UpdateAccount),
    UpdateEntitlement(ops::update_entitlement::UpdateEntitlement),
    UpdateGrant(ops::update_grant::UpdateGrant),
    LinkExternalId(ops::link_external_id::LinkExternalId),
    UnlinkExternalId(ops::link_external_id::UnlinkExternalId),
}

impl Command {
    /// The RPC's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Check(_) => "check_entitlement",
            Self::Meter(_) => "meter_consumption",
            Self::Consume(_) => "consume",
            Self::Reserve(_) => "reserve",
            Self::CommitReservation(_) => "commit_reservation",
            Self::ReleaseReservation(_) => "release_reservation",
            Self::Correct(_) => "correct_consumption",
            Self::SetInventory(_) => "set_inventory",
            Self::GrantCredit(_) => "grant_credit",
            Self::VoidGrant(_) => "void_grant",
            Self::AcquireLease(_) => "acquire_lease",
            Self::HeartbeatLease(_) => "heartbeat_lease",
            Self::ReleaseLease(_) => "release_lease",
            Self::ProvisionPlan(_) => "provision_plan",
            Self::ChangePlan(_) => "change_plan",
            Self::CancelPlan(_) => "cancel_plan",
            Self::CreateAccount(_) => "create_account",
            Self::SetAccountStatus(_) => "set_account_status",
            Self::EraseAccount => "erase_account",
            Self::MoveAccount(_) => "move_account",
            Self::CreateEntitlement(_) => "create_entitlement",
            Self::UsageSummary => "usage_summary",
            Self::UpdateAccount(_) => "update_account",
            Self::UpdateEntitlement(_) => "update_entitlement",
            Self::UpdateGrant(_) => "update_grant",
            Self::LinkExternalId(_) => "link_external_id",
            Self::UnlinkExternalId(_) => "unlink_external_id",
        }
    }

    /// What is asked for, for the decision log: resource, scope, quantity and unit.
    pub fn asks_for(&self) -> Option<Asked<'_>> {
        match self {
            Self::Check(ask) => Some(Asked::new(
                &ask.resource,
                &ask.scope,
                ask.quantity,
                &ask.unit,
            )),
            Self::Consume(ask) => Some(Asked::new(
                &ask.resource,
                &ask.scope,
                ask.quantity,
                &ask.unit,
            )),
            Self::Reserve(ask) => Some(Asked::new(
                &ask.resource,
                &ask.scope,
                ask.quantity,
                &ask.unit,
            )),
            Self::AcquireLease(ask) => Some(Asked::new(
                &ask.resource,
                &ask.scope,
                Quantity::from_int(i64::from(ask.slots)),
                &None,
            )),
            _ => None,
        }
    }
}

/// What a deciding command asks for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The resource.
    pub resource: &'a Code,
    /// The scope.
    pub scope: Option<&'a Code>,
    /// How much.
    pub quantity: Quantity,
    /// In which unit; the resource's default where none is named.
    pub unit: Option<&'a Code>,
}

impl<'a> Asked<'a> {
    fn new(
        resource: &'a Code,
        scope: &'a Option<Code>,
        quantity: Quantity,
        unit: &'a Option<Code>,
    ) -> Self {
        Self {
            resource,
            scope: scope.as_ref(),
            quantity,
            unit: unit.as_ref(),
        }
    }
}

/// What a command runs in: all that is not its own.
pub struct Env<'a> {
    /// The catalogue of the namespace.
    pub catalogue: &'a Catalogue,
    /// The tree.
    pub book: &'a Book,
    /// The account; of a new account, its parent or itself.
    pub account: AccountId,
    /// Who asks: the caller's `sub`.
    pub by: &'a str,
    /// The caller's idempotency key, for the ledger.
    pub key: Option<&'a str>,
    /// The command's now: never before the tree's last.
    pub now: Timestamp,
    /// So many scopes of one resource type a tree may use at the most.
    pub max_scopes: usize,
}

/// A command that was decided.
#[derive(Clone, Debug)]
pub struct Executed {
    /// What is answered.
    pub answer: Answer,
    /// What changes; nothing for a deny or a repetition.
    pub changes: Vec<Change>,
    /// Whether the answer is kept under the caller's key.
    pub keep_key: bool,
    /// The event, reservation or grant that was made.
    pub made: Option<Uuid>,
    /// Whether a reservation was committed after its expiry.
    pub late: bool,
}

impl Executed {
    /// An answer that changes nothing and leaves the key free.
    pub fn unchanged(answer: Answer) -> Self {
        Self {
            answer,
            changes: Vec::new(),
            keep_key: false,
            made: None,
            late: false,
        }
    }

    /// An answer with what it changes, kept under the key.
    pub fn changed(answer: Answer, changes: Vec<Change>, made: Option<Uuid>) -> Self {
        Self {
            answer,
            changes,
            keep_key: true,
            made,
            late: false,
        }
    }
}

/// Decides a command. Nothing is changed by it: the changes are for [`Book::apply`] and the store.
pub fn execute(command: &Command, env: &Env<'_>, ids: &mut dyn IdSource) -> Result<Executed, Stop> {
    match command {
        Command::Check(check) => ops::check::check(check, env)
            .map(|d| Executed::unchanged(Answer::Decision(Box::new(d)))),
        Command::Meter(meter) => ops::meter::meter(meter, env, ids),
        Command::Consume(consume) => ops::consume::consume(consume, env, ids),
        Command::Reserve(reserve) => ops::reserve::reserve(reserve, env, ids),
        Command::CommitReservation(commit) => ops::reserve::commit(commit, env, ids),
        Command::ReleaseReservation(release) => ops::reserve::release(release, env),
        Command::Correct(correct) => ops::correct::correct(correct, env, ids),
        Command::SetInventory(set) => ops::inventory::set_inventory(set, env, ids),
        Command::GrantCredit(grant) => ops::grant::grant_credit(grant, env, ids),
        Command::VoidGrant(void) => ops::grant::void_grant(void, env),
        Command::AcquireLease(acquire) => ops::lease::acquire(acquire, env, ids),
        Command::HeartbeatLease(heartbeat) => ops::lease::heartbeat(heartbeat, env),
        Command::ReleaseLease(release) => ops::lease::release(release, env),
        Command::ProvisionPlan(provision) => ops::provision::provision(provision, env, ids),
        Command::ChangePlan(change) => ops::change_plan::change_plan(change, env, ids),
        Command::CancelPlan(cancel) => ops::cancel_plan::cancel_plan(cancel, env, ids),
        Command::CreateAccount(create) => ops::account::create(create, env),
        Command::SetAccountStatus(set) => ops::account::set_status(set, env),
        Command::EraseAccount => ops::account::erase(env),
        Command::MoveAccount(to) => ops::move_account::move_account(to, env),
        Command::CreateEntitlement(create) => ops::entitlement::create(create, env, ids),
        Command::UsageSummary => {
            ops::summary::summary(env).map(|told| Executed::unchanged(Answer::Limits(told)))
        }
        Command::UpdateAccount(update) => ops::update_account::update(update, env),
        Command::UpdateEntitlement(update) => ops::update_entitlement::update(update, env, ids),
        Command::UpdateGrant(update) => ops::update_grant::update(update, env),
        Command::LinkExternalId(link) => ops::link_external_id::link(link, env),
        Command::UnlinkExternalId(unlink) => ops::link_external_id::unlink(unlink, env),
    }
}

/// What a command answers where the account, lease, reservation, event or grant that it names does
/// not exist: a decision for those that decide, false for those that end something, else an error.
pub fn without_account(
    command: &Command,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let denied = |resource: &str| {
        let code = match catalogue.resource_type(resource) {
            Some(_) => DecisionCode::AccountNotFound,
            None => DecisionCode::UnknownResourceType,
        };
        decision(
            catalogue,
            &Judgement::denied(code),
            0,
            Effect::default(),
            now,
            false,
        )
    };
    match command {
        Command::Check(check) => denied(&check.resource).map(|d| Answer::Decision(Box::new(d))),
        Command::Consume(consume) => denied(&consume.resource).map(ops::consume::denied),
        Command::Reserve(reserve) => denied(&reserve.resource).map(ops::reserve::denied),
        Command::AcquireLease(acquire) => denied(&acquire.resource).map(ops::lease::denied),
        Command::ReleaseReservation(_) | Command::HeartbeatLease(_) | Command::ReleaseLease(_) => {
            Ok(Answer::Bool(false))
        }
        Command::UsageSummary => Ok(Answer::Limits(Vec::new())),
        Command::CommitReservation(_) => Err(Refusal::ReservationNotFound),
        Command::Correct(_) => Err(Refusal::EventNotFound),
        Command::VoidGrant(_) | Command::UpdateGrant(_) => Err(Refusal::GrantNotFound),
        Command::UpdateEntitlement(_) => Err(Refusal::EntitlementNotFound),
        Command::CreateAccount(_) => Err(Refusal::ParentNotFound),
        Command::Meter(_)
        | Command::SetInventory(_)
        | Command::GrantCredit(_)
        | Command::ProvisionPlan(_)
        | Command::ChangePlan(_)
        | Command::CancelPlan(_)
        | Command::SetAccountStatus(_)
        | Command::EraseAccount
        | Command::MoveAccount(_)
        | Command::CreateEntitlement(_)
        | Command::UpdateAccount(_)
        | Command::LinkExternalId(_)
        | Command::UnlinkExternalId(_) => Err(Refusal::AccountNotFound),
    }
}

/// Whether a verdict lets the request through.
pub fn is_granted(verdict: Verdict) -> bool {
    verdict != Verdict::Deny
}

/// A text as a shared code.
pub fn code(text: &str) -> Code {
    Arc::from(text)
}
