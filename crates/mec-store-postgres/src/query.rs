//! Reads of usage outside a batch, each in one transaction, so that sums of several statements are of
//! one moment.

use mec_core::Timestamp;
use mec_core::usage::CounterKey;
use mec_store::{
    CounterName, Granularity, SeriesBucket, SeriesGroup, SeriesQuery, SeriesRow, SeriesSums,
    UsageQuery,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::values::{At, Columns};
use crate::{load, sql};

type Read<T> = Result<T, Fault>;

/// Usage in explicit bounds. The use of an account alone is summed up from the ledger's index where
/// others stood below it; else its counters hold nothing more.
pub(crate) async fn usage(connection: &Connection, query: &UsageQuery) -> Read<i128> {
    let ns = query.namespace.as_str();
    let mut is_apart = false;
    if !query.include_children {
        let of: [Value<'_>; 2] = [&ns, &query.account];
        let row = connection
            .first(sql::ACCOUNT_SELECT_HAD_CHILDREN_BY_ID, &of)
            .await?;
        is_apart = row.map_or(Ok(false), |row| row.read(0))?;
    }
    if !is_apart {
        let counter = counter(query, query.scope.clone());
        return load::sum(connection, &counter, query.from, query.to).await;
    }
    let of: [Value<'_>; 6] = [
        &ns,
        &query.account,
        &&*query.resource,
        &At(query.from.unwrap_or(Timestamp::MIN)),
        &At(query.to.unwrap_or(Timestamp::MAX)),
        &query.scope.as_deref(),
    ];
    let rows = connection
        .all(sql::USAGE_SELECT_OWN_BY_ACCOUNT, &of)
        .await?;
    let mut sum = 0_i128;
    for row in &rows {
        sum = sum.saturating_add(amount(row, 0)?);
    }
    Ok(sum)
}

/// Of a query: whose usage of what.
trait Asks {
    fn name(&self) -> CounterName;
}

impl Asks for UsageQuery {
    fn name(&self) -> CounterName {
        name(&self.namespace, self.account, &self.resource)
    }
}

impl Asks for SeriesQuery {
    fn name(&self) -> CounterName {
        name(&self.namespace, self.account, &self.resource)
    }
}

fn name(namespace: &mec_core::Namespace, level: Uuid, resource: &mec_core::Code) -> CounterName {
    CounterName {
        namespace: namespace.clone(),
        level,
        key: CounterKey {
            resource: resource.clone(),
            scope: None,
            drawn_for: None,
        },
    }
}

fn counter(query: &impl Asks, scope: Option<mec_core::Code>) -> CounterName {
    let mut name = query.name();
    name.key.scope = scope;
    name
}

/// An amount in the base unit from a quantity and the factor after it.
fn amount(row: &Row, first: usize) -> Read<i128> {
    let factor = i128::from(row.read::<i64>(first + 1)?);
    Ok(row.amount(first)?.saturating_mul(factor))
}

/// Usage by time bucket: from the counters, or from an index of the ledger where it is grouped by
/// account or detail.
pub(crate) async fn series(connection: &Connection, query: &SeriesQuery) -> Read<Vec<SeriesRow>> {
    let mut sums = SeriesSums::new(query.bucket);
    let ns = query.namespace.as_str();
    match &query.group_by {
        None => {
            for (at, amount) in buckets(connection, query, &counter(query, None)).await? {
                sums.add(at, None, amount);
            }
        }
        Some(SeriesGroup::Scope) => by_scope(connection, query, &mut sums).await?,
        Some(SeriesGroup::Account) => {
            let of: [Value<'_>; 5] = [
                &ns,
                &query.account,
                &&*query.resource,
                &At(query.from),
                &At(query.to),
            ];
            let sql = sql::SERIES_SELECT_ACCOUNTS_BY_LEVEL;
            for row in &connection.all(sql, &of).await? {
                let account: Uuid = row.read(3)?;
                sums.add(row.at(0)?, Some(account.to_string()), amount(row, 1)?);
            }
        }
        Some(SeriesGroup::Detail(key)) => {
            let of: [Value<'_>; 6] = [
                &ns,
                &query.account,
                &&*query.resource,
                &At(query.from),
                &At(query.to),
                key,
            ];
            let sql = sql::SERIES_SELECT_DETAILS_BY_LEVEL;
            for row in &connection.all(sql, &of).await? {
                sums.add(row.at(0)?, row.read(3)?, amount(row, 1)?);
            }
        }
    }
    Ok(sums.rows(query.limit))
}

async fn by_scope(connection: &Connection, query: &SeriesQuery, sums: &mut SeriesSums) -> Read<()> {
    let ns = query.namespace.as_str();
    let of: [Value<'_>; 3] = [&ns, &query.account, &&*query.resource];
    let scopes = connection
        .all(sql::COUNTER_SELECT_SCOPES_BY_LEVEL, &of)
        .await?;
    for row in &scopes {
        let scope = row.none_if_empty(0)?;
        let counter = counter(query, scope.clone());
        for (at, amount) in buckets(connection, query, &counter).await? {
            match &scope {
                None => sums.add(at, None, amount),
                // What the counter of all scopes holds beyond the scopes is what had none.
                Some(scope) => {
                    sums.add(at, None, -amount);
                    sums.add(at, Some(scope.to_string()), amount);
                }
            }
        }
    }
    Ok(())
}

/// The buckets of a counter in the query's bounds. Where the end cuts a bucket, the part before it.
async fn buckets(
    connection: &Connection,
    query: &SeriesQuery,
    counter: &CounterName,
) -> Read<Vec<(Timestamp, i128)>> {
    let granularity = match query.bucket {
        SeriesBucket::Hour => Granularity::Hour,
        SeriesBucket::Day | SeriesBucket::Month => Granularity::Day,
    };
    let cut = granularity.floor(query.to).max(query.from);
    let mut found = load::buckets(connection, counter, granularity, query.from, cut).await?;
    if cut < query.to {
        let rest = load::sum(connection, counter, Some(cut), Some(query.to)).await?;
        found.push((cut, rest));
    }
    Ok(found)
}
