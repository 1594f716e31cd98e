//! `provision_plan`: gives an account the entitlements of a plan.

use mec_core::{Command, Timestamp, ops};
use mec_engine::Request;

use super::{Ask, Named};
use crate::args::{Code, params};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Gives an account the entitlements of a plan.
    /// A plan in force gives nothing twice; with another `p_quantity` its seats are rescaled.
    ProvisionPlan of account {
        /// The plan.
        p_plan_id: Code,
        /// From when, a date-time or a date; now where none is given.
        p_start_date: Option<Timestamp>,
        /// Seats, 1 to 1,000,000; 1 where none is given, or as before for a plan in force.
        p_quantity: Option<u32>,
    }
}

impl Named for ProvisionPlan {
    const NAME: &'static str = "provision_plan";
}

impl Ask for ProvisionPlan {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "plan_not_found",
        "plan_conflict",
        "plan_archived",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::count("How many entitlements are in force from the plan")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let provision = ops::provision::Provision {
            plan_id: self.p_plan_id.0,
            start: self.p_start_date,
            quantity: self.p_quantity,
        };
        Ok(caller.request(target, Command::ProvisionPlan(provision), None))
    }
}
