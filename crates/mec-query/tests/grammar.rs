//! Every line of the grammar, and what PostgREST's clients send, is read as `cases/grammar.txt` says.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mec_query::parse::{ParseError, pairs, parse};
use mec_query::print::print;

fn written(raw: &str) -> Result<String, ParseError> {
    let printed = print(&parse(pairs(raw)?)?);
    let again = parse(printed.clone()).unwrap();
    assert_eq!(print(&again), printed, "{raw}");
    let texts: Vec<String> = printed.iter().map(|(k, v)| format!("{k}={v}")).collect();
    Ok(texts.join(" & "))
}

#[test]
fn every_query_string_is_read_or_refused_as_its_row_says() {
    let mut failures = Vec::new();
    let table = include_str!("cases/grammar.txt");
    let rows = table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        count += 1;
        let (raw, expected) = row.split_once(" =>").unwrap();
        let expected = expected.trim_start();
        match (written(raw), expected.strip_prefix("! ")) {
            (Ok(text), None) if text == expected => {}
            (Err(error), Some(part))
                if format!("{error:?}").replace("\\\"", "\"").contains(part) => {}
            (outcome, _) => failures.push(format!("{row}\n    gave {outcome:?}")),
        }
    }
    assert!(count > 300, "{count} rows");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
