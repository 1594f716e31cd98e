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

use super::caller::{Caller, identify, missing_token, namespace};
use crate::App;
use crate::error::ApiError;

/// Who reads. Without a token, that is anybody.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The role.
    pub role: Role,
    /// Whether it has shown a token.
    has_token: bool,
    /// Who a token says it is.
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
        if error.code == "42501" && !self.has_token {
            return missing_token();
        }
        error.into()
    }

    /// Refuses who may not do what takes a role.
    pub fn must_be(&self, least: Role) -> Result<(), ApiError> {
        if !self.has_token {
            return Err(missing_token());
        }
        if self.role < least {
            let message = format!("the call needs the role {} or more", least.as_str());
            let error = ApiError::new("insufficient_role", message);
            return Err(error.with_details(self.role.as_str()));
        }
        Ok(())
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

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let anybody = Self {
            role: Role::MecAnon,
            has_token: false,
            caller: None,
            nowhere: None,
        };
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(anybody);
        }
        let identity = identify(parts, Role::MecAnon)?;
        if identity.role == Role::MecAnon {
            return Ok(Self {
                has_token: true,
                ..anybody
            });
        }
        Ok(match namespace(parts, &identity) {
            Ok(_) => Self {
                role: identity.role,
                has_token: true,
                caller: Some(Caller::from_parts(parts, Role::MecUser)?),
                nowhere: None,
            },
            Err(error) if error.code() == "missing_namespace" => Self {
                role: identity.role,
                has_token: true,
                caller: None,
                nowhere: Some(error),
            },
            Err(error) => return Err(error),
        })
    }
}
