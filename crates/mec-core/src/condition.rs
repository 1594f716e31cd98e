//! Conditions on the caller's context, which select entitlements and rules.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::quantity::Decimal;

/// How a condition compares a fact with its value.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionOp {
    /// Equal.
    Eq,
    /// Not equal; an absent fact differs from everything.
    Ne,
    /// Equal to one of a list.
    In,
    /// Equal to none of a list; an absent fact is in no list.
    NotIn,
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Gte,
    /// The fact is there, whatever it is; the condition's value is not looked at.
    Exists,
}

impl ConditionOp {
    /// All operators.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::In,
        Self::NotIn,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::Exists,
    ];

    /// Reads the operator's lower-case name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    /// The operator's name as stored: `eq`, `ne`, `in`, `not_in`, `lt`, `lte`, `gt`, `gte`,
    /// `exists`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Exists => "exists",
        }
    }
}

/// One condition: a fact, an operator and the value to compare with.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The fact's name, 1 to 100 characters.
    pub key: String,
    /// How the fact is compared.
    pub op: ConditionOp,
    /// What it is compared with, at most 1,000 characters; for `in` and `not_in` a JSON array of
    /// strings, numbers and booleans, or a comma-separated list. Only `exists` needs none.
    pub value: Option<String>,
}

/// What a caller's request and MEC itself know, by name.
pub trait Facts {
    /// The fact of that name as text; `None` when there is none.
    fn fact(&self, key: &str) -> Option<Cow<'_, str>>;
}

/// The longest key, in characters.
const MAX_KEY: usize = 100;
/// The longest value, in characters.
const MAX_VALUE: usize = 1_000;
/// The most elements of a list.
const MAX_ELEMENTS: usize = 100;

impl Condition {
    /// Whether the condition holds. Two numbers in JSON's grammar of at most 64 characters
    /// compare as decimals, everything else as text by code points. An absent fact fails every
    /// operator but `ne` and `not_in`.
    pub fn holds(&self, facts: &impl Facts) -> bool {
        let Some(fact) = facts.fact(&self.key) else {
            return matches!(self.op, ConditionOp::Ne | ConditionOp::NotIn);
        };
        let value = self.value.as_deref();
        let order = || value.map(|value| compare(&fact, value));
        let listed = || {
            let elements = value.map(elements).unwrap_or_default();
            elements
                .iter()
                .any(|element| compare(&fact, element).is_eq())
        };
        match self.op {
            ConditionOp::Eq => order().is_some_and(Ordering::is_eq),
            ConditionOp::Ne => !order().is_some_and(Ordering::is_eq),
            ConditionOp::In => listed(),
            ConditionOp::NotIn => !listed(),
            ConditionOp::Lt => order().is_some_and(Ordering::is_lt),
            ConditionOp::Lte => order().is_some_and(Ordering::is_le),
            ConditionOp::Gt => order().is_some_and(Ordering::is_gt),
            ConditionOp::Gte => order().is_some_and(Ordering::is_ge),
            ConditionOp::Exists => true,
        }
    }

    /// Checks a condition that is to be stored.
    ///
    /// # Errors
    /// The reason, in words for people: the key is empty or longer than 100 characters, the value
    /// is missing or longer than 1,000, or a list is not one or has more than 100 elements.
    pub fn validate(&self) -> Result<(), &'static str> {
        if self.key.is_empty() || self.key.chars().count() > MAX_KEY {
            return Err("a condition's key has 1 to 100 characters");
        }
        let Some(value) = self.value.as_deref() else {
            let needless = self.op == ConditionOp::Exists;
            return if needless {
                Ok(())
            } else {
                Err("a condition needs a value")
            };
        };
        if value.chars().count() > MAX_VALUE {
            return Err("a condition's value has at most 1000 characters");
        }
        if !matches!(self.op, ConditionOp::In | ConditionOp::NotIn) {
            return Ok(());
        }
        if value.trim_start().starts_with('[') && json_elements(value).is_none() {
            return Err("a condition's list is not a JSON array of strings, numbers and booleans");
        }
        if elements(value).len() > MAX_ELEMENTS {
            return Err("a condition's list has at most 100 elements");
        }
        Ok(())
    }
}

/// Whether all conditions hold; none at all do.
pub fn all_hold(conditions: &[Condition], facts: &impl Facts) -> bool {
    conditions.iter().all(|condition| condition.holds(facts))
}

fn compare(fact: &str, value: &str) -> Ordering {
    let as_numbers = || {
        Decimal::parse(fact)
            .ok()?
            .compare(&Decimal::parse(value).ok()?)
    };
    as_numbers().unwrap_or_else(|| fact.cmp(value))
}

/// The elements of a list value. Text that is no JSON array is a comma-separated list, in which
/// an empty element names nothing (a JSON array may hold the empty text).
fn elements(value: &str) -> Vec<Cow<'_, str>> {
    let commas = || {
        value
            .split(',')
            .map(str::trim)
            .filter(|element| !element.is_empty())
    };
    json_elements(value).unwrap_or_else(|| commas().map(Cow::Borrowed).collect())
}

/// The elements of a JSON array of strings, numbers and booleans; `None` for anything else.
fn json_elements(value: &str) -> Option<Vec<Cow<'_, str>>> {
    if !value.trim_start().starts_with('[') {
        return None;
    }
    let raw: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    raw.into_iter()
        .map(|element| json_text(element.get()))
        .collect()
}

fn json_text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok().map(Cow::Owned),
        // Numbers keep their digits: read as a float they would lose some.
        b'-' | b'0'..=b'9' | b't' | b'f' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;

    struct One(&'static str, String);

    impl Facts for One {
        fn fact(&self, key: &str) -> Option<Cow<'_, str>> {
            (key == self.0).then_some(Cow::Borrowed(self.1.as_str()))
        }
    }

    fn condition(op: &str, value: Option<&str>) -> Condition {
        let op = ConditionOp::parse(op).unwrap();
        Condition {
            key: "k".into(),
            op,
            value: value.map(str::to_owned),
        }
    }

    fn holds(fact: &str, op: &str, value: &str) -> bool {
        condition(op, Some(value)).holds(&One("k", fact.to_owned()))
    }

    #[test]
    fn compares_numbers_as_decimals_and_the_rest_as_text() {
        // Each fact equals, lies below, or lies above the value beside it.
        let equal = "1.0 1|1e2 100|-0 0|0e9 -0.00|eu eu|10.50 1.05e1|0.1 1E-1|-1.0 -1|007 007";
        let below = "9 10|-2 -1|-1 0|0 1e-900|1e30 1e31|1.05 1.5|10 9x|a b|B a|123 1234|-1e9 1|\
            0.30000000000000004 0.30000000000000005|1e-2 1e-1|zz é|99e-1 10|9.99 100e-1|07 7";
        for (expected, table) in [(Ordering::Equal, equal), (Ordering::Less, below)] {
            for (fact, value) in table.split('|').map(|row| row.split_once(' ').unwrap()) {
                for (fact, value, order) in
                    [(fact, value, expected), (value, fact, expected.reverse())]
                {
                    let row = format!("{fact} with {value}");
                    assert_eq!(holds(fact, "eq", value), order.is_eq(), "{row}");
                    assert_eq!(holds(fact, "ne", value), order.is_ne(), "{row}");
                    assert_eq!(holds(fact, "lt", value), order.is_lt(), "{row}");
                    assert_eq!(holds(fact, "lte", value), order.is_le(), "{row}");
                    assert_eq!(holds(fact, "gt", value), order.is_gt(), "{row}");
                    assert_eq!(holds(fact, "gte", value), order.is_ge(), "{row}");
                    assert_eq!(holds(fact, "in", value), order.is_eq(), "{row}");
                    assert_eq!(holds(fact, "not_in", value), order.is_ne(), "{row}");
                }
            }
        }
        // Too long for a number, so text.
        let long = format!("1.{}", "0".repeat(63));
        assert!(holds(&long, "ne", "1") && holds(&long, "eq", &long));
        // Exponents beyond counting are not told apart as numbers.
        assert!(holds(
            "1e99999999999999999998",
            "ne",
            "1e99999999999999999999"
        ));
    }

    #[test]
    fn reads_both_kinds_of_list() {
        for list in [
            "eu,us",
            " eu , us ",
            "[\"eu\",\"us\"]",
            " [ \"us\", \"\\u0065u\" ] ",
            "eu,",
        ] {
            assert!(holds("eu", "in", list), "{list}");
            assert!(!holds("eu", "not_in", list), "{list}");
            assert!(
                holds("ap", "not_in", list) && !holds("", "in", list),
                "{list}"
            );
        }
        assert!(holds("2.0", "in", "1,2,3") && holds("2", "in", "[1, 2.00, \"x\"]"));
        assert!(holds("true", "in", "[true]") && holds("", "in", "[\"\"]"));
        assert!(!holds("eu", "in", "") && holds("eu", "not_in", "[]"));
        assert!(holds(
            "0.30000000000000004",
            "not_in",
            "[0.30000000000000005]"
        ));
        // What looks like an array but is none is a plain list; validate refuses it.
        assert!(holds("[eu", "in", "[eu,us"));
    }

    #[test]
    fn absent_facts_fail_all_but_ne_and_not_in() {
        let facts = One("other", "1".to_owned());
        for op in ConditionOp::ALL {
            let passes = matches!(op, ConditionOp::Ne | ConditionOp::NotIn);
            for value in [Some("1"), Some("false"), None] {
                assert_eq!(
                    condition(op.as_str(), value).holds(&facts),
                    passes,
                    "{op:?}"
                );
            }
        }
        assert!(holds("", "exists", "false"));
        assert!(all_hold(&[], &facts));
        let both = [condition("ne", Some("1")), condition("eq", Some("1"))];
        assert!(!all_hold(&both, &facts));
    }

    #[test]
    fn validates() {
        let check = |op: &str, value: Option<&str>| condition(op, value).validate();
        assert_eq!(check("exists", None), Ok(()));
        assert_eq!(check("eq", Some(&"é".repeat(1000))), Ok(()));
        assert_eq!(check("in", Some(&vec!["1"; 100].join(","))), Ok(()));
        assert_eq!(check("in", Some("[1, \"a\", true]")), Ok(()));
        assert!(check("lt", None).is_err());
        assert!(check("eq", Some(&"é".repeat(1001))).is_err());
        assert!(check("in", Some(&vec!["1"; 101].join(","))).is_err());
        for list in ["[1,", "[eu]", "[null]", "[[1]]", "[{}]", "[1]x"] {
            assert!(check("not_in", Some(list)).is_err(), "{list}");
        }
        for key in [String::new(), "k".repeat(101)] {
            let condition = Condition {
                key,
                ..condition("exists", None)
            };
            assert!(condition.validate().is_err());
        }
    }

    #[test]
    fn json_uses_the_stored_names() {
        for op in ConditionOp::ALL {
            assert_eq!(
                serde_json::to_string(&op).unwrap(),
                format!("\"{}\"", op.as_str())
            );
            assert_eq!(ConditionOp::parse(op.as_str()), Some(op));
        }
        assert_eq!(ConditionOp::parse("EQ"), None);
        let read: Condition = serde_json::from_str(r#"{"key":"k","op":"exists"}"#).unwrap();
        assert_eq!(read, condition("exists", None));
    }

    proptest! {
        #[test]
        fn orders_like_exact_integers(
            a in any::<i64>(), b in any::<i64>(), left in 0_usize..9, right in 0_usize..9,
        ) {
            // The same power of ten is taken out in two ways, so that only the value is shared.
            let text = |value: i64, zeros: usize| {
                format!("{}{}e-{zeros}", value, "0".repeat(zeros))
            };
            prop_assert_eq!(compare(&text(a, left), &text(b, right)), a.cmp(&b));
            prop_assert_eq!(compare(&text(a, left), &text(a, right)), Ordering::Equal);
        }

        #[test]
        fn never_panics(fact in "\\PC{0,20}", value in "\\PC{0,20}|\\[[\"0-9,tf\\]]{0,20}") {
            for op in ConditionOp::ALL {
                let tested = condition(op.as_str(), Some(&value));
                let _ = (tested.holds(&One("k", fact.clone())), tested.validate());
            }
        }
    }
}
