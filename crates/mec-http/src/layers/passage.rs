//! What is known of a request on its way.

use std::net::IpAddr;
use std::sync::Arc;

use mec_core::Namespace;

use super::trace::Trace;
use crate::auth::Identity;
use crate::error::ApiError;

/// What is known of a request, for extractors, handlers and logs. It stands in the request's extensions.
#[derive(Debug)]
pub struct Passage {
    /// The request's id.
    pub id: Arc<str>,
    /// The trace that it belongs to.
    pub trace: Trace,
    /// The client's address, where it has one.
    pub address: Option<IpAddr>,
    /// Who its token says it is, or why the token proves nothing; none where it shows none.
    pub(crate) who: Option<Result<Arc<Identity>, ApiError>>,
    /// The namespace that an administrator of all of them names.
    pub(crate) acts_in: Option<Namespace>,
}
