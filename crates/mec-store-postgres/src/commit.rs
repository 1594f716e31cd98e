//! Writing a batch: all rows of a table in one statement.

use mec_store::{CommitError, CommitSet, KeyRef, KeyRow, key_hash};
use postgres_types::ToSql;

use crate::connection::Connection;
use crate::error::Fault;
use crate::fold::{Folded, FoldedLink};
use crate::values::{At, decimal};
use crate::writes::Writes;
use crate::{moving, rows, sql};

macro_rules! columns {
    ($rows:expr; $($column:expr),+ $(,)?) => {
        vec![$(Box::new($rows.iter().map($column).collect::<Vec<_>>()) as Box<dyn ToSql + Send + Sync>),+]
    };
}

/// Writes everything that a batch commits, and commits.
///
/// An outcome that is not known is told as a lost connection.
pub(crate) async fn write(
    connection: &Connection,
    set: &CommitSet,
    writer: uuid::Uuid,
) -> Result<(), Stopped> {
    let folded = Folded::of(set)?;
    for (namespace, tree, moved) in &folded.moves {
        moving::move_account(connection, namespace, *tree, moved)
            .await
            .map_err(Stopped::Fault)?;
    }
    let mut writes = Writes::default();
    rows_of_accounts(&folded, &mut writes);
    rows_of_entitlements(&folded, &mut writes);
    rows_of_usage(&folded, &mut writes);
    rows_of_holds(&folded, &mut writes);
    rows_of_trees(set, writer, &mut writes);
    rows_of_keys(set, &mut writes)?;
    writes.json(
        sql::DECISION_INSERT,
        set.decisions.iter().map(rows::decision).collect(),
    );
    writes.send(connection).await.map_err(Stopped::Fault)
}

/// Why a batch was not written.
pub(crate) enum Stopped {
    /// Its changes do not fit together.
    Commit(CommitError),
    /// The database did not take them.
    Fault(Fault),
}

impl From<CommitError> for Stopped {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

fn rows_of_accounts(folded: &Folded, writes: &mut Writes) {
    let (new, changed): (Vec<_>, Vec<_>) = folded.accounts.iter().partition(|(_, row)| row.is_new);
    let changed_rows = || changed.iter().map(|((ns, _), row)| rows::account(ns, row));
    // What one account gave up another may have taken, whichever of them is written first.
    writes.json(
        sql::ACCOUNT_CLEAR_EXTERNAL_ID_BY_ID,
        changed_rows().collect(),
    );
    writes.json(
        sql::ACCOUNT_INSERT,
        new.iter()
            .map(|((ns, _), row)| rows::account(ns, row))
            .collect(),
    );
    if !folded.parents.is_empty() {
        let parents: Vec<_> = folded.parents.iter().collect();
        writes.push(
            sql::ACCOUNT_MARK_PARENTS_BY_ID,
            columns![parents; |(ns, _)| ns.as_str().to_owned(), |(_, id)| *id],
        );
    }
    writes.json(sql::ACCOUNT_UPDATE_BY_ID, changed_rows().collect());
    rows_of_links(folded, writes);
    let subscriptions = folded.subscriptions.iter();
    writes.json(
        sql::SUBSCRIPTION_UPSERT_BY_ID,
        subscriptions
            .map(|((ns, _), row)| rows::subscription(ns, row))
            .collect(),
    );
}

fn rows_of_links(folded: &Folded, writes: &mut Writes) {
    let of = |pick: fn(&FoldedLink) -> Option<uuid::Uuid>| {
        let links = folded.links.iter();
        let picked = links.filter_map(|(key, link)| Some((key, pick(link)?)));
        picked.collect::<Vec<_>>()
    };
    for (sql, links) in [
        (
            sql::EXTERNAL_ID_DELETE_BY_ACCOUNT,
            of(|link| link.taken_from),
        ),
        (sql::EXTERNAL_ID_INSERT, of(|link| link.account)),
    ] {
        if !links.is_empty() {
            writes.push(
                sql,
                columns![links; |((ns, _), _)| ns.as_str().to_owned(),
                    |((_, key), _)| key.external_id.clone(), |((_, key), _)| key.provider.to_string(),
                    |(_, account)| *account],
            );
        }
    }
}

fn rows_of_entitlements(folded: &Folded, writes: &mut Writes) {
    let (new, changed): (Vec<_>, Vec<_>) = folded
        .entitlements
        .iter()
        .partition(|(_, row)| row.replaces.is_none());
    let row = |((ns, _), row): &(
        &(mec_core::Namespace, uuid::Uuid),
        &crate::fold::FoldedEntitlement,
    )| { rows::entitlement(ns, row) };
    writes.json(sql::ENTITLEMENT_INSERT, new.iter().map(row).collect());
    writes.json(
        sql::ENTITLEMENT_UPDATE_BY_ID,
        changed.iter().map(row).collect(),
    );
    let conditions: Vec<_> = folded
        .entitlements
        .iter()
        .filter(|(_, row)| row.conditions_changed)
        .collect();
    let old: Vec<_> = conditions
        .iter()
        .filter(|(_, row)| row.replaces.is_some())
        .collect();
    if !old.is_empty() {
        writes.push(
            sql::ENTITLEMENT_CONDITION_DELETE_BY_ENTITLEMENT,
            columns![old; |((ns, _), _)| ns.as_str().to_owned(), |((_, id), _)| *id],
        );
    }
    let conditions = conditions.iter();
    writes.json(
        sql::ENTITLEMENT_CONDITION_INSERT,
        conditions
            .flat_map(|((ns, _), row)| rows::conditions(ns, &row.new))
            .collect(),
    );
    writes.json(
        sql::ENTITLEMENT_AUDIT_INSERT,
        folded.audits.iter().map(rows::audit).collect(),
    );
}

fn rows_of_usage(folded: &Folded, writes: &mut Writes) {
    let events = &folded.events;
    if !events.is_empty() {
        writes.push(
            sql::EVENT_INSERT,
            columns![events;
                |e| e.namespace_id.as_str().to_owned(), |e| e.event_id, |e| e.idempotency_key.clone(),
                |e| e.account_id, |e| e.resource_type_code.to_string(),
                |e| e.resource_scope.as_ref().map(ToString::to_string),
                |e| e.quantity.to_string(), |e| e.unit_code.to_string(), |e| At(e.occurred_at),
                |e| e.period_start.map(At), |e| e.period_end.map(At), |e| e.corrects_event_id,
                |e| At(e.created_at), |e| e.owner_account_id, |e| rows::uuids(&e.recorded_under),
                |e| e.chain_id, |e| number(e.chain_seq),
                |e| e.chain_hash.to_vec(),
            ],
        );
    }
    let details: Vec<_> = events
        .iter()
        .flat_map(|e| e.details.iter().map(move |(key, value)| (e, key, value)))
        .collect();
    if !details.is_empty() {
        writes.push(
            sql::EVENT_DETAIL_INSERT,
            columns![details; |(e, _, _)| e.namespace_id.as_str().to_owned(), |(e, _, _)| e.event_id,
                |(_, key, _)| (*key).clone(), |(_, _, value)| (*value).clone()],
        );
    }
    let grants = folded.grants.iter();
    writes.json(
        sql::GRANT_UPSERT_BY_ID,
        grants.map(|((ns, _), row)| rows::grant(ns, row)).collect(),
    );
    let draws = &folded.draws;
    if !draws.is_empty() {
        writes.push(
            sql::GRANT_DRAW_UPSERT_BY_EVENT,
            columns![draws; |(ns, _, _, _)| ns.as_str().to_owned(), |(_, event, _, _)| *event,
                |(_, _, grant, _)| *grant, |(_, _, _, amount)| decimal(*amount)],
        );
    }
    let remaining: Vec<_> = folded.remaining.iter().collect();
    if !remaining.is_empty() {
        writes.push(
            sql::GRANT_UPDATE_REMAINING_BY_ID,
            columns![remaining; |((ns, _), _)| ns.as_str().to_owned(), |((_, id), _)| *id,
                |(_, left)| decimal(**left)],
        );
    }
    let buckets: Vec<_> = folded.buckets.iter().collect();
    if !buckets.is_empty() {
        writes.push(
            sql::BUCKET_ADD_BY_COUNTER,
            columns![buckets; |(k, _)| k.0.as_str().to_owned(), |(k, _)| k.1, |(k, _)| k.2.to_string(),
                |(k, _)| k.3.clone(), |(k, _)| k.4.clone(), |(k, _)| k.5, |(k, _)| At(k.6),
                |(_, amount)| decimal(**amount)],
        );
    }
    let own: Vec<_> = folded.own_totals.iter().collect();
    if !own.is_empty() {
        writes.push(
            sql::OWN_TOTAL_ADD_BY_LEVEL,
            columns![own; |(k, _)| k.0.as_str().to_owned(), |(k, _)| k.1, |(k, _)| k.2.to_string(),
                |(k, _)| k.3.clone(), |(_, amount)| decimal(**amount)],
        );
    }
    let scopes: Vec<_> = folded.scopes.iter().collect();
    if !scopes.is_empty() {
        writes.push(
            sql::SCOPE_INSERT,
            columns![scopes; |k| k.0.as_str().to_owned(), |k| k.1, |k| k.2.to_string(), |k| k.3.to_string()],
        );
    }
}

fn rows_of_holds(folded: &Folded, writes: &mut Writes) {
    let reservations = folded.reservations.iter();
    writes.json(
        sql::RESERVATION_UPSERT_BY_ID,
        reservations
            .map(|((ns, _), row)| rows::reservation(ns, row))
            .collect(),
    );
    let leases = folded.leases.iter();
    writes.json(
        sql::LEASE_UPSERT_BY_ID,
        leases.map(|((ns, _), row)| rows::lease(ns, row)).collect(),
    );
    let (put, gone): (Vec<_>, Vec<_>) = folded.holds.iter().partition(|(_, row)| row.is_some());
    writes.json(
        sql::OPEN_HOLD_UPSERT_BY_LEVEL,
        put.into_iter()
            .filter_map(|(key, row)| Some(rows::hold(key, row.as_ref()?)))
            .collect(),
    );
    if !gone.is_empty() {
        writes.push(
            sql::OPEN_HOLD_DELETE_BY_LEVEL,
            columns![gone; |(k, _)| k.0.as_str().to_owned(), |(k, _)| k.1, |(k, _)| k.2, |(k, _)| k.3],
        );
    }
    let held: Vec<_> = folded.held.iter().collect();
    if !held.is_empty() {
        // At least as many as were added; the tree's own time never goes back, so that nothing that
        // still counts can go.
        writes.push(
            sql::OPEN_HOLD_DELETE_BY_EXPIRY,
            columns![held; |((ns, _), _)| ns.as_str().to_owned(), |((_, tree), _)| *tree,
                |(_, (last_at, _))| At(*last_at), |(_, (_, count))| count.saturating_mul(2).saturating_add(16)],
        );
    }
    let (runs, stops): (Vec<_>, Vec<_>) =
        folded.grace.iter().partition(|(_, clock)| clock.is_some());
    writes.json(
        sql::GRACE_CLOCK_UPSERT_BY_LIMIT,
        runs.into_iter()
            .filter_map(|((ns, limit), clock)| Some(rows::grace_clock(ns, limit, clock.as_ref()?)))
            .collect(),
    );
    if !stops.is_empty() {
        writes.push(
            sql::GRACE_CLOCK_DELETE_BY_LIMIT,
            columns![stops; |((ns, _), _)| ns.as_str().to_owned(), |((_, l), _)| l.level,
                |((_, l), _)| l.resource.to_string(), |((_, l), _)| l.kind.as_str(),
                |((_, l), _)| l.window_type.to_string(),
                |((_, l), _)| l.scope.as_ref().map_or_else(String::new, ToString::to_string)],
        );
    }
}

fn rows_of_trees(set: &CommitSet, writer: uuid::Uuid, writes: &mut Writes) {
    let (new, changed): (Vec<_>, Vec<_>) = set.trees.iter().partition(|tree| tree.is_new);
    writes.json(sql::TREE_INSERT, new.into_iter().map(rows::head).collect());
    if !changed.is_empty() {
        writes.push(
            sql::TREE_UPDATE_BY_ID,
            columns![changed; |t| t.namespace.as_str().to_owned(), |t| t.head.tree_id, |t| t.head.chain_id,
                |t| number(t.head.chain_seq), |t| t.head.chain_hash.to_vec(), |t| number(t.head.fencing_token),
                |t| At(t.head.last_at), |t| number(t.head.version)],
        );
    }
    let trees = &set.trees;
    if !trees.is_empty() {
        let mut values = columns![trees; |t| t.namespace.as_str().to_owned(), |t| t.head.tree_id,
            |t| number(t.head.version)];
        values.push(Box::new(writer));
        writes.push(sql::TREE_LOG_INSERT, values);
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn rows_of_keys(set: &CommitSet, writes: &mut Writes) -> Result<(), CommitError> {
    let mut keys: Vec<(KeyRef, &KeyRow)> = set.keys.iter().map(|key| (key_ref(key), key)).collect();
    if keys.is_empty() {
        return Ok(());
    }
    // In one order everywhere, so that two batches with the same keys wait for each other only one way.
    keys.sort_by(|(a, _), (b, _)| (&a.namespace, a.hash).cmp(&(&b.namespace, b.hash)));
    let twice = keys.windows(2).find_map(|pair| match pair {
        [(a, _), (b, second)] if a == b => Some(second.command),
        _ => None,
    });
    if let Some(command) = twice {
        return Err(CommitError::Refused {
            command: Some(command),
            reason: "a key is used twice".to_owned(),
            overflow: false,
        });
    }
    writes.push(
        sql::KEY_INSERT,
        columns![keys; |(of, _)| of.namespace.as_str().to_owned(),
            |(of, _)| of.hash.to_be_bytes().to_vec(), |(_, k)| k.key.to_string(),
            |(_, k)| k.stored.rpc.to_string(), |(_, k)| k.stored.args_hash.to_vec(),
            |(_, k)| k.stored.event_id, |(_, k)| k.stored.answer.clone(),
            |(_, k)| At(k.created_at)],
    );
    Ok(())
}

fn key_ref(key: &KeyRow) -> KeyRef {
    KeyRef {
        namespace: key.namespace.clone(),
        hash: key_hash(&key.key),
    }
}
