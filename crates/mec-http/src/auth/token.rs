//! Tokens that are JWTs: how MEC signs its own, and what one that was verified says.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, EncodingKey, Header, Validation, decode_header, encode};
use mec_core::Namespace;
use mec_core::ids::is_key;
use mec_query::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::claims::{ClaimPaths, Claimed};
use crate::error::ApiError;

/// The `aud` of every token that is signed by HS256.
pub const AUDIENCE: &str = "mec-service";
/// How far clocks may differ, in seconds.
const LEEWAY_SECONDS: u64 = 30;

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

/// Who a verified token is.
#[derive(Debug)]
pub struct Identity {
    pub by: Arc<str>,
    pub role: Role,
    /// None for an administrator of all namespaces.
    pub namespace: Option<Namespace>,
    pub account: Option<Uuid>,
    /// The last second in which it is taken, since 1970.
    pub(super) last_second: u64,
}

impl Identity {
    /// Who the claims of a verified token say it is.
    pub(super) fn of(claims: &Claimed, paths: &ClaimPaths) -> Result<Self, ApiError> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let sub = text(claims.get("sub")).filter(|sub| is_key(sub));
        let sub = sub.ok_or_else(|| {
            invalid("its sub is not a text of 1 to 255 bytes without control characters")
        })?;
        let role = paths
            .role(claims)
            .and_then(|role| Role::deserialize(role).ok());
        let role = role.ok_or_else(|| invalid("it says no role that MEC knows"))?;
        let namespace = text(paths.namespace(claims));
        let namespace = namespace.ok_or_else(|| invalid("it says no namespace"))?;
        let namespace = match namespace.as_str() {
            "*" if role == Role::MecAdmin => None,
            "*" => return Err(invalid("the namespace * is for the role mec_admin only")),
            name => Some(
                Namespace::parse(name).ok_or_else(|| invalid("its namespace is no namespace"))?,
            ),
        };
        let account = paths.account(claims).map(Uuid::deserialize).transpose();
        let account = account.map_err(|_| invalid("its account is no UUID"))?;
        let exp = claims.get("exp").and_then(seconds);
        let exp = exp.ok_or_else(|| invalid("its exp is no number of seconds"))?;
        Ok(Self {
            by: sub.into(),
            role,
            namespace,
            account,
            last_second: exp.saturating_add(LEEWAY_SECONDS),
        })
    }

    pub(super) fn has_ended(&self) -> bool {
        self.last_second < unix_seconds()
    }
}

/// Whole seconds of a NumericDate (RFC 7519), which may have a fraction.
fn seconds(value: &Value) -> Option<u64> {
    let whole = value.as_u64();
    // A cast of a float saturates, and a time so far off is as good as any.
    whole.or_else(|| value.as_f64().map(|fraction| fraction as u64))
}

/// The head of a token. What stands in it is not proven yet: it says by which key that is to be done.
pub fn header(token: &str) -> Result<Header, ApiError> {
    let parts = token.split('.').count();
    let header = decode_header(token).ok().filter(|_| parts == 3);
    let header = header.ok_or_else(|| invalid("it is no JWT of a known algorithm"))?;
    if header.crit.is_some() {
        return Err(invalid("it names header parameters as critical"));
    }
    if header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() {
        return Err(invalid("it brings a key along"));
    }
    Ok(header)
}

/// What is checked of a token besides its signature. Without an algorithm no token passes.
pub fn validation(audiences: &[String], required: &[&str]) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.algorithms = Vec::new();
    validation.set_audience(audiences);
    // A claim that is not required is not missed where it is checked.
    validation.set_required_spec_claims(required);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY_SECONDS;
    validation
}

/// Why a token is refused.
pub fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidSignature => "its signature does not fit",
        ErrorKind::InvalidAudience => "its aud does not name MEC",
        ErrorKind::MissingRequiredClaim(claim) => match claim.as_str() {
            "aud" => "it has no aud",
            "iss" => "it has no iss",
            _ => "it has no exp",
        },
        ErrorKind::InvalidAlgorithm => "it is not signed by the algorithm of its key",
        _ => "it is malformed",
    }
}

/// The error of a token that proves nothing.
pub fn invalid(why: &'static str) -> ApiError {
    ApiError::new("invalid_token", "the bearer token is not valid").with_details(why)
}

/// The present second, since 1970.
pub fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
