//! What the conditions of limits and rules see.

use std::borrow::Cow;

use super::Context;
use crate::book::Part;
use crate::condition::Facts;

/// The facts that the conditions of one limit or rule see.
pub struct LimitFacts<'a> {
    context: &'a Context,
    account: &'a Part,
    plan_id: Option<&'a str>,
}

impl<'a> LimitFacts<'a> {
    /// The facts of a request by an account, for a limit of a plan.
    pub fn new(context: &'a Context, account: &'a Part, plan_id: Option<&'a str>) -> Self {
        Self {
            context,
            account,
            plan_id,
        }
    }
}

impl Facts for LimitFacts<'_> {
    fn fact(&self, key: &str) -> Option<Cow<'_, str>> {
        match key {
            "mec.plan_id" => self.plan_id.map(Cow::Borrowed),
            "mec.account_type" => Some(Cow::Borrowed(&self.account.account.account_type_code)),
            "mec.account_id" => Some(Cow::Owned(self.account.id().to_string())),
            _ if key.starts_with("mec.") => None,
            _ => self
                .context
                .get(key)
                .map(|value| Cow::Borrowed(value.as_str())),
        }
    }
}
