//! `set_inventory`: sets an account's own total of an inventory.

use mec_core::{Command, Quantity, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, Key, params};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Sets an account's own total of an inventory, accounts below it excluded.
    /// It is not refused for a limit.
    SetInventory of account {
        /// The same key with the same arguments is recorded once and answered the same.
        p_idempotency_key: Key,
        /// The resource type; one that counts an inventory.
        p_resource_type: Code,
        /// The total that shall be, in the resource type's default unit; at least 0.
        p_quantity: Quantity,
        /// Exactly this scope; without one, what has no scope.
        p_resource_scope: Option<Code>,
    }
}

impl Named for SetInventory {
    const NAME: &'static str = "set_inventory";
}

impl Ask for SetInventory {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "unknown_resource_type",
        "idempotency_conflict",
        "invalid_quantity",
        "too_many_decimals",
        "not_inventory",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::maybe_id("The id of the event with the difference; null where there is none")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let set = ops::inventory::SetInventory {
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            quantity: self.p_quantity,
        };
        Ok(caller.request(
            target,
            Command::SetInventory(set),
            Some(self.p_idempotency_key.0),
        ))
    }
}
