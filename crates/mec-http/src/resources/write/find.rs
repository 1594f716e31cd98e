//! The rows that a write is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use mec_query::ast::Query;
use mec_query::plan::{Asking, Check, Comparator, Field, Filter, Plan, Value, plan};
use mec_query::rows::{Cell, Rows};
use mec_query::schema::Resource;

use super::table::{Row, key_columns};
use super::{Write, payload};
use crate::error::ApiError;
use crate::resources::read;

impl Write<'_> {
    /// The rows that the request's filters name.
    pub(super) async fn named(&self) -> Result<Vec<Row>, ApiError> {
        let mut query = self.query.clone();
        // Embeddings stay, since filters may speak of them, and are not told.
        query
            .select
            .retain(|item| matches!(item, mec_query::ast::Item::Embed { .. }));
        query.select.insert(0, mec_query::ast::Item::All);
        let mut plan = self.plan(self.resource, &query)?;
        let asked = query.parts.get(&Vec::new()).and_then(|part| part.limit);
        if asked.is_none() {
            // One more than a write may concern, so that too many are seen.
            plan.node.limit = u64::try_from(payload::MAX_ROWS + 1).unwrap_or(u64::MAX);
        }
        let mut rows = self.rows(self.resource, plan).await?.rows;
        for row in &mut rows {
            row.truncate(self.resource.columns.len());
        }
        self.bounded(rows.len())?;
        Ok(rows)
    }

    /// All rows of a resource whose columns have some values, whole, however many they are: a set of which
    /// some were missing would be written without them.
    pub(super) async fn with(
        &self,
        resource: &'static Resource,
        columns: &[usize],
        values: &[Row],
    ) -> Result<Vec<Row>, ApiError> {
        let Some(filter) = with_values(resource, columns, values) else {
            return Ok(Vec::new());
        };
        let mut plan = self.plan(resource, &Query::default())?;
        plan.node.filters.push(filter);
        plan.node.limit = i64::MAX.unsigned_abs();
        Ok(self.rows(resource, plan).await?.rows)
    }

    fn plan(&self, resource: &'static Resource, query: &Query) -> Result<Plan, ApiError> {
        let asking = Asking {
            resource,
            role: self.visitor.role,
            reach: self.visitor.reach(resource)?,
            is_counted: false,
            timezone: None,
        };
        let mut plan = plan(query, &asking).map_err(|error| self.visitor.refused(error))?;
        plan.cursor.clear();
        Ok(plan)
    }

    async fn rows(&self, resource: &'static Resource, plan: Plan) -> Result<Rows, ApiError> {
        read::rows(self.app, self.visitor, resource, Arc::new(plan)).await
    }

    /// The plan by which the rows of an answer are told: what is embedded is filtered, they are not.
    pub(super) fn telling(&self) -> Result<Plan, ApiError> {
        let mut query = self.query.clone();
        if let Some(part) = query.parts.get_mut(&Vec::new()) {
            part.filters.clear();
            part.limit = None;
            part.offset = None;
        }
        self.plan(self.resource, &query)
    }

    /// The rows with some keys, as they are told.
    pub(super) async fn told(&self, mut plan: Plan, keys: &[Row]) -> Result<Rows, ApiError> {
        let key = key_columns(self.resource);
        match with_values(self.resource, &key, keys) {
            Some(filter) => plan.node.filters.push(filter),
            None => return Ok(Rows::default()),
        }
        self.rows(self.resource, plan).await
    }
}

/// The key of a row.
pub(super) fn key_of(resource: &'static Resource, row: &Row) -> Row {
    let cells = key_columns(resource)
        .into_iter()
        .map(|at| row.get(at).cloned());
    cells.map(|cell| cell.unwrap_or(Cell::Null)).collect()
}

/// The filter for rows whose columns have some values; none where there are none.
fn with_values(resource: &'static Resource, columns: &[usize], values: &[Row]) -> Option<Filter> {
    let fields: Vec<Field> = columns
        .iter()
        .filter_map(|at| resource.columns.get(*at))
        .map(|column| Field {
            column,
            path: Vec::new(),
            kind: column.kind,
        })
        .collect();
    // By their texts, so that each stands once.
    let wanted: BTreeMap<Vec<String>, Vec<Value>> = values
        .iter()
        .filter_map(|row| {
            let texts = row.iter().map(Cell::to_text).collect::<Option<Vec<_>>>()?;
            Some((texts, row.iter().map(value).collect::<Option<Vec<_>>>()?))
        })
        .collect();
    if wanted.is_empty() {
        return None;
    }
    if let [field] = fields.as_slice() {
        let wanted = wanted
            .into_values()
            .filter_map(|mut row| row.pop())
            .collect();
        return Some(Filter::Test(field.clone(), Check::OneOf(wanted)));
    }
    let ways = wanted.into_values().map(|row| {
        let terms = fields.iter().cloned().zip(row);
        let terms = terms
            .map(|(field, value)| Filter::Test(field, Check::Compare(Comparator::Equal, value)));
        Filter::And(terms.collect())
    });
    Some(Filter::Or(ways.collect()))
}

/// A cell as a value to compare with; none for nothing, which is like nothing.
fn value(cell: &Cell) -> Option<Value> {
    Some(match cell {
        Cell::Null | Cell::LocalTime(_) => return None,
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Uuid(id) => Value::Uuid(*id),
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Boolean(is_true) => Value::Boolean(*is_true),
        Cell::Decimal(micros) => Value::Decimal(*micros),
        Cell::Time(at) => Value::Time(*at),
        Cell::Json(json) => Value::Json(json.clone()),
        Cell::Bytes(bytes) => Value::Bytes(bytes.clone()),
    })
}
