//! Rows that are changed as a set: those of the catalogue, and those that all namespaces share.

use mec_query::rows::Cell;
use mec_query::schema::Resource;

use super::payload::Given;
use crate::error::ApiError;
use crate::resources::preferences::Resolution;

/// One row, in the order of the resource's columns.
pub type Row = Vec<Cell>;

/// A set of rows of one resource, and what becomes of it.
#[derive(Debug)]
pub struct Table {
    /// The resource.
    pub resource: &'static Resource,
    /// The rows as they shall be.
    pub rows: Vec<Row>,
    /// The rows that were put in or changed, as they shall be, or taken out, as they were.
    pub touched: Vec<Row>,
    /// So many of them were put in.
    pub inserted: usize,
}

impl Table {
    /// The rows as they are.
    pub fn new(resource: &'static Resource, rows: Vec<Row>) -> Self {
        Self {
            resource,
            rows,
            touched: Vec::new(),
            inserted: 0,
        }
    }

    /// Puts a row in, or over the one that is the same by the columns of `same`.
    pub fn put(
        &mut self,
        given: &Given,
        same: &[usize],
        resolution: Option<Resolution>,
        default: impl Fn(&'static str, &Given) -> Option<Cell>,
    ) -> Result<(), ApiError> {
        let key = key_columns(self.resource);
        let held = self.find(given, same).filter(|_| resolution.is_some());
        if let Some(at) = held {
            if resolution == Some(Resolution::Merge) {
                self.change(at, given)?;
            }
            return Ok(());
        }
        let mut row = Vec::with_capacity(self.resource.columns.len());
        for (at, column) in self.resource.columns.iter().enumerate() {
            let value = match given.get(at) {
                Some(Cell::Null) | None => default(column.name, given),
                Some(value) => Some(value.clone()),
            };
            let absent = column.is_nullable.then_some(Cell::Null);
            let value = value.or(absent).ok_or_else(|| {
                let message = format!("{} needs the column {}", self.resource.name, column.name);
                ApiError::new("missing_field", message).with_details(column.name)
            })?;
            row.push(value);
        }
        if self.rows.iter().any(|held| is_same(held, &row, &key)) {
            return Err(taken(self.resource));
        }
        self.rows.push(row.clone());
        self.touched.push(row);
        self.inserted += 1;
        Ok(())
    }

    /// The row that a given one is the same as, by some columns.
    fn find(&self, given: &Given, same: &[usize]) -> Option<usize> {
        self.rows.iter().position(|row| {
            same.iter().all(|at| {
                let wanted = given.get(*at);
                wanted.is_some_and(|wanted| *wanted != Cell::Null && row.get(*at) == Some(wanted))
            })
        })
    }

    /// Changes a row to what is given. What it is called, or whose part it is, stays: others go by that.
    pub fn change(&mut self, at: usize, given: &Given) -> Result<(), ApiError> {
        let resource = self.resource;
        let Some(row) = self.rows.get_mut(at) else {
            return Ok(());
        };
        for (column, value) in &given.values {
            let Some(definition) = resource.columns.get(*column) else {
                continue;
            };
            if is_made(definition.name) {
                continue;
            }
            if *value == Cell::Null && !definition.is_nullable {
                let message = format!("{}: null is not a value of it", definition.name);
                return Err(ApiError::new("invalid_value", message).with_details(definition.name));
            }
            let Some(place) = row.get_mut(*column) else {
                continue;
            };
            if resource.key.first() == Some(&definition.name) && place != value {
                return Err(fixed(resource, definition.name));
            }
            *place = value.clone();
        }
        let row = row.clone();
        let key = key_columns(resource);
        let same = self.rows.iter().filter(|held| is_same(held, &row, &key));
        if same.count() > 1 {
            return Err(taken(resource));
        }
        self.touched.push(row);
        Ok(())
    }

    /// Takes a row out.
    pub fn remove(&mut self, at: usize) {
        if at < self.rows.len() {
            self.touched.push(self.rows.remove(at));
        }
    }

    /// The places of the rows with some keys.
    pub fn places(&self, keys: &[Row]) -> Vec<usize> {
        let key = key_columns(self.resource);
        let of = |row: &Row| -> Row {
            let cells = key.iter().map(|at| row.get(*at).cloned());
            cells.map(|cell| cell.unwrap_or(Cell::Null)).collect()
        };
        let places = self.rows.iter().enumerate();
        places
            .filter(|(_, row)| keys.contains(&of(row)))
            .map(|(at, _)| at)
            .collect()
    }
}

/// The places of a resource's key among its columns.
pub fn key_columns(resource: &'static Resource) -> Vec<usize> {
    let columns = resource.columns;
    let places = resource
        .key
        .iter()
        .filter_map(|name| columns.iter().position(|column| column.name == *name));
    places.collect()
}

/// Whether MEC itself sets a column, whatever is sent for it.
pub fn is_made(column: &str) -> bool {
    matches!(column, "created_at" | "updated_at" | "namespace_id")
}

fn is_same(left: &Row, right: &Row, key: &[usize]) -> bool {
    key.iter().all(|at| left.get(*at) == right.get(*at))
}

/// The error of a column that keeps its value.
pub fn fixed(resource: &Resource, column: &'static str) -> ApiError {
    let message = format!("{column}: a row of {} keeps it", resource.name);
    ApiError::new("column_is_fixed", message).with_details(column)
}

/// The error of a key that another row has.
pub fn taken(resource: &Resource) -> ApiError {
    let key = resource.key.join(", ");
    let message = format!("{key}: another row of {} has it", resource.name);
    ApiError::new("already_exists", message).with_details(key)
}
