//! The room that the store takes, which is asked for rarely, since a large database takes a while to tell.

use std::time::{Duration, Instant};

use mec_engine::Engine;
use mec_store::StoreSize;
use parking_lot::Mutex;

/// How long an answer is told before the store is asked again.
const KEPT: Duration = Duration::from_secs(15);
/// How long the store is waited for. The metrics matter most while it does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Default)]
pub struct Sizes(Mutex<(Option<Instant>, StoreSize)>);

impl Sizes {
    /// The sizes as they are or, where the store does not answer, as they last were.
    pub async fn look(&self, engine: &Engine) -> StoreSize {
        {
            let mut held = self.0.lock();
            let (asked, size) = &mut *held;
            if asked.is_some_and(|asked| asked.elapsed() < KEPT) {
                return *size;
            }
            // Others who ask meanwhile are told what is known.
            *asked = Some(Instant::now());
        }
        let asked = tokio::time::timeout(PATIENCE, engine.store_size()).await;
        let mut held = self.0.lock();
        match asked {
            Ok(Ok(size)) => held.1 = size,
            Ok(Err(error)) => tracing::debug!(%error, "the store's size could not be asked"),
            Err(_) => tracing::debug!("the store's size was not told in time"),
        }
        held.1
    }
}
