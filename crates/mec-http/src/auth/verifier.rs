//! Verifying bearer tokens, and remembering those that were verified for as long as what verified them
//! holds.

use std::sync::{Arc, OnceLock};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use mec_engine::Engine;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use super::api_key::{self, Proven};
use super::claims::{ClaimPaths, Claimed};
use super::issuer::{Issuer, IssuerConfig, is_public};
use super::token::{AUDIENCE, Identity, header, invalid, reason, validation};
use crate::error::ApiError;

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// So many verified tokens are remembered at the most.
const MAX_REMEMBERED: usize = 10_000;

/// Verifies tokens.
pub struct Verifier {
    trust: RwLock<Arc<Trust>>,
    /// Where API keys are kept; none before an application stands behind the door.
    engine: OnceLock<Arc<Engine>>,
    replaced: Notify,
}

/// By what tokens are verified, and which were. Another one forgets them.
struct Trust {
    secrets: Vec<DecodingKey>,
    validation: Validation,
    issuer: Option<Arc<Issuer>>,
    /// By the token's SHA-256, so that looking one up tells nothing about another.
    remembered: RwLock<FxHashMap<[u8; 32], Held>>,
}

/// A token that was verified.
#[derive(Clone)]
struct Held {
    identity: Arc<Identity>,
    proof: Proof,
}

/// What proved it.
#[derive(Clone)]
enum Proof {
    /// A secret.
    Secret,
    /// A key of the issuer, when its keys had this version.
    Issuer(u64),
    /// It is an API key.
    ApiKey(Arc<Proven>),
}

impl Trust {
    fn new(secrets: &[SecretString], issuer: Option<IssuerConfig>) -> Arc<Self> {
        let key =
            |secret: &SecretString| DecodingKey::from_secret(secret.expose_secret().as_bytes());
        let mut validation = validation(&[AUDIENCE.to_owned()], &["exp", "aud"]);
        validation.algorithms = vec![Algorithm::HS256];
        Arc::new(Self {
            secrets: secrets.iter().map(key).collect(),
            validation,
            issuer: issuer.map(Issuer::new).map(Arc::new),
            remembered: RwLock::default(),
        })
    }

    fn by_secrets(&self, token: &str) -> Result<Claimed, ApiError> {
        let mut refused = invalid("it is signed by a secret, and MEC has none");
        for key in &self.secrets {
            match decode::<Claimed>(token, key, &self.validation) {
                Ok(verified) => return Ok(verified.claims),
                Err(error) => {
                    refused = invalid(reason(error.kind()));
                    // Another secret may have signed it.
                    if !matches!(error.kind(), ErrorKind::InvalidSignature) {
                        return Err(refused);
                    }
                }
            }
        }
        Err(refused)
    }

    fn remember(&self, digest: [u8; 32], held: Held) {
        let mut remembered = self.remembered.write();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, held| !held.identity.has_ended());
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest, held);
    }
}

impl Verifier {
    pub fn new(secrets: &[SecretString], issuer: Option<IssuerConfig>) -> Self {
        Self {
            trust: RwLock::new(Trust::new(secrets, issuer)),
            engine: OnceLock::new(),
            replaced: Notify::new(),
        }
    }

    /// Takes API keys of an engine. A door has one application behind it; another's keys are not taken.
    pub fn attach(&self, engine: &Arc<Engine>) {
        let _ = self.engine.set(engine.clone());
    }

    /// Verifies by other secrets and another issuer from now on. Nothing that was verified before counts.
    pub fn replace(&self, secrets: &[SecretString], issuer: Option<IssuerConfig>) {
        *self.trust.write() = Trust::new(secrets, issuer);
        self.replaced.notify_one();
    }

    /// Fetches the issuer's keys from time to time. Does not end.
    pub async fn keep_fresh(&self) {
        loop {
            let issuer = self.trust.read().issuer.clone();
            let replaced = self.replaced.notified();
            match issuer {
                Some(issuer) => {
                    let wait = issuer.refresh().await;
                    // Another issuer's keys are fetched at once.
                    let _ = tokio::time::timeout(wait, replaced).await;
                }
                None => replaced.await,
            }
        }
    }

    /// Who a token is.
    ///
    /// # Errors
    /// `invalid_token` where it proves nothing; `issuer_unavailable` where that cannot be told for now.
    pub async fn verify(&self, token: &str) -> Result<Arc<Identity>, ApiError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid("it is longer than 8 KiB"));
        }
        let trust = self.trust.read().clone();
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let held = trust.remembered.read().get(&digest).cloned();
        if let Some(held) = held.filter(|held| self.still_holds(&trust, &held.proof)) {
            if held.identity.has_ended() {
                return Err(invalid("it has expired"));
            }
            self.note_use(&held.proof);
            return Ok(held.identity);
        }
        // In a box, so that requests whose token is remembered do not carry the way of one that is not.
        let held = Box::pin(self.verify_anew(&trust, token)).await?;
        self.note_use(&held.proof);
        trust.remember(digest, held.clone());
        Ok(held.identity)
    }

    /// Whether the store has to be asked about a token: it looks like an API key, and is not remembered.
    pub fn must_ask(&self, token: &str) -> bool {
        if !api_key::is_key(token) || token.len() > MAX_TOKEN_BYTES {
            return false;
        }
        let trust = self.trust.read().clone();
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let held = trust.remembered.read().get(&digest).cloned();
        !held.is_some_and(|held| self.still_holds(&trust, &held.proof))
    }

    fn note_use(&self, proof: &Proof) {
        if let (Proof::ApiKey(proven), Some(engine)) = (proof, self.engine.get()) {
            proven.note_use(engine);
        }
    }

    fn still_holds(&self, trust: &Trust, proof: &Proof) -> bool {
        match proof {
            Proof::Secret => true,
            Proof::Issuer(version) => {
                let issuer = trust.issuer.as_ref();
                issuer.is_some_and(|issuer| issuer.version() == *version)
            }
            Proof::ApiKey(proven) => {
                let engine = self.engine.get();
                engine.is_some_and(|engine| proven.still_holds(engine))
            }
        }
    }

    async fn verify_anew(&self, trust: &Trust, token: &str) -> Result<Held, ApiError> {
        if api_key::is_key(token) {
            let engine = self.engine.get();
            let engine = engine.ok_or_else(|| invalid("API keys are not taken here"))?;
            let (identity, proven) = api_key::verify(engine, token).await?;
            return Ok(Held {
                identity: Arc::new(identity),
                proof: Proof::ApiKey(Arc::new(proven)),
            });
        }
        let header = header(token)?;
        let (identity, proof) = match (header.alg, &trust.issuer) {
            (Algorithm::HS256, _) => {
                let claims = trust.by_secrets(token)?;
                (
                    Identity::of(&claims, &ClaimPaths::default())?,
                    Proof::Secret,
                )
            }
            (algorithm, Some(issuer)) if is_public(algorithm) => {
                let (claims, version) = issuer.verify(token, &header).await?;
                let identity = Identity::of(&claims, issuer.claims())?;
                (identity, Proof::Issuer(version))
            }
            _ => return Err(invalid("it is not signed by an algorithm that MEC takes")),
        };
        Ok(Held {
            identity: Arc::new(identity),
            proof,
        })
    }
}
