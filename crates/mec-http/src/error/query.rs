//! Errors of the resources language as a client sees them.

use mec_query::parse::ParseError;
use mec_query::plan::PlanError;

use super::ApiError;

impl From<ParseError> for ApiError {
    fn from(error: ParseError) -> Self {
        let told = Self::new("PGRST100", error.message).with_hint(error.hint);
        match error.details {
            Some(details) => told.with_details(details),
            None => told,
        }
    }
}

impl From<PlanError> for ApiError {
    fn from(error: PlanError) -> Self {
        let told = Self::new(error.code, error.message).with_hint(error.hint);
        match error.details {
            Some(details) => told.with_details(details),
            None => told,
        }
    }
}
