//! Who calls. Bearer tokens prove it, and a handler states who may call it by the extractor it takes.

mod caller;
mod token;

pub use caller::{Admin, AdminOfAll, Caller, Meterer, Reader, Service, Who};
pub use token::{Claims, Role, TokenError, Verifier, issue_token};
