//! Who calls. Bearer tokens prove it, and a handler states who may call it by the extractor it takes.

mod api_key;
mod caller;
mod claims;
mod issuer;
mod key_set;
mod peek;
mod token;
mod verifier;
mod visitor;

pub(crate) use api_key::make as make_key;
pub use caller::{Admin, AdminOfAll, AdminSomewhere, Caller, Meterer, Reader, Service, Who};
pub(crate) use caller::{bearer, missing_token, named_namespace};
pub use claims::{BadClaimPath, ClaimPath, ClaimPaths};
pub use issuer::{Fetching, IssuerConfig, KeySource, KeySourceError};
pub use key_set::MAX_SET_BYTES;
pub use mec_query::Role;
pub use peek::read_unverified;
pub use token::{Claims, Identity, TokenError, issue_token};
pub use verifier::Verifier;
pub use visitor::Visitor;
