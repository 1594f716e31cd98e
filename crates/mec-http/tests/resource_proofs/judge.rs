//! Random filters, orders, pages and casts give on both stores what a naive reading of the rows gives.

use mec_query::ast::{Column, Item, OrderTerm, Part, Query};
use mec_query::print::print;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestCaseError, TestRunner};
use serde_json::{Value, json};

use super::cases::{Case, TABLES, case, kind};
use super::naive::{Held, Kind, Row, as_jsonb, held, holds, order};
use super::rows;
use super::world::{Caller, World};

const CASES: u32 = 300;
const SEED: u64 = 20_261_124;

/// The query of a case as an address.
fn address(case: &Case) -> String {
    let table = &TABLES[case.table];
    let plain = |name: &str| Column {
        name: name.to_owned(),
        path: Vec::new(),
    };
    let mut query = Query::default();
    let items = case.told.iter().cloned().chain([(plain(table.key), None)]);
    query.select = items
        .enumerate()
        .map(|(index, (column, cast))| Item::Column {
            alias: Some(format!("v{index}")),
            column,
            cast: cast.map(str::to_owned),
        })
        .collect();
    let part = Part {
        filters: case.filters.clone(),
        order: case.order.clone(),
        limit: case.limit,
        offset: case.offset,
    };
    query.parts.insert(Vec::new(), part);
    let pairs = print(&query).into_iter().map(|(name, value)| {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!("{}={}", encoded(&name), encoded(&value))
    });
    format!(
        "/api/{}?{}",
        table.name,
        pairs.collect::<Vec<_>>().join("&")
    )
}

/// What is told of a value.
fn told(row: &Row, column: &Column, kind: Kind, cast: Option<&str>) -> Value {
    let raw = || serde_json::from_str::<Value>(row[&column.name].get()).unwrap();
    let Some(held) = held(row, column, kind) else {
        return Value::Null;
    };
    match (&held, kind) {
        (Held::Json(json), _) if cast.is_some() => json!(as_jsonb(json)),
        (Held::Json(json), _) => json.clone(),
        (Held::Text(text), _) => json!(text),
        (_, Kind::Time) if cast.is_some() => {
            let told = raw().as_str().unwrap().replacen('T', " ", 1);
            json!(told.strip_suffix(":00").unwrap())
        }
        (Held::Number(number), Kind::Decimal) if cast == Some("int") => {
            let one = 1_000_000_000_000_i128;
            let half = if *number < 0 { -one / 2 } else { one / 2 };
            json!(i64::try_from((number + half) / one).unwrap())
        }
        _ if cast == Some("text") => json!(row[&column.name].get()),
        _ => raw(),
    }
}

/// The rows and their number that a case wants.
fn wanted(all: &[Row], case: &Case) -> (Vec<Value>, usize) {
    let kind = kind(case.table);
    let key = Column {
        name: TABLES[case.table].key.to_owned(),
        path: Vec::new(),
    };
    let fits = |row: &&Row| {
        let mut filters = case.filters.iter();
        filters.all(|filter| holds(row, filter, &kind) == Some(true))
    };
    let mut rows: Vec<&Row> = all.iter().filter(fits).collect();
    let mut terms = case.order.clone();
    terms.push(OrderTerm {
        relation: None,
        column: key.clone(),
        is_descending: case.order.last().is_some_and(|term| term.is_descending),
        nulls_first: None,
    });
    rows.sort_by(|left, right| order(left, right, &terms, &kind));
    let total = rows.len();
    let offset = usize::try_from(case.offset.unwrap_or(0)).unwrap();
    let limit = usize::try_from(case.limit.unwrap_or(1_000)).unwrap();
    let items: Vec<_> = case.told.iter().cloned().chain([(key, None)]).collect();
    let rows = rows.into_iter().skip(offset).take(limit).map(|row| {
        let mut answered = json!({});
        for (index, (column, cast)) in items.iter().enumerate() {
            answered[format!("v{index}")] = told(row, column, kind(column), *cast);
        }
        answered
    });
    (rows.collect(), total)
}

/// All rows of the tables, as one store tells them.
async fn all(world: &World) -> Vec<Vec<Row>> {
    let mut all = Vec::new();
    for table in &TABLES {
        let path = format!("/api/{}", table.name);
        let answer = world.get(&Caller::service("default"), &path).await;
        let rows: Vec<Row> = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(rows.len(), rows::ROWS as usize, "{}", table.name);
        all.push(rows);
    }
    all
}

fn as_values(rows: &[Vec<Row>]) -> Value {
    serde_json::to_value(rows).unwrap()
}

#[test]
fn both_stores_answer_as_a_naive_reading_of_the_rows_does() {
    const SEEDS: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/resource_proofs/seeds.txt"
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (worlds, all) = runtime.block_on(async {
        let worlds = [World::on_sqlite().await, World::on_postgres().await];
        for world in &worlds {
            rows::fill(world).await;
        }
        let told = [all(&worlds[0]).await, all(&worlds[1]).await];
        assert_eq!(as_values(&told[0]), as_values(&told[1]));
        let [told, _] = told;
        (worlds, told)
    });
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(SEEDS))),
        max_shrink_iters: 2_000,
        // The same cases every time; another number draws others.
        rng_seed: RngSeed::Fixed(SEED),
        ..ProptestConfig::default()
    });
    let service = Caller::service("default");
    let judged = runner.run(&case(), |case| {
        let (rows, total) = wanted(&all[case.table], &case);
        let path = address(&case);
        for (world, name) in worlds.iter().zip(["embedded", "PostgreSQL"]) {
            let answer = runtime.block_on(world.get(&service, &path));
            let place = format!(
                "{name}: {}",
                percent_encoding::percent_decode_str(&path).decode_utf8_lossy()
            );
            // A page that begins beyond the last row is told so.
            let is_beyond = case.offset.is_some_and(|offset| offset as usize > total);
            if is_beyond {
                prop_assert_eq!(answer.status.as_u16(), 416, "{}", place);
                continue;
            }
            if !answer.status.is_success() {
                return Err(TestCaseError::fail(format!("{place}: {}", answer.text)));
            }
            prop_assert_eq!(answer.json(), Value::from(rows.clone()), "{}", place);
            let range = answer.header("content-range").unwrap();
            prop_assert!(range.ends_with(&format!("/{total}")), "{} {}", range, place);
        }
        Ok(())
    });
    if let Err(error) = judged {
        panic!("{error}");
    }
}
