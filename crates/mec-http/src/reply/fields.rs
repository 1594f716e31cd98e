//! Header fields that are lists, to which more than one part of the way adds a member.

use axum::http::header::{Entry, HeaderMap};
use axum::http::{HeaderName, HeaderValue};

/// What is left of each quota (draft-ietf-httpapi-ratelimit-headers-10).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// How much each quota is.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds a member to a list, behind those that it has.
pub fn add_member(headers: &mut HeaderMap, name: HeaderName, member: HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(member);
        }
        Entry::Occupied(mut entry) => {
            let all = [entry.get().as_bytes(), b", ", member.as_bytes()].concat();
            match HeaderValue::from_bytes(&all) {
                Ok(all) => drop(entry.insert(all)),
                // Two values of fields make one; a line of its own says the same.
                Err(_) => entry.append(member),
            }
        }
    }
}
