//! How many requests a client may send: `100/s burst 100`, or `off`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// The most requests that a rate can name.
const MAX_REQUESTS: u32 = 1_000_000;

/// So many requests in a time, and so many of them at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rate {
    /// Requests in the time; 1 to 1,000,000.
    requests: NonZeroU32,
    /// In which time they may come.
    per: Per,
    /// Requests that may come at once after a rest; 1 to 1,000,000.
    burst: NonZeroU32,
}

/// The time of a rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Per {
    Second,
    Minute,
}

impl Per {
    const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
        }
    }
}

impl Rate {
    /// So many a second.
    pub(super) const fn per_second(requests: NonZeroU32, burst: NonZeroU32) -> Self {
        Self {
            requests,
            per: Per::Second,
            burst,
        }
    }

    /// After how long another request may come.
    pub(super) fn period(self) -> Duration {
        Duration::from_secs(self.per.seconds().into()) / self.requests.get()
    }

    pub(super) fn burst(self) -> NonZeroU32 {
        self.burst
    }

    /// After how many whole seconds `requests` may come again.
    pub(super) fn seconds_for(self, requests: u32) -> u64 {
        let seconds = u64::from(requests) * u64::from(self.per.seconds());
        seconds.div_ceil(self.requests.get().into())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::Second => 's',
            Per::Minute => 'm',
        };
        write!(f, "{}/{per} burst {}", self.requests, self.burst)
    }
}

/// A text is no rate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a rate is off, or like 100/s burst 100 or 600/m burst 50, of 1 to {MAX_REQUESTS} requests; \
     without burst as many may come at once"
)]
pub struct NoRate;

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let mut words = text.split_ascii_whitespace();
        let (requests, per) = words
            .next()
            .and_then(|rate| rate.split_once('/'))
            .ok_or(NoRate)?;
        let per = match per {
            "s" => Per::Second,
            "m" => Per::Minute,
            _ => return Err(NoRate),
        };
        let requests = whole(requests)?;
        let burst = match (words.next(), words.next(), words.next()) {
            (None, ..) => requests,
            (Some("burst"), Some(burst), None) => whole(burst)?,
            _ => return Err(NoRate),
        };
        Ok(Self {
            requests,
            per,
            burst,
        })
    }
}

fn whole(text: &str) -> Result<NonZeroU32, NoRate> {
    let number = text.parse::<NonZeroU32>().ok();
    // A sign would be read, too.
    let number = number.filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .filter(|number| number.get() <= MAX_REQUESTS)
        .ok_or(NoRate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, told: &str, period: Duration, seconds: u64) {
        let rate: Rate = text.parse().unwrap();
        assert_eq!(rate.to_string(), told);
        assert_eq!(rate.period(), period);
        assert_eq!(rate.seconds_for(rate.burst().get()), seconds);
    }

    #[test]
    fn rates_are_read_as_they_are_written() {
        let millis = Duration::from_millis;
        check("100/s burst 100", "100/s burst 100", millis(10), 1);
        check("10/s burst 20", "10/s burst 20", millis(100), 2);
        check(" 10/s  burst 25 ", "10/s burst 25", millis(100), 3);
        check("60/m", "60/m burst 60", millis(1_000), 60);
        check("1/m burst 3", "1/m burst 3", millis(60_000), 180);
        check(
            "1000000/s",
            "1000000/s burst 1000000",
            Duration::from_micros(1),
            1,
        );
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            "100",
            "100/",
            "/s",
            "0/s",
            "+1/s",
            "-1/s",
            "1.5/s",
            "100/h",
            "100/s 100",
            "100/s burst",
            "100/s burst 0",
            "100/s burst 1 2",
            "1000001/s",
            "100/s burst 1000001",
            "100 /s",
            "100/S",
            "off",
        ] {
            assert_eq!(text.parse::<Rate>(), Err(NoRate), "{text:?}");
        }
    }
}
