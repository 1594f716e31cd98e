//! Rows that are created over HTTP: `POST /api/accounts` and `POST /api/entitlements`. Each is a
//! command to the engine, as every change of a tree is.

mod accounts;
mod entitlements;
mod prefer;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mec_engine::Request;
use utoipa::openapi::OpenApi;

use crate::App;
use crate::args::{Arguments, Params, Shape};
use crate::auth::{Caller, Service};
use crate::error::ApiError;
use crate::openapi::describe_table;
use crate::reply::{JsonBody, Media};
use prefer::Return;

const ALLOWED: &str = "OPTIONS,POST";
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

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

/// The tables' routes.
pub fn routes() -> Router<App> {
    table::<accounts::NewAccount>(table::<entitlements::NewEntitlement>(Router::new()))
}

/// Adds the tables to the API's description.
pub fn describe(api: &mut OpenApi) {
    describe_table::<accounts::NewAccount>(api);
    describe_table::<entitlements::NewEntitlement>(api);
}

fn table<T: Table>(router: Router<App>) -> Router<App> {
    let options = || async { (StatusCode::OK, [(ALLOW, ALLOWED)]) };
    let refuse = || async { ApiError::method_not_allowed("PGRST117", ALLOWED) };
    let methods = post(create::<T>).options(options).fallback(refuse);
    router.route(&format!("/api/{}", T::NAME), methods)
}

async fn create<T: Table>(
    State(app): State<App>,
    who: Service,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let wanted = Return::of(&headers);
    // Without a row in the answer there is no media type to agree on.
    let media = match wanted {
        Return::Representation => row_media(&headers)?,
        Return::Minimal | Return::HeadersOnly | Return::Unsaid => Media::Plain,
    };
    let arguments = Arguments::from_json(Shape::Table(T::NAME), &body)?;
    let request = T::decode(&arguments)?.request(&app, &who.0)?;
    let outcome = app.engine().call(request).await?;
    let mut response = match wanted {
        Return::Representation => {
            let json = [(CONTENT_TYPE, HeaderValue::from_static(media.content_type()))];
            (StatusCode::CREATED, json, media.shape(outcome.body)?).into_response()
        }
        _ => StatusCode::CREATED.into_response(),
    };
    let headers = response.headers_mut();
    if let Some(applied) = wanted.applied() {
        headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static(applied));
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
