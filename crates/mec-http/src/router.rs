//! All paths. A new one is named here, or in the part of the API that it belongs to, and nowhere else: the
//! router is made from this list, which [`routes`] tells.

use std::borrow::Cow;

use axum::Router;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};

use crate::App;
use crate::error::ApiError;
use crate::layers::{Work, compressed, surround};
use crate::{admin, metrics, pages, resources, rpc};

/// A path, what it takes, and what answers it.
pub struct Entry {
    path: Cow<'static, str>,
    /// Its methods, as the header Allow lists them; none for paths that only say that there is nothing.
    allowed: Cow<'static, str>,
    methods: MethodRouter<App>,
    is_large: bool,
}

impl Entry {
    pub fn new(
        path: impl Into<Cow<'static, str>>,
        allowed: impl Into<Cow<'static, str>>,
        methods: MethodRouter<App>,
    ) -> Self {
        Self {
            path: path.into(),
            allowed: allowed.into(),
            methods,
            is_large: false,
        }
    }

    /// The same with answers that may be large, so that they are compressed.
    pub fn large(self) -> Self {
        Self {
            is_large: true,
            ..self
        }
    }

    /// Answers whatever comes to a path where there is nothing.
    pub fn nothing(path: &'static str, methods: MethodRouter<App>) -> Self {
        Self::new(path, "", methods)
    }
}

fn entries() -> Vec<Entry> {
    let mut entries = pages::entries();
    entries.extend(metrics::entries());
    entries.extend(resources::entries());
    entries.extend(admin::entries());
    entries.extend(rpc::entries());
    entries
}

/// A path of the API with its methods.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// The path; a part in braces stands for any text.
    pub path: String,
    /// The methods that it takes; none for a path that only says that there is nothing.
    pub methods: Vec<String>,
}

impl Route {
    /// Whether a call by a method takes part in a budget of what is worked on at once.
    pub fn works(&self, method: &str) -> bool {
        let method = Method::from_bytes(method.as_bytes());
        method.is_ok_and(|method| Work::of(&method, &self.path).is_some())
    }
}

/// Every path that the router has.
pub fn routes() -> Vec<Route> {
    let methods = |allowed: &str| {
        let methods = allowed.split(',').map(str::trim);
        let methods = methods.filter(|method| !method.is_empty());
        methods.map(str::to_owned).collect()
    };
    let route = |entry: Entry| Route {
        methods: methods(&entry.allowed),
        path: entry.path.into_owned(),
    };
    entries().into_iter().map(route).collect()
}

/// The router of an application.
pub fn router(app: App) -> Router {
    let front = app.front().clone();
    let is_elsewhere = front.metrics().have_own_listener();
    let add = |router: Router<App>, entry: Entry| {
        let route = Router::new().route(&entry.path, entry.methods);
        router.merge(if entry.is_large {
            compressed(route)
        } else {
            route
        })
    };
    let entries = entries().into_iter();
    let here = entries.filter(|entry| !(is_elsewhere && entry.path == metrics::PATH));
    let router = here.fold(Router::new(), add);
    surround(router.fallback(any(not_found)), front).with_state(app)
}

async fn not_found(uri: Uri) -> Response {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::new("not_found", "there is nothing at this path")
        .with_details(shown)
        .into_response()
}
