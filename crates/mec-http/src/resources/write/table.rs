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

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: usize = 1;
    const NAME: usize = 2;
    const DESCRIPTION: usize = 3;

    fn plans() -> &'static Resource {
        Resource::find("plans").unwrap()
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn given(values: &[(usize, Cell)]) -> Given {
        let mut given = Given::default();
        given.values.extend_from_slice(values);
        given
    }

    fn plan(id: &str, name: &str) -> Given {
        given(&[(KEY, text(id)), (NAME, text(name))])
    }

    /// What stands for all columns but the key and the name.
    fn default(column: &'static str, _: &Given) -> Option<Cell> {
        (!["plan_id", "plan_name"].contains(&column)).then(|| text("default"))
    }

    fn put(
        table: &mut Table,
        given: &Given,
        resolution: Option<Resolution>,
    ) -> Result<(), ApiError> {
        table.put(given, &[KEY], resolution, default)
    }

    /// The plans a, b and c.
    fn table() -> Table {
        let mut table = Table::new(plans(), Vec::new());
        for id in ["a", "b", "c"] {
            put(&mut table, &plan(id, "old"), None).unwrap();
        }
        Table::new(plans(), table.rows)
    }

    fn names(rows: &[Row]) -> Vec<String> {
        let told = |cell: &Cell| cell.to_text().unwrap();
        rows.iter()
            .map(|row| format!("{} {}", told(&row[KEY]), told(&row[NAME])))
            .collect()
    }

    #[test]
    fn a_new_row_takes_defaults_and_needs_what_has_none() {
        let mut table = table();
        let description = given(&[
            (KEY, text("d")),
            (NAME, text("new")),
            (DESCRIPTION, Cell::Null),
        ]);
        put(&mut table, &description, None).unwrap();
        assert_eq!(
            (table.inserted, names(&table.touched)),
            (1, vec!["d new".to_owned()])
        );
        assert_eq!(table.touched[0].len(), plans().columns.len());
        assert_eq!(table.touched[0][DESCRIPTION], text("default"));
        let nameless = put(&mut table, &given(&[(KEY, text("e"))]), None).unwrap_err();
        assert_eq!(nameless.code(), "missing_field");
        assert_eq!(names(&table.rows), ["a old", "b old", "c old", "d new"]);
    }

    #[test]
    fn a_row_that_is_there_is_refused_merged_or_ignored() {
        let mut table = table();
        let again = plan("b", "new");
        let taken = put(&mut table, &again, None).unwrap_err();
        assert_eq!(taken.code(), "already_exists");
        put(&mut table, &again, Some(Resolution::Ignore)).unwrap();
        assert!(table.touched.is_empty());
        put(&mut table, &again, Some(Resolution::Merge)).unwrap();
        assert_eq!(
            (table.inserted, names(&table.touched)),
            (0, vec!["b new".to_owned()])
        );
        assert_eq!(names(&table.rows), ["a old", "b new", "c old"]);
        // What is not sent stays.
        assert_eq!(table.rows[1][DESCRIPTION], text("default"));
    }

    #[test]
    fn a_row_is_the_same_by_all_columns_of_the_conflict_and_never_by_null() {
        let mut table = table();
        let merge = Some(Resolution::Merge);
        let both = [KEY, NAME];
        let other = table.put(&plan("b", "new"), &both, merge, default);
        assert_eq!(other.unwrap_err().code(), "already_exists");
        table.put(&plan("b", "old"), &both, merge, default).unwrap();
        assert_eq!(
            (table.inserted, names(&table.touched)),
            (0, vec!["b old".to_owned()])
        );
        let external = plans()
            .columns
            .iter()
            .position(|column| column.name == "external_id");
        let external = external.unwrap();
        table.rows[0][external] = Cell::Null;
        let mut row = plan("d", "new");
        row.values.push((external, Cell::Null));
        table.put(&row, &[external], merge, default).unwrap();
        assert_eq!((table.inserted, table.rows.len()), (1, 4));
    }

    #[test]
    fn a_change_keeps_the_key_and_what_mec_sets() {
        let mut table = table();
        let created = plans()
            .columns
            .iter()
            .position(|column| column.name == "created_at");
        let created = created.unwrap();
        let change = given(&[
            (0, text("other")),
            (KEY, text("b")),
            (NAME, text("new")),
            (created, Cell::Null),
        ]);
        table.change(1, &change).unwrap();
        assert_eq!(names(&table.rows), ["a old", "b new", "c old"]);
        assert_eq!(
            (&table.rows[1][0], &table.rows[1][created]),
            (&text("default"), &text("default"))
        );
        let fixed = table.change(1, &given(&[(KEY, text("z"))])).unwrap_err();
        assert_eq!(fixed.code(), "column_is_fixed");
        let null = table.change(1, &given(&[(NAME, Cell::Null)])).unwrap_err();
        assert_eq!(null.code(), "invalid_value");
        table.change(9, &change).unwrap();
        assert_eq!(names(&table.touched), ["b new"]);
    }

    #[test]
    fn rows_change_into_no_other_ones() {
        let units = Resource::find("resource_type_allowed_units").unwrap();
        let row = |unit: &str| vec![text("default"), text("gpu_hours"), text(unit)];
        let mut table = Table::new(units, vec![row("hours"), row("minutes")]);
        let taken = table
            .change(0, &given(&[(2, text("minutes"))]))
            .unwrap_err();
        assert_eq!(taken.code(), "already_exists");
    }

    #[test]
    fn rows_are_found_by_their_keys_and_taken_out() {
        let mut table = table();
        let keys = [
            vec![text("c")],
            vec![text("a")],
            vec![text("z")],
            vec![Cell::Null],
        ];
        assert_eq!(table.places(&keys), [0, 2]);
        for at in table.places(&keys).into_iter().rev() {
            table.remove(at);
        }
        table.remove(1);
        assert_eq!(names(&table.rows), ["b old"]);
        assert_eq!(names(&table.touched), ["c old", "a old"]);
        let none: Vec<usize> = Vec::new();
        assert_eq!(table.places(&[]), none);
    }
}
