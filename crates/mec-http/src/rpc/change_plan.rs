//! `change_plan`: moves an account from one plan to another.

use mec_core::{Command, Timestamp, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, params};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Moves an account from one plan to another.
    ChangePlan of account {
        /// The plan that is held.
        p_from_plan_id: Code,
        /// The plan that shall be held.
        p_to_plan_id: Code,
        /// From when; now where none is given.
        p_effective_at: Option<Timestamp>,
        /// Whether usage so far counts against the new plan.
        p_carry_over: bool = true,
    }
}

impl Named for ChangePlan {
    const NAME: &'static str = "change_plan";
}

impl Ask for ChangePlan {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "plan_not_found",
        "plan_conflict",
        "plan_not_held",
        "plan_archived",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::count("How many entitlements were touched")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let change = ops::change_plan::ChangePlan {
            from_plan_id: self.p_from_plan_id.0,
            to_plan_id: self.p_to_plan_id.0,
            effective_at: self.p_effective_at,
            carry_over: self.p_carry_over,
        };
        Ok(caller.request(target, Command::ChangePlan(change), None))
    }
}
