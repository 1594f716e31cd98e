//! The words of the language that stand for a variant, for reading and writing them alike.

use crate::ast::{Comparison, SearchKind, Truth};

pub(crate) const COMPARISONS: [(&str, Comparison); 10] = [
    ("eq", Comparison::Equal),
    ("neq", Comparison::NotEqual),
    ("gte", Comparison::GreaterOrEqual),
    ("gt", Comparison::Greater),
    ("lte", Comparison::LessOrEqual),
    ("lt", Comparison::Less),
    ("like", Comparison::Like),
    ("ilike", Comparison::ILike),
    ("match", Comparison::Match),
    ("imatch", Comparison::IMatch),
];

pub(crate) const SEARCHES: [(&str, SearchKind); 4] = [
    ("fts", SearchKind::Operators),
    ("plfts", SearchKind::Plain),
    ("phfts", SearchKind::Phrase),
    ("wfts", SearchKind::Web),
];

pub(crate) const TRUTHS: [(&str, Truth); 5] = [
    ("null", Truth::Null),
    ("not_null", Truth::NotNull),
    ("true", Truth::True),
    ("false", Truth::False),
    ("unknown", Truth::Unknown),
];

/// Of arrays and ranges.
pub(crate) const RANGES: [&str; 8] = ["cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"];

pub(crate) const AGGREGATES: [&str; 5] = ["sum", "avg", "count", "max", "min"];

/// What the word stands for.
pub(crate) fn meaning<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value)
}

/// The word for it; each variant has one.
pub(crate) fn word<T: PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table
        .iter()
        .find(|(_, other)| *other == value)
        .map_or("", |(name, _)| name)
}

/// May stand in a name without quotes, as `-` may within one.
pub(crate) fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | ' ' | '$')
}
