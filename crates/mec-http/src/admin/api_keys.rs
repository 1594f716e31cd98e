//! `/admin/keys`: API keys, by which programs call that have no issuer of tokens.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mec_core::Timestamp;
use mec_engine::Target;
use mec_query::Role;
use mec_store::{ALL_NAMESPACES, ApiKey, MAX_API_KEYS};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::json;
use crate::App;
use crate::args::{Arg, Arguments, Bad, Key, Params, Raw, Shape, params};
use crate::auth::{AdminSomewhere, make_key};
use crate::error::ApiError;
use crate::layers::OfKey;
use crate::reply::{JsonBody, Media, Reply};

pub const PATH: &str = "/admin/keys";
pub const PATH_OF_ONE: &str = "/admin/keys/{key_id}";

params! {
    /// Makes an API key and answers it with its secret, which is not shown again.
    /// A key has the namespace in which it is made; an administrator of all namespaces who sends
    /// MEC-Namespace: * makes one of the role mec_admin that acts in all. What a key is does not change.
    CreateKey {
        /// Its name for people.
        name: Key,
        /// What it may do.
        role: KeyRole,
        /// The account in whose subtree it may act; for the role mec_user.
        account_id: Option<Uuid>,
        /// From when on it is not taken any more; never where this is not said.
        expires_at: Option<Timestamp>,
    }
}

/// The role of a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyRole(Role);

impl Arg for KeyRole {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let role = raw.text().ok().and_then(|name| Role::parse(&name));
        let role = role.filter(|role| *role != Role::MecAnon);
        role.map(Self)
            .ok_or(Bad::value("mec_user, mec_service or mec_admin"))
    }

    fn schema() -> RefOr<Schema> {
        let roles = [Role::MecUser, Role::MecService, Role::MecAdmin];
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(roles.map(Role::as_str)))
            .into()
    }
}

/// What is told of a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyRow {
    /// By which it is revoked; it is also the part of the key that is no secret.
    #[schema(value_type = String, format = Uuid)]
    key_id: Uuid,
    name: String,
    role: &'static str,
    /// `*` for one that acts in all.
    namespace_id: String,
    #[schema(value_type = Option<String>, format = Uuid)]
    account_id: Option<Uuid>,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// To the minute or so; null where it was never used.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// A new key.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewApiKey {
    /// What the caller shows as its bearer token. It is not shown again.
    key: String,
    #[serde(flatten)]
    row: ApiKeyRow,
}

impl From<ApiKey> for ApiKeyRow {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.key_id,
            namespace_id: key.namespace_text().to_owned(),
            name: key.name,
            role: key.role.as_str(),
            account_id: key.account_id,
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// Lists.
pub async fn list(State(app): State<App>, admin: AdminSomewhere) -> Result<Response, ApiError> {
    let keys = app.engine().api_keys(admin.namespace).await?;
    let rows: Vec<ApiKeyRow> = keys.into_iter().map(ApiKeyRow::from).collect();
    Reply::json(json(&rows)?).into_response(Media::Plain)
}

/// Makes one.
pub async fn create(
    State(app): State<App>,
    admin: AdminSomewhere,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let asked = CreateKey::decode(&Arguments::from_json(Shape::Body(PATH), &body)?)?;
    let now = app.engine().now();
    refuse(&app, &admin, &asked, now).await?;
    let key_id = app.next_id();
    let (shown, secret_hash) = make_key(key_id).map_err(|error| {
        tracing::error!(%error, "the machine gives no random numbers");
        ApiError::internal()
    })?;
    let key = ApiKey {
        key_id,
        namespace: admin.namespace,
        name: asked.name.into_string(),
        role: asked.role.0,
        account_id: asked.account_id,
        secret_hash,
        created_by: admin.by.as_ref().to_owned(),
        created_at: now,
        expires_at: asked.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    app.engine().create_api_key(key.clone()).await?;
    let told = NewApiKey {
        key: shown,
        row: key.into(),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let of_key = Extension(OfKey(key_id));
    Ok((StatusCode::CREATED, of_key, headers, json(&told)?).into_response())
}

async fn refuse(
    app: &App,
    admin: &AdminSomewhere,
    asked: &CreateKey,
    now: Timestamp,
) -> Result<(), ApiError> {
    let bad = |field: &'static str, expected: &str| {
        let message = format!("{field}: {expected}");
        Err(ApiError::new("invalid_value", message).with_details(field))
    };
    if admin.namespace.is_none() && asked.role.0 != Role::MecAdmin {
        return bad("role", "a key of all namespaces is one of mec_admin");
    }
    if asked.account_id.is_some() && asked.role.0 != Role::MecUser {
        return bad("account_id", "an account is for the role mec_user");
    }
    if asked.expires_at.is_some_and(|at| at <= now) {
        return bad("expires_at", "a time to come is expected");
    }
    if let (Some(account), Some(namespace)) = (asked.account_id, &admin.namespace) {
        let target = Target::Account(account);
        let found = app.engine().find(namespace, &target, None).await?;
        if found.is_none() {
            let error = ApiError::new("account_not_found", "the account does not exist");
            return Err(error.with_details("account_id"));
        }
    }
    let held = app.engine().api_keys(admin.namespace.clone()).await?;
    if held.len() >= MAX_API_KEYS {
        let namespace = mec_store::namespace_text(admin.namespace.as_ref());
        let whose = if namespace == ALL_NAMESPACES {
            "all namespaces"
        } else {
            "the namespace"
        };
        let message = format!("there are {MAX_API_KEYS} keys of {whose}; revoke one first");
        return Err(ApiError::new("too_many_keys", message));
    }
    Ok(())
}

/// Revokes one.
pub async fn revoke(
    State(app): State<App>,
    admin: AdminSomewhere,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::new("key_not_found", "the API key does not exist");
    let id = Uuid::try_parse(&id).map_err(|_| missing())?;
    let revoked = app.engine().revoke_api_key(admin.namespace, id).await?;
    let told = (StatusCode::NO_CONTENT, Extension(OfKey(id)));
    revoked.then(|| told.into_response()).ok_or_else(missing)
}
