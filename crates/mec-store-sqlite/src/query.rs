//! Reads of usage outside a batch. The caller runs each in one transaction, so that sums of several
//! statements are of one moment.

use mec_core::Timestamp;
use mec_core::usage::CounterKey;
use mec_store::{
    Granularity, SeriesBucket, SeriesGroup, SeriesQuery, SeriesRow, SeriesSums, UsageQuery,
};
use rusqlite::{Connection, Row, params};

use crate::convert::{at, id};
use crate::counter;
use crate::load::counter_sum;
use crate::sql;
use crate::values::{At, Id, all, first};

type Sql<T> = rusqlite::Result<T>;

/// Usage in explicit bounds. The use of an account alone is summed up from the ledger's index where
/// others stood below it; else its counters hold nothing more.
pub(crate) fn usage(connection: &Connection, query: &UsageQuery) -> Sql<i128> {
    let of = params![query.namespace.as_str(), Id(query.account)];
    let apart = !query.include_children
        && first(
            connection,
            sql::ACCOUNT_SELECT_HAD_CHILDREN_BY_ID,
            of,
            |row| row.get(0),
        )?
        .unwrap_or(false);
    if !apart {
        let key = CounterKey {
            resource: query.resource.clone(),
            scope: query.scope.clone(),
            drawn_for: None,
        };
        return counter_sum(
            connection,
            &query.namespace,
            query.account,
            &key,
            query.from,
            query.to,
        );
    }
    let of = params![
        query.namespace.as_str(),
        Id(query.account),
        query.resource,
        query.from.map_or(i64::MIN, Timestamp::as_micros),
        query.to.map_or(i64::MAX, Timestamp::as_micros),
        query.scope,
    ];
    Ok(
        all(connection, sql::USAGE_SELECT_OWN_BY_ACCOUNT, of, |row| {
            amount(row, 0)
        })?
        .into_iter()
        .sum(),
    )
}

/// An amount in the base unit from a quantity and the factor after it.
fn amount(row: &Row<'_>, first: usize) -> Sql<i128> {
    Ok(i128::from(row.get::<_, i64>(first)?) * i128::from(row.get::<_, i64>(first + 1)?))
}

/// Usage by time bucket: from the counters, or from an index of the ledger where it is grouped by
/// account or detail. Rows that come to nothing are left out.
pub(crate) fn series(connection: &Connection, query: &SeriesQuery) -> Sql<Vec<SeriesRow>> {
    let mut sums = SeriesSums::new(query.bucket);
    match &query.group_by {
        None => {
            let key = CounterKey {
                resource: query.resource.clone(),
                scope: None,
                drawn_for: None,
            };
            if let Some(counter) = counter::find(connection, &query.namespace, query.account, &key)?
            {
                for (at, amount) in buckets(connection, query, counter)? {
                    sums.add(at, None, amount);
                }
            }
        }
        Some(SeriesGroup::Scope) => by_scope(connection, query, &mut sums)?,
        Some(SeriesGroup::Account) => {
            let of = params![
                query.namespace.as_str(),
                Id(query.account),
                query.resource,
                At(query.from),
                At(query.to)
            ];
            let read = |row: &Row<'_>| Ok((at(row, 0)?, amount(row, 1)?, id(row, 3)?));
            for (at, amount, account) in
                all(connection, sql::SERIES_SELECT_ACCOUNTS_BY_LEVEL, of, read)?
            {
                sums.add(at, Some(account.to_string()), amount);
            }
        }
        Some(SeriesGroup::Detail(key)) => {
            let of = params![
                query.namespace.as_str(),
                Id(query.account),
                query.resource,
                At(query.from),
                At(query.to),
                key
            ];
            let read = |row: &Row<'_>| Ok((at(row, 0)?, amount(row, 1)?, row.get(3)?));
            for (at, amount, value) in
                all(connection, sql::SERIES_SELECT_DETAILS_BY_LEVEL, of, read)?
            {
                sums.add(at, value, amount);
            }
        }
    }
    Ok(sums.rows(query.limit))
}

fn by_scope(connection: &Connection, query: &SeriesQuery, sums: &mut SeriesSums) -> Sql<()> {
    let of = params![query.namespace.as_str(), query.resource, Id(query.account)];
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let counters: Vec<(i64, String)> =
        all(connection, sql::COUNTER_SELECT_SCOPES_BY_LEVEL, of, read)?;
    for (counter, scope) in counters {
        for (at, amount) in buckets(connection, query, counter)? {
            if scope.is_empty() {
                sums.add(at, None, amount);
            } else {
                // What the counter of all scopes holds beyond the scopes is what had none.
                sums.add(at, None, -amount);
                sums.add(at, Some(scope.clone()), amount);
            }
        }
    }
    Ok(())
}

/// The buckets of a counter in the query's bounds. Where the end cuts a bucket, the part before it.
fn buckets(
    connection: &Connection,
    query: &SeriesQuery,
    counter: i64,
) -> Sql<Vec<(Timestamp, i128)>> {
    let granularity = match query.bucket {
        SeriesBucket::Hour => Granularity::Hour,
        SeriesBucket::Day | SeriesBucket::Month => Granularity::Day,
    };
    let cut = granularity.floor(query.to).max(query.from);
    let mut found = counter::buckets(
        connection,
        counter,
        granularity,
        query.from.as_micros(),
        cut.as_micros(),
    )?;
    if cut < query.to {
        found.push((
            cut,
            counter::sum(connection, counter, Some(cut), Some(query.to))?,
        ));
    }
    Ok(found)
}
