//! Reading resources: a plan as PostgreSQL's SQL over the views of the schema `api`, run as the caller's role
//! and under its claims, so that the policies of the tables hold whatever the plan says.

mod dialect;
#[cfg(test)]
mod plans;

use std::time::Duration;

use std::pin::pin;

use deadpool::managed::Object;
use futures_util::TryStreamExt;
use mec_query::Role;
use mec_query::plan::{Plan, Value as Wanted};
use mec_query::rows::{Cell, Rows};
use mec_query::schema::Kind;
use mec_query::sql::{self, Bound, Statement};
use mec_store::{QueryError, Reader, StoreError};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::connection::{Connection, Readers, Value};
use crate::error::Fault;
use crate::said::Said;
use crate::store::UnderWay;
use crate::values::{Columns, decimal, millionths};
use dialect::Postgres;

/// The largest answer, in bytes of text and JSON.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// A plan as the statements that answer it, and who asks.
pub(crate) struct Asked {
    rows: Statement,
    count: Option<Statement>,
    role: &'static str,
    claims: String,
    zone: String,
    /// In milliseconds; 0 would be no limit.
    timeout: String,
}

impl Asked {
    /// What a caller asks, where each statement takes no longer than a time.
    pub(crate) fn new(reader: &Reader, plan: &Plan, timeout: Duration) -> Self {
        Self {
            rows: sql::rows(plan, &Postgres),
            count: plan.is_counted.then(|| sql::count(plan, &Postgres)),
            role: reader.role.as_str(),
            claims: claims(reader),
            zone: plan.timezone.as_deref().unwrap_or("UTC").to_owned(),
            timeout: timeout.as_millis().max(1).to_string(),
        }
    }

    /// The rows, with how many there are in all where that was asked for.
    pub(crate) async fn read(
        self,
        connection: Object<Readers>,
    ) -> Result<(Option<u64>, Vec<Row>), QueryError> {
        let (total, rows) = self.run(&connection).await.map_err(refused)?;
        Ok((total, rows.ok_or(QueryError::TooLarge)?))
    }

    /// The same; no rows where they are larger than an answer may be.
    async fn run(&self, connection: &Connection) -> Result<(Option<u64>, Option<Vec<Row>>), Fault> {
        let prepared = connection.dynamic(&self.rows.sql).await?;
        let counting = match &self.count {
            Some(count) => Some(connection.dynamic(&count.sql).await?),
            None => None,
        };
        let becoming = connection.statement(crate::sql::CALLER_BECOME).await?;
        let become_caller: [Value<'_>; 4] = [&self.role, &self.claims, &self.zone, &self.timeout];
        let client = &connection.client;
        let values = texts(&self.rows);
        let values = borrowed(&values);
        let counted = self.count.as_ref().map(texts).unwrap_or_default();
        let counted = borrowed(&counted);
        // Whoever waits for the answer may go away: the connection then gives up what it became.
        let mut under_way = UnderWay::on(connection);
        // One after the other in the connection's order, without waiting between them. Two statements
        // of one snapshot: the count is that of the rows.
        let (begun, became, total, found, ended) = futures_util::join!(
            client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            client.query(&becoming, &become_caller),
            async {
                match &counting {
                    Some(counting) => client.query(counting, &counted).await.map(Some),
                    None => Ok(None),
                }
            },
            bounded(client, &prepared, &values),
            // Of a transaction that failed this is its rollback.
            client.batch_execute("COMMIT"),
        );
        under_way.is_over = ended.is_ok();
        begun?;
        became?;
        let total = total?.as_deref().map(total_of).transpose()?;
        let rows = found?;
        ended?;
        Ok((total, rows))
    }
}

/// The rows that were read, as the plan's outputs.
pub(crate) fn told(plan: &Plan, total: Option<u64>, found: &[Row]) -> Result<Rows, QueryError> {
    let kinds = plan.node.columns();
    let kinds = kinds.iter().map(|(_, kind)| *kind);
    let kinds: Vec<Kind> = kinds
        .chain(plan.cursor.iter().map(|field| field.kind))
        .collect();
    let rows = found.iter().map(|row| cells(row, &kinds));
    Ok(Rows {
        rows: rows.collect::<Result<_, _>>().map_err(refused)?,
        total,
    })
}

/// The rows of a statement; none where they are larger than an answer may be.
async fn bounded(
    client: &Client,
    statement: &tokio_postgres::Statement,
    values: &[Value<'_>],
) -> Result<Option<Vec<Row>>, tokio_postgres::Error> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    let mut found = pin!(client.query_raw(statement, values.iter().copied()).await?);
    while let Some(row) = found.try_next().await? {
        bytes += row.raw_size_bytes();
        if bytes > MAX_ANSWER_BYTES {
            return Ok(None);
        }
        rows.push(row);
    }
    Ok(Some(rows))
}

fn total_of(rows: &[Row]) -> Result<u64, Fault> {
    let number: i64 = rows.first().map_or(Ok(0), |row| row.read(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

/// What the policies read of the caller.
fn claims(reader: &Reader) -> String {
    // A user is bound to the account of its token; all others see the whole namespace.
    let account = reader.account.filter(|_| reader.role == Role::MecUser);
    serde_json::json!({
        "role": reader.role.as_str(),
        "namespace_id": reader.namespace.as_ref().map(|namespace| namespace.as_str()),
        "account_id": account,
    })
    .to_string()
}

/// A value as text, or several as an array of texts: the statement says of which type it is.
enum Text {
    One(String),
    Many(Vec<String>),
}

fn texts(statement: &Statement) -> Vec<Text> {
    let bound = statement.values.all.iter().map(|bound| match bound {
        Bound::One(value) => Text::One(text(value)),
        Bound::Many(values) => Text::Many(values.iter().map(text).collect()),
    });
    bound.collect()
}

fn borrowed(texts: &[Text]) -> Vec<&(dyn ToSql + Sync)> {
    let values = texts.iter().map(|text| match text {
        Text::One(text) => text as &(dyn ToSql + Sync),
        Text::Many(texts) => texts as &(dyn ToSql + Sync),
    });
    values.collect()
}

fn text(value: &Wanted) -> String {
    match value {
        Wanted::Text(text) | Wanted::Json(text) => text.clone(),
        Wanted::Uuid(id) => id.to_string(),
        Wanted::Integer(number) => number.to_string(),
        Wanted::Boolean(is_true) => is_true.to_string(),
        Wanted::Decimal(micros) => decimal(*micros),
        Wanted::Time(at) => at.to_string(),
        Wanted::Bytes(bytes) => Cell::Bytes(bytes.clone()).to_text().unwrap_or_default(),
    }
}

fn cells(row: &Row, kinds: &[Kind]) -> Result<Vec<Cell>, Fault> {
    let mut cells = Vec::with_capacity(kinds.len());
    for (column, kind) in kinds.iter().enumerate() {
        let cell = match kind {
            Kind::Text => row.read::<Option<String>>(column)?.map(Cell::Text),
            Kind::Json => row.read::<Option<String>>(column)?.map(Cell::Json),
            Kind::Uuid => row.read::<Option<uuid::Uuid>>(column)?.map(Cell::Uuid),
            Kind::Integer => row.read::<Option<i64>>(column)?.map(Cell::Integer),
            Kind::Boolean => row.read::<Option<bool>>(column)?.map(Cell::Boolean),
            Kind::Bytes => row.read::<Option<Vec<u8>>>(column)?.map(Cell::Bytes),
            Kind::Time => row.optional_at(column)?.map(Cell::Time),
            Kind::Quantity | Kind::Amount => {
                let text = row.read::<Option<&str>>(column)?;
                text.map(millionths).transpose()?.map(Cell::Decimal)
            }
        };
        cells.push(cell.unwrap_or(Cell::Null));
    }
    Ok(cells)
}

/// What stopped a query. What the database says of values and rights is not a fault of the store's.
fn refused(fault: Fault) -> QueryError {
    let error = match fault {
        Fault::Sql(error) => error,
        fault => return QueryError::Store(StoreError::from(fault)),
    };
    match error.code().cloned() {
        Some(SqlState::QUERY_CANCELED) => QueryError::TooSlow,
        Some(code) if matches!(code.code().get(..2), Some("22" | "42")) => {
            tracing::warn!(error = %Said::from(error), "the database refused a query");
            QueryError::Refused(code.code().to_owned())
        }
        _ => QueryError::Store(StoreError::from(Fault::Sql(error))),
    }
}
