//! `get_usage`: how much of a resource an account used.

use mec_core::Timestamp;
use mec_store::UsageQuery;

use super::{Named, Rpc};
use crate::App;
use crate::args::{Code, params};
use crate::auth::{Caller, Reader};
use crate::error::ApiError;
use crate::openapi::Answer;
use crate::reply::Reply;

params! {
    /// Tells how much of a resource an account used, in the resource type's default unit.
    GetUsage of account {
        /// The resource type.
        p_resource_type: Code,
        /// The finer label of the resource; none for all scopes.
        p_resource_scope: Option<Code>,
        /// From when, on a whole minute; from the beginning where none is given.
        p_window_start: Option<Timestamp>,
        /// Until when, exclusively, on a whole minute; to the end where none is given.
        p_window_end: Option<Timestamp>,
        /// Whether accounts below count.
        p_include_children: bool = true,
    }
}

impl Named for GetUsage {
    const NAME: &'static str = "get_usage";
}

impl Rpc for GetUsage {
    type Who = Reader;
    const READ_ONLY: bool = true;
    const ERRORS: &'static [&'static str] = &["account_not_found", "unknown_resource_type"];

    fn answer() -> Answer {
        Answer::number("How much was used")
    }

    async fn call(mut self, app: &App, caller: &Caller) -> Result<Reply, ApiError> {
        let target = self.target()?;
        whole_minute("p_window_start", self.p_window_start)?;
        whole_minute("p_window_end", self.p_window_end)?;
        let account = find_account(app, caller, &target).await?;
        let catalogue = app.engine().catalogue(&caller.namespace).await?;
        let resource = catalogue.require_resource_type(&self.p_resource_type.0)?;
        let query = UsageQuery {
            namespace: caller.namespace.clone(),
            account,
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            from: self.p_window_start,
            to: self.p_window_end,
            include_children: self.p_include_children,
        };
        let amount = app.engine().usage(query).await?;
        Ok(Reply::json(
            catalogue
                .in_unit(amount, &resource.default_unit_code)
                .to_string(),
        ))
    }
}

/// The account that a read is about, if it exists and the caller may see it.
pub async fn find_account(
    app: &App,
    caller: &Caller,
    target: &mec_engine::Target,
) -> Result<uuid::Uuid, ApiError> {
    let found = app
        .engine()
        .find(&caller.namespace, target, caller.guard())
        .await?;
    Ok(found.ok_or(mec_core::Refusal::AccountNotFound)?)
}

fn whole_minute(field: &'static str, time: Option<Timestamp>) -> Result<(), ApiError> {
    if time.is_none_or(|time| time == time.floor_minute()) {
        return Ok(());
    }
    let message = format!("{field}: expected a date-time on a whole minute");
    Err(ApiError::new("invalid_value", message).with_details(field))
}
