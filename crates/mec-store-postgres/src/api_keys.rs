//! Keys of programs.

use mec_core::{Namespace, Timestamp};
use mec_query::Role;
use mec_store::{ApiKey, MAX_API_KEYS, namespace_of, namespace_text};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::{Connection, Value};
use crate::error::Fault;
use crate::sql;
use crate::values::{At, Columns};

/// A key by its public part.
pub(crate) async fn find(connection: &Connection, key: Uuid) -> Result<Option<ApiKey>, Fault> {
    let row = connection.first(sql::API_KEY_SELECT_BY_ID, &[&key]).await?;
    row.as_ref().map(read).transpose()
}

/// The newest keys of a namespace that are not revoked.
pub(crate) async fn list(
    connection: &Connection,
    namespace: Option<&Namespace>,
) -> Result<Vec<ApiKey>, Fault> {
    let most = i64::try_from(MAX_API_KEYS).unwrap_or(i64::MAX);
    let of: [Value<'_>; 2] = [&namespace_text(namespace), &most];
    let rows = connection
        .all(sql::API_KEY_SELECT_BY_NAMESPACE, &of)
        .await?;
    rows.iter().map(read).collect()
}

/// Keeps a new key.
pub(crate) async fn put(connection: &Connection, key: &ApiKey) -> Result<(), Fault> {
    let row: [Value<'_>; 11] = [
        &key.namespace_text(),
        &key.key_id,
        &key.name,
        &key.role.as_str(),
        &key.account_id,
        &&key.secret_hash[..],
        &key.created_by,
        &At(key.created_at),
        &key.expires_at.map(At),
        &key.revoked_at.map(At),
        &key.last_used_at.map(At),
    ];
    connection.run(sql::API_KEY_INSERT, &row).await?;
    Ok(())
}

/// Revokes a key; whether there was one that was not.
pub(crate) async fn revoke(
    connection: &Connection,
    namespace: Option<&Namespace>,
    key: Uuid,
    now: Timestamp,
) -> Result<bool, Fault> {
    let of: [Value<'_>; 3] = [&namespace_text(namespace), &key, &At(now)];
    Ok(connection.run(sql::API_KEY_REVOKE_BY_ID, &of).await? > 0)
}

/// Notes a use.
pub(crate) async fn note_use(
    connection: &Connection,
    key: Uuid,
    now: Timestamp,
) -> Result<(), Fault> {
    let of: [Value<'_>; 2] = [&key, &At(now)];
    connection.run(sql::API_KEY_USE_BY_ID, &of).await?;
    Ok(())
}

fn read(row: &Row) -> Result<ApiKey, Fault> {
    Ok(ApiKey {
        namespace: row.named(0, namespace_of)?,
        key_id: row.read(1)?,
        name: row.read(2)?,
        role: row.named(3, Role::parse)?,
        account_id: row.read(4)?,
        secret_hash: row.hash(5)?,
        created_by: row.read(6)?,
        created_at: row.at(7)?,
        expires_at: row.optional_at(8)?,
        revoked_at: row.optional_at(9)?,
        last_used_at: row.optional_at(10)?,
    })
}
