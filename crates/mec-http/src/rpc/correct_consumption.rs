//! `correct_consumption`: sets what an event should have been, by a compensating event.

use mec_core::{Command, Quantity, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::{Ask, Named};
use crate::args::{Key, Text, params};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Sets what an event should have been, by a compensating event at the original's time.
    CorrectConsumption {
        /// The same key with the same arguments is recorded once and answered the same.
        p_idempotency_key: Key,
        /// The event to correct; not itself a correction.
        p_event_id: Uuid,
        /// What it should have been, in the event's unit; 0 undoes it.
        p_quantity: Quantity,
        /// Why, kept with the compensating event.
        p_reason: Option<Text>,
    }
}

impl Named for CorrectConsumption {
    const NAME: &'static str = "correct_consumption";
}

impl Ask for CorrectConsumption {
    type Who = Service;
    const ERRORS: &'static [&'static str] = &[
        "event_not_found",
        "idempotency_conflict",
        "invalid_quantity",
        "too_many_decimals",
        "not_correctable",
        "inventory_below_zero",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::id("The compensating event's id; the event's own where nothing is to correct")
    }

    fn request(self, caller: &Caller) -> Result<Request, ApiError> {
        let correct = ops::correct::Correct {
            event_id: self.p_event_id,
            quantity: self.p_quantity,
            reason: self.p_reason.map(|reason| reason.0),
        };
        let target = Target::Event(self.p_event_id);
        Ok(caller.request(
            target,
            Command::Correct(correct),
            Some(self.p_idempotency_key.0),
        ))
    }
}
