//! `heartbeat_lease`: keeps a lease alive.

use mec_core::{Command, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::ttl::seconds;
use super::{Ask, Named};
use crate::args::params;
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Keeps a lease alive.
    /// False where it is unknown, expired or released, or its account is not served.
    HeartbeatLease {
        /// The lease.
        p_lease_id: Uuid,
        /// From now on for so many minutes, above zero; the lease's own length by default.
        p_extend_minutes: Option<i64>,
        /// From now on for so many seconds, above zero; in place of `p_extend_minutes`.
        p_extend_seconds: Option<i64>,
    }
}

impl Named for HeartbeatLease {
    const NAME: &'static str = "heartbeat_lease";
}

impl Ask for HeartbeatLease {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &[];

    fn answer() -> Answer {
        Answer::yes_or_no("Whether the lease is alive")
    }

    fn request(self, caller: &Caller) -> Result<Request, ApiError> {
        let extend_seconds = seconds(
            ("p_extend_minutes", self.p_extend_minutes),
            ("p_extend_seconds", self.p_extend_seconds),
        )?;
        let lease_id = self.p_lease_id;
        let heartbeat = ops::lease::Heartbeat {
            lease_id,
            extend_seconds,
        };
        Ok(caller.request(
            Target::Lease(lease_id),
            Command::HeartbeatLease(heartbeat),
            None,
        ))
    }
}
