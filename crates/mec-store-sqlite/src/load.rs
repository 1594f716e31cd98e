//! Loading what a Book needs. Nothing here reads the ledger but for one event or one minute.

use std::sync::Arc;

use mec_core::book::{PartRows, TreeHead};
use mec_core::change::{GraceClock, LimitKey};
use mec_core::entitlement::{Entitlement, LimitKind};
use mec_core::grant::Draw;
use mec_core::holds::{Hold, HoldKind};
use mec_core::ledger::{Details, Event, EventFacts};
use mec_core::need::{Loaded, Need};
use mec_core::usage::CounterKey;
use mec_core::{Code, Namespace, Timestamp};
use mec_store::Granularity;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::convert::{
    self, at, code, id, named, none_if_empty, number, optional_at, optional_code,
};
use crate::counter;
use crate::values::{Id, all as rows, first, or_empty};
use crate::{amount, commit, sql};

type Sql<T> = rusqlite::Result<T>;

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
            let Some(counter) = counter::find(connection, namespace, *level, counter)? else {
                return Ok(Loaded::Rolling {
                    hours: Vec::new(),
                    minutes: Vec::new(),
                });
            };
            let start = minutes_of.as_micros();
            let end = minutes_of
                .saturating_add_micros(Timestamp::MICROS_PER_HOUR)
                .as_micros();
            Loaded::Rolling {
                hours: counter::buckets(
                    connection,
                    counter,
                    Granularity::Hour,
                    from_hour.as_micros(),
                    i64::MAX,
                )?,
                minutes: counter::buckets(connection, counter, Granularity::Minute, start, end)?,
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
            let of = params![
                namespace.as_str(),
                Id(*level),
                resource,
                or_empty(scope.as_ref())
            ];
            let total = first(connection, sql::OWN_TOTAL_SELECT_BY_LEVEL, of, |row| {
                amount::read(row, 0)
            })?;
            Loaded::OwnTotal(total.unwrap_or(0))
        }
        Need::Event(wanted) => {
            Loaded::Event(event_facts(connection, namespace, *wanted)?.map(Box::new))
        }
        Need::Reservation(wanted) => {
            let of = params![namespace.as_str(), Id(*wanted)];
            Loaded::Reservation(
                first(
                    connection,
                    sql::RESERVATION_SELECT_BY_ID,
                    of,
                    convert::reservation,
                )?
                .map(Arc::new),
            )
        }
        Need::Entitlement(wanted) => {
            Loaded::Entitlement(entitlement(connection, namespace, *wanted)?.map(Arc::new))
        }
        Need::Linked(key) => {
            let of = params![namespace.as_str(), key.external_id, key.provider];
            let sql = sql::EXTERNAL_ID_SELECT_BY_PROVIDER;
            Loaded::Linked(first(connection, sql, of, |row| id(row, 0))?)
        }
        Need::LevelsBelow(account) => {
            let of = params![namespace.as_str(), Id(*account)];
            let levels = first(
                connection,
                sql::ACCOUNT_SELECT_LEVELS_BELOW_BY_ID,
                of,
                |row| row.get::<_, Option<u32>>(0),
            )?;
            Loaded::LevelsBelow(levels.flatten().map_or(0, |levels| levels as usize))
        }
        Need::Grant(wanted) => {
            let of = params![namespace.as_str(), Id(*wanted)];
            Loaded::Grant(first(
                connection,
                sql::GRANT_SELECT_BY_ID,
                of,
                convert::grant,
            )?)
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
    let mut statement = connection.prepare_cached(sql::ACCOUNT_SELECT_BY_ID)?;
    let with_tree = |row: &rusqlite::Row<'_>| Ok((convert::account(row)?, id(row, 11)?));
    let Some((row, tree_id)) = statement.query_row(of, with_tree).optional()? else {
        return Ok(None);
    };
    // Whoever asks: what had ended by the now of the tree that the account stands in.
    let ended_by = head(connection, namespace, tree_id)?.map_or(now, |head| head.last_at.min(now));
    let of_now = params![ns, account.as_bytes(), ended_by.as_micros()];
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
        tree_id,
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
            of,
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

fn entitlement(
    connection: &Connection,
    namespace: &Namespace,
    wanted: Uuid,
) -> Sql<Option<Entitlement>> {
    let of = params![namespace.as_str(), Id(wanted)];
    let sql = sql::ENTITLEMENT_SELECT_BY_ID;
    let Some(found) = first(connection, sql, of, convert::entitlement)? else {
        return Ok(None);
    };
    let sql = sql::ENTITLEMENT_CONDITION_SELECT_BY_ENTITLEMENT;
    let conditions = rows(connection, sql, of, |row| convert::condition(row, 0))?;
    Ok(Some(Entitlement {
        conditions,
        ..found
    }))
}

fn hold(row: &rusqlite::Row<'_>, level: Uuid) -> Sql<(HoldKind, Code, Hold)> {
    let kind = match row.get(0)? {
        commit::hold::LEASE => HoldKind::Lease,
        commit::hold::RESERVATION => HoldKind::Reservation,
        _ => return Err(convert::damaged(0, "a kind of hold")),
    };
    let grants = convert::held(row, 8)?
        .into_iter()
        .filter(|held| held.level == level);
    let hold = Hold {
        id: id(row, 1)?,
        scope: optional_code(row, 3)?,
        amount: amount::read(row, 4)?,
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
            amount: amount::read(row, 4)?,
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

/// The sum of a counter in `[from, to)`; 0 for one that was never written to.
pub(crate) fn counter_sum(
    connection: &Connection,
    namespace: &Namespace,
    level: Uuid,
    key: &CounterKey,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Sql<i128> {
    match counter::find(connection, namespace, level, key)? {
        Some(counter) => counter::sum(connection, counter, from, to),
        None => Ok(0),
    }
}

pub(crate) fn ancestors(
    connection: &Connection,
    namespace: &Namespace,
    account: Uuid,
) -> Sql<Vec<Uuid>> {
    let of = params![namespace.as_str(), account.as_bytes()];
    rows(connection, sql::ACCOUNT_SELECT_ANCESTORS_BY_ID, of, |row| {
        id(row, 0)
    })
}
