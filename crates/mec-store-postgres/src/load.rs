//! Loading what a Book needs. Nothing here reads the ledger but for one event. The questions of one
//! load are sent together.

use std::sync::Arc;

use futures_util::try_join;
use mec_core::book::PartRows;
use mec_core::change::{GraceClock, LimitKey};
use mec_core::entitlement::{Entitlement, LimitKind};
use mec_core::grant::Draw;
use mec_core::holds::{Hold, HoldKind};
use mec_core::ledger::EventFacts;
use mec_core::need::{Loaded, Need};
use mec_core::usage::CounterKey;
use mec_core::{Code, Namespace, Timestamp};
use mec_store::{CounterName, Granularity, spans};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::values::{At, Columns, millionths};
use crate::{convert, fold, sql};

type Read<T> = Result<T, Fault>;

pub(crate) async fn load(
    connection: &Connection,
    namespace: &Namespace,
    tree: Uuid,
    need: &Need,
    now: Timestamp,
) -> Read<Loaded> {
    let ns = namespace.as_str();
    Ok(match need {
        Need::Part(account) => {
            let part = part(connection, ns, *account, now).await?;
            Loaded::Part(part.map(Box::new))
        }
        Need::Sum {
            level,
            counter,
            from,
            to,
        } => {
            let counter = name(namespace, *level, counter);
            Loaded::Sum(sum(connection, &counter, *from, *to).await?)
        }
        Need::Rolling {
            level,
            counter,
            from_hour,
            minutes_of,
        } => {
            let counter = name(namespace, *level, counter);
            let end = minutes_of.saturating_add_micros(Timestamp::MICROS_PER_HOUR);
            let hours = buckets(
                connection,
                &counter,
                Granularity::Hour,
                *from_hour,
                Timestamp::MAX,
            );
            let minutes = buckets(connection, &counter, Granularity::Minute, *minutes_of, end);
            let (hours, minutes) = try_join!(hours, minutes)?;
            Loaded::Rolling { hours, minutes }
        }
        Need::Scopes(resource) => {
            let of: [Value<'_>; 3] = [&ns, &tree, &&**resource];
            let rows = connection.all(sql::SCOPE_SELECT_BY_TREE, &of).await?;
            let scopes: Read<_> = rows.iter().map(|row| row.code(0)).collect();
            Loaded::Scopes(scopes?)
        }
        Need::OwnTotal {
            level,
            resource,
            scope,
        } => {
            let scope = scope.as_deref().unwrap_or_default();
            let of: [Value<'_>; 4] = [&ns, level, &&**resource, &scope];
            let row = connection
                .first(sql::OWN_TOTAL_SELECT_BY_LEVEL, &of)
                .await?;
            Loaded::OwnTotal(row.map_or(Ok(0), |row| row.amount(0))?)
        }
        Need::Event(wanted) => {
            Loaded::Event(event_facts(connection, ns, *wanted).await?.map(Box::new))
        }
        Need::Reservation(wanted) => {
            let row = connection
                .first(sql::RESERVATION_SELECT_BY_ID, &[&ns, wanted])
                .await?;
            let reservation = row.map(|row| convert::reservation(&row)).transpose()?;
            Loaded::Reservation(reservation.map(Arc::new))
        }
        Need::Grant(wanted) => {
            let row = connection
                .first(sql::GRANT_SELECT_BY_ID, &[&ns, wanted])
                .await?;
            Loaded::Grant(row.map(|row| convert::grant(&row)).transpose()?)
        }
        Need::Entitlement(wanted) => {
            let entitlement = entitlement(connection, ns, *wanted).await?;
            Loaded::Entitlement(entitlement.map(Arc::new))
        }
        Need::Linked(key) => {
            let of: [Value<'_>; 3] = [&ns, &key.external_id, &&*key.provider];
            let row = connection
                .first(sql::EXTERNAL_ID_SELECT_BY_PROVIDER, &of)
                .await?;
            Loaded::Linked(row.map(|row| row.read(0)).transpose()?)
        }
        Need::LevelsBelow(account) => {
            let sql = sql::ACCOUNT_SELECT_LEVELS_BELOW_BY_ID;
            let row = connection.first(sql, &[&ns, account]).await?;
            let levels: Option<i64> = row.map_or(Ok(None), |row| row.read(0))?;
            Loaded::LevelsBelow(
                levels
                    .and_then(|levels| usize::try_from(levels).ok())
                    .unwrap_or(0),
            )
        }
    })
}

fn name(namespace: &Namespace, level: Uuid, key: &CounterKey) -> CounterName {
    CounterName {
        namespace: namespace.clone(),
        level,
        key: key.clone(),
    }
}

async fn part(
    connection: &Connection,
    ns: &str,
    account: Uuid,
    now: Timestamp,
) -> Read<Option<PartRows>> {
    // The statements leave out what had ended by then, and by the now of the tree it stands in.
    let at = At(now);
    let of: [Value<'_>; 2] = [&ns, &account];
    let of_now: [Value<'_>; 3] = [&ns, &account, &at];
    let (
        row,
        entitlements,
        conditions,
        subscriptions,
        grants,
        kinds,
        leases,
        reservations,
        holds,
        grace,
    ) = try_join!(
        connection.first(sql::ACCOUNT_SELECT_BY_ID, &of),
        connection.all(sql::ENTITLEMENT_SELECT_BY_ACCOUNT, &of),
        connection.all(sql::ENTITLEMENT_CONDITION_SELECT_BY_ACCOUNT, &of),
        connection.all(sql::SUBSCRIPTION_SELECT_BY_ACCOUNT, &of),
        connection.all(sql::GRANT_SELECT_OPEN_BY_ACCOUNT, &of),
        connection.all(sql::GRANT_SELECT_KINDS_BY_ACCOUNT, &of),
        connection.all(sql::LEASE_SELECT_LIVE_BY_ACCOUNT, &of_now),
        connection.all(sql::RESERVATION_SELECT_OPEN_BY_ACCOUNT, &of_now),
        connection.all(sql::OPEN_HOLD_SELECT_BY_LEVEL, &of_now),
        connection.all(sql::GRACE_CLOCK_SELECT_BY_LEVEL, &of),
    )?;
    let Some(row) = row else { return Ok(None) };
    let mut allowed: Vec<_> = read(&entitlements, convert::entitlement)?;
    for row in &conditions {
        let of: Uuid = row.read(0)?;
        if let Some(entitlement) = allowed.iter_mut().find(|e| e.entitlement_id == of) {
            entitlement.conditions.push(convert::condition(row, 1)?);
        }
    }
    Ok(Some(PartRows {
        account: Arc::new(convert::account(&row)?),
        tree_id: row.read(11)?,
        entitlements: allowed.into_iter().map(Arc::new).collect(),
        subscriptions: read(&subscriptions, |row| {
            convert::subscription(row).map(Arc::new)
        })?,
        grants: read(&grants, convert::grant)?,
        granted_ever: read(&kinds, |row| Ok((row.code(0)?, row.code(1)?)))?,
        leases: read(&leases, |row| convert::lease(row).map(Arc::new))?,
        reservations: read(&reservations, |row| convert::reservation(row).map(Arc::new))?,
        holds: read(&holds, |row| hold(row, account))?,
        grace: read(&grace, |row| grace_clock(row, account))?,
    }))
}

async fn entitlement(connection: &Connection, ns: &str, wanted: Uuid) -> Read<Option<Entitlement>> {
    let of: [Value<'_>; 2] = [&ns, &wanted];
    let (row, conditions) = try_join!(
        connection.first(sql::ENTITLEMENT_SELECT_BY_ID, &of),
        connection.all(sql::ENTITLEMENT_CONDITION_SELECT_BY_ENTITLEMENT, &of),
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Entitlement {
        conditions: read(&conditions, |row| convert::condition(row, 0))?,
        ..convert::entitlement(&row)?
    }))
}

/// Rows by a reader of one.
pub(crate) fn read<T>(rows: &[Row], one: impl Fn(&Row) -> Read<T>) -> Read<Vec<T>> {
    rows.iter().map(one).collect()
}

fn hold(row: &Row, level: Uuid) -> Read<(HoldKind, Code, Hold)> {
    let kind = match row.read(0)? {
        fold::LEASE => HoldKind::Lease,
        fold::RESERVATION => HoldKind::Reservation,
        other => return Err(Fault::damaged(format!("{other} is no kind of hold"))),
    };
    let grants = convert::held(row, 7)?;
    let own = grants.into_iter().filter(|held| held.level == level);
    let hold = Hold {
        id: row.read(1)?,
        scope: row.optional_code(3)?,
        amount: row.amount(4)?,
        created_at: row.at(5)?,
        expires_at: row.at(6)?,
        grants: own
            .map(|held| (held.window_type_code, held.amount))
            .collect(),
    };
    Ok((kind, row.code(2)?, hold))
}

fn grace_clock(row: &Row, level: Uuid) -> Read<(LimitKey, GraceClock)> {
    let limit = LimitKey {
        level,
        resource: row.code(0)?,
        kind: row.named(1, LimitKind::parse)?,
        window_type: row.code(2)?,
        scope: row.none_if_empty(3)?,
    };
    let clock = GraceClock {
        since: row.at(4)?,
        window_start: row.optional_at(5)?,
    };
    Ok((limit, clock))
}

async fn event_facts(connection: &Connection, ns: &str, wanted: Uuid) -> Read<Option<EventFacts>> {
    let of: [Value<'_>; 2] = [&ns, &wanted];
    let (row, details, corrections, draws) = try_join!(
        connection.first(sql::EVENT_SELECT_BY_ID, &of),
        connection.all(sql::EVENT_DETAIL_SELECT_BY_EVENT, &of),
        connection.all(sql::EVENT_SELECT_QUANTITIES_BY_CORRECTED, &of),
        connection.all(sql::GRANT_DRAW_SELECT_BY_EVENT, &of),
    )?;
    let Some(row) = row else { return Ok(None) };
    let (mut event, factor) = convert::event(&row)?;
    for row in &details {
        event.details.insert(row.read(0)?, row.read(1)?);
    }
    let mut net = event.quantity.micros().saturating_mul(factor);
    for row in &corrections {
        let amount = row
            .amount(0)?
            .saturating_mul(i128::from(row.read::<i64>(1)?));
        net = net.saturating_add(amount);
    }
    let draws = read(&draws, |row| {
        Ok(Draw {
            grant_id: row.read(0)?,
            level: row.read(1)?,
            window_type_code: row.code(2)?,
            grant_expires_at: row.optional_at(3)?,
            amount: row.amount(4)?,
        })
    })?;
    Ok(Some(EventFacts { event, net, draws }))
}

/// The sum of a counter in `[from, to)`; 0 for one that was never written to.
pub(crate) async fn sum(
    connection: &Connection,
    counter: &CounterName,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Read<i128> {
    let spans = spans(from, to);
    let granularities: Vec<i64> = spans.iter().map(|span| span.granularity.stored()).collect();
    let firsts: Vec<At> = spans.iter().map(|span| At(span.from)).collect();
    let ends: Vec<At> = spans.iter().map(|span| At(span.to)).collect();
    let (drawn_for, scope) = texts(counter);
    let of: [Value<'_>; 8] = [
        &counter.namespace.as_str(),
        &counter.level,
        &&*counter.key.resource,
        &drawn_for,
        &scope,
        &granularities,
        &firsts,
        &ends,
    ];
    let row = connection.first(sql::BUCKET_SUM_BY_COUNTER, &of).await?;
    row.map_or(Ok(0), |row| millionths(row.read(0)?))
}

/// The buckets of a counter that start in `[from, to)`.
pub(crate) async fn buckets(
    connection: &Connection,
    counter: &CounterName,
    granularity: Granularity,
    from: Timestamp,
    to: Timestamp,
) -> Read<Vec<(Timestamp, i128)>> {
    let (drawn_for, scope) = texts(counter);
    let of: [Value<'_>; 8] = [
        &counter.namespace.as_str(),
        &counter.level,
        &&*counter.key.resource,
        &drawn_for,
        &scope,
        &granularity.stored(),
        &At(from),
        &At(to),
    ];
    let rows = connection.all(sql::BUCKET_SELECT_BY_COUNTER, &of).await?;
    read(&rows, |row| Ok((row.at(0)?, row.amount(1)?)))
}

fn texts(counter: &CounterName) -> (&str, &str) {
    (
        counter.key.drawn_for.as_deref().unwrap_or_default(),
        counter.key.scope.as_deref().unwrap_or_default(),
    )
}
