//! Entity tags: a client that holds what would be answered need not be sent it again.

use axum::http::header::{ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

/// What names an answer.
pub fn tag(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("\"{}\"", digits.collect::<String>())
}

/// Whether a client says that it holds what the tag names. A copy that was compressed on its way is as good.
pub fn is_held(headers: &HeaderMap, tag: &str) -> bool {
    let held = headers.get_all(IF_NONE_MATCH).iter();
    held.filter_map(|held| held.to_str().ok())
        .flat_map(|held| held.split(','))
        .map(str::trim)
        .any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
}

/// An answer that bears a tag: the whole, or 304 to a client that holds it.
pub fn tagged<const N: usize>(
    asked: &HeaderMap,
    tag: &str,
    told: [(HeaderName, HeaderValue); N],
    body: &'static str,
) -> Response {
    let mut response = if is_held(asked, tag) {
        (StatusCode::NOT_MODIFIED, told).into_response()
    } else {
        (told, body).into_response()
    };
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_again() {
        let tag = tag("text");
        for (held, expected) in [
            (tag.as_str(), true),
            ("*", true),
            (&format!("W/{tag}"), true),
            (&format!("\"other\", {tag}"), true),
            ("\"other\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_str(held).unwrap());
            assert_eq!(is_held(&headers, &tag), expected, "{held}");
        }
        assert!(!is_held(&HeaderMap::new(), &tag));
    }
}
