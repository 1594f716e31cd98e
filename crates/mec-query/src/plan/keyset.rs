//! Pages by the place of the last row, which cost the same wherever they begin.

use super::{Check, Comparator, Field, Filter, Node, Plan, Value};
use crate::ast::{self, Comparison, Condition, Operand, Operator, Query};
use crate::rows::Cell;

/// What names a row's place in the order; nothing where the order goes beyond columns that are never null.
pub(super) fn cursor(node: &Node) -> Vec<Field> {
    let is_plain = node.order.iter().all(|term| {
        term.embed.is_none() && term.field.path.is_empty() && !term.field.column.is_nullable
    });
    if !is_plain {
        return Vec::new();
    }
    node.order.iter().map(|term| term.field.clone()).collect()
}

/// The query for the rows after the last one of a page; none where its place has no name.
pub fn next_page(query: &Query, plan: &Plan, last: &[Cell]) -> Option<Query> {
    let order = &plan.node.order;
    if plan.cursor.is_empty() || last.len() != order.len() {
        return None;
    }
    let test = |index: usize, comparison| {
        let term = order.get(index)?;
        let name = term.field.column.name.to_owned();
        let text = last.get(index)?.to_text()?;
        Some(Condition::Test {
            column: ast::Column {
                name,
                path: Vec::new(),
            },
            is_negated: false,
            operator: Operator::Compare {
                comparison,
                operand: Operand::One(text),
            },
        })
    };
    let mut ways = Vec::new();
    for (index, term) in order.iter().enumerate() {
        let beyond = if term.is_descending {
            Comparison::Less
        } else {
            Comparison::Greater
        };
        let mut terms = (0..index)
            .map(|before| test(before, Comparison::Equal))
            .collect::<Option<Vec<_>>>()?;
        terms.push(test(index, beyond)?);
        ways.push(match <[Condition; 1]>::try_from(terms) {
            Ok([only]) => only,
            Err(terms) => Condition::Logic {
                is_negated: false,
                is_or: false,
                terms,
            },
        });
    }
    let after = Condition::Logic {
        is_negated: false,
        is_or: true,
        terms: ways,
    };
    let mut next = query.clone();
    let part = next.parts.entry(Vec::new()).or_default();
    // The place where this page began is left behind.
    part.filters.retain(|filter| !is_alike(filter, &after));
    part.filters.push(after);
    part.offset = None;
    Some(next)
}

/// Whether two conditions differ in nothing but the values that they compare with.
fn is_alike(left: &Condition, right: &Condition) -> bool {
    match (left, right) {
        (
            Condition::Logic {
                is_negated,
                is_or,
                terms,
            },
            Condition::Logic {
                is_negated: other_negated,
                is_or: other_or,
                terms: others,
            },
        ) => {
            is_negated == other_negated
                && is_or == other_or
                && terms.len() == others.len()
                && terms
                    .iter()
                    .zip(others)
                    .all(|(left, right)| is_alike(left, right))
        }
        (
            Condition::Test {
                column,
                is_negated,
                operator:
                    Operator::Compare {
                        comparison,
                        operand: Operand::One(_),
                    },
            },
            Condition::Test {
                column: other,
                is_negated: other_negated,
                operator:
                    Operator::Compare {
                        comparison: other_comparison,
                        operand: Operand::One(_),
                    },
            },
        ) => column == other && is_negated == other_negated && comparison == other_comparison,
        _ => false,
    }
}

/// Adds what the ways of an `or` have in common on one side of a value, so that an index can begin there:
/// `a > x or (a = x and b > y)` is also `a >= x`.
pub(super) fn bound(filters: &mut Vec<Filter>) {
    let bounds: Vec<Filter> = filters.iter().filter_map(common).collect();
    filters.extend(bounds);
}

fn common(filter: &Filter) -> Option<Filter> {
    let Filter::Or(ways) = filter else {
        return None;
    };
    let (first, rest) = ways.split_first()?;
    let Filter::Test(field, Check::Compare(beyond, value)) = first else {
        return None;
    };
    let side = match beyond {
        Comparator::Greater | Comparator::GreaterOrEqual => Comparator::GreaterOrEqual,
        Comparator::Less | Comparator::LessOrEqual => Comparator::LessOrEqual,
        Comparator::Equal | Comparator::NotEqual => return None,
    };
    let holds = |way: &Filter| {
        let terms = match way {
            Filter::And(terms) => terms.as_slice(),
            one => std::slice::from_ref(one),
        };
        terms.iter().any(|term| keeps(term, field, side, value))
    };
    (!rest.is_empty() && rest.iter().all(holds))
        .then(|| Filter::Test(field.clone(), Check::Compare(side, value.clone())))
}

/// Whether a test keeps to one side of a value: it is equal to it, or beyond it.
fn keeps(filter: &Filter, field: &Field, side: Comparator, value: &Value) -> bool {
    let Filter::Test(of, Check::Compare(comparator, with)) = filter else {
        return false;
    };
    let fits = match side {
        Comparator::GreaterOrEqual => matches!(
            comparator,
            Comparator::Equal | Comparator::Greater | Comparator::GreaterOrEqual
        ),
        _ => matches!(
            comparator,
            Comparator::Equal | Comparator::Less | Comparator::LessOrEqual
        ),
    };
    fits && with == value && of.column.name == field.column.name && of.path == field.path
}
