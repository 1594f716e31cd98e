//! Any query that is written is read as the same one, and no text whatever panics.
#![allow(missing_docs)]

use mec_query::ast::*;
use mec_query::parse::{pairs, parse};
use mec_query::print::print;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Texts that mean something else without quotes, and plain ones.
fn text() -> impl Strategy<Value = String> {
    let words = vec![
        "a",
        "id",
        "",
        " ",
        "not",
        "and",
        "or",
        "order",
        "limit",
        "offset",
        "select",
        "columns",
        "on_conflict",
        "count",
        "inner",
        "left",
        "null",
        "NULL",
        "*",
        "-",
        "-1",
        "0",
        "a-b",
        "a->b",
        "any",
        "eq",
        "a.eq.1",
        "a.limit",
        "(",
        ")",
        "()",
        "{",
        "}",
        "{a,b}",
        "{}",
        "\"",
        "\"a\"",
        "\"a\"b",
        "\\",
        "a\\",
        "\\\"",
        ",",
        "a,b",
        ".",
        "..",
        "...",
        ":",
        "::",
        "!",
        " a",
        "a ",
        "é",
        "日本",
        "\u{a0}",
        "\t",
        "\n",
        "\u{0}",
        "🦀",
        "%",
        "+",
        "&=",
    ];
    let pieces = vec![
        "a", "1", "é", "\"", "\\", ",", ".", "(", ")", "{", "}", " ", "-", ">", ":", "\u{301}",
    ];
    prop_oneof![
        3 => select(words).prop_map(str::to_owned),
        2 => vec(select(pieces), 0..8).prop_map(|pieces| pieces.concat()),
        1 => any::<String>().prop_map(|text| text.chars().take(40).collect()),
    ]
}

fn texts(most: usize) -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..=most)
}

fn column() -> impl Strategy<Value = Column> {
    let step = (text(), any::<bool>()).prop_map(|(key, is_text)| Step { key, is_text });
    (text(), vec(step, 0..3)).prop_map(|(name, path)| Column { name, path })
}

fn compare() -> impl Strategy<Value = Operator> {
    use Comparison::*;
    let all = vec![
        Equal,
        NotEqual,
        Greater,
        GreaterOrEqual,
        Less,
        LessOrEqual,
        Like,
        ILike,
        Match,
        IMatch,
    ];
    let of_several = all.iter().copied().filter(|one| *one != NotEqual);
    let several = prop_oneof![
        texts(4).prop_map(Operand::Any),
        texts(4).prop_map(Operand::All)
    ];
    prop_oneof![
        (select(all.clone()), text().prop_map(Operand::One)),
        (select(of_several.collect::<Vec<_>>()), several),
    ]
    .prop_map(|(comparison, operand)| Operator::Compare {
        comparison,
        operand,
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    use SearchKind::*;
    let truths = vec![
        Truth::Null,
        Truth::NotNull,
        Truth::True,
        Truth::False,
        Truth::Unknown,
    ];
    let ranges = vec!["cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"];
    let kinds = vec![Operators, Plain, Phrase, Web];
    prop_oneof![
        4 => compare(),
        2 => texts(4).prop_map(Operator::In),
        1 => select(truths).prop_map(Operator::Is),
        1 => text().prop_map(Operator::IsDistinct),
        1 => (select(kinds), option::of(text()), text()).prop_map(
            |(kind, configuration, query)| Operator::Search { kind, configuration, query }
        ),
        1 => (select(ranges), text()).prop_map(|(name, value)| Operator::OfRanges {
            name: name.to_owned(),
            value,
        }),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let test = (column(), any::<bool>(), operator()).prop_map(|(column, is_negated, operator)| {
        Condition::Test {
            column,
            is_negated,
            operator,
        }
    });
    test.prop_recursive(4, 12, 3, |inner| {
        (any::<bool>(), any::<bool>(), vec(inner, 1..4)).prop_map(|(is_negated, is_or, terms)| {
            Condition::Logic {
                is_negated,
                is_or,
                terms,
            }
        })
    })
}

fn item() -> impl Strategy<Value = Item> {
    let functions = vec!["sum", "avg", "count", "max", "min"];
    let plain = prop_oneof![
        1 => Just(Item::All),
        4 => (option::of(text()), column(), option::of(text()))
            .prop_map(|(alias, column, cast)| Item::Column { alias, column, cast }),
        1 => (option::of(text()), column(), select(functions)).prop_map(
            |(alias, column, function)| Item::Aggregate {
                alias,
                column: Some(column),
                function: function.to_owned(),
            }
        ),
        1 => option::of(text()).prop_map(|alias| Item::Aggregate {
            alias,
            column: None,
            function: "count".to_owned(),
        }),
    ];
    plain.prop_recursive(4, 16, 3, |inner| {
        // What is spread has no name of its own.
        let names = prop_oneof![
            option::of(text()).prop_map(|alias| (alias, false)),
            Just((None, true)),
        ];
        let rest = (text(), option::of(text()), any::<bool>(), vec(inner, 0..4));
        (names, rest).prop_map(|((alias, is_spread), (relation, hint, is_inner, select))| {
            Item::Embed {
                alias,
                relation,
                hint,
                is_inner,
                is_spread,
                select,
            }
        })
    })
}

/// A part of which something is asked.
fn part() -> impl Strategy<Value = Part> {
    let term = (
        option::of(text()),
        column(),
        any::<bool>(),
        option::of(any::<bool>()),
    )
        .prop_map(|(relation, column, is_descending, nulls_first)| OrderTerm {
            relation,
            column,
            is_descending,
            nulls_first,
        });
    let number = || option::of(any::<i64>());
    (vec(condition(), 0..3), vec(term, 0..3), number(), number())
        .prop_map(|(filters, order, limit, offset)| Part {
            filters,
            order,
            limit,
            offset,
        })
        .prop_filter("nothing is asked", |part| *part != Part::default())
}

fn query() -> impl Strategy<Value = Query> {
    let names = || option::of(vec(text(), 1..4));
    let parts = btree_map(vec(text(), 0..3), part(), 0..3);
    (vec(item(), 0..3), parts, names(), names()).prop_map(
        |(select, parts, columns, on_conflict)| Query {
            select,
            parts,
            columns,
            on_conflict,
        },
    )
}

/// A query string of the grammar's own pieces, which are close to one that can be read.
fn almost() -> impl Strategy<Value = String> {
    let pieces = vec![
        "select",
        "order",
        "limit",
        "offset",
        "columns",
        "on_conflict",
        "and",
        "or",
        "not.",
        "a",
        "plans",
        "count",
        "inner",
        "=",
        "=",
        "=",
        "&",
        "&",
        ".",
        ".",
        ",",
        ",",
        "(",
        ")",
        "(",
        ")",
        "{",
        "}",
        "\"",
        "\"",
        "\\",
        "->",
        "->>",
        "-",
        ":",
        "::",
        "!",
        "...",
        "*",
        " ",
        "+",
        "%",
        "%22",
        "%2C",
        "%FF",
        "eq.",
        "in.(",
        "is.null",
        "like(any).{",
        "fts(",
        "cs.{",
        "isdistinct.",
        "1",
        "sum()",
        "desc",
        "nullsfirst",
        "é",
        "or=(a.eq.",
        "select=",
        "=eq.",
    ];
    let text = vec(select(pieces), 0..60).prop_map(|pieces| pieces.concat());
    prop_oneof![
        4 => text,
        1 => ".{0,200}",
        1 => vec(any::<u8>(), 0..200).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ]
}

/// What can be read is written so that it is read as the same again.
fn survives(raw: &str) {
    let Ok(pairs) = pairs(raw) else { return };
    if let Ok(query) = parse(pairs) {
        assert_eq!(parse(print(&query)), Ok(query));
    }
}

/// Changes one text at one place: so many letters give way to a piece of the grammar.
#[derive(Clone, Debug)]
struct Damage {
    text: prop::sample::Index,
    at: prop::sample::Index,
    letters: usize,
    piece: &'static str,
}

fn damage() -> impl Strategy<Value = Damage> {
    let pieces = vec![
        "", "", "\"", "\\", "(", ")", "{", "}", ",", ".", "-", "->", ":", "!", " ", "a", "not.",
        "é",
    ];
    let places = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    (places, 0..3_usize, select(pieces)).prop_map(|((text, at), letters, piece)| Damage {
        text,
        at,
        letters,
        piece,
    })
}

fn damaged(text: &str, damage: &Damage) -> String {
    let letters: Vec<char> = text.chars().collect();
    let (head, tail) = letters.split_at(damage.at.index(letters.len() + 1));
    let tail = tail.iter().skip(damage.letters).copied();
    let head = head.iter().copied().chain(damage.piece.chars());
    head.chain(tail).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_the_same(query in query()) {
        let printed = print(&query);
        prop_assert_eq!(parse(printed.clone()), Ok(query), "{:?}", printed);
    }

    #[test]
    fn what_is_written_and_damaged_is_read_or_refused(query in query(), damages in vec(damage(), 1..4)) {
        let mut pairs = print(&query);
        for damage in damages {
            let mut texts: Vec<&mut String> = pairs.iter_mut().flat_map(|(key, value)| [key, value]).collect();
            let count = texts.len().max(1);
            if let Some(text) = texts.get_mut(damage.text.index(count)) {
                **text = damaged(text, &damage);
            }
        }
        if let Ok(query) = parse(pairs.clone()) {
            prop_assert_eq!(parse(print(&query)), Ok(query), "{:?}", pairs);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(raw in almost()) {
        survives(&raw);
    }

    #[test]
    fn any_value_is_read_or_refused_under_any_key(value in almost()) {
        for key in ["select", "order", "columns", "or", "p.not.and", "a", "\"b\"->c"] {
            if let Ok(query) = parse([(key.to_owned(), value.clone())]) {
                prop_assert_eq!(parse(print(&query)), Ok(query));
            }
        }
    }
}

/// Texts on which a reader that goes back would take forever, at the size of the longest address.
#[test]
fn long_texts_come_to_an_end() {
    let pieces = [
        "(",
        "((",
        "or(",
        "(and(",
        "(a.eq.\"",
        "(a.cs.{",
        "{\"\\\"",
        "\"\\\"",
        "\",\"",
        "a(",
        "a:a(",
        "...a(",
        "a->",
        "a->>\"",
        "not.",
        "a.eq.1,",
        "(a.in.(\"x,",
        "-",
        "--",
        "a-",
        " ",
        "\"",
        "\\",
        "!",
        "a!",
        "::",
        ",",
        "{",
        "}",
        "é",
        "1,",
        "in.(",
        "\"x,",
    ];
    let starts = [
        "",
        "(",
        "eq.",
        "in.(",
        "eq(any).{",
        "(a.cs.{",
        "(a.eq.",
        "\"",
        "a(",
    ];
    for piece in pieces {
        let long = piece.repeat(8 * 1024 / piece.len());
        for start in starts {
            for key in ["select", "order", "columns", "or", "a", "limit"] {
                let value = format!("{start}{long}");
                if let Ok(query) = parse([(key.to_owned(), value)]) {
                    assert_eq!(parse(print(&query)), Ok(query));
                }
            }
        }
        survives(&format!("{long}=eq.1"));
    }
}
