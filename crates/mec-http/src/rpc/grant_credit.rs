//! `grant_credit`: gives extra prepaid quantity.

use mec_core::{Command, Quantity, Timestamp, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, Key, Text, params};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Gives an account extra prepaid quantity: a top-up, a credit pack, a rollover.
    GrantCredit of account {
        /// The same key with the same arguments is granted once and answered the same.
        p_idempotency_key: Key,
        /// The resource type.
        p_resource_type: Code,
        /// How much, in the resource type's default unit; above zero.
        p_quantity: Quantity,
        /// The finer label of the resource; none for all scopes.
        p_resource_scope: Option<Code>,
        /// Limits of which window type it lifts; the longest in force at the account by default.
        p_window_type: Option<Code>,
        /// The highest is drawn first.
        p_priority: i32 = 0,
        /// When it lapses; never where none is given.
        p_expires_at: Option<Timestamp>,
        /// Why, kept with the grant.
        p_reason: Option<Text>,
    }
}

impl Named for GrantCredit {
    const NAME: &'static str = "grant_credit";
}

impl Ask for GrantCredit {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "unknown_resource_type",
        "idempotency_conflict",
        "invalid_quantity",
        "too_many_decimals",
        "unknown_code",
        "not_grantable",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::id("The grant's id")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let grant = ops::grant::GrantCredit {
            grant_id: None,
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            quantity: self.p_quantity,
            window_type: self.p_window_type.map(|window_type| window_type.0),
            priority: self.p_priority,
            expires_at: self.p_expires_at,
            reason: self.p_reason.map(|reason| reason.0),
        };
        Ok(caller.request(
            target,
            Command::GrantCredit(grant),
            Some(self.p_idempotency_key.0),
        ))
    }
}
