//! New rows of `grants`.

use mec_core::{Command, Quantity, Timestamp, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::New;
use crate::App;
use crate::args::{Code, Text, params};
use crate::auth::Caller;
use crate::error::ApiError;

params! {
    /// Gives an account a grant: prepaid quantity beside its plan.
    NewGrant {
        /// Its id; one is made where none is given.
        grant_id: Option<Uuid>,
        /// The account.
        account_id: Uuid,
        /// The resource type.
        resource_type_code: Code,
        /// The finer label of the resource; none for all scopes.
        resource_scope: Option<Code>,
        /// Limits of which window type it lifts; the longest in force at the account by default.
        window_type_code: Option<Code>,
        /// How much, in the resource type's default unit; above zero.
        quantity: Quantity,
        /// The highest is drawn first.
        priority: i32 = 0,
        /// When it lapses; never where none is given.
        expires_at: Option<Timestamp>,
        /// Why, kept with the grant.
        reason: Option<Text>,
    }
}

impl New for NewGrant {
    const NAME: &'static str = "grants";
    const ERRORS: &'static [&'static str] = &[
        "account_not_found",
        "unknown_resource_type",
        "already_exists",
        "invalid_quantity",
        "too_many_decimals",
        "unknown_code",
        "not_grantable",
        "too_many_scopes",
        "quantity_overflow",
    ];

    fn request(self, _: &App, caller: &Caller) -> Result<Request, ApiError> {
        let grant = ops::grant::GrantCredit {
            grant_id: self.grant_id,
            resource: self.resource_type_code.0,
            scope: self.resource_scope.map(|scope| scope.0),
            quantity: self.quantity,
            window_type: self.window_type_code.map(|window_type| window_type.0),
            priority: self.priority,
            expires_at: self.expires_at,
            reason: self.reason.map(|reason| reason.0),
        };
        let target = Target::Account(self.account_id);
        Ok(caller.request(target, Command::GrantCredit(grant), None))
    }
}
