//! Counters: sums of usage as a Book holds them. The store keeps buckets of a minute, an hour and a
//! day and a total; a Book holds the sum per window in force, and for rolling windows hour totals
//! and the minutes of the hours at the edge.

use imbl::OrdMap;
use smallvec::SmallVec;

use crate::ids::Code;
use crate::time::Timestamp;

/// Which sums: of a resource at a level, over all scopes or one, of usage or of draws.
#[derive(Clone, Debug, Eq, PartialEq, Hash)]
pub struct CounterKey {
    /// The resource.
    pub resource: Code,
    /// None: all scopes together. Some: exactly this one.
    pub scope: Option<Code>,
    /// None: consumption. Some: what was drawn from grants of this window type.
    pub drawn_for: Option<Code>,
}

/// The sum of a counter in `[from, to)`.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSum {
    /// From when; none for the beginning.
    pub from: Option<Timestamp>,
    /// Until when; none for the end.
    pub to: Option<Timestamp>,
    /// The sum, in the base unit.
    pub sum: i128,
}

impl RangeSum {
    /// Adds an amount at a bucket's start if the range contains it.
    pub fn add(&mut self, bucket: Timestamp, amount: i128) {
        if self.from.is_none_or(|from| from <= bucket) && self.to.is_none_or(|to| bucket < to) {
            self.sum = self.sum.saturating_add(amount);
        }
    }
}

/// Hour totals since an hour, and the minutes of some hours.
#[derive(Clone, Debug, Default)]
pub struct Rolling {
    from_hour: Timestamp,
    total: i128,
    hours: OrdMap<Timestamp, i128>,
    minutes: OrdMap<Timestamp, i128>,
    detailed: SmallVec<[Timestamp; 2]>,
}

/// One counter of one level.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    ranges: SmallVec<[RangeSum; 2]>,
    rolling: Option<Rolling>,
}

/// So many windows of one counter are kept; more make room by dropping the one that ends first.
const MAX_RANGES: usize = 8;

impl Counter {
    /// The sum in a range, if it is held.
    pub fn sum(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Option<i128> {
        self.ranges
            .iter()
            .find(|range| range.from == from && range.to == to)
            .map(|range| range.sum)
    }

    /// The sum since a whole minute, if it is held.
    pub fn sum_since(&self, start: Timestamp) -> Option<i128> {
        self.rolling.as_ref()?.sum_since(start)
    }

    /// Since which hour the hour totals are held.
    pub fn rolling_from(&self) -> Option<Timestamp> {
        self.rolling.as_ref().map(|rolling| rolling.from_hour)
    }

    /// Usage by the finest bucket within one hour, if it is held.
    pub fn minutes_of(
        &self,
        hour: Timestamp,
    ) -> Option<impl Iterator<Item = (Timestamp, i128)> + '_> {
        let rolling = self.rolling.as_ref()?;
        rolling.detailed.contains(&hour).then(|| {
            let end = hour.saturating_add_micros(Timestamp::MICROS_PER_HOUR);
            rolling
                .minutes
                .range(hour..end)
                .map(|(at, amount)| (*at, *amount))
        })
    }

    /// Hour totals from an hour on, if they are held.
    pub fn hours_from(
        &self,
        hour: Timestamp,
    ) -> Option<impl Iterator<Item = (Timestamp, i128)> + '_> {
        let rolling = self.rolling.as_ref()?;
        (rolling.from_hour <= hour).then(|| {
            rolling
                .hours
                .range(hour..)
                .map(|(at, amount)| (*at, *amount))
        })
    }

    /// Takes in a sum that was loaded.
    pub fn absorb_sum(&mut self, range: RangeSum) {
        self.ranges
            .retain(|held| held.from != range.from || held.to != range.to);
        if self.ranges.len() >= MAX_RANGES {
            let ends = |range: &RangeSum| range.to.unwrap_or(Timestamp::MAX);
            if let Some(first) =
                (0..self.ranges.len()).min_by_key(|at| self.ranges.get(*at).map(ends))
            {
                self.ranges.remove(first);
            }
        }
        self.ranges.push(range);
    }

    /// Takes in hour totals since an hour and the minutes of one hour that were loaded.
    pub fn absorb_rolling(
        &mut self,
        from_hour: Timestamp,
        hours: impl IntoIterator<Item = (Timestamp, i128)>,
        minutes_of: Timestamp,
        minutes: impl IntoIterator<Item = (Timestamp, i128)>,
    ) {
        let rolling = self.rolling.get_or_insert_with(Rolling::default);
        rolling.from_hour = from_hour;
        rolling.hours = OrdMap::new();
        for (at, amount) in hours {
            add_to(&mut rolling.hours, at, amount);
        }
        rolling.total = rolling.hours.values().sum();
        let kept: SmallVec<[Timestamp; 2]> = rolling
            .detailed
            .iter()
            .copied()
            .filter(|hour| *hour != minutes_of && *hour >= from_hour)
            .collect();
        rolling.minutes = rolling
            .minutes
            .iter()
            .filter(|(at, _)| kept.contains(&at.floor_hour()))
            .map(|(a, b)| (*a, *b))
            .collect();
        rolling.detailed = kept;
        for (at, amount) in minutes {
            add_to(&mut rolling.minutes, at, amount);
        }
        rolling.detailed.push(minutes_of);
    }

    /// Adds an amount at a bucket's start to everything held that contains it.
    pub fn add(&mut self, bucket: Timestamp, amount: i128) {
        for range in &mut self.ranges {
            range.add(bucket, amount);
        }
        if let Some(rolling) = &mut self.rolling {
            rolling.add(bucket, amount);
        }
    }
}

impl Rolling {
    fn sum_since(&self, start: Timestamp) -> Option<i128> {
        let hour = start.floor_hour();
        if hour < self.from_hour {
            return None;
        }
        let before: i128 = self.hours.range(..hour).map(|(_, amount)| *amount).sum();
        let since_hour = self.total.checked_sub(before)?;
        if hour == start {
            return Some(since_hour);
        }
        if !self.detailed.contains(&hour) {
            return (!self.hours.contains_key(&hour)).then_some(since_hour);
        }
        let left: i128 = self
            .minutes
            .range(hour..start)
            .map(|(_, amount)| *amount)
            .sum();
        since_hour.checked_sub(left)
    }

    fn add(&mut self, bucket: Timestamp, amount: i128) {
        let hour = bucket.floor_hour();
        if hour < self.from_hour {
            return;
        }
        add_to(&mut self.hours, hour, amount);
        self.total = self.total.saturating_add(amount);
        if self.detailed.contains(&hour) {
            add_to(&mut self.minutes, bucket, amount);
        }
    }
}

fn add_to(sums: &mut OrdMap<Timestamp, i128>, at: Timestamp, amount: i128) {
    let sum = sums.get(&at).copied().unwrap_or(0).saturating_add(amount);
    sums.insert(at, sum);
}
