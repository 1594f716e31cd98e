//! An issuer of tokens whose public keys are fetched: kept, fetched anew from time to time, and once for a
//! key that is not known.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode};
use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::claims::{ClaimPaths, Claimed};
use super::key_set::KeySet;
use super::token::{invalid, reason, validation};
use crate::error::ApiError;

/// How long a fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// How soon a fetch that failed is tried again in the background.
const RETRY: Duration = Duration::from_secs(10);

/// Where the keys of an issuer come from.
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// Fetches the set of keys, a JWK Set of at most 256 KiB.
    fn fetch(&self) -> Fetching<'_>;
}

/// A fetch under way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, KeySourceError>> + Send + 'a>>;

/// Keys could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeySourceError(
    /// Why, as a sentence.
    pub String,
);

/// An issuer whose tokens are taken, signed by RS256 or ES256.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// Where its keys come from.
    pub source: Arc<dyn KeySource>,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// What `aud` must name, one of them.
    pub audiences: Vec<String>,
    /// Where its tokens say what MEC goes by.
    pub claims: ClaimPaths,
    /// How often keys are fetched in the background.
    pub refresh: Duration,
    /// How long no fetch is made for an unknown key after one brought nothing new.
    pub pause: Duration,
}

/// The issuer with the keys that are known of it.
pub struct Issuer {
    config: IssuerConfig,
    validation: Validation,
    keys: RwLock<Arc<KeySet>>,
    /// Rises when the keys change, so that what was verified before is verified anew.
    version: AtomicU64,
    /// How many fetches have ended.
    rounds: AtomicU64,
    fetching: Mutex<Fetched>,
}

/// What is known of earlier fetches.
#[derive(Default)]
struct Fetched {
    /// When one was made for an unknown key, and brought nothing new.
    for_unknown: Option<Instant>,
    /// Whether the last one failed.
    has_failed: bool,
}

impl Issuer {
    pub fn new(config: IssuerConfig) -> Self {
        let mut validation = validation(&config.audiences, &["exp", "aud", "iss"]);
        validation.set_issuer(&[&config.issuer]);
        Self {
            config,
            validation,
            keys: RwLock::default(),
            version: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
            fetching: Mutex::default(),
        }
    }

    /// Where its tokens say what MEC goes by.
    pub fn claims(&self) -> &ClaimPaths {
        &self.config.claims
    }

    /// The version of its keys.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What a token of its says, and the version of the keys by which that was verified.
    ///
    /// # Errors
    /// `invalid_token`; `issuer_unavailable` where the token names a key that is not known while keys
    /// cannot be fetched.
    pub async fn verify(
        self: &Arc<Self>,
        token: &str,
        header: &Header,
    ) -> Result<(Claimed, u64), ApiError> {
        let name = header.kid.as_deref();
        let seen = self.rounds.load(Ordering::Acquire);
        let (mut version, mut keys) = self.current();
        let is_known = match name {
            Some(name) => keys.knows(name),
            None => keys.find(None, header.alg).is_some(),
        };
        if !is_known {
            // A task of its own, so that a caller who goes away does not take the fetch along.
            let issuer = self.clone();
            let fetched = tokio::spawn(async move { issuer.fetch_for_unknown(seen).await }).await;
            (version, keys) = self.current();
            let is_known = name.map_or(!keys.is_empty(), |name| keys.knows(name));
            if !is_known && !fetched.unwrap_or(false) {
                return Err(unavailable());
            }
        }
        Ok((self.verify_by(&keys, token, header)?, version))
    }

    /// Its keys, and a version that is theirs or older.
    fn current(&self) -> (u64, Arc<KeySet>) {
        let version = self.version();
        (version, self.keys.read().clone())
    }

    fn verify_by(&self, keys: &KeySet, token: &str, header: &Header) -> Result<Claimed, ApiError> {
        let found = keys.find(header.kid.as_deref(), header.alg);
        let found = found.ok_or_else(|| invalid("its issuer has no such key for its algorithm"))?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        let verified = decode::<Claimed>(token, &found.key, &validation);
        let verified = verified.map_err(|error| match error.kind() {
            ErrorKind::InvalidIssuer => invalid("its iss is not the issuer's"),
            kind => invalid(reason(kind)),
        })?;
        Ok(verified.claims)
    }

    /// Fetches for a key that is not known, if nobody has since `seen` rounds and not just before; whether
    /// the issuer answers.
    async fn fetch_for_unknown(&self, seen: u64) -> bool {
        let mut fetched = self.fetching.lock().await;
        let is_too_soon = |at: Instant| at.elapsed() < self.config.pause;
        if self.rounds.load(Ordering::Acquire) == seen
            && !fetched.for_unknown.is_some_and(is_too_soon)
        {
            let version = self.version();
            self.fetch(&mut fetched).await;
            // One that brought other keys was worth it, and the next may be: strangers cannot cause that.
            fetched.for_unknown = (self.version() == version).then(Instant::now);
        }
        !fetched.has_failed
    }

    /// Fetches its keys; when to fetch them again.
    pub async fn refresh(&self) -> Duration {
        let mut fetched = self.fetching.lock().await;
        self.fetch(&mut fetched).await;
        if fetched.has_failed {
            RETRY.min(self.config.refresh)
        } else {
            self.config.refresh
        }
    }

    /// What cannot be fetched or used leaves the keys as they are.
    async fn fetch(&self, fetched: &mut Fetched) {
        let set = tokio::time::timeout(FETCH_TIMEOUT, self.config.source.fetch()).await;
        let set = set
            .map_err(|_| "no answer within 5 seconds".to_owned())
            .and_then(|set| set.map_err(|error| error.to_string()))
            .and_then(|set| KeySet::parse(&set).map_err(|error| error.to_string()));
        match set {
            Ok(set) => {
                let is_same = self.keys.read().is_same(&set);
                if !is_same {
                    *self.keys.write() = Arc::new(set);
                    self.version.fetch_add(1, Ordering::AcqRel);
                }
                fetched.has_failed = false;
            }
            Err(why) => {
                let issuer = &self.config.issuer;
                tracing::warn!(issuer, why, "the keys of the issuer could not be fetched");
                fetched.has_failed = true;
            }
        }
        self.rounds.fetch_add(1, Ordering::AcqRel);
    }
}

/// Whether an algorithm is one of an issuer with public keys.
pub fn is_public(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::RS256 | Algorithm::ES256)
}

fn unavailable() -> ApiError {
    let message = "the keys of the token's issuer cannot be fetched for now";
    ApiError::new("issuer_unavailable", message)
}
