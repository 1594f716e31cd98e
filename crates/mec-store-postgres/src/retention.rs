//! Dropping what has passed its time, a bounded number of rows in one transaction.

use mec_core::Timestamp;
use mec_store::{Expired, Retention};

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::sql;
use crate::values::At;

/// Drops at most `retention.most` rows of each kind that are older than they are kept.
pub(crate) async fn apply(
    connection: &Connection,
    retention: &Retention,
) -> Result<Expired, Fault> {
    let most = i64::try_from(retention.most).unwrap_or(i64::MAX);
    let decisions = Log {
        opened_by: "decisions_drop_before",
        delete: sql::DECISION_DELETE_BY_AGE,
    };
    let audit = Log {
        opened_by: "audit_drop_before",
        delete: sql::ENTITLEMENT_AUDIT_DELETE_BY_AGE,
    };
    let of: [Value<'_>; 2] = [&At(retention.answers_before), &most];
    Ok(Expired {
        decisions: decisions
            .drop_before(connection, retention.decisions_before, most)
            .await?,
        audit: audit
            .drop_before(connection, retention.audit_before, most)
            .await?,
        answers: count(connection.run(sql::KEY_DROP_ANSWERS_BY_AGE, &of).await?),
    })
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

/// A log whose guard opens for rows before a moment.
struct Log {
    opened_by: &'static str,
    delete: &'static str,
}

impl Log {
    async fn drop_before(
        &self,
        connection: &Connection,
        before: Timestamp,
        most: i64,
    ) -> Result<usize, Fault> {
        let open: [Value<'_>; 2] = [&self.opened_by, &before.as_micros()];
        connection.run(sql::META_UPDATE_BY_NAME, &open).await?;
        let row: [Value<'_>; 2] = [&At(before), &most];
        let dropped = connection.run(self.delete, &row).await?;
        let shut: [Value<'_>; 2] = [&self.opened_by, &0_i64];
        connection.run(sql::META_UPDATE_BY_NAME, &shut).await?;
        Ok(count(dropped))
    }
}
