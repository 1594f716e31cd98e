//! `reserve`: holds quota before work starts.

use mec_core::answer::ReserveAnswer;
use mec_core::{Command, Quantity, ops};
use mec_engine::Request;

use super::ttl::positive;
use super::{Ask, Named};
use crate::args::{Code, Context, Key, params};
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Holds quota before work starts.
    /// `commit_reservation` records the real quantity, `release_reservation` drops the hold, and
    /// an unfinished hold ends by itself.
    Reserve of account {
        /// The same key with the same arguments is held once and answered the same.
        p_idempotency_key: Key,
        /// The resource type.
        p_resource_type: Code,
        /// How much, above zero.
        p_quantity: Quantity,
        /// The unit of the quantity; the resource type's default where none is named.
        p_unit_code: Option<Code>,
        /// The finer label of the resource.
        p_resource_scope: Option<Code>,
        /// What conditions of entitlements and rules may look at.
        p_context: Option<Context>,
        /// How long the hold lasts, in seconds; at most 30 days.
        p_ttl_seconds: i64 = 300,
    }
}

impl Named for Reserve {
    const NAME: &'static str = "reserve";
}

impl Ask for Reserve {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &[
        "idempotency_conflict",
        "invalid_quantity",
        "too_many_decimals",
        "unit_not_allowed",
        "use_acquire_lease",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::record::<ReserveAnswer>("The decision, and the reservation that was made")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let reserve = ops::reserve::Reserve {
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            quantity: self.p_quantity,
            unit: self.p_unit_code.map(|unit| unit.0),
            context: self.p_context.unwrap_or_default().0,
            ttl_seconds: positive("p_ttl_seconds", self.p_ttl_seconds)?,
        };
        Ok(caller.request(
            target,
            Command::Reserve(reserve),
            Some(self.p_idempotency_key.0),
        ))
    }
}
