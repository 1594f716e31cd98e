//! `void_grant`: takes back what is left of a grant.

use mec_core::{Command, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::{Ask, Named};
use crate::args::params;
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Takes back what is left of a grant.
    VoidGrant {
        /// The grant.
        p_grant_id: Uuid,
    }
}

impl Named for VoidGrant {
    const NAME: &'static str = "void_grant";
}

impl Ask for VoidGrant {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &["grant_not_found"];

    fn answer() -> Answer {
        Answer::number("What was left of it, in the resource type's default unit")
    }

    fn request(self, caller: &Caller) -> Result<Request, ApiError> {
        let grant_id = self.p_grant_id;
        let void = Command::VoidGrant(ops::grant::VoidGrant { grant_id });
        Ok(caller.request(Target::Grant(grant_id), void, None))
    }
}
