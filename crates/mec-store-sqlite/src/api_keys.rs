//! Keys of programs.

use mec_core::{Namespace, Timestamp};
use mec_query::Role;
use mec_store::{ApiKey, MAX_API_KEYS, namespace_of, namespace_text};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::convert::{at, id, named, optional_at, optional_id};
use crate::sql;
use crate::values::{At, Id, all, first, run};

type Sql<T> = rusqlite::Result<T>;

/// A key by its public part.
pub(crate) fn find(conn: &Connection, key: Uuid) -> Sql<Option<ApiKey>> {
    first(conn, sql::API_KEY_SELECT_BY_ID, [Id(key)], read)
}

/// The newest keys of a namespace that are not revoked.
pub(crate) fn list(conn: &Connection, namespace: Option<&Namespace>) -> Sql<Vec<ApiKey>> {
    let most = i64::try_from(MAX_API_KEYS).unwrap_or(i64::MAX);
    let of = params![namespace_text(namespace), most];
    all(conn, sql::API_KEY_SELECT_BY_NAMESPACE, of, read)
}

/// Keeps a new key.
pub(crate) fn put(conn: &Connection, key: &ApiKey) -> Sql<()> {
    let row = params![
        key.namespace_text(),
        Id(key.key_id),
        key.name,
        key.role.as_str(),
        key.account_id.map(Id),
        &key.secret_hash[..],
        key.created_by,
        At(key.created_at),
        key.expires_at.map(At),
        key.revoked_at.map(At),
        key.last_used_at.map(At),
    ];
    run(conn, sql::API_KEY_INSERT, row).map(drop)
}

/// Revokes a key; whether there was one that was not.
pub(crate) fn revoke(
    conn: &Connection,
    namespace: Option<&Namespace>,
    key: Uuid,
    now: Timestamp,
) -> Sql<bool> {
    let of = params![namespace_text(namespace), Id(key), At(now)];
    Ok(run(conn, sql::API_KEY_REVOKE_BY_ID, of)? > 0)
}

/// Notes a use.
pub(crate) fn note_use(conn: &Connection, key: Uuid, now: Timestamp) -> Sql<()> {
    run(conn, sql::API_KEY_USE_BY_ID, params![Id(key), At(now)]).map(drop)
}

fn read(row: &Row<'_>) -> Sql<ApiKey> {
    Ok(ApiKey {
        namespace: named(row, 0, namespace_of)?,
        key_id: id(row, 1)?,
        name: row.get(2)?,
        role: named(row, 3, Role::parse)?,
        account_id: optional_id(row, 4)?,
        secret_hash: row.get(5)?,
        created_by: row.get(6)?,
        created_at: at(row, 7)?,
        expires_at: optional_at(row, 8)?,
        revoked_at: optional_at(row, 9)?,
        last_used_at: optional_at(row, 10)?,
    })
}
