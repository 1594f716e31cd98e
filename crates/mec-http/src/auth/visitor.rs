//! Visitors: whoever reads resources, with a token or without.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use mec_core::Namespace;
use mec_query::Role;
use mec_query::plan::{PlanError, Reach};
use mec_query::schema::Resource;
use mec_store::Reader;
use uuid::Uuid;

use super::caller::{Caller, identify, namespace};
use crate::App;
use crate::error::ApiError;

/// Who reads. Without a token, that is anybody.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The role.
    pub role: Role,
    /// Those of a token.
    caller: Option<Caller>,
    /// Why there is no namespace, where a token names none.
    nowhere: Option<ApiError>,
}

impl Visitor {
    /// What it may see of a resource.
    ///
    /// # Errors
    /// `missing_namespace` where the resource is a namespace's and an administrator of all names none.
    pub fn reach(&self, resource: &Resource) -> Result<Reach, ApiError> {
        match &self.nowhere {
            Some(error) if resource.has_namespace() => Err(error.clone()),
            _ => Ok(Reach {
                namespace: self.namespace(),
                account: self.account(),
            }),
        }
    }

    /// What the store is told of it.
    pub fn reader(&self) -> Reader {
        Reader {
            role: self.role,
            namespace: self.namespace(),
            account: self.account(),
        }
    }

    /// Why it gets no rows: who shows no token is asked for one.
    pub fn refused(&self, error: PlanError) -> ApiError {
        if error.code == "42501" && self.role == Role::MecAnon {
            let hint = "send a token in the header Authorization: Bearer";
            return ApiError::new("missing_token", error.message).with_hint(Some(hint));
        }
        error.into()
    }

    /// The caller, for what takes a token.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    fn namespace(&self) -> Option<Namespace> {
        match &self.caller {
            Some(caller) => Some(caller.namespace.clone()),
            None if self.nowhere.is_some() => None,
            None => Some(Namespace::default_namespace()),
        }
    }

    fn account(&self) -> Option<Uuid> {
        self.caller.as_ref().and_then(Caller::guard)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let anybody = Self {
            role: Role::MecAnon,
            caller: None,
            nowhere: None,
        };
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(anybody);
        }
        let identity = identify(parts, app, Role::MecAnon)?;
        if identity.role == Role::MecAnon {
            return Ok(anybody);
        }
        Ok(match namespace(parts, &identity) {
            Ok(_) => Self {
                role: identity.role,
                caller: Some(Caller::from_parts(parts, app, Role::MecUser)?),
                nowhere: None,
            },
            Err(error) if error.code() == "missing_namespace" => Self {
                role: identity.role,
                caller: None,
                nowhere: Some(error),
            },
            Err(error) => return Err(error),
        })
    }
}
