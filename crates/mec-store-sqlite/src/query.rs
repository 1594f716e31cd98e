//! Reads of usage outside a batch.

use std::collections::BTreeMap;

use mec_core::usage::CounterKey;
use mec_core::{Quantity, Timestamp};
use mec_store::{SeriesBucket, SeriesGroup, SeriesQuery, SeriesRow, UsageQuery};
use rusqlite::{Connection, params};
use uuid::Uuid;

use crate::catalogue::rows;
use crate::convert::{at, id, number};
use crate::load::{DAY, HOUR, buckets, counter_id, counter_sum};
use crate::sql;

type Sql<T> = rusqlite::Result<T>;

/// Usage in explicit bounds. An account's own use alone is read from the ledger's index where others
/// stand or stood below it.
pub(crate) fn usage(connection: &Connection, query: &UsageQuery) -> Sql<i128> {
    let ns = query.namespace.as_str();
    let own_only = !query.include_children
        && connection.query_row(
            sql::ACCOUNT_SELECT_HAD_CHILDREN_BY_ID,
            params![ns, query.account.as_bytes()],
            |row| row.get(0),
        )?;
    if !own_only {
        let counter = CounterKey {
            resource: query.resource.clone(),
            scope: query.scope.clone(),
            drawn_for: None,
        };
        return counter_sum(
            connection,
            &query.namespace,
            query.account,
            &counter,
            query.from,
            query.to,
        );
    }
    let from = query.from.unwrap_or(Timestamp::MIN).as_micros();
    let to = query.to.unwrap_or(Timestamp::MAX).as_micros();
    let values = params![
        ns,
        query.account.as_bytes(),
        query.resource,
        from,
        to,
        query.scope
    ];
    let amounts = rows(
        connection,
        sql::USAGE_SELECT_OWN_BY_ACCOUNT,
        values,
        |row| amount(row, 0),
    )?;
    Ok(amounts.into_iter().sum())
}

fn amount(row: &rusqlite::Row<'_>, column: usize) -> Sql<i128> {
    let quantity: Quantity = crate::convert::quantity(row, column)?;
    Ok(quantity.micros() * i128::from(number::<i64>(row, column + 1)?))
}

/// Usage by time bucket: from the counters, or from an index of the ledger where it is grouped by
/// account or detail.
pub(crate) fn series(connection: &Connection, query: &SeriesQuery) -> Sql<Vec<SeriesRow>> {
    let mut sums: BTreeMap<(Timestamp, Option<String>), i128> = BTreeMap::new();
    let mut add = |at: Timestamp, group: Option<String>, amount: i128| {
        *sums
            .entry((bucket_start(at, query.bucket), group))
            .or_default() += amount;
    };
    let (from, to) = (query.from.as_micros(), query.to.as_micros());
    let ns = query.namespace.as_str();
    let granularity = if query.bucket == SeriesBucket::Hour {
        HOUR
    } else {
        DAY
    };
    match &query.group_by {
        None => {
            let counter = CounterKey {
                resource: query.resource.clone(),
                scope: None,
                drawn_for: None,
            };
            if let Some(counter) =
                counter_id(connection, &query.namespace, query.account, &counter)?
            {
                buckets(connection, counter, granularity, from, to)?
                    .into_iter()
                    .for_each(|(at, amount)| add(at, None, amount));
            }
        }
        Some(SeriesGroup::Scope) => {
            let of = params![ns, query.resource, query.account.as_bytes()];
            let counters: Vec<(i64, String)> =
                rows(connection, sql::COUNTER_SELECT_SCOPES_BY_LEVEL, of, |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            for (counter, scope) in counters {
                for (at, amount) in buckets(connection, counter, granularity, from, to)? {
                    // The counter of all scopes holds those without one; the others are taken off it.
                    if scope.is_empty() {
                        add(at, None, amount);
                    } else {
                        add(at, Some(scope.clone()), amount);
                        add(at, None, -amount);
                    }
                }
            }
        }
        Some(SeriesGroup::Account) => {
            let of = params![ns, query.account.as_bytes(), query.resource, from, to];
            let events = rows(
                connection,
                sql::SERIES_SELECT_ACCOUNTS_BY_LEVEL,
                of,
                |row| Ok((at(row, 0)?, amount(row, 1)?, id(row, 3)?)),
            )?;
            events
                .into_iter()
                .for_each(|(at, amount, account): (_, _, Uuid)| {
                    add(at, Some(account.to_string()), amount)
                });
        }
        Some(SeriesGroup::Detail(key)) => {
            let of = params![ns, query.account.as_bytes(), query.resource, from, to, key];
            let events: Vec<(Timestamp, i128, Option<String>)> =
                rows(connection, sql::SERIES_SELECT_DETAILS_BY_LEVEL, of, |row| {
                    Ok((at(row, 0)?, amount(row, 1)?, row.get(3)?))
                })?;
            events
                .into_iter()
                .for_each(|(at, amount, value)| add(at, value, amount));
        }
    }
    let rows = sums.into_iter().filter(|(_, amount)| *amount != 0);
    Ok(rows
        .take(query.limit)
        .map(|((bucket_start, group), amount)| SeriesRow {
            bucket_start,
            group,
            amount,
        })
        .collect())
}

fn bucket_start(at: Timestamp, bucket: SeriesBucket) -> Timestamp {
    match bucket {
        SeriesBucket::Hour => at.floor_hour(),
        SeriesBucket::Day => at.floor_day(),
        SeriesBucket::Month => mec_core::window::month_start(at),
    }
}
