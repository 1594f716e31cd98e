//! The statements of a copy, composed from the list of tables, and what they say.

use mec_store::copy::{Kind, Summary, TABLES, Table};

use crate::connection::Connection;
use crate::error::Fault;
use crate::values::{Columns, decimal, millionths};

/// What a new installation begins with: no other tables have rows, and these have those of the first
/// version, which nobody has changed.
const SEEDED: [&str; 10] = [
    "account_types",
    "units",
    "window_types",
    "catalogue_versions",
    "plans",
    "plan_entitlement_templates",
    "control_rules",
    "control_rule_conditions",
    "resource_types",
    "resource_type_allowed_units",
];

/// Puts rows from a JSON array; those that are there already stay as they are.
pub(super) fn insert(table: &Table) -> String {
    let names = table.columns.iter().map(|(name, _)| format!("\"{name}\""));
    let columns = names.collect::<Vec<_>>().join(", ");
    let table = table.name;
    format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} \
         FROM json_populate_recordset(NULL::{table}, $1::text::json) ON CONFLICT DO NOTHING"
    )
}

/// Counts and sums a table.
pub(super) async fn summary(connection: &Connection, table: &Table) -> Result<Summary, Fault> {
    let mut summed = Vec::new();
    let mut terms = String::new();
    for (name, kind) in table.columns {
        let term = match kind {
            Kind::Number | Kind::Quantity | Kind::Amount => format!("sum(\"{name}\")"),
            Kind::At => format!("sum(extract(epoch FROM \"{name}\") * 1000000)::numeric(38, 0)"),
            _ => continue,
        };
        terms.push_str(&format!(", coalesce({term}, 0)::text"));
        summed.push((*name, *kind));
    }
    let text = format!("SELECT count(*){terms} FROM {}", table.name);
    let row = connection.client.query_one(&text, &[]).await?;
    let mut sums = Vec::new();
    for (column, (name, kind)) in (1..).zip(summed) {
        let text: &str = row.read(column)?;
        let sum = match kind {
            Kind::Quantity | Kind::Amount => decimal(millionths(text)?),
            _ => text.to_owned(),
        };
        sums.push((name, sum));
    }
    Ok(Summary {
        rows: row.number(0)?,
        sums,
    })
}

/// A table with rows that a new installation does not begin with.
pub(super) async fn held(connection: &Connection) -> Result<Option<&'static str>, Fault> {
    for table in TABLES {
        let text = match table.name {
            "catalogue_versions" => {
                "SELECT EXISTS (SELECT FROM catalogue_versions WHERE version > 1 OR namespace_id NOT IN ('default', '*'))"
                    .to_owned()
            }
            name if SEEDED.contains(&name) => continue,
            name => format!("SELECT EXISTS (SELECT FROM {name})"),
        };
        if connection.client.query_one(&text, &[]).await?.read(0)? {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

/// Takes out what a new installation begins with, as the source has its own.
pub(super) async fn clear(connection: &Connection) -> Result<(), Fault> {
    for table in TABLES
        .iter()
        .rev()
        .filter(|table| SEEDED.contains(&table.name))
    {
        let text = format!("DELETE FROM {}", table.name);
        connection.client.execute(&text, &[]).await?;
    }
    Ok(())
}
