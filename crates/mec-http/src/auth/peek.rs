//! What a token says of itself, for its holder.

use jsonwebtoken::dangerous::insecure_decode;

use super::token::Claims;

/// What a token says, without any proof of it; none where it is no JWT of MEC's. Its holder may look when it ends;
/// nothing may be decided by it.
pub fn read_unverified(token: &str) -> Option<Claims> {
    Some(insecure_decode::<Claims>(token).ok()?.claims)
}
