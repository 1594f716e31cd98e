//! Rows that are replaced as a set, with the present ones as what they are changed from.

use mec_core::Refusal;
use mec_engine::EngineError;
use mec_store::CatalogueDraft;

use super::cells::text;
use super::find::key_of;
use super::payload::Given;
use super::table::Table;
use super::{Home, TRIES, Write, Written, catalogue, lookups};
use crate::admin;
use crate::error::ApiError;

/// What a write does to the rows of a set.
#[derive(Clone, Copy, Debug)]
pub enum Edit<'a> {
    /// Puts rows in, or over those that are the same by some columns.
    Put(&'a [Given], &'a [usize]),
    /// Changes the rows that the request names.
    Change(&'a Given),
    /// Takes out the rows that the request names.
    Remove,
}

impl Write<'_> {
    /// Edits the rows of the set that the resource's rows are.
    pub(super) async fn in_set(&self, edit: Edit<'_>) -> Result<Written, ApiError> {
        match self.home() {
            Home::Shared => self.in_lookups(edit).await,
            Home::Conditions => self.in_conditions(edit).await,
            _ => self.in_catalogue(edit).await,
        }
    }

    /// Edits rows that were read just before: what the request names is asked for after them, so that who
    /// changes something else meanwhile is noticed when they are replaced.
    pub(super) async fn edit(&self, table: &mut Table, edit: Edit<'_>) -> Result<(), ApiError> {
        if let Edit::Put(rows, same) = edit {
            return self.put_all(table, rows, same);
        }
        let keys = self.keys(&self.named().await?);
        // From the end, so that the places before stay what they are.
        for at in table.places(&keys).into_iter().rev() {
            match edit {
                Edit::Change(given) => table.change(at, given)?,
                _ => table.remove(at),
            }
        }
        table.touched.reverse();
        Ok(())
    }

    /// Edits the rows of the catalogue and replaces it.
    pub(super) async fn in_catalogue(&self, edit: Edit<'_>) -> Result<Written, ApiError> {
        let namespace = self.caller()?.namespace.clone();
        let engine = self.app.engine();
        let mut tries = 0;
        loop {
            tries += 1;
            let before = engine.catalogue(&namespace).await?;
            let mut draft: CatalogueDraft = admin::catalogue::draft_of(&before);
            let held = catalogue::rows(self.resource, &draft, namespace.as_str());
            let mut table = Table::new(self.resource, held);
            self.edit(&mut table, edit).await?;
            if table.touched.is_empty() {
                return Ok(written(table));
            }
            catalogue::put(self.resource, &table.rows, &mut draft, engine.now())?;
            admin::catalogue::check(self.app, &before, &draft)?;
            let done = if self.is_rollback() {
                engine.check_replacement(&before, &draft).await
            } else {
                engine.replace_catalogue(&before, draft).await.map(|_| ())
            };
            match done {
                Ok(()) => return Ok(written(table)),
                Err(EngineError::Refused(
                    Refusal::CatalogueChanged { .. } | Refusal::LookupsChanged { .. },
                )) if tries < TRIES => {}
                Err(error) => return Err(in_use(error)),
            }
        }
    }

    /// Edits the rows that all namespaces share and replaces them.
    pub(super) async fn in_lookups(&self, edit: Edit<'_>) -> Result<Written, ApiError> {
        let engine = self.app.engine();
        let mut tries = 0;
        loop {
            tries += 1;
            let before = engine.lookups().await?;
            let mut after = (*before).clone();
            let mut table = Table::new(self.resource, lookups::rows(self.resource, &before));
            self.edit(&mut table, edit).await?;
            if table.touched.is_empty() {
                return Ok(written(table));
            }
            lookups::put(self.resource, &table.rows, &mut after)?;
            let faults = after.faults();
            if let Some(fault) = faults.first() {
                let details = fault.column.unwrap_or_default();
                let error = ApiError::new("invalid_catalogue", fault.sentence.clone());
                return Err(error.with_details(details));
            }
            let losses = engine.check_lookups(&before, &after).await?;
            if let Some(loss) = losses.first() {
                return Err(ApiError::new("23503", loss.sentence.clone()));
            }
            if self.is_rollback() {
                return Ok(written(table));
            }
            match engine.replace_lookups(&before, after).await {
                Ok(_) => return Ok(written(table)),
                Err(EngineError::Refused(Refusal::LookupsChanged { .. })) if tries < TRIES => {}
                Err(error) => return Err(in_use(error)),
            }
        }
    }

    /// Puts rows in, or over those that are the same by some columns.
    fn put_all(&self, table: &mut Table, rows: &[Given], same: &[usize]) -> Result<(), ApiError> {
        let resource = self.resource;
        let resolution = self.preferences.resolution;
        let namespace = self
            .visitor
            .caller()
            .map(|caller| text(caller.namespace.as_str()));
        for given in rows {
            table.put(given, same, resolution, |column, given| match self.home() {
                _ if column == "namespace_id" => namespace.clone(),
                Home::Shared => lookups::default(column, given),
                _ => catalogue::default(resource.name, column, || self.app.next_id()),
            })?;
        }
        Ok(())
    }
}

fn written(table: Table) -> Written {
    let keys = table.touched.iter().map(|row| key_of(table.resource, row));
    Written {
        keys: keys.collect(),
        inserted: table.inserted,
        rows: table.touched,
    }
}

/// What accounts use stays, and is what it is: that is a conflict, and no fault of the row's own.
fn in_use(error: EngineError) -> ApiError {
    match error {
        EngineError::Refused(Refusal::Catalogue(sentence)) => ApiError::new("23503", sentence),
        error => error.into(),
    }
}
