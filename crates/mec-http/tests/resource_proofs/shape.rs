//! The schema is what the stores have: every column, key and foreign key, with rows in every resource.

use mec_query::schema::{FOREIGN_KEYS, Kind, Resource};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::database::Database;
use super::related;
use super::truth::{Truth, sorted, stored};
use super::world::{Caller, World};

/// Which table a resource's own columns come from; none for views of several.
fn table(resource: &'static str) -> Option<&'static str> {
    match resource {
        "consumption" => Some("consumption_ledger"),
        "control_decisions" | "active_entitlements" | "active_leases" | "account_hierarchy" => None,
        name => Some(name),
    }
}

/// The types of a kind's columns, in SQLite and in PostgreSQL.
fn types(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Text => ("TEXT", "text"),
        Kind::Uuid => ("BLOB", "uuid"),
        Kind::Integer => ("INTEGER", "bigint"),
        Kind::Boolean => ("INTEGER", "boolean"),
        Kind::Quantity => ("INTEGER", "numeric"),
        // In SQLite a pair of columns, or text.
        Kind::Amount => ("", "numeric"),
        Kind::Time => ("INTEGER", "timestamp with time zone"),
        Kind::Json => ("TEXT", "jsonb"),
        Kind::Bytes => ("BLOB", "bytea"),
    }
}

/// What the store says of a relation's columns: `name type`, with `not null` where it knows that.
fn columns(database: &Database, resource: &Resource) -> Vec<String> {
    let table = table(resource.name);
    match database {
        Database::Sqlite(_) => database.ask(&format!(
            "SELECT name || ' ' || type || CASE \"notnull\" WHEN 1 THEN ' not null' ELSE '' END
             FROM pragma_table_info('{}')",
            table.unwrap_or(resource.name)
        )),
        Database::Postgres(_) => database.ask(&format!(
            "SELECT a.attname || ' ' || format_type(a.atttypid, NULL)
                 || CASE WHEN t.attnotnull THEN ' not null' ELSE '' END
             FROM pg_attribute a
             LEFT JOIN pg_attribute t
                 ON t.attrelid = to_regclass('mec.{}') AND t.attname = a.attname
             WHERE a.attrelid = 'api.{}'::regclass AND a.attnum > 0 ORDER BY a.attnum",
            table.unwrap_or("none"),
            resource.name
        )),
    }
}

fn has_the_columns(database: &Database) {
    for resource in stored() {
        let held = columns(database, resource);
        let names = held.iter().map(|column| column.split_once(' ').unwrap());
        let is_sqlite = matches!(database, Database::Sqlite(_));
        if !is_sqlite {
            let names: Vec<&str> = names.clone().map(|(name, _)| name).collect();
            let wanted: Vec<&str> = resource.columns.iter().map(|column| column.name).collect();
            assert_eq!(names, wanted, "{}", resource.name);
        }
        for column in resource.columns {
            let place = format!("{}.{}", resource.name, column.name);
            if is_sqlite
                && matches!(
                    (column.kind, column.name),
                    (Kind::Amount, "remaining" | "amount")
                )
            {
                continue;
            }
            let found = names.clone().find(|(name, _)| *name == column.name);
            let (_, told) = found.unwrap_or_else(|| panic!("there is no {place}"));
            let is_needed = told.ends_with(" not null");
            let told = told.trim_end_matches(" not null");
            let (in_sqlite, in_postgres) = types(column.kind);
            if is_sqlite {
                // A view of several tables knows no types of what it computes.
                let is_known = table(resource.name).is_some() && column.kind != Kind::Amount;
                assert!(!is_known || told == in_sqlite, "{place}: {told}");
            } else {
                // Session metadata is kept as the text that was sent.
                let is_told = told == in_postgres || column.name == "session_metadata";
                assert!(is_told, "{place}: {told}");
            }
            if table(resource.name).is_some() {
                assert_eq!(is_needed, !column.is_nullable, "{place}");
            }
        }
        for name in resource.key {
            let column = resource.column(name).unwrap();
            assert!(!column.is_nullable, "{}.{name}", resource.name);
        }
    }
    for key in FOREIGN_KEYS {
        let kind = |resource, column: &str| {
            let resource = Resource::find(resource).unwrap();
            resource.column(column).unwrap().kind
        };
        assert_eq!(
            kind(key.of, key.column),
            kind(key.to, key.to_column),
            "{key:?}"
        );
    }
}

fn has_unique_keys(database: &Database) {
    for resource in stored() {
        let mut key = resource.key.join(", ");
        if resource.has_namespace() {
            key = format!("namespace_id, {key}");
        }
        let relation = database.relation(resource.name);
        let twice = format!(
            "SELECT '{}' FROM {relation} GROUP BY {key} HAVING count(*) > 1",
            resource.name
        );
        assert!(database.ask(&twice).is_empty(), "{twice}");
    }
}

/// A filter that the value of a column fits, if there is one.
fn fitting(kind: Kind, value: &Value) -> String {
    let text = match value {
        Value::Null => return "is.null".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let operator = match kind {
        Kind::Json => "cs",
        Kind::Boolean => "is",
        _ => "eq",
    };
    format!(
        "{operator}.{}",
        utf8_percent_encode(&text, NON_ALPHANUMERIC)
    )
}

async fn answers_every_column(world: &World, truth: &Truth) {
    let service = Caller::service("other");
    for resource in stored() {
        let rows = truth.all("other", resource.name);
        for column in resource.columns {
            let name = column.name;
            let told = rows.iter().find(|row| !row[name].is_null());
            let value = told.or(rows.first()).map(|row| &row[name]).unwrap();
            let order = match column.kind {
                Kind::Json => String::new(),
                _ => format!("&order={name}.desc.nullsfirst"),
            };
            let filter = if name == "seconds_until_expiry" {
                "gt.0".to_owned()
            } else {
                fitting(column.kind, value)
            };
            let path = format!("/api/{}?{name}={filter}{order}", resource.name);
            let found = world.rows(&service, &path).await;
            let fits = |row: &&Value| name == "seconds_until_expiry" || row[name] == *value;
            let wanted = rows.iter().filter(fits).cloned();
            assert_eq!(sorted(found), sorted(wanted), "{path}");
            let path = format!("/api/{}?select={name},t:{name}::text", resource.name);
            assert_eq!(
                world.rows(&service, &path).await.len(),
                rows.len(),
                "{path}"
            );
        }
    }
}

async fn is_the_schema_of(world: World) {
    world.fill().await;
    has_the_columns(&world.database);
    has_unique_keys(&world.database);
    let truth = Truth::read(&world).await;
    answers_every_column(&world, &truth).await;
    related::are_told(&world, &truth, &Caller::service("default")).await;
}

#[tokio::test]
async fn the_schema_is_that_of_the_embedded_store() {
    is_the_schema_of(World::on_sqlite().await).await;
}

#[tokio::test]
async fn the_schema_is_that_of_postgresql() {
    is_the_schema_of(World::on_postgres().await).await;
}
