//! A query as it would be written: what [`crate::parse`] makes into the same query again.

mod write;

use crate::ast::{Condition, Item, OrderTerm, Part, Query};
use write::{column, key_name, name, operator, relation};

/// The keys and values of a query, not encoded, in one fixed order: `select`; of each part its
/// filters, order, limit and offset; `columns` and `on_conflict`.
pub fn print(query: &Query) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if !query.select.is_empty() {
        pairs.push(("select".to_owned(), joined(&query.select, item)));
    }
    for (path, part) in &query.parts {
        print_part(path, part, &mut pairs);
    }
    for (key, names) in [
        ("columns", &query.columns),
        ("on_conflict", &query.on_conflict),
    ] {
        if let Some(names) = names {
            pairs.push((key.to_owned(), joined(names, |text| name(text))));
        }
    }
    pairs
}

fn joined<T>(things: &[T], print: impl Fn(&T) -> String) -> String {
    let texts: Vec<String> = things.iter().map(print).collect();
    texts.join(",")
}

fn print_part(path: &[String], part: &Part, pairs: &mut Vec<(String, String)>) {
    let mut prefix = String::new();
    for text in path {
        prefix.push_str(&key_name(text));
        prefix.push('.');
    }
    for condition in &part.filters {
        pairs.push(match condition {
            Condition::Test {
                column,
                is_negated,
                operator,
            } => (
                format!("{prefix}{}", write::column_of_key(column)),
                format!(
                    "{}{}",
                    negation(*is_negated),
                    self::operator(operator, false)
                ),
            ),
            Condition::Logic {
                is_negated,
                is_or,
                terms,
            } => (
                format!("{prefix}{}{}", negation(*is_negated), junction(*is_or)),
                format!("({})", joined(terms, term)),
            ),
        });
    }
    if !part.order.is_empty() {
        pairs.push((format!("{prefix}order"), joined(&part.order, order_term)));
    }
    if let Some(limit) = part.limit {
        pairs.push((format!("{prefix}limit"), limit.to_string()));
    }
    if let Some(offset) = part.offset {
        pairs.push((format!("{prefix}offset"), offset.to_string()));
    }
}

fn negation(is_negated: bool) -> &'static str {
    if is_negated { "not." } else { "" }
}

fn junction(is_or: bool) -> &'static str {
    if is_or { "or" } else { "and" }
}

fn term(condition: &Condition) -> String {
    match condition {
        Condition::Test {
            column,
            is_negated,
            operator,
        } => {
            let column = write::column_of_key(column);
            let not = negation(*is_negated);
            format!("{column}.{not}{}", self::operator(operator, true))
        }
        Condition::Logic {
            is_negated,
            is_or,
            terms,
        } => {
            let not = negation(*is_negated);
            format!("{not}{}({})", junction(*is_or), joined(terms, term))
        }
    }
}

fn order_term(term: &OrderTerm) -> String {
    let column = column(&term.column);
    let mut text = match &term.relation {
        Some(relation) => format!("{}({column})", name(relation)),
        None => column,
    };
    if term.is_descending {
        text.push_str(".desc");
    }
    text.push_str(match term.nulls_first {
        Some(true) => ".nullsfirst",
        Some(false) => ".nullslast",
        None => "",
    });
    text
}

fn item(item: &Item) -> String {
    match item {
        Item::All => "*".to_owned(),
        Item::Column {
            alias,
            column,
            cast,
        } => {
            let cast = cast.as_deref().map(|cast| format!("::{}", name(cast)));
            let column = self::column(column);
            format!("{}{column}{}", named(alias), cast.unwrap_or_default())
        }
        Item::Aggregate {
            alias,
            column,
            function,
        } => {
            let column = column.as_ref().map(|column| self::column(column) + ".");
            format!("{}{}{function}()", named(alias), column.unwrap_or_default())
        }
        Item::Embed {
            alias,
            relation,
            hint,
            is_inner,
            is_spread,
            select,
        } => {
            let hint = hint
                .as_deref()
                .map(|hint| format!("!{}", self::relation(hint)));
            format!(
                "{}{}{}{}{}({})",
                if *is_spread { "..." } else { "" },
                named(alias),
                self::relation(relation),
                hint.unwrap_or_default(),
                if *is_inner { "!inner" } else { "" },
                joined(select, self::item)
            )
        }
    }
}

fn named(alias: &Option<String>) -> String {
    let alias = alias.as_deref().map(|alias| format!("{}:", name(alias)));
    alias.unwrap_or_default()
}
