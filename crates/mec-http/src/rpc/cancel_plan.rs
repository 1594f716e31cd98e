//! `cancel_plan`: ends a plan of an account.

use mec_core::{Command, Timestamp, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, params};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Ends a plan of an account.
    CancelPlan of account {
        /// The plan that is held.
        p_plan_id: Code,
        /// When it ends; now where none is given.
        p_effective_at: Option<Timestamp>,
    }
}

impl Named for CancelPlan {
    const NAME: &'static str = "cancel_plan";
}

impl Ask for CancelPlan {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &["account_not_found", "plan_not_found"];

    fn answer() -> Answer {
        Answer::count("How many entitlements were touched; 0 where the plan is not held")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let cancel = ops::cancel_plan::CancelPlan {
            plan_id: self.p_plan_id.0,
            effective_at: self.p_effective_at,
        };
        Ok(caller.request(target, Command::CancelPlan(cancel), None))
    }
}
