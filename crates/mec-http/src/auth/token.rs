//! Tokens: JWTs signed by HS256.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use mec_core::Namespace;
use mec_core::ids::is_key;
use mec_query::Role;
use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::ApiError;

/// The `aud` of every token for MEC.
const AUDIENCE: &str = "mec-service";
/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: u64 = 30;
/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// So many verified tokens are remembered at the most.
const MAX_REMEMBERED: usize = 10_000;

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who, for the audit.
    pub sub: String,
    /// The role.
    pub role: Role,
    /// The namespace, or `*` for an administrator of all.
    pub namespace_id: String,
    /// The account in whose subtree a user may act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<Uuid>,
    /// Always `mec-service`.
    pub aud: String,
    /// When it ends, in seconds since 1970.
    pub exp: u64,
}

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("the token could not be signed")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

/// Signs a token.
pub fn issue_token(secret: &[u8], claims: &Claims) -> Result<String, TokenError> {
    Ok(encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(secret),
    )?)
}

/// What is read of a token. `aud` is checked before and may be a list.
#[derive(Deserialize)]
struct Claimed {
    sub: String,
    role: Role,
    namespace_id: String,
    account_id: Option<Uuid>,
    exp: u64,
}

/// Who a verified token is.
#[derive(Debug)]
pub struct Identity {
    pub by: Arc<str>,
    pub role: Role,
    /// None for an administrator of all namespaces.
    pub namespace: Option<Namespace>,
    pub account: Option<Uuid>,
    exp: u64,
}

/// Verifies tokens and remembers those it has verified until they end.
pub struct Verifier {
    keys: Vec<DecodingKey>,
    validation: Validation,
    /// By the token's SHA-256, so that looking one up tells nothing about another.
    remembered: RwLock<FxHashMap<[u8; 32], Arc<Identity>>>,
}

impl Verifier {
    pub fn new(secrets: &[SecretString]) -> Self {
        let key =
            |secret: &SecretString| DecodingKey::from_secret(secret.expose_secret().as_bytes());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        // Without this a token that lacks `aud` would pass.
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_SECONDS;
        let keys = secrets.iter().map(key).collect();
        Self {
            keys,
            validation,
            remembered: RwLock::default(),
        }
    }

    /// Who a token is; `invalid_token` where it proves nothing.
    pub fn verify(&self, token: &str) -> Result<Arc<Identity>, ApiError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(invalid("it is longer than 8 KiB"));
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let held = self.remembered.read().get(&digest).cloned();
        if let Some(identity) = held {
            return if has_ended(identity.exp) {
                Err(invalid("it has expired"))
            } else {
                Ok(identity)
            };
        }
        let identity = Arc::new(self.verify_anew(token)?);
        self.remember(digest, identity.clone());
        Ok(identity)
    }

    fn verify_anew(&self, token: &str) -> Result<Identity, ApiError> {
        let mut refused = invalid("it is not signed for MEC");
        for key in &self.keys {
            match decode::<Claimed>(token, key, &self.validation) {
                Ok(verified) => return identity(verified.claims),
                Err(error) => {
                    let why = reason(error.kind());
                    // Another key may have signed it.
                    if !matches!(error.kind(), ErrorKind::InvalidSignature) {
                        return Err(invalid(why));
                    }
                    refused = invalid(why);
                }
            }
        }
        Err(refused)
    }

    fn remember(&self, digest: [u8; 32], identity: Arc<Identity>) {
        let mut remembered = self.remembered.write();
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, held| !has_ended(held.exp));
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest, identity);
    }
}

fn identity(claims: Claimed) -> Result<Identity, ApiError> {
    if !is_key(&claims.sub) {
        return Err(invalid(
            "its sub is not 1 to 255 bytes without control characters",
        ));
    }
    let namespace = match claims.namespace_id.as_str() {
        "*" if claims.role == Role::MecAdmin => None,
        "*" => return Err(invalid("the namespace * is for the role mec_admin only")),
        name => Some(
            Namespace::parse(name).ok_or_else(|| invalid("its namespace_id is no namespace"))?,
        ),
    };
    let by = claims.sub.into();
    Ok(Identity {
        by,
        role: claims.role,
        namespace,
        account: claims.account_id,
        exp: claims.exp,
    })
}

fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidSignature => "its signature does not fit",
        ErrorKind::InvalidAudience => "its aud is not mec-service",
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => "it has no aud",
        ErrorKind::MissingRequiredClaim(_) => "it has no exp",
        ErrorKind::InvalidAlgorithm => "it is not signed by HS256",
        _ => "it is malformed, or lacks sub, role or namespace_id",
    }
}

fn invalid(why: &'static str) -> ApiError {
    ApiError::new("invalid_token", "the bearer token is not valid").with_details(why)
}

fn has_ended(exp: u64) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    exp.saturating_add(LEEWAY_SECONDS) < now
}
