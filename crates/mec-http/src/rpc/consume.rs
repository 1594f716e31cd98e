//! `consume`: checks and records in one atomic step.

use mec_core::answer::ConsumeAnswer;
use mec_core::{Command, Quantity, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, Context, Details, Key, params};
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Checks and records in one atomic step.
    /// What the decision denies is not recorded and leaves the key free for a later try.
    Consume of account {
        /// The same key with the same arguments is recorded once and answered the same.
        p_idempotency_key: Key,
        /// The resource type.
        p_resource_type: Code,
        /// How much; above zero, or below for an inventory that shrinks.
        p_quantity: Quantity = Quantity::ONE,
        /// The unit of the quantity; the resource type's default where none is named.
        p_unit_code: Option<Code>,
        /// The finer label of the resource.
        p_resource_scope: Option<Code>,
        /// What conditions of entitlements and rules may look at.
        p_context: Option<Context>,
        /// Free keys and texts, kept with the event.
        p_details: Option<Details>,
    }
}

impl Named for Consume {
    const NAME: &'static str = "consume";
}

impl Ask for Consume {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &[
        "idempotency_conflict",
        "invalid_quantity",
        "too_many_decimals",
        "unit_not_allowed",
        "inventory_below_zero",
        "use_acquire_lease",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::record::<ConsumeAnswer>("The decision, and the event that was recorded")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let consume = ops::consume::Consume {
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            quantity: self.p_quantity,
            unit: self.p_unit_code.map(|unit| unit.0),
            context: self.p_context.unwrap_or_default().0,
            details: self.p_details.unwrap_or_default().0,
        };
        Ok(caller.request(
            target,
            Command::Consume(consume),
            Some(self.p_idempotency_key.0),
        ))
    }
}
