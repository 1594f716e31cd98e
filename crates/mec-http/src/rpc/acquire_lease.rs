//! `acquire_lease`: takes slots of a floating licence.

use mec_core::answer::LeaseAnswer;
use mec_core::{Command, ops};
use mec_engine::Request;

use super::ttl::{positive, seconds};
use super::{Ask, Named};
use crate::args::{Code, Context, Document, Key, params};
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

/// How long a lease lasts where nothing else is asked for: an hour.
const DEFAULT_TTL_SECONDS: i64 = 3600;

params! {
    /// Takes slots of a floating licence until they are released or expire.
    /// A session that holds a live lease gets that lease again.
    AcquireLease of account {
        /// The resource type; one with a concurrency limit.
        p_resource_type: Code,
        /// The finer label of the resource.
        p_resource_scope: Option<Code>,
        /// Unique among the live leases of the account, resource and scope.
        p_session_token: Option<Key>,
        /// How long it lasts, in minutes, above zero; 60 where neither this nor `p_ttl_seconds` is given.
        p_ttl_minutes: Option<i64>,
        /// How long it lasts, in seconds, above zero; in place of `p_ttl_minutes`.
        p_ttl_seconds: Option<i64>,
        /// How many slots, at least 1.
        p_slots: i64 = 1,
        /// A free JSON object, kept with the lease.
        p_session_metadata: Option<Document>,
        /// What conditions of entitlements and rules may look at.
        p_context: Option<Context>,
    }
}

impl Named for AcquireLease {
    const NAME: &'static str = "acquire_lease";
}

impl Ask for AcquireLease {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] =
        &["session_conflict", "not_concurrent", "too_many_scopes"];

    fn answer() -> Answer {
        Answer::record::<LeaseAnswer>("The decision, and the lease that is held")
    }

    fn request(mut self, caller: &Caller) -> Result<Request, ApiError> {
        let target = self.target()?;
        let ttl = seconds(
            ("p_ttl_minutes", self.p_ttl_minutes),
            ("p_ttl_seconds", self.p_ttl_seconds),
        )?;
        let slots = positive("p_slots", self.p_slots)?;
        let acquire = ops::lease::Acquire {
            resource: self.p_resource_type.0,
            scope: self.p_resource_scope.map(|scope| scope.0),
            session_token: self.p_session_token.map(Key::into_string),
            ttl_seconds: ttl.unwrap_or(DEFAULT_TTL_SECONDS),
            // The core bounds the slots; a saturated number is beyond its bound.
            slots: u32::try_from(slots).unwrap_or(u32::MAX),
            session_metadata: self.p_session_metadata.map(|metadata| metadata.0),
            context: self.p_context.unwrap_or_default().0,
        };
        Ok(caller.request(target, Command::AcquireLease(acquire), None))
    }
}
