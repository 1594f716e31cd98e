//! Loading what a Book needs. Nothing here reads the ledger but for one event or one minute.

use std::sync::Arc;

use mec_core::book::{PartRows, TreeHead};
use mec_core::change::{GraceClock, LimitKey};
use mec_core::entitlement::LimitKind;
use mec_core::grant::Draw;
use mec_core::holds::{Hold, HoldKind};
use mec_core::ledger::{Details, Event, EventFacts};
use mec_core::need::{Loaded, Need};
use mec_core::usage::CounterKey;
use mec_core::{Code, Namespace, Timestamp};
use mec_store::{Locator, Place};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::catalogue::rows;
use crate::convert::{
    self, at, code, id, named, none_if_empty, number, optional_at, optional_code, optional_id,
    or_empty, sum,
};
use crate::sql;

type Sql<T> = rusqlite::Result<T>;

pub(crate) fn locate(
    connection: &Connection,
    namespace: &Namespace,
    locator: &Locator,
) -> Sql<Option<Place>> {
    let by_id = |sql: &str, wanted: &Uuid| {
        let mut statement = connection.prepare_cached(sql)?;
        statement
            .query_row(params![namespace.as_str(), wanted.as_bytes()], place)
            .optional()
    };
    match locator {
        Locator::Account(wanted) => by_id(sql::ACCOUNT_LOCATE_BY_ID, wanted),
        Locator::Lease(wanted) => by_id(sql::ACCOUNT_LOCATE_BY_LEASE, wanted),
        Locator::Reservation(wanted) => by_id(sql::ACCOUNT_LOCATE_BY_RESERVATION, wanted),
        Locator::Event(wanted) => by_id(sql::ACCOUNT_LOCATE_BY_EVENT, wanted),
        Locator::Grant(wanted) => by_id(sql::ACCOUNT_LOCATE_BY_GRANT, wanted),
        Locator::External(wanted) => {
            for sql in [
                sql::ACCOUNT_LOCATE_BY_EXTERNAL_ID,
                sql::ACCOUNT_LOCATE_BY_PROVIDER_ID,
            ] {
                let mut statement = connection.prepare_cached(sql)?;
                let found = statement
                    .query_row(params![namespace.as_str(), wanted], place)
                    .optional()?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        }
    }
}

fn place(row: &rusqlite::Row<'_>) -> Sql<Place> {
    Ok(Place {
        account: id(row, 0)?,
        tree: id(row, 1)?,
    })
}

pub(crate) fn head(
    connection: &Connection,
    namespace: &Namespace,
    tree: Uuid,
) -> Sql<Option<TreeHead>> {
    let mut statement = connection.prepare_cached(sql::TREE_SELECT_BY_ID)?;
    let head = |row: &rusqlite::Row<'_>| {
        Ok(TreeHead {
            tree_id: id(row, 0)?,
            chain_id: id(row, 1)?,
            chain_seq: number(row, 2)?,
            chain_hash: row.get(3)?,
            fencing_token: number(row, 4)?,
            last_at: at(row, 5)?,
            version: number(row, 6)?,
        })
    };
    statement
        .query_row(params![namespace.as_str(), tree.as_bytes()], head)
        .optional()
}

pub(crate) fn load(
    connection: &Connection,
    namespace: &Namespace,
    tree: Uuid,
    need: &Need,
    now: Timestamp,
) -> Sql<Loaded> {
    Ok(match need {
        Need::Part(account) => {
            Loaded::Part(part(connection, namespace, *account, now)?.map(Box::new))
        }
        Need::Sum {
            level,
            counter,
            from,
            to,
        } => Loaded::Sum(counter_sum(
            connection, namespace, *level, counter, *from, *to,
        )?),
        Need::Rolling {
            level,
            counter,
            from_hour,
            minutes_of,
        } => {
            let Some(counter) = counter_id(connection, namespace, *level, counter)? else {
                return Ok(Loaded::Rolling {
                    hours: Vec::new(),
                    minutes: Vec::new(),
                });
            };
            let hour_end = minutes_of.saturating_add_micros(Timestamp::MICROS_PER_HOUR);
            Loaded::Rolling {
                hours: buckets(connection, counter, HOUR, from_hour.as_micros(), i64::MAX)?,
                minutes: buckets(
                    connection,
                    counter,
                    MINUTE,
                    minutes_of.as_micros(),
                    hour_end.as_micros(),
                )?,
            }
        }
        Need::Scopes(resource) => {
            let values = params![namespace.as_str(), tree.as_bytes(), resource];
            Loaded::Scopes(
                rows(connection, sql::SCOPE_SELECT_BY_TREE, values, |row| {
                    code(row, 0)
                })?
                .into_iter()
                .collect(),
            )
        }
        Need::OwnTotal {
            level,
            resource,
            scope,
        } => {
            let mut statement = connection.prepare_cached(sql::OWN_TOTAL_SELECT_BY_LEVEL)?;
            let values = params![
                namespace.as_str(),
                level.as_bytes(),
                resource,
                or_empty(scope)
            ];
            let total = statement
                .query_row(values, |row| Ok(sum(row.get(0)?, row.get(1)?)))
                .optional()?;
            Loaded::OwnTotal(total.unwrap_or(0))
        }
        Need::Event(wanted) => {
            Loaded::Event(event_facts(connection, namespace, *wanted)?.map(Box::new))
        }
        Need::Reservation(wanted) => {
            let mut statement = connection.prepare_cached(sql::RESERVATION_SELECT_BY_ID)?;
            let found = statement
                .query_row(
                    params![namespace.as_str(), wanted.as_bytes()],
                    convert::reservation,
                )
                .optional()?;
            Loaded::Reservation(found.map(Arc::new))
        }
        Need::Grant(wanted) => {
            let mut statement = connection.prepare_cached(sql::GRANT_SELECT_BY_ID)?;
            Loaded::Grant(
                statement
                    .query_row(
                        params![namespace.as_str(), wanted.as_bytes()],
                        convert::grant,
                    )
                    .optional()?,
            )
        }
    })
}

fn part(
    connection: &Connection,
    namespace: &Namespace,
    account: Uuid,
    now: Timestamp,
) -> Sql<Option<PartRows>> {
    let ns = namespace.as_str();
    let of = params![ns, account.as_bytes()];
    let of_now = params![ns, account.as_bytes(), now.as_micros()];
    let mut statement = connection.prepare_cached(sql::ACCOUNT_SELECT_BY_ID)?;
    let Some(row) = statement.query_row(of, convert::account).optional()? else {
        return Ok(None);
    };
    let mut entitlements = rows(
        connection,
        sql::ENTITLEMENT_SELECT_BY_ACCOUNT,
        of,
        convert::entitlement,
    )?;
    let conditions = rows(
        connection,
        sql::ENTITLEMENT_CONDITION_SELECT_BY_ACCOUNT,
        of,
        |row| Ok((id(row, 0)?, convert::condition(row, 1)?)),
    )?;
    for (of, condition) in conditions {
        if let Some(entitlement) = entitlements.iter_mut().find(|e| e.entitlement_id == of) {
            entitlement.conditions.push(condition);
        }
    }
    let arcs = |reservations: Vec<_>| reservations.into_iter().map(Arc::new).collect();
    Ok(Some(PartRows {
        account: Arc::new(row),
        entitlements: entitlements.into_iter().map(Arc::new).collect(),
        subscriptions: rows(
            connection,
            sql::SUBSCRIPTION_SELECT_BY_ACCOUNT,
            of,
            convert::subscription,
        )?
        .into_iter()
        .map(Arc::new)
        .collect(),
        grants: rows(
            connection,
            sql::GRANT_SELECT_OPEN_BY_ACCOUNT,
            of_now,
            convert::grant,
        )?,
        granted_ever: rows(connection, sql::GRANT_SELECT_KINDS_BY_ACCOUNT, of, |row| {
            Ok((code(row, 0)?, code(row, 1)?))
        })?,
        leases: rows(
            connection,
            sql::LEASE_SELECT_LIVE_BY_ACCOUNT,
            of_now,
            convert::lease,
        )?
        .into_iter()
        .map(Arc::new)
        .collect(),
        reservations: arcs(rows(
            connection,
            sql::RESERVATION_SELECT_OPEN_BY_ACCOUNT,
            of_now,
            convert::reservation,
        )?),
        holds: rows(connection, sql::OPEN_HOLD_SELECT_BY_LEVEL, of_now, |row| {
            hold(row, account)
        })?,
        grace: rows(connection, sql::GRACE_CLOCK_SELECT_BY_LEVEL, of, |row| {
            grace(row, account)
        })?,
    }))
}

fn hold(row: &rusqlite::Row<'_>, level: Uuid) -> Sql<(HoldKind, Code, Hold)> {
    let kind = if row.get::<_, i64>(0)? == 0 {
        HoldKind::Lease
    } else {
        HoldKind::Reservation
    };
    let grants = convert::held(row, 8)?
        .into_iter()
        .filter(|held| held.level == level);
    let hold = Hold {
        id: id(row, 1)?,
        scope: optional_code(row, 3)?,
        amount: sum(row.get(4)?, row.get(5)?),
        created_at: at(row, 6)?,
        expires_at: at(row, 7)?,
        grants: grants
            .map(|held| (held.window_type_code, held.amount))
            .collect(),
    };
    Ok((kind, code(row, 2)?, hold))
}

fn grace(row: &rusqlite::Row<'_>, level: Uuid) -> Sql<(LimitKey, GraceClock)> {
    let key = LimitKey {
        level,
        resource: code(row, 0)?,
        kind: named(row, 1, LimitKind::parse)?,
        window_type: code(row, 2)?,
        scope: none_if_empty(row.get(3)?),
    };
    Ok((
        key,
        GraceClock {
            since: at(row, 4)?,
            window_start: optional_at(row, 5)?,
        },
    ))
}

fn event_facts(
    connection: &Connection,
    namespace: &Namespace,
    wanted: Uuid,
) -> Sql<Option<EventFacts>> {
    let of = params![namespace.as_str(), wanted.as_bytes()];
    let mut statement = connection.prepare_cached(sql::EVENT_SELECT_BY_ID)?;
    let Some((mut event, factor)) = statement.query_row(of, convert::event).optional()? else {
        return Ok(None);
    };
    event.details = details(connection, &event)?;
    let amount = |quantity: i64, factor: i64| i128::from(quantity) * i128::from(factor);
    let corrections = rows(
        connection,
        sql::EVENT_SELECT_QUANTITIES_BY_CORRECTED,
        of,
        |row| Ok(amount(row.get(0)?, row.get(1)?)),
    )?;
    let net = event.quantity.micros() * i128::from(factor) + corrections.iter().sum::<i128>();
    let draws = rows(connection, sql::GRANT_DRAW_SELECT_BY_EVENT, of, |row| {
        Ok(Draw {
            grant_id: id(row, 0)?,
            level: id(row, 1)?,
            window_type_code: code(row, 2)?,
            grant_expires_at: optional_at(row, 3)?,
            amount: sum(row.get(4)?, row.get(5)?),
        })
    })?;
    Ok(Some(EventFacts { event, net, draws }))
}

pub(crate) fn details(connection: &Connection, event: &Event) -> Sql<Details> {
    let of = params![event.namespace_id.as_str(), event.event_id.as_bytes()];
    Ok(
        rows(connection, sql::EVENT_DETAIL_SELECT_BY_EVENT, of, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .into_iter()
        .collect(),
    )
}

pub(crate) const TOTAL: i64 = 0;
pub(crate) const DAY: i64 = 1;
pub(crate) const HOUR: i64 = 2;
pub(crate) const MINUTE: i64 = 3;

pub(crate) fn counter_id(
    connection: &Connection,
    namespace: &Namespace,
    level: Uuid,
    counter: &CounterKey,
) -> Sql<Option<i64>> {
    let mut statement = connection.prepare_cached(sql::COUNTER_SELECT_BY_LEVEL)?;
    let values = params![
        namespace.as_str(),
        counter.resource,
        level.as_bytes(),
        or_empty(&counter.drawn_for),
        or_empty(&counter.scope)
    ];
    statement.query_row(values, |row| row.get(0)).optional()
}

pub(crate) fn buckets(
    connection: &Connection,
    counter: i64,
    granularity: i64,
    from: i64,
    to: i64,
) -> Sql<Vec<(Timestamp, i128)>> {
    rows(
        connection,
        sql::BUCKET_SELECT_BY_COUNTER,
        params![counter, granularity, from, to],
        |row| Ok((at(row, 0)?, sum(row.get(1)?, row.get(2)?))),
    )
}

/// The sum of a counter between two bucket starts: days in the middle, hours and minutes at the edges.
pub(crate) fn counter_sum(
    connection: &Connection,
    namespace: &Namespace,
    level: Uuid,
    counter: &CounterKey,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Sql<i128> {
    let Some(counter) = counter_id(connection, namespace, level, counter)? else {
        return Ok(0);
    };
    let total = |granularity, from: i64, to: i64| -> Sql<i128> {
        if from >= to {
            return Ok(0);
        }
        Ok(buckets(connection, counter, granularity, from, to)?
            .into_iter()
            .map(|(_, amount)| amount)
            .sum())
    };
    let (from, to) = match (from, to) {
        (None, None) => return total(TOTAL, i64::MIN, i64::MAX),
        (from, to) => (
            from.unwrap_or(Timestamp::MIN).as_micros(),
            to.unwrap_or(Timestamp::MAX).as_micros(),
        ),
    };
    let up = |at: i64, length: i64| {
        at.div_euclid(length) * length
            + if at.rem_euclid(length) == 0 {
                0
            } else {
                length
            }
    };
    let down = |at: i64, length: i64| at.div_euclid(length) * length;
    let (hour, day) = (Timestamp::MICROS_PER_HOUR, Timestamp::MICROS_PER_DAY);
    let (first_hour, last_hour) = (up(from, hour), down(to, hour));
    if first_hour > last_hour {
        return total(MINUTE, from, to);
    }
    let (first_day, last_day) = (up(first_hour, day), down(last_hour, day));
    let edges = total(MINUTE, from, first_hour)? + total(MINUTE, last_hour, to)?;
    if first_day > last_day {
        return Ok(edges + total(HOUR, first_hour, last_hour)?);
    }
    Ok(edges
        + total(HOUR, first_hour, first_day)?
        + total(DAY, first_day, last_day)?
        + total(HOUR, last_day, last_hour)?)
}

pub(crate) fn ancestors(
    connection: &Connection,
    namespace: &Namespace,
    account: Uuid,
) -> Sql<Vec<Uuid>> {
    let of = params![namespace.as_str(), account.as_bytes()];
    rows(connection, sql::ACCOUNT_SELECT_ANCESTORS_BY_ID, of, |row| {
        Ok(optional_id(row, 0)?.unwrap_or_default())
    })
}
