//! Every foreign key in both directions, beside the rows that a caller sees joined by hand.

use std::collections::BTreeMap;

use mec_query::schema::{FOREIGN_KEYS, ForeignKey, RESOURCES, Resource};
use serde_json::{Value, json};

use super::truth::{Truth, sorted, still, stored};
use super::world::{Caller, World};

/// A way from one resource to another, as a request writes it.
struct Way {
    from: &'static Resource,
    other: &'static str,
    /// How the request names it.
    named: String,
    own: &'static str,
    theirs: &'static str,
    is_one: bool,
}

fn ways() -> Vec<Way> {
    let resource = |name| RESOURCES.iter().find(|row| row.name == name).unwrap();
    let both = |key: &'static ForeignKey| {
        // Of a table that is related to itself its own name means the rows that name this one.
        let named = if key.of == key.to {
            key.column.to_owned()
        } else {
            format!("{}!{}", key.to, key.constraint())
        };
        [
            Way {
                from: resource(key.of),
                other: key.to,
                named,
                own: key.column,
                theirs: key.to_column,
                is_one: true,
            },
            Way {
                from: resource(key.to),
                other: key.of,
                named: format!("{}!{}", key.of, key.constraint()),
                own: key.to_column,
                theirs: key.column,
                is_one: false,
            },
        ]
    };
    let is_stored = |name: &str| stored().any(|resource| resource.name == name);
    let keys = FOREIGN_KEYS
        .iter()
        .filter(|key| is_stored(key.of) && is_stored(key.to));
    keys.flat_map(both).collect()
}

/// The columns of a resource that stay as they are.
fn columns(resource: &Resource) -> Vec<&'static str> {
    let names = resource.columns.iter().map(|column| column.name);
    names
        .filter(|name| *name != "seconds_until_expiry")
        .collect()
}

/// Asserts that a caller is told of related rows what it sees of them, and nothing else.
pub async fn are_told(world: &World, truth: &Truth, caller: &Caller) {
    for way in ways() {
        let seen = (
            truth.seen(caller, way.from.name),
            truth.seen(caller, way.other),
        );
        let key = way.from.key.join(",");
        let (from, named) = (way.from.name, &way.named);
        let path = format!("/api/{from}?select={key},{},r:{named}(*)", way.own);
        let (Some(rows), Some(others)) = seen else {
            let refused = world.get(caller, &path).await;
            assert!(
                [401, 403].contains(&refused.status.as_u16()),
                "{path}: {}",
                refused.text
            );
            continue;
        };
        let mut related: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for other in others {
            let by = other[way.theirs].to_string();
            related.entry(by).or_default().push(other);
        }
        let related = |row: &Value| {
            let rows = related.get(&row[way.own].to_string());
            rows.filter(|_| !row[way.own].is_null())
                .cloned()
                .unwrap_or_default()
        };
        check_embedded(world, caller, &way, &path, &rows, &related).await;
        check_filtered(world, caller, &way, &rows, &related).await;
        if way.is_one {
            check_spread_and_ordered(world, caller, &way, &rows, &related).await;
        }
    }
}

async fn check_embedded(
    world: &World,
    caller: &Caller,
    way: &Way,
    path: &str,
    rows: &[Value],
    related: &impl Fn(&Value) -> Vec<Value>,
) {
    let path = format!("{path},n:{}(count)", way.named);
    let told = world.rows(caller, &path).await;
    let told = told.into_iter().map(|mut row| {
        // The order of embedded rows is looked at elsewhere.
        if let Some(embedded) = row["r"].as_array() {
            row["r"] = json!(sorted(embedded.clone()));
        } else {
            row["r"] = still(row["r"].take());
        }
        row
    });
    let wanted = rows.iter().map(|row| {
        let found = related(row);
        let mut wanted = json!({ "n": [{"count": found.len()}] });
        for name in way.from.key.iter().chain([&way.own]) {
            wanted[name] = row[name].clone();
        }
        wanted["r"] = if way.is_one {
            assert!(found.len() < 2, "{path}");
            found.first().cloned().unwrap_or_default()
        } else {
            json!(sorted(found))
        };
        wanted
    });
    assert_eq!(sorted(told), sorted(wanted), "{}: {path}", caller.what);
}

/// Rows with and without related ones: how many, and which.
async fn check_filtered(
    world: &World,
    caller: &Caller,
    way: &Way,
    rows: &[Value],
    related: &impl Fn(&Value) -> Vec<Value>,
) {
    let columns = columns(way.from).join(",");
    for (asked, wants_some) in [
        (format!("{columns},r:{}!inner()", way.named), true),
        (format!("{columns},r:{}()&r=is.null", way.named), false),
    ] {
        // A hint and `!inner` may stand in either order.
        let path = format!("/api/{}?select={asked}", way.from.name);
        let answer = world.get(caller, &path).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        let range = answer.header("content-range").unwrap().to_owned();
        let told: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
        let wanted = rows
            .iter()
            .filter(|row| related(row).is_empty() != wants_some)
            .cloned();
        let wanted = sorted(wanted);
        let total = format!("/{}", wanted.len());
        assert!(range.ends_with(&total), "{}: {path}: {range}", caller.what);
        assert_eq!(sorted(told), wanted, "{}: {path}", caller.what);
    }
}

/// A related row's column beside the row's own, and the order by it.
async fn check_spread_and_ordered(
    world: &World,
    caller: &Caller,
    way: &Way,
    rows: &[Value],
    related: &impl Fn(&Value) -> Vec<Value>,
) {
    let other = RESOURCES.iter().find(|row| row.name == way.other).unwrap();
    let column = match other.name {
        "accounts" => "display_name",
        _ => other.columns.last().unwrap().name,
    };
    let key = way.from.key.join(",");
    let path = format!(
        "/api/{}?select={key},r:{}(),...{}(told:{column})&order=r({column}).desc.nullslast",
        way.from.name, way.named, way.named
    );
    let told = world.rows(caller, &path).await;
    let values: Vec<&Value> = told.iter().map(|row| &row["told"]).collect();
    let first_null = values.iter().position(|value| value.is_null());
    let first_null = first_null.unwrap_or(values.len());
    assert!(
        values[first_null..].iter().all(|value| value.is_null()),
        "{path}"
    );
    let ordered =
        values[..first_null]
            .windows(2)
            .all(|pair| match (pair[0].as_str(), pair[1].as_str()) {
                (Some(left), Some(right)) => left >= right,
                _ => true,
            });
    assert!(ordered, "{path}: {values:?}");
    let wanted = rows.iter().map(|row| {
        let mut wanted = json!({ "told": related(row).first().map(|other| &other[column]) });
        for name in way.from.key {
            wanted[name] = row[name].clone();
        }
        wanted
    });
    let told = told.clone();
    assert_eq!(sorted(told), sorted(wanted), "{}: {path}", caller.what);
}
