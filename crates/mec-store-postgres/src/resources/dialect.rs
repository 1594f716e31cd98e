//! How PostgreSQL says what a plan asks. Values are texts that the statement casts.

use mec_query::ast::SearchKind;
use mec_query::plan::{PathStep, Value};
use mec_query::schema::{Column, Kind, Resource};
use mec_query::sql::{Bound, Dialect, Test, Values};

pub(super) struct Postgres;

impl Dialect for Postgres {
    fn relation(&self, resource: &Resource) -> String {
        format!("api.{}", resource.name)
    }

    fn part(&self, name: &str) -> String {
        format!("mec.{name}")
    }

    fn column(&self, table: &str, column: &Column) -> String {
        match column.name {
            // It is kept as the text that was sent.
            "session_metadata" => format!("mec.json_or_null({table}.session_metadata)"),
            name => format!("{table}.{name}"),
        }
    }

    fn place(&self, values: &mut Values, value: &Value, kind: Kind) -> String {
        let number = values.add(Bound::One(value.clone()));
        match kind {
            Kind::Text => format!("${number}::text"),
            _ => format!("${number}::text::{}", kind.name()),
        }
    }

    fn one_of(&self, values: &mut Values, of: &str, wanted: &[Value], kind: Kind) -> String {
        let number = values.add(Bound::Many(wanted.to_vec()));
        match kind {
            Kind::Text => format!("{of} = ANY (${number}::text[])"),
            _ => format!("{of} = ANY (${number}::text[]::{}[])", kind.name()),
        }
    }

    fn distinct(&self, left: &str, right: &str) -> String {
        format!("({left} IS DISTINCT FROM {right})")
    }

    fn ordered(&self, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Text => format!("{of} COLLATE \"C\""),
            _ => of.to_owned(),
        }
    }

    fn test(&self, values: &mut Values, of: &str, test: Test<'_>) -> String {
        let (operator, text, kind) = match test {
            Test::Like { pattern, any_case } => {
                (if any_case { "ILIKE" } else { "LIKE" }, pattern, "")
            }
            Test::Match { pattern, any_case } => (if any_case { "~*" } else { "~" }, pattern, ""),
            Test::Contains(json) => ("@>", json, "::jsonb"),
            Test::ContainedIn(json) => ("<@", json, "::jsonb"),
            Test::Words(search) => {
                let query = values.text(&search.query);
                let read = match search.kind {
                    SearchKind::Operators => "to_tsquery",
                    SearchKind::Plain => "plainto_tsquery",
                    SearchKind::Phrase => "phraseto_tsquery",
                    SearchKind::Web => "websearch_to_tsquery",
                };
                return format!("to_tsvector('simple', {of}) @@ {read}('simple', ${query}::text)");
            }
        };
        let number = values.text(text);
        format!("{of} {operator} ${number}::text{kind}")
    }

    fn path(&self, values: &mut Values, of: &str, path: &[PathStep], is_text: bool) -> String {
        let mut found = of.to_owned();
        let last = path.len().saturating_sub(1);
        for (index, step) in path.iter().enumerate() {
            let arrow = if is_text && index == last {
                "->>"
            } else {
                "->"
            };
            found = match step {
                PathStep::Key(key) => format!("{found} {arrow} ${}::text", values.text(key)),
                PathStep::Index(index) => format!("{found} {arrow} {index}"),
            };
        }
        format!("({found})")
    }

    fn read(&self, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Quantity | Kind::Amount | Kind::Json => self.text(of, kind),
            _ => of.to_owned(),
        }
    }

    fn json(&self, _: &mut Values, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Quantity | Kind::Amount => format!("trim_scale({of})"),
            _ => of.to_owned(),
        }
    }

    fn text(&self, of: &str, kind: Kind) -> String {
        match kind {
            Kind::Quantity | Kind::Amount => format!("trim_scale({of})::text"),
            _ => format!("({of})::text"),
        }
    }

    fn integer(&self, of: &str, _: Kind) -> String {
        format!("({of})::bigint")
    }

    fn amount(&self, of: &str, _: Kind) -> String {
        format!("({of})::numeric")
    }

    fn object(&self, members: &[(String, String)]) -> String {
        let members = members
            .iter()
            .map(|(name, value)| format!("{name}, {value}"));
        format!(
            "json_build_object({})",
            members.collect::<Vec<_>>().join(", ")
        )
    }

    fn name(&self, values: &mut Values, name: &str) -> String {
        format!("${}::text", values.text(name))
    }

    fn array(&self, item: &str, rows: &str) -> String {
        format!("(SELECT coalesce(json_agg({item}), '[]'::json) FROM ({rows}) AS rows)")
    }
}
