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

/// Says the place after a row, `a > x or (a = x and b > y)`, so that an index can begin there: as one
/// comparison where all sides are alike, and else with the bound `a >= x` beside it.
pub(super) fn bound(filters: &mut Vec<Filter>) {
    for filter in &mut *filters {
        if let Some(beyond) = beyond(filter) {
            *filter = beyond;
        }
    }
    let bounds: Vec<Filter> = filters.iter().filter_map(common).collect();
    filters.extend(bounds);
}

/// The ways of an `or` as one comparison of several fields. Each way holds one test more than the one before
/// it: that the field of that one's last test is equal.
fn beyond(filter: &Filter) -> Option<Filter> {
    let Filter::Or(ways) = filter else {
        return None;
    };
    let mut side = None;
    let mut fields: Vec<(Field, Value)> = Vec::new();
    for way in ways {
        let terms = match way {
            Filter::And(terms) => terms.as_slice(),
            one => std::slice::from_ref(one),
        };
        let (last, before) = terms.split_last()?;
        let Filter::Test(field, Check::Compare(comparator, value)) = last else {
            return None;
        };
        let is_greater = match comparator {
            Comparator::Greater => true,
            Comparator::Less => false,
            _ => return None,
        };
        let are_equal = before.len() == fields.len()
            && before
                .iter()
                .zip(&fields)
                .all(|(term, (field, value))| is_equal(term, field, value));
        if !are_equal || *side.get_or_insert(is_greater) != is_greater {
            return None;
        }
        fields.push((field.clone(), value.clone()));
    }
    let is_greater = side.filter(|_| fields.len() > 1)?;
    Some(Filter::Beyond { fields, is_greater })
}

fn is_equal(filter: &Filter, field: &Field, value: &Value) -> bool {
    let Filter::Test(of, Check::Compare(Comparator::Equal, with)) = filter else {
        return false;
    };
    with == value && of.column.name == field.column.name && of.path == field.path
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
