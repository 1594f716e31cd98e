//! Accounts and entitlements made by hand.

use mec_core::account::{self, AccountStatus, MAX_DEPTH};
use mec_core::entitlement::{Entitlement, LimitKind};
use mec_core::{Timestamp, ops};
use serde_json::{Value, json};
use uuid::Uuid;

use super::calls::{Outcome, changed, unchanged};
use super::naive::{Account, Naive, Person};

impl Naive {
    /// A row as it is answered, with its namespace.
    pub fn row(&self, row: &impl serde::Serialize) -> Value {
        let mut row: Value = serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap();
        row["namespace_id"] = json!(self.namespace);
        row
    }

    pub fn create_account(
        &mut self,
        create: &ops::account::CreateAccount,
        now: Timestamp,
    ) -> Outcome {
        let taken = |a: &Account| {
            a.id == create.account_id || (a.external.is_some() && a.external == create.external_id)
        };
        if self.accounts.iter().any(taken) {
            return Err("already_exists");
        }
        if create
            .parent
            .and_then(|p| self.account(p))
            .is_some_and(|p| &*p.kind == "user")
        {
            return Err("parent_has_no_children");
        }
        if create
            .parent
            .is_some_and(|p| self.path(p).len() >= MAX_DEPTH)
        {
            return Err("tree_too_deep");
        }
        let person = Person {
            name: create.display_name.clone(),
            email: create.email.clone(),
            metadata: create.metadata.clone(),
        };
        let account = Account {
            id: create.account_id,
            kind: create.account_type.clone(),
            parent: create.parent,
            external: create.external_id.clone(),
            person: Some(person),
            zone: create.timezone.clone(),
            status: create.status,
            created_at: now,
            updated_at: now,
        };
        let answer = self.row(&account.row());
        self.accounts.push(account);
        changed(answer)
    }

    pub fn set_status(&mut self, account: Uuid, status: AccountStatus, now: Timestamp) -> Outcome {
        let account = self.account_mut(account);
        if account.status == status {
            return unchanged(json!(false));
        }
        account.status = status;
        account.updated_at = now;
        changed(json!(true))
    }

    pub fn create_entitlement(
        &mut self,
        account: Uuid,
        create: &ops::entitlement::CreateEntitlement,
        now: Timestamp,
    ) -> Outcome {
        let resource = self
            .resource(&create.resource)
            .ok_or("unknown_resource_type")?;
        let quantity = create.quantity_allowed.unwrap_or_default();
        let (amount, unit_code) = self.amount(quantity, resource, create.unit.as_ref())?;
        let fits = match create.limit_kind {
            LimitKind::Concurrency => resource.is_concurrency,
            LimitKind::Inventory => resource.is_inventory,
            LimitKind::Cumulative => !resource.is_concurrency,
            LimitKind::TimeAccess => true,
        };
        let start = create.effective_start.unwrap_or(now);
        if amount < 0 || !fits || create.effective_end.is_some_and(|end| end <= start) {
            return Err("invalid_value");
        }
        let entitlement = Entitlement {
            entitlement_id: self.own_id(),
            account_id: account,
            resource_type_code: create.resource.clone(),
            resource_scope: create.scope.clone(),
            limit_kind_code: create.limit_kind,
            quantity_allowed: create.quantity_allowed,
            unit_code,
            effective_start: start,
            effective_end: create.effective_end,
            window_type_code: create.window_type.clone().unwrap_or_else(|| "none".into()),
            window_anchor: create.window_anchor,
            plan_id: None,
            template_id: None,
            subscription_id: None,
            usage_from: create.usage_from,
            priority: create.priority,
            status: create.status,
            version: 1,
            superseded_by: None,
            created_at: now,
            updated_at: now,
            conditions: create.conditions.clone(),
        };
        let answer = self.row(&entitlement);
        self.entitlements.push(entitlement);
        changed(answer)
    }
}

impl Account {
    /// The row that is kept of it.
    pub fn row(&self) -> account::Account {
        let person = self.person.as_ref();
        account::Account {
            account_id: self.id,
            account_type_code: self.kind.clone(),
            parent_account_id: self.parent,
            external_id: self.external.clone(),
            display_name: person.and_then(|person| person.name.clone()),
            email: person.and_then(|person| person.email.clone()),
            timezone: self.zone.clone(),
            metadata: person
                .map(|person| person.metadata.clone())
                .unwrap_or_default(),
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}
