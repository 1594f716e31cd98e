//! What is known of a request on its way.

use std::sync::Arc;

use crate::auth::Identity;
use crate::error::ApiError;

/// What is known of a request, for extractors, handlers and logs. It stands in the request's extensions.
#[derive(Debug)]
pub struct Passage {
    /// The request's id.
    pub id: Arc<str>,
    /// Who its token says it is, or why the token proves nothing; none where it shows none.
    pub(crate) who: Option<Result<Arc<Identity>, ApiError>>,
}
