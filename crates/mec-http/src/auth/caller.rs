//! Callers, and the extractors by which a handler states who may call it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::http::request::Parts;
use mec_core::{Command, Namespace};
use mec_engine::{Consistency, Request, Target};
use mec_query::Role;
use uuid::Uuid;

use super::token::Identity;
use crate::App;
use crate::error::ApiError;
use crate::layers::Passage;

/// The header by which an administrator of all namespaces names one.
const NAMESPACE_HEADER: &str = "MEC-Namespace";
/// What stands for all of them.
const ALL_NAMESPACES: &str = "*";

/// A caller with a valid token, in one namespace.
#[derive(Clone, Debug)]
pub struct Caller {
    identity: Arc<Identity>,
    pub namespace: Namespace,
    request_id: Option<Arc<str>>,
    consistency: Consistency,
}

impl Caller {
    /// A request of this caller's.
    pub fn request(&self, target: Target, command: Command, key: Option<Arc<str>>) -> Request {
        Request {
            namespace: self.namespace.clone(),
            target,
            command,
            key,
            by: self.identity.by.clone(),
            guard: self.guard(),
            request_id: self.request_id.clone(),
            consistency: self.consistency,
        }
    }

    /// How fresh the answers of checks must be.
    pub fn consistency(&self) -> Consistency {
        self.consistency
    }

    /// The account whose subtree the caller may act in; none for the whole namespace.
    pub fn guard(&self) -> Option<Uuid> {
        self.identity
            .account
            .filter(|_| self.identity.role == Role::MecUser)
    }

    pub(super) fn from_parts(parts: &Parts, least: Role) -> Result<Self, ApiError> {
        let identity = identify(parts, least)?;
        let namespace = namespace(parts, &identity)?;
        let request_id = Some(passage(parts)?.id.clone());
        Ok(Self {
            identity,
            namespace,
            request_id,
            consistency: preferred_consistency(&parts.headers),
        })
    }
}

/// `Prefer: consistency=strong`, for checks.
fn preferred_consistency(headers: &HeaderMap) -> Consistency {
    let is_strong = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|preference| preference.trim() == "consistency=strong");
    if is_strong {
        Consistency::Strong
    } else {
        Consistency::Bounded
    }
}

/// The caller's token, if its role is enough.
pub(super) fn identify(parts: &Parts, least: Role) -> Result<Arc<Identity>, ApiError> {
    let who = passage(parts)?.who.clone();
    let identity = who.ok_or_else(missing_token)??;
    if identity.role < least {
        let message = format!("the call needs the role {} or more", least.as_str());
        return Err(
            ApiError::new("insufficient_role", message).with_details(identity.role.as_str())
        );
    }
    Ok(identity)
}

/// The error of a call that shows no token.
pub(crate) fn missing_token() -> ApiError {
    let hint = "send a token in the header Authorization: Bearer";
    ApiError::new("missing_token", "the call needs a bearer token").with_hint(Some(hint))
}

/// What the front door knows of the request.
fn passage(parts: &Parts) -> Result<&Arc<Passage>, ApiError> {
    parts.extensions.get::<Arc<Passage>>().ok_or_else(|| {
        tracing::error!("a route stands outside of the front door");
        ApiError::internal()
    })
}

/// The token that the headers show; none where there is no header for it.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    token.map(Some).ok_or_else(|| {
        let message = "the header Authorization holds no bearer token";
        ApiError::new("invalid_token", message)
    })
}

/// The namespace that an administrator of all of them names.
pub(crate) fn named_namespace(
    headers: &HeaderMap,
    who: Option<&Result<Arc<Identity>, ApiError>>,
) -> Option<Namespace> {
    let identity = who?.as_ref().ok()?;
    if identity.namespace.is_some() {
        return None;
    }
    Namespace::parse(headers.get(NAMESPACE_HEADER)?.to_str().ok()?)
}

pub(super) fn namespace(parts: &Parts, identity: &Identity) -> Result<Namespace, ApiError> {
    let named = parts
        .headers
        .get(NAMESPACE_HEADER)
        .map(|value| value.to_str().unwrap_or_default());
    match (&identity.namespace, named) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(named)) if own.as_str() == named => Ok(own.clone()),
        (Some(_), Some(_)) => {
            let message = "the header MEC-Namespace names another namespace than the token's";
            Err(ApiError::new("insufficient_role", message).with_details(NAMESPACE_HEADER))
        }
        (None, Some(named)) => Namespace::parse(named).ok_or_else(|| {
            let message = "MEC-Namespace: 1 to 64 characters of A-Z a-z 0-9 _ . -";
            ApiError::new("invalid_value", message).with_details(NAMESPACE_HEADER)
        }),
        (None, None) => {
            let message = "the token is for all namespaces; name one in the header MEC-Namespace";
            Err(ApiError::new("missing_namespace", message).with_details(NAMESPACE_HEADER))
        }
    }
}

/// An administrator of all namespaces, who may act on the whole database.
#[derive(Clone, Copy, Debug)]
pub struct AdminOfAll;

impl FromRequestParts<App> for AdminOfAll {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let identity = identify(parts, Role::MecAdmin)?;
        if identity.namespace.is_some() {
            let message = "the call acts on all namespaces and needs a token with namespace_id *";
            return Err(ApiError::new("insufficient_role", message).with_details("namespace_id"));
        }
        // Who names one namespace does not mean all of them.
        let named = parts.headers.get(NAMESPACE_HEADER);
        if named.is_some_and(|named| named != ALL_NAMESPACES) {
            let message =
                "MEC-Namespace: the call acts on all namespaces; send * or no such header";
            return Err(ApiError::new("invalid_value", message).with_details(NAMESPACE_HEADER));
        }
        Ok(Self)
    }
}

/// An administrator in one namespace, or, where the header `MEC-Namespace` says `*`, in all of them.
#[derive(Clone, Debug)]
pub struct AdminSomewhere {
    /// None for all.
    pub namespace: Option<Namespace>,
    /// Who, for the audit.
    pub by: Arc<str>,
}

impl FromRequestParts<App> for AdminSomewhere {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let identity = identify(parts, Role::MecAdmin)?;
        let named = parts.headers.get(NAMESPACE_HEADER);
        let is_of_all =
            identity.namespace.is_none() && named.is_some_and(|named| named == ALL_NAMESPACES);
        let namespace = if is_of_all {
            None
        } else {
            Some(namespace(parts, &identity)?)
        };
        let by = identity.by.clone();
        Ok(Self { namespace, by })
    }
}

/// An extractor that states who may call.
pub trait Who: FromRequestParts<App, Rejection = ApiError> + Send {
    /// The least role.
    const ROLE: Role;

    /// The caller.
    fn into_caller(self) -> Caller;
}

macro_rules! who {
    ($(#[doc = $doc:literal] $name:ident from $role:ident;)+) => {$(
        #[doc = $doc]
        #[derive(Clone, Debug)]
        pub struct $name(pub Caller);

        impl Who for $name {
            const ROLE: Role = Role::$role;

            fn into_caller(self) -> Caller {
                self.0
            }
        }

        impl FromRequestParts<App> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
                Caller::from_parts(parts, Self::ROLE).map(Self)
            }
        }
    )+};
}

who! {
    /// May ask: checks, usage, windows.
    Reader from MecUser;
    /// May use: meter, consume, reserve, lease.
    Meterer from MecUser;
    /// May provide: plans, grants, corrections, accounts.
    Service from MecService;
    /// May govern: the catalogue.
    Admin from MecAdmin;
}
