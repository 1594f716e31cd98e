//! `meter_consumption`: records what was used. It is not refused for a limit.

use mec_core::{Command, Quantity, Timestamp, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, Details, Key, params};
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Records what an account used.
    /// A fact is not refused for a limit; `consume` checks and records in one step.
    MeterConsumption of account {
        /// The same key with the same arguments is recorded once and answered the same.
        p_idempotency_key: Key,
        /// The resource type.
        p_resource_type: Code,
        /// How much; above zero, or below for an inventory that shrinks.
        p_quantity: Quantity,
        /// The unit of the quantity; the resource type's default where none is named.
        p_unit_code: Option<Code>,
        /// The finer label of the resource.
        p_resource_scope: Option<Code>,
        /// When it was used, at most five minutes ahead; now where none is given.
        p_occurred_at: Option<Timestamp>,
        /// Kept as given; decides nothing.
        p_period_start: Option<Timestamp>,
        /// Kept as given; decides nothing.
        p_period_end: Option<Timestamp>,
        /// Free keys and texts, kept with the event.
        p_details: Option<Details>,
    }
}

impl Named for MeterConsumption {
    const NAME: &'static str = "meter_consumption";
}

impl Ask for MeterConsumption {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "unknown_resource_type",
        "idempotency_conflict",
        "invalid_quantity",
        "too_many_decimals",
        "unit_not_allowed",
        "occurred_at_out_of_range",
        "inventory_below_zero",
        "use_acquire_lease",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::id("The event's id")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let meter = ops::meter::Meter {
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            quantity: self.p_quantity,
            unit: self.p_unit_code.map(|unit| unit.0),
            occurred_at: self.p_occurred_at,
            period_start: self.p_period_start,
            period_end: self.p_period_end,
            details: self.p_details.unwrap_or_default().0,
        };
        Ok(caller.request(
            target,
            Command::Meter(meter),
            Some(self.p_idempotency_key.0),
        ))
    }
}
