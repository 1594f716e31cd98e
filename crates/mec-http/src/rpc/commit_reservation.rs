//! `commit_reservation`: turns a hold into an event with the real quantity.

use mec_core::{Command, Quantity, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::{Ask, Named};
use crate::args::{Details, params};
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Turns a hold into an event with the real quantity.
    /// It is not refused for the quantity; after the hold's expiry it is recorded all the same and
    /// answered with the header `MEC-Late: true`.
    CommitReservation {
        /// The reservation.
        p_reservation_id: Uuid,
        /// The real quantity, in the reservation's unit; as reserved where none is given.
        p_quantity: Option<Quantity>,
        /// Free keys and texts, kept with the event.
        p_details: Option<Details>,
    }
}

impl Named for CommitReservation {
    const NAME: &'static str = "commit_reservation";
}

impl Ask for CommitReservation {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &[
        "reservation_not_found",
        "already_committed",
        "already_released",
        "invalid_quantity",
        "too_many_decimals",
        "inventory_below_zero",
        "quantity_overflow",
    ];

    fn answer() -> Answer {
        Answer::id("The event's id")
    }

    fn request(self, caller: &Caller) -> Result<Request, ApiError> {
        let commit = ops::reserve::Commit {
            reservation_id: self.p_reservation_id,
            quantity: self.p_quantity,
            details: self.p_details.unwrap_or_default().0,
        };
        let target = Target::Reservation(self.p_reservation_id);
        Ok(caller.request(target, Command::CommitReservation(commit), None))
    }
}
