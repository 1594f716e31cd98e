//! Rate limits: how many requests each client may send.
//!
//! A client is who its token says it is, or else its address; a token that proves nothing counts at the
//! address, so that guessing is limited. Addresses and identities have tables of their own: however many
//! addresses come, who shows a token has its seat.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue};
use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};

use super::peer::{TrustedProxies, network_of};
use super::rate::Rate;
use super::seats::{Client, Seats};
use crate::auth::{Identity, Role};
use crate::error::ApiError;
use crate::reply::fields::{RATE_LIMIT, RATE_LIMIT_POLICY, add_member};

/// So many clients are remembered for each rate at the most, of either kind.
const MAX_CLIENTS: usize = 65_536;
/// From so many clients on it is looked for those that rest.
const FEW_CLIENTS: usize = 1_024;
/// The least time between two such looks.
const SWEEP_EVERY: Duration = Duration::from_millis(100);

/// The settings of rate limits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RatesConfig {
    /// The rate of a client at all paths but those below; none for no limit. Default 100/s burst 100.
    pub api: Option<Rate>,
    /// The rate of a client at the paths below `/webhooks`; none for no limit. Default 10/s burst 20.
    pub webhooks: Option<Rate>,
    /// Proxies whose word about where a request comes from is believed. Default none.
    pub trusted_proxies: TrustedProxies,
    /// The `sub` of administrators of all namespaces who are not limited, as the commands of this machine.
    pub unlimited: Option<Arc<str>>,
}

impl Default for RatesConfig {
    fn default() -> Self {
        const fn number(number: u32) -> NonZeroU32 {
            match NonZeroU32::new(number) {
                Some(number) => number,
                None => NonZeroU32::MIN,
            }
        }
        Self {
            api: Some(Rate::per_second(number(100), number(100))),
            webhooks: Some(Rate::per_second(number(10), number(20))),
            trusted_proxies: TrustedProxies::default(),
            unlimited: None,
        }
    }
}

impl RatesConfig {
    /// No limits.
    pub fn off() -> Self {
        Self {
            api: None,
            webhooks: None,
            ..Self::default()
        }
    }
}

/// A clock that only goes forward.
pub trait Ticks: Send + Sync + 'static {
    /// The time since some moment that does not change.
    fn elapsed(&self) -> Duration;
}

impl Ticks for Instant {
    fn elapsed(&self) -> Duration {
        Self::elapsed(self)
    }
}

/// The same for governor.
#[derive(Clone)]
struct Ticking(Arc<dyn Ticks>);

impl Clock for Ticking {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// The rate limits of a front door.
pub struct Rates {
    config: RatesConfig,
    api: Option<Arc<Limit>>,
    webhooks: Option<Arc<Limit>>,
    hasher: RandomState,
    clock: Ticking,
}

impl Rates {
    pub fn new(config: RatesConfig, clock: Arc<dyn Ticks>) -> Self {
        let clock = Ticking(clock);
        let limit = |rate: Option<Rate>| rate.map(|rate| Arc::new(Limit::new(rate, &clock)));
        Self {
            api: limit(config.api),
            webhooks: limit(config.webhooks),
            hasher: RandomState::new(),
            config,
            clock,
        }
    }

    /// The same with other settings. A rate that stays goes on where it is.
    pub fn with(&self, config: RatesConfig) -> Self {
        let limit = |held: &Option<Arc<Limit>>, rate: Option<Rate>| {
            let rate = rate?;
            let held = held.clone().filter(|held| held.rate == rate);
            Some(held.unwrap_or_else(|| Arc::new(Limit::new(rate, &self.clock))))
        };
        Self {
            api: limit(&self.api, config.api),
            webhooks: limit(&self.webhooks, config.webhooks),
            hasher: self.hasher.clone(),
            clock: self.clock.clone(),
            config,
        }
    }

    pub fn trusted_proxies(&self) -> &TrustedProxies {
        &self.config.trusted_proxies
    }

    /// Counts a request; none where it is not limited.
    pub fn count(
        &self,
        path: &str,
        identity: Option<&Identity>,
        address: Option<IpAddr>,
    ) -> Option<Counted> {
        let limit = self.limit(path)?;
        let told = match identity {
            Some(identity) if self.is_unlimited(identity) => return None,
            Some(identity) => {
                let client = self.hasher.hash_one((&identity.namespace, &identity.by));
                limit.identities.count(client, limit.rate, &self.clock)
            }
            None => {
                let client = self.hasher.hash_one(address.map(network_of));
                limit.addresses.count(client, limit.rate, &self.clock)
            }
        };
        Some(Counted {
            policy: limit.policy.clone(),
            ..told
        })
    }

    fn limit(&self, path: &str) -> Option<&Limit> {
        let limit = match path {
            "/health" | "/ready" | "/metrics" => return None,
            "/webhooks" => &self.webhooks,
            _ if path.starts_with("/webhooks/") => &self.webhooks,
            _ => &self.api,
        };
        limit.as_deref()
    }

    fn is_unlimited(&self, identity: &Identity) -> bool {
        identity.role == Role::MecAdmin
            && identity.namespace.is_none()
            && self.config.unlimited.as_ref() == Some(&identity.by)
    }
}

/// The rate of one class of paths, with all who are counted by it.
struct Limit {
    rate: Rate,
    policy: HeaderValue,
    identities: Table,
    addresses: Table,
}

impl Limit {
    fn new(rate: Rate, clock: &Ticking) -> Self {
        let burst = rate.burst();
        let policy = format!("\"client\";q={burst};w={}", rate.seconds_for(burst.get()));
        Self {
            rate,
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("")),
            identities: Table::new(rate, clock),
            addresses: Table::new(rate, clock),
        }
    }
}

/// Clients and what they have left.
struct Table {
    limiter: RateLimiter<Client, Seats, Ticking, StateInformationMiddleware>,
    sweep_from: AtomicUsize,
    swept_millis: AtomicU64,
}

impl Table {
    fn new(rate: Rate, clock: &Ticking) -> Self {
        let quota = Quota::with_period(rate.period());
        // A rate has a period of a microsecond or more.
        let quota = quota.unwrap_or_else(|| Quota::per_second(NonZeroU32::MIN));
        let quota = quota.allow_burst(rate.burst());
        Self {
            limiter: RateLimiter::new(quota, Seats::new(MAX_CLIENTS), clock.clone()),
            sweep_from: AtomicUsize::new(FEW_CLIENTS),
            swept_millis: AtomicU64::default(),
        }
    }

    fn count(&self, client: Client, rate: Rate, clock: &Ticking) -> Counted {
        if self.limiter.len() >= self.sweep_from.load(Ordering::Relaxed) {
            self.sweep(clock);
        }
        let (remaining, wait) = match self.limiter.check_key(&client) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(refused) => (0, Some(refused.wait_time_from(clock.now()))),
        };
        Counted {
            policy: HeaderValue::from_static(""),
            remaining,
            reset_seconds: rate.seconds_for(rate.burst().get().saturating_sub(remaining)),
            // Who comes back a moment too early would be refused again.
            retry_seconds: wait.map(|wait| wait.as_millis().div_ceil(1_000).max(1)),
        }
    }

    /// Forgets those who rest: what they may send is what a new client may.
    fn sweep(&self, clock: &Ticking) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = millis(clock.0.elapsed());
        let last = self.swept_millis.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(last) >= millis(SWEEP_EVERY);
        let order = Ordering::Relaxed;
        let is_mine = is_due
            && (self.swept_millis)
                .compare_exchange(last, now, order, order)
                .is_ok();
        if is_mine {
            self.limiter.retain_recent();
            let next = self.limiter.len().saturating_mul(2);
            self.sweep_from
                .store(next.clamp(FEW_CLIENTS, MAX_CLIENTS), order);
        }
    }
}

/// What counting a request told.
#[derive(Debug)]
pub struct Counted {
    policy: HeaderValue,
    remaining: u32,
    reset_seconds: u64,
    /// After how long to come again, where the request is refused.
    retry_seconds: Option<u128>,
}

impl Counted {
    /// Refuses what is over the limit.
    pub fn admit(&self) -> Result<(), ApiError> {
        let Some(seconds) = self.retry_seconds else {
            return Ok(());
        };
        let message = "this client sent more requests than it may";
        let hint = "wait as long as Retry-After says, and send less at once";
        Err(ApiError::new("rate_limited", message)
            .with_hint(Some(hint))
            .with_retry_after(u64::try_from(seconds).unwrap_or(u64::MAX)))
    }

    /// Tells it by the fields of draft-ietf-httpapi-ratelimit-headers-10, beside what stands there of a
    /// check's own quota.
    pub fn tell(&self, headers: &mut HeaderMap) {
        add_member(headers, RATE_LIMIT_POLICY, self.policy.clone());
        let mut text = String::with_capacity(32);
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "\"client\";r={};t={}",
            self.remaining, self.reset_seconds
        );
        if let Ok(value) = HeaderValue::try_from(text) {
            add_member(headers, RATE_LIMIT, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    struct Hands(AtomicU64);

    impl Ticks for Hands {
        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::SeqCst))
        }
    }

    #[test]
    fn memory_is_bounded_and_who_rests_is_forgotten() {
        let hands = Arc::new(Hands(AtomicU64::new(1_000)));
        let config = RatesConfig {
            api: Some("1/s burst 2".parse().unwrap()),
            ..RatesConfig::default()
        };
        let rates = Rates::new(config, hands.clone());
        let come = |number: u32| {
            let address = IpAddr::from(number.to_be_bytes());
            let told = rates.count("/api/accounts", None, Some(address)).unwrap();
            told.admit().is_ok()
        };
        let held = || rates.api.as_ref().unwrap().addresses.limiter.len();
        let many = 2 * u32::try_from(MAX_CLIENTS).unwrap();
        for number in 0..many {
            come(number);
        }
        assert!(held() <= MAX_CLIENTS, "{}", held());
        // Who has a seat keeps it; the others share what one may.
        assert!(come(0) && !come(0));
        assert!(!come(many - 1));
        hands.0.fetch_add(10_000, Ordering::SeqCst);
        assert!(come(many - 1) && come(many - 1) && !come(many - 1));
        assert!(held() <= 2, "{}", held());
    }

    #[test]
    fn a_rate_that_stays_goes_on_through_a_reload() {
        let config = RatesConfig {
            api: Some("1/s burst 1".parse().unwrap()),
            ..RatesConfig::default()
        };
        let rates = Rates::new(config.clone(), Arc::new(Hands(AtomicU64::new(0))));
        let come = |rates: &Rates, path: &str| {
            let told = rates.count(path, None, None);
            told.is_none_or(|told| told.admit().is_ok())
        };
        assert!(come(&rates, "/api/accounts") && !come(&rates, "/api/accounts"));
        let rates = rates.with(RatesConfig {
            webhooks: None,
            ..config.clone()
        });
        assert!(!come(&rates, "/api/accounts"));
        assert!((0..100).all(|_| come(&rates, "/webhooks/stripe")));
        let rates = rates.with(RatesConfig {
            api: Some("1/s burst 2".parse().unwrap()),
            ..config
        });
        assert!(come(&rates, "/api/accounts") && come(&rates, "/api/accounts"));
        assert!(!come(&rates, "/api/accounts"));
    }
}
