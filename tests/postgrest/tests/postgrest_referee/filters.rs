//! Tests of columns: each operator with values that a column may hold, and with others.

use mec_query::schema::Kind;
use serde_json::Value;

use crate::generate::Random;

const ORDERED: &[&str] = &["eq", "neq", "gt", "gte", "lt", "lte"];

/// A test that a column of a kind takes, of a value that some row holds if there is one.
pub fn good(random: &mut Random, kind: Kind, held: Option<&Value>, is_nullable: bool) -> String {
    if is_nullable && random.one_in(4) {
        return "is.null".to_owned();
    }
    let value = held.map_or_else(|| typical(kind).to_owned(), text);
    match kind {
        Kind::Json => "is.null".to_owned(),
        Kind::Boolean => {
            let tests = [
                "eq.true",
                "neq.true",
                "is.true",
                "is.false",
                "is.unknown",
                "eq.f",
                "in.(true)",
            ];
            (*random.pick(&tests)).to_owned()
        }
        Kind::Text => match random.below(9) {
            0 => format!("like.{}*", value.chars().take(2).collect::<String>()),
            1 => format!(
                "ilike.*{}*",
                value
                    .chars()
                    .skip(1)
                    .take(2)
                    .collect::<String>()
                    .to_ascii_uppercase()
            ),
            2 => format!("in.({},\"with,comma\")", quoted(&value)),
            3 => format!("eq(any).{{{},other}}", quoted(&value)),
            4 => format!(
                "like(all).{{{}%,*}}",
                value.chars().take(1).collect::<String>()
            ),
            5 => format!(
                "match.^[{}-z]",
                value
                    .chars()
                    .next()
                    .filter(char::is_ascii_lowercase)
                    .unwrap_or('a')
            ),
            6 => "imatch.[A-M]".to_owned(),
            _ => compared(random, &value),
        },
        Kind::Uuid | Kind::Integer | Kind::Quantity | Kind::Amount | Kind::Time => {
            match random.below(7) {
                0 => format!("in.({})", quoted(&value)),
                1 => format!("gte(any).{{{}}}", quoted(&value)),
                2 => format!("lt(all).{{{},{}}}", quoted(&value), quoted(typical(kind))),
                3 => "in.()".to_owned(),
                4 => format!("isdistinct.{value}"),
                _ => compared(random, &value),
            }
        }
        Kind::Bytes => compared(random, &value),
    }
}

fn compared(random: &mut Random, value: &str) -> String {
    format!("{}.{value}", random.pick(ORDERED))
}

/// A test that a column of a kind refuses.
pub fn bad(random: &mut Random, kind: Kind) -> String {
    let tests: &[&str] = match kind {
        Kind::Text => &[
            "ov.{a}",
            "adj.x",
            "is.true",
            "cs.{a}",
            "is.nothing",
            "nope.1",
        ],
        Kind::Uuid => &["eq.1", "like.0*", "in.(1,2)", "gt.not-an-id", "is.true"],
        Kind::Integer => &[
            "eq.one",
            "eq.1.5",
            "lt.99999999999999999999",
            "ilike.1",
            "is.false",
        ],
        Kind::Boolean => &["eq.maybe", "like.t*", "in.(2)"],
        Kind::Quantity | Kind::Amount => &["eq.many", "gt.", "in.(1,x)", "match.1", "is.true"],
        Kind::Time => &[
            "gt.yesterdayish",
            "eq.2026-13-01",
            "like.2026*",
            "lt.",
            "is.true",
        ],
        Kind::Json => &["eq.{", "like.a", "gt.x"],
        Kind::Bytes => &["like.a*", "is.true"],
    };
    (*random.pick(tests)).to_owned()
}

fn typical(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "pro",
        Kind::Uuid => "00000000-0000-0000-0000-000000000101",
        Kind::Integer => "2",
        Kind::Boolean => "true",
        Kind::Quantity | Kind::Amount => "2.5",
        Kind::Time => "2026-01-31T23:59:59.5+01:00",
        Kind::Json => "{}",
        Kind::Bytes => "\\x00ff",
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
