//! `release_lease`: gives slots back.

use mec_core::{Command, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::{Ask, Named};
use crate::args::params;
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Gives the slots of a lease back.
    /// False where it is unknown, expired or released already.
    ReleaseLease {
        /// The lease.
        p_lease_id: Uuid,
    }
}

impl Named for ReleaseLease {
    const NAME: &'static str = "release_lease";
}

impl Ask for ReleaseLease {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &[];

    fn answer() -> Answer {
        Answer::yes_or_no("Whether the lease was released")
    }

    fn request(self, caller: &Caller) -> Result<Request, ApiError> {
        let lease_id = self.p_lease_id;
        let release = Command::ReleaseLease(ops::lease::Release { lease_id });
        Ok(caller.request(Target::Lease(lease_id), release, None))
    }
}
