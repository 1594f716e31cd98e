//! API keys: `mec_key_`, the id by which a key is looked up, and its secret, both in hexadecimal digits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mec_core::Timestamp;
use mec_engine::Engine;
use mec_store::ApiKey;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::token::{Identity, invalid, unix_seconds};
use crate::error::ApiError;

/// How a key begins, so that people and scanners of source code know one.
const PREFIX: &str = "mec_key_";
/// How long a use of a key is not noted after one was, in seconds.
const NOTED_SECONDS: u64 = 60;

/// Whether a token means to be a key.
pub fn is_key(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// A new key as it is shown, once, and the hash of its secret.
///
/// # Errors
/// Where the machine gives no random numbers.
pub fn make(id: Uuid) -> Result<(String, [u8; 32]), getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((format!("{PREFIX}{}_{digits}", id.simple()), hash(&secret)))
}

fn hash(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// A key that a caller shows.
struct Shown {
    id: Uuid,
    hash: [u8; 32],
}

impl Shown {
    fn read(token: &str) -> Option<Self> {
        let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
        let id: [u8; 16] = bytes(id)?;
        let secret: [u8; 32] = bytes(secret)?;
        Some(Self {
            id: Uuid::from_bytes(id),
            hash: hash(&secret),
        })
    }
}

/// The bytes of exactly as many hexadecimal digits, in small letters: a key has one spelling.
fn bytes<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * N || !digits.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

/// A key that was verified, for as long as no key changes.
#[derive(Debug)]
pub struct Proven {
    id: Uuid,
    version: Option<u64>,
    /// When a use was last noted, in seconds since 1970.
    noted: AtomicU64,
}

impl Proven {
    /// Whether it is known still that the key was not revoked.
    pub fn still_holds(&self, engine: &Engine) -> bool {
        self.version.is_some() && engine.api_keys_version() == self.version
    }

    /// Notes a use in the background, once a minute at the most.
    pub fn note_use(&self, engine: &Arc<Engine>) {
        let now = unix_seconds();
        let noted = self.noted.load(Ordering::Relaxed);
        if now < noted.saturating_add(NOTED_SECONDS) {
            return;
        }
        let order = Ordering::Relaxed;
        if self
            .noted
            .compare_exchange(noted, now, order, order)
            .is_ok()
        {
            let (engine, id) = (engine.clone(), self.id);
            tokio::spawn(async move {
                if let Err(error) = engine.note_api_key_use(id).await {
                    tracing::warn!(%error, "that a key was used could not be noted");
                }
            });
        }
    }
}

/// Who a key is.
///
/// # Errors
/// `invalid_token` where it is none, was revoked or has expired; `store_unavailable` where that cannot be
/// told for now.
pub async fn verify(engine: &Engine, token: &str) -> Result<(Identity, Proven), ApiError> {
    let shown = Shown::read(token).ok_or_else(|| invalid("it is no API key"))?;
    // Before the key is read: what becomes of it later is another version.
    let version = engine.api_keys_version();
    let key = engine.api_key(shown.id).await?;
    let key = key.filter(|key| key.secret_hash.ct_eq(&shown.hash).into());
    let key = key.ok_or_else(|| invalid("it is no API key that MEC knows"))?;
    if key.revoked_at.is_some() {
        return Err(invalid("the API key was revoked"));
    }
    let identity = identity(&key);
    if identity.has_ended() {
        return Err(invalid("the API key has expired"));
    }
    let noted = key.last_used_at.map_or(0, seconds);
    let proven = Proven {
        id: key.key_id,
        version,
        noted: AtomicU64::new(noted),
    };
    Ok((identity, proven))
}

fn identity(key: &ApiKey) -> Identity {
    // It is taken before the moment, not in it.
    let last = |at| seconds(at).saturating_sub(1);
    Identity {
        by: format!("api-key:{}", key.key_id).into(),
        role: key.role,
        namespace: key.namespace.clone(),
        account: key.account_id,
        last_second: key.expires_at.map_or(u64::MAX, last),
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros() / Timestamp::MICROS_PER_SECOND).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling() {
        let id = Uuid::from_u128(7);
        let (text, hash) = make(id).unwrap();
        let shown = Shown::read(&text).unwrap();
        assert_eq!((shown.id, shown.hash), (id, hash));
        assert_eq!(text.len(), 8 + 32 + 1 + 64);
        assert_ne!(make(id).unwrap().0, text);
        for bad in [
            text.to_uppercase(),
            format!("{text}0"),
            format!("{text}_"),
            text.replace("mec_key_", "mec_key_+"),
            text[..text.len() - 1].to_owned(),
            text[8..].to_owned(),
        ] {
            assert!(Shown::read(&bad).is_none(), "{bad}");
        }
    }
}
