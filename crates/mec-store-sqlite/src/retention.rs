//! Dropping what has passed its time, a bounded number of rows in one transaction.

use mec_core::Timestamp;
use mec_store::{Expired, Retention};
use rusqlite::{Connection, params};

use crate::sql;
use crate::values::{At, all, first, run};

/// Drops at most `retention.most` rows of each kind that are older than they are kept.
pub(crate) fn apply(conn: &mut Connection, retention: &Retention) -> rusqlite::Result<Expired> {
    let transaction = conn.transaction()?;
    let decisions = Log {
        opened_by: "decisions_drop_before",
        namespaces: sql::DECISION_SELECT_NAMESPACES,
        delete: sql::DECISION_DELETE_BY_AGE,
    };
    let audit = Log {
        opened_by: "audit_drop_before",
        namespaces: sql::ENTITLEMENT_AUDIT_SELECT_NAMESPACES,
        delete: sql::ENTITLEMENT_AUDIT_DELETE_BY_AGE,
    };
    let dropped = Expired {
        decisions: decisions.drop_before(
            &transaction,
            retention.decisions_before,
            retention.most,
        )?,
        audit: audit.drop_before(&transaction, retention.audit_before, retention.most)?,
        answers: drop_answers(&transaction, retention.answers_before, retention.most)?,
    };
    transaction.commit()?;
    Ok(dropped)
}

/// A log whose guard opens for rows before a moment.
struct Log {
    opened_by: &'static str,
    namespaces: &'static str,
    delete: &'static str,
}

impl Log {
    fn drop_before(
        &self,
        conn: &Connection,
        before: Timestamp,
        most: usize,
    ) -> rusqlite::Result<usize> {
        let open_until = |at: i64| run(conn, sql::META_UPDATE_BY_NAME, params![self.opened_by, at]);
        open_until(before.as_micros())?;
        let namespaces = all(conn, self.namespaces, [], |row| row.get::<_, String>(0))?;
        let mut dropped = 0;
        for namespace in namespaces {
            let left = i64::try_from(most.saturating_sub(dropped)).unwrap_or(i64::MAX);
            let row = params![namespace, first_id_at(before), At(before), left];
            dropped += run(conn, self.delete, row)?;
        }
        open_until(0)?;
        Ok(dropped)
    }
}

/// The least id that is made at a moment or later: ids begin with their time (UUID version 7,
/// RFC 9562), so that a log is found to be old without reading what is young.
fn first_id_at(at: Timestamp) -> [u8; 16] {
    let millis = at.as_micros().max(0) / 1000;
    (u128::try_from(millis).unwrap_or(0) << 80).to_be_bytes()
}

/// Keys are kept for ever, with the ids they made; what was answered goes. Rows were appended in the
/// order of their time, so what was looked at once is not looked at again.
fn drop_answers(conn: &Connection, before: Timestamp, most: usize) -> rusqlite::Result<usize> {
    const MARK: &str = "answers_dropped_to";
    let mark: i64 = first(conn, sql::META_SELECT_BY_NAME, [MARK], |row| row.get(0))?.unwrap_or(0);
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let of = params![mark, At(before), most];
    let rows: Vec<i64> = all(conn, sql::KEY_SELECT_ANSWERED_BY_AGE, of, |row| row.get(0))?;
    let mut dropped = 0;
    for row in &rows {
        dropped += run(conn, sql::KEY_DROP_ANSWER_BY_ROWID, [row])?;
    }
    if let Some(last) = rows.last() {
        run(conn, sql::META_UPDATE_BY_NAME, params![MARK, last])?;
    }
    Ok(dropped)
}
