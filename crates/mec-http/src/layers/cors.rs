//! Cross-origin requests: which pages' scripts a browser lets read answers.
//!
//! Callers show a token in a header of their own and no cookie, so that credentials are never allowed.

use std::fmt;
use std::str::FromStr;

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

const ANY: HeaderValue = HeaderValue::from_static("*");
const BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const TAKEN: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, Accept, Accept-Profile, Content-Profile, If-None-Match, \
     MEC-Namespace, Prefer, Range, Range-Unit, X-Request-Id, traceparent, tracestate",
);
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "RateLimit, RateLimit-Policy, X-Request-Id, ETag, Content-Location, Content-Range, Link, \
     Idempotency-Replayed, MEC-Late, Preference-Applied, Location, Retry-After",
);
/// How long a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

/// One origin as browsers write it, such as `https://app.example.com`, or `*` for all of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CorsOrigin(HeaderValue);

impl CorsOrigin {
    /// Whether it stands for every page.
    pub fn is_any(&self) -> bool {
        self.0 == ANY
    }
}

impl FromStr for CorsOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no origin such as https://app.example.com, without a path; or * for all"
            )
        };
        let value = HeaderValue::from_str(text).map_err(|_| wrong())?;
        if value == ANY {
            return Ok(Self(value));
        }
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        // Browsers send it in small letters, and it is compared byte by byte.
        let rebuilt = uri.scheme_str().zip(uri.authority());
        let rebuilt = rebuilt.map(|(scheme, place)| format!("{scheme}://{place}"));
        let is_origin = rebuilt.is_some_and(|rebuilt| rebuilt == text)
            && !text.contains(|c: char| c.is_ascii_uppercase() || c == '@');
        if is_origin {
            Ok(Self(value))
        } else {
            Err(wrong())
        }
    }
}

impl fmt::Display for CorsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// The pages whose scripts may read answers. None by default.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    origins: Vec<CorsOrigin>,
    is_any: bool,
}

impl Cors {
    /// Pages of these origins.
    pub fn new(origins: Vec<CorsOrigin>) -> Self {
        let is_any = origins.iter().any(CorsOrigin::is_any);
        Self { origins, is_any }
    }

    /// The origin of a request, as far as its answer may name it.
    pub fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        if self.origins.is_empty() {
            return None;
        }
        let origin = headers.get(ORIGIN)?;
        if self.is_any {
            return Some(ANY);
        }
        let is_named = self.origins.iter().any(|CorsOrigin(named)| named == origin);
        is_named.then(|| origin.clone())
    }

    /// The answer to a browser that asks what a page may do. An OPTIONS request of others asks what a path
    /// takes, and is answered by the path.
    pub fn preflight(&self, request: &Request, origin: Option<&HeaderValue>) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        origin.filter(|_| asks)?;
        let told = [
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
            (ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        Some((StatusCode::NO_CONTENT, told).into_response())
    }

    /// Tells a browser on an answer who may read it.
    pub fn tell(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        if !self.is_any {
            headers.append(VARY, BY_ORIGIN);
        }
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CorsOrigin;

    #[test]
    fn only_origins_as_browsers_write_them_are_taken() {
        for right in [
            "*",
            "https://app.example.com",
            "http://localhost:3000",
            "https://[::1]:8443",
            "capacitor://localhost",
        ] {
            let origin: CorsOrigin = right.parse().unwrap();
            assert_eq!(origin.to_string(), right);
        }
        for wrong in [
            "",
            "null",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://App.example.com",
            "https://user@app.example.com",
            "https://*.example.com/",
            "https://a.example.com,https://b.example.com",
            "ä",
        ] {
            assert!(wrong.parse::<CorsOrigin>().is_err(), "{wrong}");
        }
    }
}
