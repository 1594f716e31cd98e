//! How many refusals are kept of those that anybody can cause.

use std::hash::BuildHasher;
use std::net::IpAddr;

use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;

/// So many are kept at once, of all addresses.
const BURST: u64 = 200;
/// One more is kept after this time, in milliseconds: 86,400 in a day, some 30 MB.
const EVERY_MS: u64 = 1_000;
/// So many are kept at once of the addresses that share a part of it.
const PART_BURST: u64 = 20;
/// One more of a part is kept after this time, in milliseconds.
const PART_EVERY_MS: u64 = 10_000;
/// Into so many parts are addresses sorted, so that a flood from one hides nothing of most others.
const PARTS: usize = 64;

/// A budget of refusals. Its memory is bounded, however many addresses there are.
#[derive(Debug, Default)]
pub struct Refusals {
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    all: Bucket,
    parts: [Bucket; PARTS],
    suppressed: u64,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            all: Bucket::default(),
            parts: [Bucket::default(); PARTS],
            suppressed: 0,
        }
    }
}

/// What was taken of a budget, as the time until which it is used up.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    until_ms: u64,
}

impl Bucket {
    /// The bucket after taking one, if there is one to take.
    fn take(self, now_ms: u64, burst: u64, every_ms: u64) -> Option<Self> {
        let until_ms = self.until_ms.max(now_ms).saturating_add(every_ms);
        let ahead = until_ms.saturating_sub(now_ms);
        (ahead <= burst.saturating_mul(every_ms)).then_some(Self { until_ms })
    }
}

impl Refusals {
    /// Whether one from this address is kept now. `now_ms` only rises.
    pub fn admits(&self, address: Option<IpAddr>, now_ms: u64) -> bool {
        let place = FxBuildHasher.hash_one(address) as usize % PARTS;
        let mut held = self.held.lock();
        let all = held.all.take(now_ms, BURST, EVERY_MS);
        let part = held.parts.get(place).copied().unwrap_or_default();
        let part = part.take(now_ms, PART_BURST, PART_EVERY_MS);
        let (Some(all), Some(part)) = (all, part) else {
            held.suppressed = held.suppressed.saturating_add(1);
            return false;
        };
        held.all = all;
        if let Some(kept) = held.parts.get_mut(place) {
            *kept = part;
        }
        true
    }

    /// How many were not kept since this was asked last.
    pub fn take_suppressed(&self) -> u64 {
        std::mem::take(&mut self.held.lock().suppressed)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn from(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(number).into())
    }

    fn kept(refusals: &Refusals, now_ms: u64, addresses: impl Iterator<Item = u32>) -> usize {
        addresses
            .filter(|address| refusals.admits(from(*address), now_ms))
            .count()
    }

    #[test]
    fn a_flood_from_one_address_is_counted_and_hides_no_other() {
        let refusals = Refusals::default();
        assert_eq!(kept(&refusals, 0, std::iter::repeat_n(7, 1000)), 20);
        let others = kept(&refusals, 0, 1000..1100);
        assert!(others > 90, "{others}");
        assert_eq!(refusals.take_suppressed(), 980 + (100 - others as u64));
        assert_eq!(refusals.take_suppressed(), 0);
        assert_eq!(kept(&refusals, 9_999, std::iter::repeat_n(7, 10)), 0);
        assert_eq!(kept(&refusals, 10_000, std::iter::repeat_n(7, 10)), 1);
    }

    #[test]
    fn a_flood_from_everywhere_has_a_bound() {
        let refusals = Refusals::default();
        assert_eq!(kept(&refusals, 0, 0..100_000), 200);
        assert_eq!(kept(&refusals, 60_000, 0..100_000), 60);
    }
}
