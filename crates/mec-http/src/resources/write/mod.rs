//! POST, PATCH, PUT and DELETE of a resource.

mod answer;
mod catalogue;
mod cells;
mod conditions;
mod find;
mod lookups;
mod payload;
mod sets;
mod table;
mod trees;
mod verbs;

use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use mec_query::Role;
use mec_query::ast::{Comparison, Condition, Operand, Operator, Query};
use mec_query::parse;
use mec_query::schema::{Belongs, Resource};

use super::format::Format;
use super::preferences::{Preferences, Transaction, Wanted};
use super::profile;
use crate::App;
use crate::auth::{Caller, Visitor};
use crate::error::ApiError;
use table::Row;

/// So often a write is tried that others are in the way of. Each time one of them got through, so that as
/// many may write the same at once.
const TRIES: usize = 64;

/// One write.
struct Write<'a> {
    app: &'a App,
    resource: &'static Resource,
    visitor: &'a Visitor,
    preferences: Preferences,
    format: Format,
    query: Query,
    headers: &'a HeaderMap,
    uri: &'a Uri,
}

/// What a write did, or would have done.
#[derive(Debug, Default)]
struct Written {
    /// The keys of the rows.
    keys: Vec<Row>,
    /// The rows as they are then, or as they were before they went.
    rows: Vec<Row>,
    /// So many of them are new.
    inserted: usize,
}

/// Where the rows of a resource are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Home {
    /// They are everybody's.
    Shared,
    /// They are part of a namespace's catalogue.
    Catalogue,
    /// They belong to accounts.
    Trees,
    /// They are part of entitlements.
    Conditions,
}

/// Does what a request asks for.
pub async fn write(
    app: &App,
    resource: &'static Resource,
    visitor: &Visitor,
    method: &Method,
    (headers, uri): (&HeaderMap, &Uri),
    body: &[u8],
) -> Result<Response, ApiError> {
    may_write(resource, visitor)?;
    profile::check(headers)?;
    let preferences = Preferences::read(headers);
    preferences.refuse_unknown()?;
    // Without rows in the answer there is no format to agree on.
    let format = match preferences.wanted {
        Some(Wanted::Representation) => Format::choose(headers)?,
        _ => Format::default(),
    };
    let write = Write {
        app,
        resource,
        visitor,
        preferences,
        format,
        query: parse::parse(parse::pairs(uri.query().unwrap_or_default())?)?,
        headers,
        uri,
    };
    if write.preferences.wanted == Some(Wanted::Representation) {
        // What could not be told is not written.
        write.telling()?;
    }
    match *method {
        Method::POST => write.post(body).await,
        Method::PUT => write.put(body).await,
        Method::PATCH => write.patch(body).await,
        _ => write.delete().await,
    }
}

/// Whether the visitor may write rows of a resource.
fn may_write(resource: &'static Resource, visitor: &Visitor) -> Result<(), ApiError> {
    let least = resource.writes.least_writer.unwrap_or(Role::MecAdmin);
    visitor.must_be(least)?;
    if resource.belongs == Belongs::All && visitor.caller().is_some() {
        let message = "the call acts on all namespaces and needs a token with namespace_id *, and no \
                       header MEC-Namespace";
        return Err(ApiError::new("insufficient_role", message).with_details("namespace_id"));
    }
    visitor.reach(resource).map(|_| ())
}

impl Write<'_> {
    fn home(&self) -> Home {
        match (self.resource.belongs, self.resource.name) {
            (Belongs::All, _) => Home::Shared,
            (Belongs::Namespace, _) => Home::Catalogue,
            (_, "entitlement_conditions") => Home::Conditions,
            _ => Home::Trees,
        }
    }

    fn is_rollback(&self) -> bool {
        self.preferences.transaction == Some(Transaction::Rollback)
    }

    /// The caller, in a namespace.
    fn caller(&self) -> Result<&Caller, ApiError> {
        // Who writes in a namespace has shown a token for it.
        self.visitor.caller().ok_or_else(ApiError::internal)
    }

    /// Refuses a number of rows that the client did not reckon with, before anything is done.
    fn bounded(&self, rows: usize) -> Result<(), ApiError> {
        if rows > payload::MAX_ROWS {
            let message = format!("the write concerns more than {} rows", payload::MAX_ROWS);
            let hint = "filter for fewer rows";
            return Err(ApiError::new("too_many_items", message).with_hint(Some(hint)));
        }
        let most = self.preferences.limit();
        if most.is_some_and(|most| u64::try_from(rows).is_ok_and(|rows| rows > most)) {
            let message = "Query result exceeds max-affected preference constraint";
            let details = format!("The query affects {rows} rows");
            return Err(ApiError::new("PGRST124", message).with_details(details));
        }
        if self.preferences.wanted == Some(Wanted::Representation)
            && self.format.is_object()
            && rows != 1
        {
            return Err(super::format::not_one(rows));
        }
        Ok(())
    }
}

/// The texts of a key, where filters name all of it and nothing else, each column by `eq`.
fn named_key(resource: &'static Resource, filters: &[Condition]) -> Option<Vec<String>> {
    if filters.len() != resource.key.len() {
        return None;
    }
    let texts = resource.key.iter().map(|name| {
        filters.iter().find_map(|filter| match filter {
            Condition::Test {
                column,
                is_negated: false,
                operator:
                    Operator::Compare {
                        comparison: Comparison::Equal,
                        operand: Operand::One(text),
                    },
            } if column.name == *name && column.path.is_empty() => Some(text.clone()),
            _ => None,
        })
    });
    texts.collect()
}
