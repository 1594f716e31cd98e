//! Headers by which browsers and caches treat answers with care.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// A year, as browsers want it before they remember it for good.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Stands in the extensions of a request that came over TLS.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// What of a request decides over the headers of its answer.
#[derive(Clone, Copy, Debug)]
pub struct Care {
    is_private: bool,
    is_encrypted: bool,
}

impl Care {
    /// The care that the answer to a request needs.
    pub fn of(request: &Request) -> Self {
        let path = request.uri().path();
        Self {
            is_private: path.starts_with("/api/") || path.starts_with("/admin/"),
            is_encrypted: request.extensions().get::<Encrypted>().is_some(),
        }
    }

    /// Writes the headers.
    pub fn tell(self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        headers.insert(REFERRER_POLICY, NO_REFERRER);
        // What bears a tag is kept by its client and asked for again.
        let says_itself = headers.contains_key(CACHE_CONTROL) || headers.contains_key(ETAG);
        if self.is_private && !says_itself {
            headers.insert(CACHE_CONTROL, NO_STORE);
        }
        if self.is_encrypted {
            headers.insert(STRICT_TRANSPORT_SECURITY, ONLY_TLS);
        }
    }
}
