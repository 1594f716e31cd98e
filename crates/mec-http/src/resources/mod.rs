//! The resources of the API: tables and views in PostgREST's language. Reading is a plan that the store
//! renders; each change is a command to the engine, as every change of a tree is.

mod accounts;
mod describe;
mod entitlements;
mod format;
mod preferences;
mod profile;
mod range;
mod read;
mod summary;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, LOCATION};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use mec_engine::Request;
use mec_query::plan;
use mec_query::schema::{RESOURCES, Resource};

use crate::App;
use crate::args::{Arguments, Params, Shape};
use crate::auth::{Caller, Service, Visitor};
use crate::error::ApiError;
use crate::reply::{JsonBody, Media};
use preferences::{Preferences, Wanted};
use read::PREFERENCE_APPLIED;

pub use describe::describe;

/// A table that takes new rows.
pub trait Table: Params {
    /// Its name.
    const NAME: &'static str;
    /// The column that names a row.
    const KEY: &'static str;
    /// The codes of the errors that creating may answer, beside those of every call.
    const ERRORS: &'static [&'static str];

    /// The command that creates the row.
    fn request(self, app: &App, caller: &Caller) -> Result<Request, ApiError>;
}

/// The routes of all resources.
pub fn routes() -> Router<App> {
    let mut router = Router::new().route("/api/{name}", any(unknown));
    for resource in RESOURCES {
        let methods = match resource.name {
            "accounts" => methods(resource).merge(post(create::<accounts::NewAccount>)),
            "entitlements" => methods(resource).merge(post(create::<entitlements::NewEntitlement>)),
            _ => methods(resource),
        };
        router = router.route(&format!("/api/{}", resource.name), methods);
    }
    router
}

/// What can be done with a resource.
fn methods(resource: &'static Resource) -> MethodRouter<App> {
    let read =
        async move |State(app): State<App>, visitor: Visitor, headers: HeaderMap, uri: Uri| {
            read::read(&app, resource, &visitor, &headers, &uri).await
        };
    let options = async move || {
        let allowed = HeaderValue::try_from(resource.methods());
        let allowed = allowed.map(|allowed| (ALLOW, allowed)).ok();
        (StatusCode::OK, axum::response::AppendHeaders(allowed))
    };
    let refuse = async move || ApiError::method_not_allowed("PGRST117", resource.methods());
    get(read).options(options).fallback(refuse)
}

/// Answers a path below `/api/` that names no resource.
async fn unknown(axum::extract::Path(name): axum::extract::Path<String>) -> ApiError {
    match plan::resource(&name) {
        Ok(_) => ApiError::internal(),
        Err(error) => error.into(),
    }
}

async fn create<T: Table>(
    State(app): State<App>,
    who: Service,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let preferences = Preferences::read(&headers);
    preferences.refuse_unknown()?;
    let wanted = preferences.wanted;
    // Without a row in the answer there is no media type to agree on.
    let media = match wanted {
        Some(Wanted::Representation) => row_media(&headers)?,
        _ => Media::Plain,
    };
    let arguments = Arguments::from_json(Shape::Table(T::NAME), &body)?;
    let request = T::decode(&arguments)?.request(&app, &who.0)?;
    let outcome = app.engine().call(request).await?;
    let mut response = match wanted {
        Some(Wanted::Representation) => {
            let json = [(CONTENT_TYPE, HeaderValue::from_static(media.content_type()))];
            (StatusCode::CREATED, json, media.shape(outcome.body)?).into_response()
        }
        _ => StatusCode::CREATED.into_response(),
    };
    let headers = response.headers_mut();
    if let Some(applied) = preferences.applied(true) {
        headers.insert(PREFERENCE_APPLIED, applied);
    }
    if let Some(id) = outcome.made
        && let Ok(location) = HeaderValue::try_from(format!("/api/{}?{}=eq.{id}", T::NAME, T::KEY))
    {
        headers.insert(LOCATION, location);
    }
    Ok(response)
}

/// The shape of the created row: an array of one as PostgREST gives it, or the object itself.
fn row_media(headers: &HeaderMap) -> Result<Media, ApiError> {
    let media = Media::choose(headers)?;
    Ok(if media == Media::Plain {
        Media::Rows
    } else {
        media
    })
}
