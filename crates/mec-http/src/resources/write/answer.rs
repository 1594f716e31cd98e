//! What is answered to a write.

use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use mec_query::eval;
use mec_query::plan::Plan;
use mec_query::rows::Rows;

use super::{Home, Write, Written};
use crate::error::ApiError;
use crate::resources::preferences::Wanted;
use crate::resources::read::PREFERENCE_APPLIED;

/// Which verb is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verb {
    Post,
    Put,
    Patch,
    Delete,
}

impl Write<'_> {
    /// The answer to a write of rows that are still there, or would be.
    pub(super) async fn answered(
        &self,
        verb: Verb,
        written: Written,
    ) -> Result<Response, ApiError> {
        let body = if self.preferences.wanted == Some(Wanted::Representation) {
            let plan = self.telling()?;
            let is_known = self.answers_rows() && plan.node.embeds.is_empty();
            let found = if self.is_rollback() || is_known {
                eval::answer(&plan, written.rows.clone())?
            } else {
                self.told(plan.clone(), &written.keys).await?
            };
            Some(self.body(&plan, &found)?)
        } else {
            None
        };
        Ok(self.respond(verb, &written, body))
    }

    /// Rows in the format that was agreed on.
    pub(super) fn body(&self, plan: &Plan, rows: &Rows) -> Result<String, ApiError> {
        let names = plan.node.columns();
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        self.format.write(&names, rows)
    }

    /// Whether the commands themselves answer the rows, all of their columns.
    fn answers_rows(&self) -> bool {
        self.home() == Home::Trees && self.resource.name != "grants"
    }

    /// The answer, with its rows where they are wanted.
    pub(super) fn respond(&self, verb: Verb, written: &Written, body: Option<String>) -> Response {
        let is_new = written.inserted > 0 || written.keys.is_empty();
        let status = match (verb, &body) {
            (Verb::Post, _) if is_new || self.preferences.resolution.is_none() => {
                StatusCode::CREATED
            }
            (Verb::Put, Some(_)) if written.inserted > 0 => StatusCode::CREATED,
            (Verb::Post, _) | (_, Some(_)) => StatusCode::OK,
            (_, None) => StatusCode::NO_CONTENT,
        };
        let mut response = match body {
            Some(body) => {
                let kind = [(CONTENT_TYPE, self.format.content_type())];
                (status, kind, body).into_response()
            }
            None => status.into_response(),
        };
        let headers = response.headers_mut();
        let applied = self.preferences.applied(true);
        if let Some(applied) = applied {
            headers.insert(PREFERENCE_APPLIED, applied);
        }
        if let Some(range) = self.range(verb, written.keys.len()) {
            headers.insert(CONTENT_RANGE, range);
        }
        if let Some(location) = self.location(verb, written) {
            headers.insert(LOCATION, location);
        }
        response
    }

    fn range(&self, verb: Verb, rows: usize) -> Option<HeaderValue> {
        let total = match self.preferences.count {
            Some(_) => rows.to_string(),
            None => "*".to_owned(),
        };
        let range = match (verb, rows.checked_sub(1)) {
            (Verb::Patch, Some(last)) => format!("0-{last}/{total}"),
            _ => format!("*/{total}"),
        };
        HeaderValue::try_from(range).ok()
    }

    /// Where the one new row is.
    fn location(&self, verb: Verb, written: &Written) -> Option<HeaderValue> {
        let [key] = written.keys.as_slice() else {
            return None;
        };
        if verb != Verb::Post || self.is_rollback() {
            return None;
        }
        let named = self.resource.key.iter().zip(key);
        let pairs = named.filter_map(|(name, cell)| {
            Some(((*name).to_owned(), format!("eq.{}", cell.to_text()?)))
        });
        let pairs: Vec<_> = pairs.collect();
        HeaderValue::try_from(crate::resources::read::address(self.uri.path(), &pairs)).ok()
    }
}
