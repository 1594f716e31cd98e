//! Who calls. Bearer tokens prove it, and a handler states who may call it by the extractor it takes.

mod caller;
mod peek;
mod token;
mod visitor;

pub use caller::{Admin, AdminOfAll, Caller, Meterer, Reader, Service, Who};
pub(crate) use caller::{bearer, missing_token, named_namespace};
pub use mec_query::Role;
pub use peek::read_unverified;
pub use token::{Claims, Identity, TokenError, Verifier, issue_token};
pub use visitor::Visitor;
