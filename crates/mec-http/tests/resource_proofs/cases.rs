//! Random cases for the judge: filters, orders, pages and casts over the columns of three tables.

use mec_query::ast::{Column, Comparison, Condition, Operand, Operator, OrderTerm, Step, Truth};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::naive::Kind;
use super::rows::{self, JSONS, QUANTITIES, TEXTS, TIMES, written};

pub struct Table {
    pub name: &'static str,
    pub key: &'static str,
    pub columns: &'static [(&'static str, Kind)],
}

pub const TABLES: [Table; 3] = [
    Table {
        name: "grants",
        key: "grant_id",
        columns: &[
            ("grant_id", Kind::Uuid),
            ("account_id", Kind::Uuid),
            ("resource_scope", Kind::Text),
            ("reason", Kind::Text),
            ("quantity", Kind::Decimal),
            ("remaining", Kind::Decimal),
            ("priority", Kind::Whole),
            ("expires_at", Kind::Time),
            ("created_at", Kind::Time),
        ],
    },
    Table {
        name: "concurrency_leases",
        key: "lease_id",
        columns: &[
            ("lease_id", Kind::Uuid),
            ("session_token", Kind::Text),
            ("session_metadata", Kind::Json),
            ("session_metadata", Kind::Json),
            ("fencing_token", Kind::Whole),
            ("released_at", Kind::Time),
        ],
    },
    Table {
        name: "consumption",
        key: "event_id",
        columns: &[
            ("event_id", Kind::Uuid),
            ("corrects_event_id", Kind::Uuid),
            ("chain_hash", Kind::Uuid),
            ("idempotency_key", Kind::Text),
            ("quantity", Kind::Decimal),
            ("is_correction", Kind::Boolean),
            ("period_start", Kind::Time),
        ],
    },
];

#[derive(Clone, Debug)]
pub struct Case {
    pub table: usize,
    pub filters: Vec<Condition>,
    pub order: Vec<OrderTerm>,
    pub limit: Option<i64>,
    pub offset: Option<i64>,
    pub told: Vec<(Column, Option<&'static str>)>,
}

/// The kind of what stands at a column.
pub fn kind(table: usize) -> impl Fn(&Column) -> Kind {
    move |column| {
        if column.path.last().is_some_and(|step| step.is_text) {
            return Kind::Text;
        }
        let columns = TABLES[table].columns.iter();
        let mut kinds = columns.filter(|(name, _)| *name == column.name);
        kinds.next().unwrap().1
    }
}

fn decimal(micros: i64) -> String {
    mec_core::Quantity::from_micros(micros.into()).to_string()
}

/// A text that can be read as a value of a kind.
fn literal(table: usize, column: &Column) -> BoxedStrategy<String> {
    match kind(table)(column) {
        Kind::Text => select(TEXTS.to_vec()).prop_map(str::to_owned).boxed(),
        Kind::Uuid if column.name == "chain_hash" => (0..4_u8)
            .prop_map(|byte| format!("\\x{}", format!("{byte:02x}").repeat(32)))
            .boxed(),
        Kind::Uuid if column.name == "corrects_event_id" => (0..4_u128)
            .prop_map(|number| uuid::Uuid::from_u128(number).to_string())
            .boxed(),
        Kind::Uuid => (0..rows::ROWS)
            .prop_map(|n| uuid::Uuid::from_u128((u128::from(n % 7) << 64) + u128::from(n)).to_string())
            .boxed(),
        Kind::Whole => (-3..70_i64).prop_map(|number| number.to_string()).boxed(),
        Kind::Decimal => prop_oneof![
            3 => select(QUANTITIES.to_vec()).prop_map(decimal),
            1 => (select(QUANTITIES.to_vec()), 0..1000_u32).prop_map(|(micros, more)| {
                let text = decimal(micros);
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                // Beyond the places that a column has.
                format!("{whole}.{fraction:0<6}{more:03}")
            }),
            1 => select(vec!["0", ".5", "7.5", "0.0000001", "-0.0000001", "2.500001", "4000000000000.000005",
                             "1000000000000000000000000"]).prop_map(str::to_owned),
        ]
        .boxed(),
        Kind::Boolean => select(vec!["true", "false"]).prop_map(str::to_owned).boxed(),
        Kind::Time => (select(TIMES.to_vec()), select(vec![0, 120, -330, 825]))
            .prop_map(|(micros, zone)| written(micros, zone))
            .boxed(),
        Kind::Json => select(JSONS.to_vec()).prop_map(str::to_owned).boxed(),
    }
}

fn pieces(all: Vec<&'static str>) -> impl Strategy<Value = String> {
    vec(select(all), 0..6).prop_map(|pieces| pieces.concat())
}

/// Letters beyond ASCII whose case is another's are for what tells cases apart: whether they are one letter
/// is a matter of the database's locale.
const CASED: [&str; 5] = ["é", "É", "ß", "ω", "Ω"];

fn like(tells_cases: bool) -> impl Strategy<Value = String> {
    let mut all = vec![
        "a", "A", "b", "%", "*", "_", "\\%", "\\_", "\\\\", "日", " ", "x", ".",
    ];
    all.extend(CASED.into_iter().filter(|_| tells_cases));
    pieces(all)
}

fn expression(tells_cases: bool) -> impl Strategy<Value = String> {
    let begin = select(vec!["", "", "^"]);
    let mut all = vec![
        "a", "A", "b", "B", "x", ".", "a*", "b*", ".*", "日", " ", ",",
    ];
    all.extend(CASED.into_iter().filter(|_| tells_cases));
    let middle = pieces(all);
    let end = select(vec!["", "", "$"]);
    (begin, middle, end).prop_map(|(begin, middle, end)| format!("{begin}{middle}{end}"))
}

fn operand(text: BoxedStrategy<String>) -> impl Strategy<Value = Operand> {
    prop_oneof![
        4 => text.clone().prop_map(Operand::One),
        1 => vec(text.clone(), 1..4).prop_map(Operand::Any),
        1 => vec(text, 1..4).prop_map(Operand::All),
    ]
}

fn comparison(of: Vec<Comparison>, text: BoxedStrategy<String>) -> BoxedStrategy<Operator> {
    (select(of), operand(text))
        // Any and all are not for `neq`.
        .prop_map(|(comparison, operand)| match (comparison, operand) {
            (Comparison::NotEqual, Operand::Any(mut texts) | Operand::All(mut texts)) => {
                (comparison, Operand::One(texts.remove(0)))
            }
            pair => pair,
        })
        .prop_map(|(comparison, operand)| Operator::Compare {
            comparison,
            operand,
        })
        .boxed()
}

fn operator(table: usize, column: &Column) -> BoxedStrategy<Operator> {
    use Comparison::*;
    let text = literal(table, column);
    let kind = kind(table)(column);
    let mut is = vec![Truth::Null, Truth::NotNull];
    if kind == Kind::Boolean {
        is.extend([Truth::True, Truth::False, Truth::Unknown]);
    }
    let equal = comparison(vec![Equal, NotEqual], text.clone());
    let ordered = comparison(
        vec![Greater, GreaterOrEqual, Less, LessOrEqual],
        text.clone(),
    );
    let special = match kind {
        Kind::Text => prop_oneof![
            comparison(vec![Like], like(true).boxed()),
            comparison(vec![ILike], like(false).boxed()),
            comparison(vec![Match], expression(true).boxed()),
            comparison(vec![IMatch], expression(false).boxed()),
        ]
        .boxed(),
        Kind::Json => (select(vec!["cs", "cd"]), text.clone())
            .prop_map(|(name, value)| Operator::OfRanges {
                name: name.to_owned(),
                value,
            })
            .boxed(),
        _ => equal.clone(),
    };
    let ordered = match kind {
        Kind::Json | Kind::Boolean => equal.clone(),
        _ => ordered,
    };
    prop_oneof![
        2 => equal,
        2 => ordered,
        3 => special,
        1 => vec(text.clone(), 0..4).prop_map(Operator::In),
        1 => select(is).prop_map(Operator::Is),
        1 => text.prop_map(Operator::IsDistinct),
    ]
    .boxed()
}

fn step(is_text: bool) -> impl Strategy<Value = Step> {
    let keys = select(vec!["a", "b", "c", "0", "1", "-1", "longer", "nothing"]);
    keys.prop_map(move |key| Step {
        key: key.to_owned(),
        is_text,
    })
}

fn column(table: usize) -> BoxedStrategy<Column> {
    let named = select(TABLES[table].columns.to_vec());
    named
        .prop_flat_map(|(name, kind)| {
            let plain = Just(Vec::new()).boxed();
            let path = match kind {
                Kind::Json => prop_oneof![
                    plain,
                    (vec(step(false), 0..2), any::<bool>().prop_flat_map(step)).prop_map(
                        |(mut path, last)| {
                            path.push(last);
                            path
                        }
                    )
                ]
                .boxed(),
                _ => plain,
            };
            path.prop_map(move |path| Column {
                name: name.to_owned(),
                path,
            })
        })
        .boxed()
}

fn condition(table: usize) -> impl Strategy<Value = Condition> {
    let test = column(table).prop_flat_map(move |column| {
        (any::<bool>(), operator(table, &column)).prop_map(move |(is_negated, operator)| {
            Condition::Test {
                column: column.clone(),
                is_negated,
                operator,
            }
        })
    });
    test.prop_recursive(3, 12, 4, |inner| {
        (any::<bool>(), any::<bool>(), vec(inner, 1..4)).prop_map(|(is_negated, is_or, terms)| {
            Condition::Logic {
                is_negated,
                is_or,
                terms,
            }
        })
    })
}

fn term(table: usize) -> impl Strategy<Value = OrderTerm> {
    let ordered = move |column: &Column| kind(table)(column) != Kind::Json;
    let column = column(table).prop_filter("JSON has no order", ordered);
    (column, any::<bool>(), any::<Option<bool>>()).prop_map(
        |(column, is_descending, nulls_first)| OrderTerm {
            relation: None,
            column,
            is_descending,
            nulls_first,
        },
    )
}

pub fn case() -> impl Strategy<Value = Case> {
    (0..TABLES.len()).prop_flat_map(|table| {
        let told = column(table).prop_flat_map(move |column| {
            let casts = match kind(table)(&column) {
                Kind::Decimal => vec![None, Some("text"), Some("int")],
                Kind::Whole => vec![None, Some("text"), Some("numeric")],
                _ => vec![None, Some("text")],
            };
            (Just(column), select(casts))
        });
        (
            vec(condition(table), 0..3),
            vec(term(table), 0..3),
            proptest::option::of(0..30_i64),
            proptest::option::of(0..30_i64),
            vec(told, 0..3),
        )
            .prop_map(move |(filters, order, limit, offset, told)| Case {
                table,
                filters,
                order,
                limit,
                // A limit of none has no place to begin at, and is refused.
                offset: offset.filter(|_| limit != Some(0)),
                told,
            })
    })
}
