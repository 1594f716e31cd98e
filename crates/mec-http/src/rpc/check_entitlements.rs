//! `check_entitlements`: many calls of `check_entitlement` in one.

use super::check_entitlement::CheckEntitlement;
use super::many::{ItemAnswer, call_all};
use super::{Named, Rpc};
use crate::App;
use crate::args::{Many, params};
use crate::auth::{Caller, Reader};
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::reply::Reply;

params! {
    /// Answers up to 1,000 calls of `check_entitlement` in one, in their order.
    /// Each stands for itself: a wrong one does not spoil the others.
    CheckEntitlements {
        /// The calls, each an object with the arguments of `check_entitlement`.
        p_checks: Many<CheckEntitlement>,
    }
}

impl Named for CheckEntitlements {
    const NAME: &'static str = "check_entitlements";
}

impl Rpc for CheckEntitlements {
    type Who = Reader;
    const IS_LARGE: bool = true;
    const ERRORS: &'static [&'static str] = &["too_many_items"];

    fn answer() -> Answer {
        Answer::rows::<ItemAnswer>("The answers, in the order of the calls")
    }

    async fn call(self, app: &App, caller: &Caller) -> Result<Reply, ApiError> {
        call_all(app, caller, self.p_checks).await
    }
}
