//! `release_reservation`: drops a hold.

use mec_core::{Command, ops};
use mec_engine::{Request, Target};
use uuid::Uuid;

use super::{Ask, Named};
use crate::args::params;
use crate::auth::{Caller, Meterer};
use crate::error::ApiError;
use crate::openapi::Answer;

params! {
    /// Drops a hold.
    /// False where it is unknown or has ended already.
    ReleaseReservation {
        /// The reservation.
        p_reservation_id: Uuid,
    }
}

impl Named for ReleaseReservation {
    const NAME: &'static str = "release_reservation";
}

impl Ask for ReleaseReservation {
    type Who = Meterer;
    const ERRORS: &'static [&'static str] = &["already_committed"];

    fn answer() -> Answer {
        Answer::yes_or_no("Whether the hold was dropped")
    }

    fn request(self, caller: &Caller) -> Result<Request, ApiError> {
        let reservation_id = self.p_reservation_id;
        let release = Command::ReleaseReservation(ops::reserve::Release { reservation_id });
        Ok(caller.request(Target::Reservation(reservation_id), release, None))
    }
}
