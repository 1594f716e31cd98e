//! The resources of the API: tables and views in PostgREST's language. Reading is a plan that the store
//! renders; each change is a command to the engine, as every change of a tree is.

mod accounts;
mod describe;
mod entitlements;
mod external_ids;
mod format;
mod grants;
mod preferences;
pub mod profile;
mod range;
mod read;
mod summary;
mod write;

use axum::extract::State;
use axum::http::header::{ALLOW, HeaderMap};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use mec_engine::Request;
use mec_query::plan;
use mec_query::schema::{RESOURCES, Resource};

use crate::App;
use crate::args::Params;
use crate::auth::{Caller, Visitor};
use crate::error::ApiError;
use crate::reply::AnyBody;
use crate::router::Entry;

pub use describe::describe;
pub use preferences::Preferences;
pub use read::of_function;

/// A new row of a resource that belongs to accounts.
pub trait New: Params {
    /// The resource's name.
    const NAME: &'static str;
    /// The codes of the errors that creating may answer, beside those of every call.
    const ERRORS: &'static [&'static str];

    /// The command that creates the row.
    fn request(self, app: &App, caller: &Caller) -> Result<Request, ApiError>;
}

/// The paths of all resources.
pub fn entries() -> Vec<Entry> {
    let nothing = Entry::nothing("/api/{name}", any(unknown));
    let entry = |resource: &'static Resource| {
        let path = format!("/api/{}", resource.name);
        Entry::new(path, resource.methods(), methods(resource)).large()
    };
    RESOURCES.iter().map(entry).chain([nothing]).collect()
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
        (StatusCode::OK, AppendHeaders(allowed))
    };
    let change = async move |State(app): State<App>,
                             visitor: Visitor,
                             method: Method,
                             headers: HeaderMap,
                             uri: Uri,
                             AnyBody(body): AnyBody| {
        write::write(&app, resource, &visitor, &method, (&headers, &uri), &body).await
    };
    let refuse = async move || ApiError::method_not_allowed("PGRST117", resource.methods());
    let writes = &resource.writes;
    let mut methods = get(read).options(options).fallback(refuse);
    if writes.insert {
        methods = methods.post(change);
    }
    if writes.upsert {
        methods = methods.put(change);
    }
    if writes.update {
        methods = methods.patch(change);
    }
    if writes.delete {
        methods = methods.delete(change);
    }
    methods
}

/// Answers a path below `/api/` that names no resource. The name is as it was sent: encoded it is none,
/// whatever it decodes to.
async fn unknown(uri: Uri) -> Response {
    let name = uri.path().rsplit('/').next().unwrap_or_default();
    match plan::resource(name) {
        Ok(_) => ApiError::internal().into_response(),
        Err(error) => ApiError::from(error).into_response(),
    }
}
