//! New ids: version 7 UUIDs, which rise, so that new rows stand at the end of their tables.

use mec_core::IdSource;
use uuid::Uuid;

/// Rising ids by the machine's clock and randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RisingIds;

impl IdSource for RisingIds {
    fn next_id(&mut self) -> Uuid {
        Uuid::now_v7()
    }
}
