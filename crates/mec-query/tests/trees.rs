//! Query strings become these trees, and what is beyond a bound is refused.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use mec_query::ast::*;
use mec_query::parse::*;

fn read(raw: &str) -> Query {
    parse(pairs(raw).unwrap()).unwrap()
}

fn filters(raw: &str) -> Vec<Condition> {
    read(raw).parts.remove(&Vec::new()).unwrap().filters
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        path: Vec::new(),
    }
}

fn test(name: &str, operator: Operator) -> Condition {
    Condition::Test {
        column: column(name),
        is_negated: false,
        operator,
    }
}

fn equal(value: &str) -> Operator {
    Operator::Compare {
        comparison: Comparison::Equal,
        operand: Operand::One(value.to_owned()),
    }
}

fn texts(elements: &[&str]) -> Vec<String> {
    elements.iter().map(|text| (*text).to_owned()).collect()
}

fn refused(raw: &str, part: &str) {
    let error = parse(pairs(raw).unwrap()).unwrap_err();
    assert!(error.message.contains(part), "{raw}: {error:?}");
}

#[test]
fn each_comparison_is_the_one_of_its_name() {
    let table = [
        ("eq", Comparison::Equal),
        ("neq", Comparison::NotEqual),
        ("gt", Comparison::Greater),
        ("gte", Comparison::GreaterOrEqual),
        ("lt", Comparison::Less),
        ("lte", Comparison::LessOrEqual),
        ("like", Comparison::Like),
        ("ilike", Comparison::ILike),
        ("match", Comparison::Match),
        ("imatch", Comparison::IMatch),
    ];
    for (name, comparison) in table {
        let operand = Operand::One("a*,%".to_owned());
        let expected = test(
            "c",
            Operator::Compare {
                comparison,
                operand,
            },
        );
        assert_eq!(filters(&format!("c={name}.a*,%25")), [expected]);
    }
}

#[test]
fn any_and_all_take_the_elements_of_an_array() {
    let of = |operand| {
        let comparison = Comparison::Like;
        test(
            "c",
            Operator::Compare {
                comparison,
                operand,
            },
        )
    };
    let elements = texts(&["a,b", "c\"", " d", "e f"]);
    let array = r#"{"a,b","c\"",\ d, e f }"#;
    assert_eq!(
        filters(&format!("c=like(any).{array}")),
        [of(Operand::Any(elements.clone()))]
    );
    assert_eq!(
        filters(&format!("c=like(all).{array}")),
        [of(Operand::All(elements))]
    );
}

#[test]
fn a_list_has_its_elements_without_their_quotes() {
    let of = |elements: &[&str]| [test("c", Operator::In(texts(elements)))];
    assert_eq!(filters("c=in.()"), of(&[]));
    assert_eq!(filters("c=in.(\"\")"), of(&[""]));
    assert_eq!(
        filters(r#"c=in.(a,"b,c","d\"\\e",f"g,"h"i)"#),
        of(&["a", "b,c", "d\"\\e", "f\"g", "\"h\"i"])
    );
}

#[test]
fn is_isdistinct_searches_and_ranges_are_told_apart() {
    let truths = [
        ("null", Truth::Null),
        ("not_null", Truth::NotNull),
        ("true", Truth::True),
        ("false", Truth::False),
        ("unknown", Truth::Unknown),
    ];
    for (name, truth) in truths {
        let name = name.to_uppercase();
        assert_eq!(
            filters(&format!("c=is.{name}")),
            [test("c", Operator::Is(truth))]
        );
    }
    let searches = [
        ("fts", SearchKind::Operators),
        ("plfts", SearchKind::Plain),
        ("phfts", SearchKind::Phrase),
        ("wfts", SearchKind::Web),
    ];
    for (name, kind) in searches {
        let search = |configuration: Option<&str>| Operator::Search {
            kind,
            configuration: configuration.map(str::to_owned),
            query: "a b".to_owned(),
        };
        assert_eq!(
            filters(&format!("c={name}.a+b&c={name}(english).a+b")),
            [test("c", search(None)), test("c", search(Some("english")))]
        );
    }
    for name in ["cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"] {
        let of_ranges = Operator::OfRanges {
            name: name.to_owned(),
            value: "{1,2}".to_owned(),
        };
        assert_eq!(
            filters(&format!("c={name}.{{1,2}}&and=(c.{name}.{{1,2}})")),
            [
                test("c", of_ranges.clone()),
                Condition::Logic {
                    is_negated: false,
                    is_or: false,
                    terms: vec![test("c", of_ranges)],
                }
            ]
        );
    }
    let distinct = Operator::IsDistinct("5".to_owned());
    assert_eq!(filters("c=isdistinct.5"), [test("c", distinct)]);
}

#[test]
fn negations_belong_to_what_they_stand_before() {
    let negated = Condition::Test {
        column: column("a"),
        is_negated: true,
        operator: equal("1,2"),
    };
    let inner = Condition::Logic {
        is_negated: true,
        is_or: false,
        terms: vec![test("b", equal("x")), test("not", equal("y"))],
    };
    let outer = Condition::Logic {
        is_negated: true,
        is_or: true,
        terms: vec![negated, inner],
    };
    let raw = r#"p.not.or=(a.not.eq."1,2",not.and(b.eq.x,not.eq.y))"#;
    let parts = read(raw).parts;
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[&vec!["p".to_owned()]].filters, [outer]);
}

#[test]
fn a_select_nests() {
    let name = |text: &str| Some(text.to_owned());
    let select = read(
        "select=*,n:q->a->>-1::text,s:q.sum(),count(),p:plans!fk!inner(x,...u()),r!left(count)",
    )
    .select;
    let path = vec![
        Step {
            key: "a".to_owned(),
            is_text: false,
        },
        Step {
            key: "-1".to_owned(),
            is_text: true,
        },
    ];
    let plain = |name: &str| Item::Column {
        alias: None,
        column: column(name),
        cast: None,
    };
    let embed = |alias, relation: &str, hint, is_inner, is_spread, select| Item::Embed {
        alias,
        relation: relation.to_owned(),
        hint,
        is_inner,
        is_spread,
        select,
    };
    let spread = embed(None, "u", None, false, true, vec![]);
    let expected = [
        Item::All,
        Item::Column {
            alias: name("n"),
            column: Column {
                name: "q".to_owned(),
                path,
            },
            cast: name("text"),
        },
        Item::Aggregate {
            alias: name("s"),
            column: Some(column("q")),
            function: "sum".to_owned(),
        },
        Item::Aggregate {
            alias: None,
            column: None,
            function: "count".to_owned(),
        },
        embed(
            name("p"),
            "plans",
            name("fk"),
            true,
            false,
            vec![plain("x"), spread],
        ),
        embed(None, "r", None, false, false, vec![plain("count")]),
    ];
    assert_eq!(select, expected);
}

#[test]
fn order_limit_offset_and_lists_of_columns_stand_in_their_part() {
    let raw = "order=a.desc.nullslast,b.asc,p(c).nullsfirst&limit=-1&p.q.offset=2&p.limit=x&columns=\"a,b\",c&on_conflict=d";
    let query = read(raw);
    let term = |relation: Option<&str>, name, is_descending, nulls_first| OrderTerm {
        relation: relation.map(str::to_owned),
        column: column(name),
        is_descending,
        nulls_first,
    };
    let root = Part {
        filters: Vec::new(),
        order: vec![
            term(None, "a", true, Some(false)),
            term(None, "b", false, None),
            term(Some("p"), "c", false, Some(true)),
        ],
        limit: Some(-1),
        offset: None,
    };
    let inner = Part {
        offset: Some(2),
        ..Part::default()
    };
    let expected = Query {
        select: Vec::new(),
        parts: [(vec![], root), (texts(&["p", "q"]), inner)].into(),
        columns: Some(texts(&["a,b", "c"])),
        on_conflict: Some(texts(&["d"])),
    };
    assert_eq!(query, expected);
}

#[test]
fn an_error_says_what_where_and_what_to_write() {
    let error = parse(pairs("limit=1&name=ne.5").unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "\"failed to parse filter (ne.5)\" (line 1, column 1)"
    );
    assert_eq!(
        error.details.unwrap(),
        "unexpected \"n\" expecting operator (eq, gt, ...)"
    );
    assert_eq!(
        error.hint.unwrap(),
        "Did you mean \"neq\"? A filter is written column=operator.value, as in status=eq.active."
    );
}

#[test]
fn a_long_text_is_cut_in_its_error() {
    let error = parse(pairs(&format!("a={}", "é".repeat(5_000))).unwrap()).unwrap_err();
    assert!(error.message.chars().count() < 300, "{}", error.message);
    assert!(error.message.contains('…'));
}

#[test]
fn what_is_within_a_bound_is_read_and_one_more_is_refused() {
    // Each row: a query string with so many of them, how many may be, and what is said of one more.
    let some = |count: usize, text: &str| vec![text; count].join(",");
    let nested = |count: usize, open: &str, inner: &str| {
        format!("{}{inner}{}", open.repeat(count), ")".repeat(count))
    };
    let cases: [(&dyn Fn(usize) -> String, usize, &str); 13] = [
        (
            &|n| vec!["limit=1"; n].join("&"),
            MAX_PAIRS,
            "100 parameters",
        ),
        (
            &|n| format!("or=({})", some(n - 1, "a.eq.1")),
            MAX_TERMS,
            "filters",
        ),
        (
            &|n| format!("a=eq.1&order={}", some(n - 1, "a")),
            MAX_TERMS,
            "terms of order",
        ),
        (
            &|n| format!("select={}", some(n, "a")),
            MAX_ITEMS,
            "items of select",
        ),
        (
            &|n| format!("select=p({}),q(a)", some(n - 3, "a")),
            MAX_ITEMS,
            "items of select",
        ),
        (
            &|n| format!("columns={}", some(n, "a")),
            MAX_ITEMS,
            "columns in one list",
        ),
        (
            &|n| format!("a=in.({})", some(n, "1")),
            MAX_ELEMENTS,
            "elements in one list",
        ),
        (
            &|n| format!("a=eq(any).{{{}}}", some(n, "1")),
            MAX_ELEMENTS,
            "elements in one list",
        ),
        (
            &|n| {
                format!(
                    "or={}",
                    nested(n, "(and", "(a.eq.1)")
                        .replacen("(and", "", 1)
                        .replacen(')', "", 1)
                )
            },
            MAX_DEPTH,
            "conditions deeper",
        ),
        (
            &|n| format!("select={}", nested(n, "p(", "a")),
            MAX_DEPTH,
            "embeddings deeper",
        ),
        (
            &|n| format!("{}a=eq.1", "p.".repeat(n)),
            MAX_DEPTH,
            "embeddings deeper",
        ),
        (
            &|n| format!("{}limit=1", "p.".repeat(n)),
            MAX_DEPTH,
            "embeddings deeper",
        ),
        (
            &|n| format!("a{}=eq.1", "->b".repeat(n)),
            MAX_DEPTH,
            "way into JSON deeper",
        ),
    ];
    for (write, limit, part) in cases {
        read(&write(limit));
        let error = pairs(&write(limit + 1)).and_then(parse).unwrap_err();
        assert!(error.message.contains(part), "{error:?}");
    }
    read(&format!("{}=eq.1", "é".repeat(MAX_NAME_LETTERS)));
    refused(
        &format!("{}=eq.1", "é".repeat(MAX_NAME_LETTERS + 1)),
        "failed to parse tree path",
    );
    refused(
        &format!("select=\"{}\"", "a".repeat(MAX_NAME_LETTERS + 1)),
        "failed to parse select",
    );
}

#[test]
fn the_pairs_are_bounded_before_and_while_they_are_read() {
    let error = pairs(&vec!["a=eq.1"; MAX_PAIRS + 1].join("&")).unwrap_err();
    assert!(error.message.contains("100 parameters"), "{error:?}");
    let pair = ("a".to_owned(), "eq.1".to_owned());
    let error = parse(vec![pair; MAX_PAIRS + 1]).unwrap_err();
    assert!(error.message.contains("100 parameters"), "{error:?}");
}
