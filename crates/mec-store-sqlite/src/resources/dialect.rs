//! How SQLite says what a plan asks. What it has no function for stands in [`super::functions`].

use mec_core::Quantity;
use mec_query::ast::SearchKind;
use mec_query::plan::{PathStep, Value};
use mec_query::schema::{Column, Kind, Resource};
use mec_query::sql::{Bound, Dialect, Test, Values};

use crate::amount;

pub(super) struct Sqlite<'a> {
    pub(super) timezone: Option<&'a str>,
}

impl Dialect for Sqlite<'_> {
    fn relation(&self, resource: &Resource) -> String {
        resource.name.to_owned()
    }

    fn part(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Sums stand in two columns or in a text, and are compared as bytes in their order.
    fn column(&self, table: &str, column: &Column) -> String {
        let name = column.name;
        match (column.kind, name) {
            (Kind::Amount, "remaining") => {
                format!("mec_amount({table}.remaining_whole, {table}.remaining_micros)")
            }
            (Kind::Amount, "amount") => format!("mec_amount({table}.whole, {table}.micros)"),
            (Kind::Amount, _) => format!("mec_amount_of_text({table}.{name})"),
            (Kind::Json, _) => format!("mec_json({table}.{name})"),
            _ => format!("{table}.{name}"),
        }
    }

    fn place(&self, values: &mut Values, value: &Value, kind: Kind) -> String {
        let number = values.add(Bound::One(stored(value, kind)));
        match kind {
            Kind::Json => format!("mec_json(?{number})"),
            _ => format!("?{number}"),
        }
    }

    fn one_of(&self, values: &mut Values, of: &str, wanted: &[Value], kind: Kind) -> String {
        let wanted = wanted.iter().map(|value| self.place(values, value, kind));
        format!("{of} IN ({})", wanted.collect::<Vec<_>>().join(", "))
    }

    fn distinct(&self, left: &str, right: &str) -> String {
        format!("({left} IS NOT {right})")
    }

    fn ordered(&self, of: &str, _: Kind) -> String {
        of.to_owned()
    }

    fn test(&self, values: &mut Values, of: &str, test: Test<'_>) -> String {
        match test {
            Test::Like { pattern, any_case } => {
                let pattern = values.text(pattern);
                format!("mec_like(?{pattern}, {of}, {})", u8::from(any_case))
            }
            Test::Match { pattern, any_case } => {
                let pattern = values.text(pattern);
                format!("mec_match(?{pattern}, {of}, {})", u8::from(any_case))
            }
            Test::Contains(json) => {
                let json = values.text(json);
                format!("mec_contains({of}, ?{json})")
            }
            Test::ContainedIn(json) => {
                let json = values.text(json);
                format!("mec_contains(?{json}, {of})")
            }
            Test::Words(search) => {
                let query = values.text(&search.query);
                let kind = match search.kind {
                    SearchKind::Operators => 0,
                    SearchKind::Plain => 1,
                    SearchKind::Phrase => 2,
                    SearchKind::Web => 3,
                };
                format!("mec_words({kind}, ?{query}, {of})")
            }
        }
    }

    fn path(&self, values: &mut Values, of: &str, path: &[PathStep], is_text: bool) -> String {
        let mut found = of.to_owned();
        for step in path {
            found = match step {
                PathStep::Key(key) => {
                    let key = values.text(key);
                    format!("mec_member({found}, ?{key})")
                }
                PathStep::Index(index) => format!("mec_member({found}, {index})"),
            };
        }
        if is_text {
            format!("mec_json_text({found})")
        } else {
            found
        }
    }

    fn read(&self, of: &str, _: Kind) -> String {
        of.to_owned()
    }

    fn json(&self, values: &mut Values, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Text | Kind::Integer => of.to_owned(),
            Kind::Uuid | Kind::Bytes => self.text(of, kind),
            Kind::Boolean | Kind::Quantity | Kind::Amount => {
                format!("json({})", self.text(of, kind))
            }
            Kind::Json => format!("json({of})"),
            Kind::Time => match self.timezone {
                Some(zone) => {
                    let zone = values.text(zone);
                    format!("mec_time({of}, ?{zone})")
                }
                None => format!("mec_time({of})"),
            },
        }
    }

    fn text(&self, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Text | Kind::Json => of.to_owned(),
            Kind::Uuid => format!("mec_uuid({of})"),
            Kind::Bytes => format!("mec_bytes({of})"),
            Kind::Integer => format!("CAST({of} AS TEXT)"),
            Kind::Boolean => format!("CASE {of} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"),
            Kind::Quantity | Kind::Amount => format!("mec_decimal({of})"),
            Kind::Time => format!("mec_time_text({of})"),
        }
    }

    fn integer(&self, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Quantity | Kind::Amount => format!("mec_round({of})"),
            _ => of.to_owned(),
        }
    }

    fn amount(&self, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Integer => format!("mec_amount({of}, 0)"),
            Kind::Quantity => format!("mec_amount(0, {of})"),
            _ => of.to_owned(),
        }
    }

    fn object(&self, members: &[(String, String)]) -> String {
        let members = members
            .iter()
            .map(|(name, value)| format!("{name}, {value}"));
        format!("json_object({})", members.collect::<Vec<_>>().join(", "))
    }

    fn name(&self, values: &mut Values, name: &str) -> String {
        format!("?{}", values.text(name))
    }

    fn array(&self, item: &str, rows: &str) -> String {
        format!("(SELECT json_group_array(json({item})) FROM ({rows}))")
    }
}

/// A value as its column stores it.
fn stored(value: &Value, kind: Kind) -> Value {
    match (value, kind) {
        // No column holds what lies beyond an INTEGER of millionths.
        (Value::Decimal(micros), Kind::Quantity) => {
            let bounded = (*micros).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            Value::Integer(i64::try_from(bounded).unwrap_or(i64::MAX))
        }
        (Value::Decimal(micros), Kind::Text) => {
            Value::Text(Quantity::from_micros(*micros).to_string())
        }
        (Value::Decimal(micros), _) => Value::Bytes(amount::ordered(*micros).to_vec()),
        (Value::Uuid(id), _) => Value::Bytes(id.as_bytes().to_vec()),
        (Value::Time(at), _) => Value::Integer(at.as_micros()),
        (Value::Boolean(is_true), _) => Value::Integer(i64::from(*is_true)),
        (Value::Json(json), _) => Value::Text(json.clone()),
        (other, _) => other.clone(),
    }
}
