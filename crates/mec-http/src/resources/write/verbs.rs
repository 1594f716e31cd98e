//! The verbs.

use std::collections::BTreeSet;

use axum::response::Response;
use mec_engine::{End, Outcome, Request};
use mec_query::eval;
use mec_query::rows::Cell;

use super::answer::Verb;
use super::find::key_of;
use super::payload::{Given, of_text, read};
use super::sets::Edit;
use super::table::{Row, is_made, key_columns};
use super::{Home, TRIES, Write, Written, trees};
use crate::error::ApiError;
use crate::resources::preferences::{Resolution, Wanted};

/// Columns beside the keys in which no two rows of a namespace have the same.
const UNIQUE: [(&str, &str); 3] = [
    ("accounts", "external_id"),
    ("control_rules", "rule_name"),
    ("plans", "plan_id"),
];

impl Write<'_> {
    pub(super) async fn post(mut self, body: &[u8]) -> Result<Response, ApiError> {
        let rows = self.payload(body)?;
        let same = self.conflict()?;
        if same.is_empty() {
            self.preferences.resolution = None;
        }
        let rows = self.distinct(rows, &same)?;
        self.bounded(rows.len())?;
        let written = self.insert(&rows, &same).await?;
        self.answered(Verb::Post, written).await
    }

    /// Puts one row where its key, which is all that the address says, tells.
    pub(super) async fn put(mut self, body: &[u8]) -> Result<Response, ApiError> {
        let key = key_columns(self.resource);
        let part = self
            .query
            .parts
            .get(&Vec::new())
            .cloned()
            .unwrap_or_default();
        if part.limit.is_some() || part.offset.is_some() {
            let message = "limit/offset querystring parameters are not allowed for PUT";
            return Err(ApiError::new("PGRST114", message));
        }
        let named = super::named_key(self.resource, &part.filters).ok_or_else(|| {
            let message =
                "Filters must include all and only primary key columns with 'eq' operators";
            ApiError::new("PGRST105", message)
        })?;
        let rows = self.payload(body)?;
        let [given] = rows.as_slice() else {
            let message = "PUT takes one row";
            return Err(ApiError::new("PGRST102", message));
        };
        let is_named = key.iter().zip(&named).all(|(at, text)| {
            let column = self.resource.columns.get(*at);
            let wanted = column.and_then(|column| of_text(column, text).ok());
            wanted.is_some() && given.get(*at) == wanted.as_ref()
        });
        if !is_named {
            let message = "Payload values do not match URL in primary key column(s)";
            return Err(ApiError::new("PGRST115", message));
        }
        self.preferences.resolution = Some(Resolution::Merge);
        let written = self.insert(&rows, &key).await?;
        self.answered(Verb::Put, written).await
    }

    pub(super) async fn patch(self, body: &[u8]) -> Result<Response, ApiError> {
        let rows = self.payload(body)?;
        let given = match rows.as_slice() {
            [given] => given.clone(),
            [] => Given::default(),
            _ => return Err(ApiError::new("PGRST102", "PATCH takes one row of changes")),
        };
        if given.values.iter().all(|(at, _)| {
            let column = self.resource.columns.get(*at);
            column.is_none_or(|column| is_made(column.name))
        }) {
            return self.answered(Verb::Patch, Written::default()).await;
        }
        let written = match self.home() {
            Home::Trees => self.patch_trees(&given).await?,
            _ => self.in_set(Edit::Change(&given)).await?,
        };
        self.answered(Verb::Patch, written).await
    }

    pub(super) async fn delete(self) -> Result<Response, ApiError> {
        let held = self.named().await?;
        let keys = self.keys(&held);
        // They are told as they were.
        let plan = self.telling()?;
        let told = match self.preferences.wanted {
            Some(Wanted::Representation) => Some(self.told(plan.clone(), &keys).await?),
            _ => None,
        };
        let written = match self.home() {
            Home::Trees => {
                let caller = self.caller()?;
                let requests = held
                    .iter()
                    .map(|row| trees::delete(self.resource, row, caller));
                self.together(requests.collect::<Result<_, _>>()?).await?;
                Written {
                    keys: keys.clone(),
                    ..Written::default()
                }
            }
            _ => self.in_set(Edit::Remove).await.map_err(lost)?,
        };
        let told = match told {
            // Somebody else was faster with some of them.
            Some(_) if written.keys.len() != keys.len() => {
                Some(eval::answer(&plan, written.rows.clone())?)
            }
            told => told,
        };
        let body = told.map(|rows| self.body(&plan, &rows)).transpose()?;
        Ok(self.respond(Verb::Delete, &written, body))
    }

    fn payload(&self, body: &[u8]) -> Result<Vec<Given>, ApiError> {
        let only = self.query.columns.as_deref();
        for name in only.unwrap_or_default() {
            if self.resource.column(name).is_none() {
                return Err(super::payload::unknown_column(self.resource, name));
            }
        }
        let rows = read(self.resource, self.headers, body, only)?;
        self.own_namespace(&rows)?;
        Ok(rows)
    }

    /// Refuses rows that name another namespace than the caller's.
    fn own_namespace(&self, rows: &[Given]) -> Result<(), ApiError> {
        let columns = self.resource.columns;
        let Some(at) = columns
            .iter()
            .position(|column| column.name == "namespace_id")
        else {
            return Ok(());
        };
        let own = Cell::Text(self.caller()?.namespace.to_string());
        let is_other = |row: &Given| {
            row.get(at)
                .is_some_and(|named| *named != own && *named != Cell::Null)
        };
        if rows.iter().any(is_other) {
            let message = format!(
                "a row of {} is written in the caller's namespace",
                self.resource.name
            );
            return Err(ApiError::new("42501", message).with_details("namespace_id"));
        }
        Ok(())
    }

    /// The columns by which a row is one that is there already.
    fn conflict(&self) -> Result<Vec<usize>, ApiError> {
        let key = key_columns(self.resource);
        let Some(named) = &self.query.on_conflict else {
            return Ok(key);
        };
        let columns = self.resource.columns;
        let mut places = Vec::new();
        for name in named {
            let at = columns.iter().position(|column| column.name == name);
            places.push(at.ok_or_else(|| super::payload::unknown_column(self.resource, name))?);
        }
        let is_key = |places: &[usize]| {
            key.iter().all(|at| places.contains(at)) && places.len() == key.len()
        };
        let is_unique = UNIQUE.iter().any(|(resource, column)| {
            *resource == self.resource.name
                && named.len() == 1
                && named.first().is_some_and(|name| name == column)
        });
        // A client may name the namespace beside.
        let beside: Vec<usize> = places
            .iter()
            .copied()
            .filter(|at| {
                columns
                    .get(*at)
                    .is_some_and(|column| column.name != "namespace_id")
            })
            .collect();
        if is_unique || is_key(&beside) {
            return Ok(beside);
        }
        let message =
            "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        Err(ApiError::new("42P10", message).with_details(named.join(", ")))
    }

    /// The rows of a body without those that are the same by the columns of a conflict: the first of them
    /// counts where such rows are ignored. Merged, the last would count by accident.
    fn distinct(&self, rows: Vec<Given>, same: &[usize]) -> Result<Vec<Given>, ApiError> {
        let Some(resolution) = self.preferences.resolution else {
            return Ok(rows);
        };
        let mut seen = BTreeSet::new();
        let mut distinct = Vec::with_capacity(rows.len());
        for row in rows {
            let texts = same
                .iter()
                .map(|at| row.get(*at).and_then(Cell::to_text))
                .collect::<Option<Vec<_>>>();
            // Null is like nothing.
            if texts.is_none_or(|texts| seen.insert(texts)) {
                distinct.push(row);
            } else if resolution == Resolution::Merge {
                let columns = same.iter().filter_map(|at| self.resource.columns.get(*at));
                let columns: Vec<&str> = columns.map(|column| column.name).collect();
                let columns = columns.join(", ");
                let message = format!("{columns}: two rows of the body have the same");
                return Err(ApiError::new("already_exists", message).with_details(columns));
            }
        }
        Ok(distinct)
    }

    async fn insert(&self, rows: &[Given], same: &[usize]) -> Result<Written, ApiError> {
        match self.home() {
            Home::Trees => self.insert_trees(rows, same).await,
            _ => self.in_set(Edit::Put(rows, same)).await,
        }
    }

    async fn insert_trees(&self, rows: &[Given], same: &[usize]) -> Result<Written, ApiError> {
        let caller = self.caller()?;
        let mut tries = 0;
        loop {
            tries += 1;
            let held = match self.preferences.resolution {
                Some(_) => {
                    let wanted = rows.iter().map(|row| values(row, same));
                    self.with(self.resource, same, &wanted.collect::<Vec<_>>())
                        .await?
                }
                None => Vec::new(),
            };
            let mut requests = Vec::new();
            let mut written = Written::default();
            // What each request is for: a new row, or a change of one that is there.
            let mut kept = Vec::new();
            for given in rows {
                let wanted = values(given, same);
                let found = held.iter().find(|row| {
                    same.iter()
                        .zip(&wanted)
                        .all(|(at, wanted)| *wanted != Cell::Null && row.get(*at) == Some(wanted))
                });
                match (found, self.preferences.resolution) {
                    (Some(_), Some(Resolution::Ignore)) => {}
                    (Some(held), Some(Resolution::Merge)) => {
                        written.keys.push(key_of(self.resource, held));
                        match trees::change(self.resource, held, given, caller)? {
                            Some(request) => {
                                requests.push(request);
                                kept.push(None);
                            }
                            None => written.rows.push(held.clone()),
                        }
                    }
                    _ => {
                        requests.push(trees::insert(self.resource, given, self.app, caller)?);
                        kept.push(Some(given));
                        written.inserted += 1;
                    }
                }
            }
            match self.together(requests).await {
                Ok(outcomes) => {
                    for (outcome, given) in outcomes.iter().zip(kept) {
                        let row = self.row_of(outcome, given);
                        if given.is_some() {
                            written.keys.push(key_of(self.resource, &row));
                        }
                        written.rows.push(row);
                    }
                    return Ok(written);
                }
                // Somebody else was faster, and the row is there now.
                Err(error)
                    if (is_to_be_tried_again(&error)
                        || error.code() == "already_exists"
                            && self.preferences.resolution.is_some())
                        && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The row that a command made or changed.
    fn row_of(&self, outcome: &Outcome, given: Option<&Given>) -> Row {
        if let Some(row) = trees::told(self.resource, &outcome.body) {
            return row;
        }
        // A command that answers an id alone made what it was given, under that id.
        let columns = self
            .resource
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let made = outcome
                    .made
                    .filter(|_| self.resource.key.contains(&column.name));
                let sent = given.and_then(|given| given.get(at).cloned());
                made.map(Cell::Uuid).or(sent).unwrap_or(Cell::Null)
            });
        columns.collect()
    }

    async fn patch_trees(&self, given: &Given) -> Result<Written, ApiError> {
        let caller = self.caller()?;
        let mut tries = 0;
        loop {
            tries += 1;
            let held = self.named().await?;
            let mut written = Written {
                keys: self.keys(&held),
                ..Written::default()
            };
            let mut requests = Vec::new();
            for row in &held {
                match trees::change(self.resource, row, given, caller)? {
                    Some(request) => requests.push(request),
                    None => written.rows.push(row.clone()),
                }
            }
            match self.together(requests).await {
                Ok(outcomes) => {
                    let rows = outcomes.iter().map(|outcome| self.row_of(outcome, None));
                    written.rows.extend(rows);
                    return Ok(written);
                }
                Err(error) if is_to_be_tried_again(&error) && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Does all requests, or none.
    pub(super) async fn together(&self, requests: Vec<Request>) -> Result<Vec<Outcome>, ApiError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let end = if self.is_rollback() {
            End::Rollback
        } else {
            End::Commit
        };
        let done = self.app.engine().call_together(requests, end).await;
        done.map_err(|error| error.error.into())
    }

    pub(super) fn keys(&self, rows: &[Row]) -> Vec<Row> {
        rows.iter().map(|row| key_of(self.resource, row)).collect()
    }
}

/// Whether a write was refused for nothing but that somebody else was faster.
pub(super) fn is_to_be_tried_again(error: &ApiError) -> bool {
    error.code() == "row_changed"
}

/// A row that is deleted from under others is in use, whatever the document would be called then.
fn lost(error: ApiError) -> ApiError {
    if error.code() != "invalid_catalogue" {
        return error;
    }
    let hint = "other rows of the catalogue use it: change or delete them first";
    error.with_code("23503").with_hint(Some(hint))
}

fn values(given: &Given, columns: &[usize]) -> Row {
    let values = columns.iter().map(|at| given.get(*at).cloned());
    values.map(|value| value.unwrap_or(Cell::Null)).collect()
}
