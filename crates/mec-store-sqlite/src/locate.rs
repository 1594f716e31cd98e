//! Finding the account that something names.

use mec_core::Namespace;
use mec_store::{Locator, Place};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::convert::id;
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
        Locator::Entitlement(wanted) => by_id(sql::ACCOUNT_LOCATE_BY_ENTITLEMENT, wanted),
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
