//! Looking at what other writers have committed.
//!
//! A cursor is a snapshot of the database: what it did not show, and the present one does, is what was
//! committed in between, however late and in whatever order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mec_core::Namespace;
use mec_store::{Cursor, Moved, TreeRef};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::sql;
use crate::values::Columns;

/// So many moments are noted at the most in the time that the log is kept.
const MOMENTS: u32 = 10;
/// The name in `store_meta` of the transaction before which the log may have been dropped.
const BEGIN: &str = "tree_log_begin";

/// The moments of earlier looks, by which the log of what changed is dropped when it is old.
pub(crate) struct Looks {
    kept: Duration,
    noted: Mutex<VecDeque<Noted>>,
}

/// Every transaction before this one had ended at that moment.
struct Noted {
    at: Instant,
    oldest_running: i64,
}

impl Looks {
    pub(crate) fn new(kept: Duration) -> Self {
        Self {
            kept,
            noted: Mutex::default(),
        }
    }

    /// What others than these writers have committed since a cursor; without one, where to begin. What is old
    /// is dropped in passing: whoever looks does so much more often.
    pub(crate) async fn look(
        &self,
        connection: &Connection,
        own: Vec<Uuid>,
        since: Option<Cursor>,
    ) -> Result<Moved, Fault> {
        let seen = connection.first(sql::SNAPSHOT_SELECT, &[]).await?;
        let seen = seen.ok_or_else(|| Fault::damaged("there is no snapshot".to_owned()))?;
        let snapshot: &str = seen.read(0)?;
        let mut moved = Moved {
            cursor: Cursor(snapshot.to_owned()),
            now: Some(seen.at(1)?),
            ..Moved::default()
        };
        let now = bounds(snapshot)?;
        let Some(Cursor(since)) = since else {
            drop_foreign(connection).await?;
            return Ok(moved);
        };
        let of: [Value<'_>; 2] = [&since, &own];
        for row in &connection.all(sql::TREE_LOG_SELECT_SINCE, &of).await? {
            let namespace = row.namespace(0)?;
            let tree = row.read(1)?;
            moved
                .trees
                .push((TreeRef { namespace, tree }, row.number(2)?));
        }
        let changed = sql::CATALOGUE_VERSION_SELECT_SINCE;
        for row in &connection.all(changed, &[&since]).await? {
            match Namespace::parse(row.read(0)?) {
                Some(namespace) => moved.catalogues.push((namespace, row.number(1)?)),
                // The rows that all namespaces share.
                None => moved.lookups = Some(row.number(1)?),
            }
        }
        let keys = connection
            .first(sql::API_KEY_SELECT_SINCE, &[&since])
            .await?;
        moved.api_keys = keys.is_some();
        // Read after the log: what was dropped before that was read is known by now.
        let begin = crate::migrate::meta(connection, BEGIN).await?;
        let before = bounds(&since)?;
        // Numbers that run backwards are those of another server.
        let is_another = now.1 < before.1 || now.1 < begin;
        moved.everything = before.0 < begin || is_another;
        if is_another {
            drop_foreign(connection).await?;
        }
        self.drop_old(connection, now.0).await?;
        Ok(moved)
    }

    async fn drop_old(&self, connection: &Connection, oldest_running: i64) -> Result<(), Fault> {
        let Some(before) = self.note(Instant::now(), oldest_running) else {
            return Ok(());
        };
        let of: [Value<'_>; 2] = [&BEGIN, &before];
        connection.run(sql::TREE_LOG_DELETE_BEFORE, &of).await?;
        Ok(())
    }

    /// Notes a moment; the newest of those from before the time that the log is kept.
    fn note(&self, at: Instant, oldest_running: i64) -> Option<i64> {
        let mut noted = self.noted.lock();
        let is_due = |last: &Noted| at.duration_since(last.at) >= self.kept / MOMENTS;
        if noted.back().is_none_or(is_due) {
            noted.push_back(Noted { at, oldest_running });
        }
        let is_old = |noted: &Noted| at.duration_since(noted.at) >= self.kept;
        while noted.get(1).is_some_and(is_old) {
            noted.pop_front();
        }
        let oldest = noted.front().filter(|oldest| is_old(oldest));
        oldest.map(|oldest| oldest.oldest_running)
    }
}

/// Drops what bears numbers of transactions that this server has not reached: those of another, from which
/// the database was restored row by row. They would be told as new for as long as it lives.
async fn drop_foreign(connection: &Connection) -> Result<(), Fault> {
    for statement in [
        sql::TREE_LOG_DELETE_FOREIGN,
        sql::CATALOGUE_VERSION_UPDATE_FOREIGN,
        sql::API_KEY_UPDATE_FOREIGN,
    ] {
        connection.run(statement, &[]).await?;
    }
    connection
        .run(sql::META_CLEAR_FOREIGN_BY_NAME, &[&BEGIN])
        .await?;
    Ok(())
}

/// The first transaction that may have been under way in a snapshot, and the first after it.
fn bounds(snapshot: &str) -> Result<(i64, i64), Fault> {
    let unknown = || Fault::damaged(format!("{snapshot} is no snapshot"));
    let mut parts = snapshot.split(':').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(first)), Some(Ok(after))) => Ok((first, after)),
        _ => Err(unknown()),
    }
}
