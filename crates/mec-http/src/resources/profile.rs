//! `Accept-Profile` and `Content-Profile`: the one schema there is, and the name that clients send for it
//! when nobody told them another.

use axum::http::header::HeaderMap;

use crate::error::ApiError;

const PROFILES: [&str; 2] = ["api", "public"];

/// Refuses another schema.
pub fn check(headers: &HeaderMap) -> Result<(), ApiError> {
    for name in ["accept-profile", "content-profile"] {
        let Some(value) = headers.get(name) else {
            continue;
        };
        if !value.to_str().is_ok_and(|value| PROFILES.contains(&value)) {
            let message = "The schema must be one of the following: api, public";
            return Err(ApiError::new("PGRST106", message).with_details(name));
        }
    }
    Ok(())
}
