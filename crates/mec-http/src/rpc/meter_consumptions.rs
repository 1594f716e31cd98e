//! `meter_consumptions`: many calls of `meter_consumption` in one.

use super::many::{ItemAnswer, call_all};
use super::meter_consumption::MeterConsumption;
use super::{Named, Rpc};
use crate::App;
use crate::args::{Many, params};
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::reply::Reply;

params! {
    /// Answers up to 1,000 calls of `meter_consumption` in one, in their order.
    /// Each stands for itself: a wrong one does not spoil the others.
    MeterConsumptions {
        /// The calls, each an object with the arguments of `meter_consumption`.
        p_events: Many<MeterConsumption>,
    }
}

impl Named for MeterConsumptions {
    const NAME: &'static str = "meter_consumptions";
}

impl Rpc for MeterConsumptions {
    type Who = Meterer;
    const IS_LARGE: bool = true;
    const ERRORS: &'static [&'static str] = &["too_many_items"];

    fn answer() -> Answer {
        Answer::rows::<ItemAnswer>("The answers, in the order of the calls")
    }

    async fn call(self, app: &App, caller: &Caller) -> Result<Reply, ApiError> {
        call_all(app, caller, self.p_events).await
    }
}
