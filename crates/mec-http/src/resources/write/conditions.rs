//! The conditions of entitlements: rows that are changed with the entitlement they belong to.

use std::collections::BTreeSet;

use mec_core::Command;
use mec_core::condition::Condition;
use mec_engine::Target;
use mec_query::rows::Cell;
use mec_query::schema::Resource;

use super::catalogue::read_condition;
use super::cells::Reading;
use super::find::key_of;
use super::sets::Edit;
use super::table::{Row, Table};
use super::verbs::is_to_be_tried_again;
use super::{TRIES, Write, Written, trees};
use crate::error::ApiError;

/// Where the column entitlement_id stands among those of the conditions.
const OWNER: usize = 1;

impl Write<'_> {
    /// The entitlements whose conditions are edited.
    async fn owners(&self, edit: Edit<'_>) -> Result<Vec<Row>, ApiError> {
        let owners: Vec<Cell> = match edit {
            Edit::Put(rows, _) => rows
                .iter()
                .filter_map(|row| row.get(OWNER).cloned())
                .collect(),
            _ => {
                let named = self.named().await?;
                named
                    .iter()
                    .filter_map(|row| row.get(OWNER).cloned())
                    .collect()
            }
        };
        Ok(owners.into_iter().map(|owner| vec![owner]).collect())
    }

    /// Edits the conditions of some entitlements.
    pub(super) async fn in_conditions(&self, edit: Edit<'_>) -> Result<Written, ApiError> {
        let Some(entitlements) = Resource::find("entitlements") else {
            return Err(ApiError::internal());
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let owners = self.owners(edit).await?;
            let held = self.with(entitlements, &[OWNER], &owners).await?;
            let held: Vec<Reading<'_>> = held
                .iter()
                .map(|row| Reading::new(entitlements, row))
                .collect();
            let rows = self.with(self.resource, &[OWNER], &owners).await?;
            let mut table = Table::new(self.resource, rows);
            self.edit(&mut table, edit).await?;
            let ids: BTreeSet<String> = table
                .touched
                .iter()
                .filter_map(|row| row.get(OWNER).and_then(Cell::to_text))
                .collect();
            let mut requests = Vec::new();
            for id in &ids {
                let is_it =
                    |of: &&Reading<'_>| of.cell("entitlement_id").to_text().as_ref() == Some(id);
                let owner = held.iter().find(is_it).ok_or_else(|| {
                    ApiError::new("entitlement_not_found", "the entitlement does not exist")
                        .with_details("entitlement_id")
                })?;
                let version = owner.number("version")?;
                let mut update = trees::untouched(owner.id("entitlement_id")?, Some(version));
                update.conditions = Some(conditions_of(&table, id)?);
                let target = Target::Account(owner.id("account_id")?);
                let command = Command::UpdateEntitlement(update);
                requests.push(self.caller()?.request(target, command, None));
            }
            match self.together(requests).await {
                Ok(_) => {
                    let keys = table.touched.iter().map(|row| key_of(self.resource, row));
                    return Ok(Written {
                        keys: keys.collect(),
                        inserted: table.inserted,
                        rows: table.touched,
                    });
                }
                Err(error) if is_to_be_tried_again(&error) && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The conditions that an entitlement shall have.
fn conditions_of(table: &Table, id: &str) -> Result<Vec<Condition>, ApiError> {
    let own = table.rows.iter().filter(|row| {
        let owner = row.get(OWNER).and_then(Cell::to_text);
        owner.as_deref() == Some(id)
    });
    own.map(|row| read_condition(&Reading::new(table.resource, row)))
        .collect()
}
