//! Who calls: bearer tokens signed by HS256, and the role that a route wants.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use mec_core::Namespace;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::App;
use crate::error::ApiError;

/// Who a token may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Without a token.
    MecAnon,
    /// Checks, meters, consumes and leases.
    MecUser,
    /// All RPCs and writes of its namespace.
    MecService,
    /// The catalogue too; with the namespace `*` any namespace.
    MecAdmin,
}

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

const AUDIENCE: &str = "mec-service";

/// Signs a token.
pub fn issue_token(secret: &[u8], claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
    encode(
        &Header::new(Algorithm::HS256),
        claims,
        &EncodingKey::from_secret(secret),
    )
}

/// A caller with a valid token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub sub: String,
    pub role: Role,
    pub namespace: Namespace,
    pub guard: Option<Uuid>,
}

impl Caller {
    pub(crate) fn at_least(&self, role: Role) -> Result<(), ApiError> {
        let refused = || ApiError::new("insufficient_role", "the token's role may not do this");
        (self.role >= role && self.role != Role::MecAnon)
            .then_some(())
            .ok_or_else(refused)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let refused = |why: &str| ApiError::new("invalid_token", why.to_owned());
        let value = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let token = token.ok_or_else(|| refused("a bearer token is required"))?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.validate_nbf = true;
        validation.leeway = 30;
        let key = DecodingKey::from_secret(app.secret.expose_secret().as_bytes());
        let claims = decode::<Claims>(token, &key, &validation)
            .map_err(|_| refused("the token is expired, or not signed for this service"))?
            .claims;
        let namespace = if claims.namespace_id == "*" && claims.role == Role::MecAdmin {
            let named = parts
                .headers
                .get("MEC-Namespace")
                .and_then(|value| value.to_str().ok());
            named.and_then(Namespace::parse).ok_or_else(|| {
                ApiError::new(
                    "invalid_value",
                    "the header MEC-Namespace must name a namespace",
                )
                .field("MEC-Namespace")
            })?
        } else {
            Namespace::parse(&claims.namespace_id)
                .ok_or_else(|| refused("the token names no namespace"))?
        };
        let guard = claims.account_id.filter(|_| claims.role == Role::MecUser);
        Ok(Self {
            sub: claims.sub,
            role: claims.role,
            namespace,
            guard,
        })
    }
}
