//! Between cells and the core's types.

use mec_core::ids::is_code;
use mec_core::{Code, Quantity};
use mec_query::rows::Cell;
use mec_query::schema::Resource;
use uuid::Uuid;

use super::payload::bad_value;
use super::table::Row;
use crate::error::ApiError;

/// The longest text for people, in bytes.
const MAX_TEXT_BYTES: usize = 1_000;

/// A text.
pub fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A whole number, or nothing.
pub fn whole(number: Option<u32>) -> Cell {
    number.map_or(Cell::Null, |number| Cell::Integer(i64::from(number)))
}

/// A quantity, or nothing.
pub fn decimal(quantity: Option<Quantity>) -> Cell {
    quantity.map_or(Cell::Null, |quantity| Cell::Decimal(quantity.micros()))
}

/// Reads a row by the names of its columns.
pub struct Reading<'a> {
    resource: &'static Resource,
    row: &'a Row,
}

impl<'a> Reading<'a> {
    /// A row of a resource.
    pub fn new(resource: &'static Resource, row: &'a Row) -> Self {
        Self { resource, row }
    }

    /// The resource whose row it is.
    pub fn resource(&self) -> &'static Resource {
        self.resource
    }

    /// A column's value.
    pub fn cell(&self, column: &str) -> &'a Cell {
        let at = self
            .resource
            .columns
            .iter()
            .position(|known| known.name == column);
        at.and_then(|at| self.row.get(at)).unwrap_or(&Cell::Null)
    }

    pub fn maybe_text(&self, column: &'static str) -> Result<Option<String>, ApiError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Text(text) if text.len() <= MAX_TEXT_BYTES => Ok(Some(text.clone())),
            _ => Err(bad_value(column, "a string of at most 1000 bytes")),
        }
    }

    pub fn text(&self, column: &'static str) -> Result<String, ApiError> {
        Ok(self.maybe_text(column)?.unwrap_or_default())
    }

    pub fn maybe_code(&self, column: &'static str) -> Result<Option<Code>, ApiError> {
        let expected = "a string of 1 to 100 bytes without control characters";
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Text(text) if is_code(text) => Ok(Some(text.as_str().into())),
            _ => Err(bad_value(column, expected)),
        }
    }

    pub fn code(&self, column: &'static str) -> Result<Code, ApiError> {
        let missing = || bad_value(column, "a string of 1 to 100 bytes");
        self.maybe_code(column)?.ok_or_else(missing)
    }

    pub fn id(&self, column: &'static str) -> Result<Uuid, ApiError> {
        match self.cell(column) {
            Cell::Uuid(id) => Ok(*id),
            _ => Err(bad_value(column, "a UUID")),
        }
    }

    pub fn flag(&self, column: &'static str) -> Result<bool, ApiError> {
        match self.cell(column) {
            Cell::Boolean(is_true) => Ok(*is_true),
            _ => Err(bad_value(column, "true or false")),
        }
    }

    pub fn maybe_quantity(&self, column: &'static str) -> Result<Option<Quantity>, ApiError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Decimal(micros)
                if micros.unsigned_abs() <= Quantity::MAX_EVENT.micros().unsigned_abs() =>
            {
                Ok(Some(Quantity::from_micros(*micros)))
            }
            _ => Err(bad_value(column, "a decimal within +-999999999999.999999")),
        }
    }

    pub fn maybe_number<N: TryFrom<i64>>(
        &self,
        column: &'static str,
    ) -> Result<Option<N>, ApiError> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Integer(number) => match N::try_from(*number) {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(bad_value(
                    column,
                    "a smaller whole number, and not a negative one",
                )),
            },
            _ => Err(bad_value(column, "a whole number")),
        }
    }

    pub fn number<N: TryFrom<i64>>(&self, column: &'static str) -> Result<N, ApiError> {
        let missing = || bad_value(column, "a whole number");
        self.maybe_number(column)?.ok_or_else(missing)
    }

    pub fn one_of<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ApiError> {
        let found = match self.cell(column) {
            Cell::Text(text) => parse(text),
            _ => None,
        };
        found.ok_or_else(|| self.unknown(column))
    }

    /// The error of a value that names nothing.
    pub fn unknown(&self, column: &'static str) -> ApiError {
        let value = self.cell(column).to_text().unwrap_or_default();
        let shown: String = value.chars().take(100).collect();
        ApiError::new("unknown_code", format!("{column}: there is no {shown}")).with_details(column)
    }
}
