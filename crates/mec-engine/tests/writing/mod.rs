//! Rows of accounts that are written, singly and together, over whatever store.

pub mod singly;
pub mod together;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mec_core::account::{AccountStatus, ExternalKey};
use mec_core::entitlement::{EntitlementStatus, LimitKind};
use mec_core::ops::account::CreateAccount;
use mec_core::ops::entitlement::CreateEntitlement;
use mec_core::ops::link_external_id::{LinkExternalId, UnlinkExternalId};
use mec_core::ops::update_account::UpdateAccount;
use mec_core::ops::update_entitlement::UpdateEntitlement;
use mec_core::{Command, Namespace, Quantity, Refusal, Timestamp, ops};
use mec_engine::{Engine, EngineConfig, EngineError, Outcome, Request, RisingIds, Target};
use mec_store::{Clock, Store};
use serde_json::Value;
use uuid::Uuid;

/// Where engines keep what they are told. Each is opened after the one before it was closed.
pub trait Place {
    async fn open(&self) -> Engine;
}

pub struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

pub fn start<S: Store>(store: S) -> Engine {
    let config = EngineConfig::default();
    Engine::start(Arc::new(store), Arc::new(Machine), RisingIds, config).unwrap()
}

pub async fn reopen(place: &impl Place, engine: Engine) -> Engine {
    engine.close().await;
    drop(engine);
    place.open().await
}

pub fn request(target: Target, command: Command) -> Request {
    Request {
        namespace: Namespace::default_namespace(),
        target,
        command,
        key: None,
        by: "clerk".into(),
        guard: None,
        request_id: None,
        consistency: Default::default(),
    }
}

pub fn account(id: Uuid, parent: Option<Uuid>, external_id: Option<&str>) -> Request {
    let create = CreateAccount {
        account_id: id,
        account_type: "organization".into(),
        parent,
        external_id: external_id.map(Into::into),
        display_name: None,
        email: None,
        timezone: None,
        metadata: Default::default(),
        status: AccountStatus::Active,
    };
    let target = parent.map_or(Target::NewTree(id), Target::Account);
    request(target, Command::CreateAccount(create))
}

pub fn entitle(account: Uuid, id: Uuid, quantity: i64) -> Request {
    let create = CreateEntitlement {
        entitlement_id: Some(id),
        resource: "benchmark_runs".into(),
        scope: None,
        limit_kind: LimitKind::Cumulative,
        quantity_allowed: Some(Quantity::from_int(quantity)),
        unit: None,
        effective_start: None,
        effective_end: None,
        window_type: None,
        window_anchor: None,
        usage_from: None,
        priority: 0,
        status: EntitlementStatus::Active,
        conditions: Vec::new(),
    };
    request(Target::Account(account), Command::CreateEntitlement(create))
}

pub fn update_account(id: Uuid, update: UpdateAccount) -> Request {
    request(Target::Account(id), Command::UpdateAccount(update))
}

pub fn rename(id: Uuid, external_id: Option<&str>) -> Request {
    let update = UpdateAccount {
        external_id: Some(external_id.map(Into::into)),
        ..UpdateAccount::default()
    };
    update_account(id, update)
}

pub fn update_entitlement(update: UpdateEntitlement) -> Request {
    let target = Target::Entitlement(update.entitlement_id);
    request(target, Command::UpdateEntitlement(update))
}

pub fn allow(id: Uuid, quantity: i64, if_version: Option<u32>) -> Request {
    update_entitlement(UpdateEntitlement {
        entitlement_id: id,
        if_version,
        quantity_allowed: Some(Some(Quantity::from_int(quantity))),
        ..UpdateEntitlement::default()
    })
}

fn key(external_id: &str) -> ExternalKey {
    ExternalKey {
        provider: "stripe".into(),
        external_id: external_id.into(),
    }
}

pub fn link(account: Uuid, external_id: &str) -> Request {
    let key = key(external_id);
    let link = Command::LinkExternalId(LinkExternalId { key });
    request(Target::Account(account), link)
}

pub fn unlink(account: Uuid, external_id: &str) -> Request {
    let key = key(external_id);
    let unlink = Command::UnlinkExternalId(UnlinkExternalId { key });
    request(Target::Account(account), unlink)
}

pub fn consume(target: Target, key: String) -> Request {
    let consume = ops::consume::Consume {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: Default::default(),
        details: Default::default(),
    };
    Request {
        key: Some(key.into()),
        ..request(target, Command::Consume(consume))
    }
}

pub async fn check(engine: &Engine, target: Target) -> Value {
    let check = ops::check::Check {
        resource: "benchmark_runs".into(),
        scope: None,
        quantity: Quantity::ONE,
        unit: None,
        context: Default::default(),
        explain: false,
    };
    row(&engine.call(request(target, Command::Check(check))).await)
}

pub fn row(answer: &Result<Outcome, EngineError>) -> Value {
    match answer {
        Ok(outcome) => serde_json::from_str(&outcome.body).unwrap(),
        Err(error) => panic!("{error:?}"),
    }
}

pub fn refusal(error: &EngineError) -> &Refusal {
    match error {
        EngineError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

pub async fn refused(engine: &Engine, request: Request) -> Refusal {
    refusal(&engine.call(request).await.unwrap_err()).clone()
}

pub fn taken(field: &'static str) -> Refusal {
    Refusal::Taken { field }
}

/// The account that a name stands for.
pub async fn named(engine: &Engine, target: Target) -> Option<Uuid> {
    let namespace = Namespace::default_namespace();
    engine.find(&namespace, &target, None).await.unwrap()
}
