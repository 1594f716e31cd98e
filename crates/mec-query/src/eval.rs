//! A plan over rows in memory, for those that no store holds. They are whole rows of the plan's resource,
//! in the order of its columns.

use std::cmp::Ordering;

use mec_core::Quantity;

use crate::json;
use crate::like::is_like;
use crate::plan::{
    Cast, Check, Comparator, Field, Filter, Node, Order, PathStep, Plan, PlanError, Value, What,
    regex,
};
use crate::rows::{Cell, Rows, half_away, time_text};
use crate::schema::Kind;

/// Answers a plan.
///
/// # Errors
/// For a plan that embeds: these rows have no others beside them.
pub fn answer(plan: &Plan, rows: Vec<Vec<Cell>>) -> Result<Rows, PlanError> {
    let node = &plan.node;
    if !node.embeds.is_empty() {
        let message = format!("{} cannot be embedded in here", node.resource.name);
        return Err(PlanError::new("PGRST127", message));
    }
    let mut fitting: Vec<Vec<Cell>> = rows.into_iter().filter(|row| fits(node, row)).collect();
    fitting.sort_by(|left, right| in_order(node, left, right));
    let total = u64::try_from(fitting.len()).unwrap_or(u64::MAX);
    let skipped = usize::try_from(node.offset).unwrap_or(usize::MAX);
    let most = usize::try_from(node.limit).unwrap_or(usize::MAX);
    let told = fitting.iter().skip(skipped).take(most).map(|row| {
        let outputs = node.outputs.iter().map(|output| match &output.what {
            What::Field(field, cast) => told(value(node, row, field), *cast),
            What::Embed(_) | What::Count(_) | What::Spread { .. } => Cell::Null,
        });
        let cursor = plan.cursor.iter().map(|field| value(node, row, field));
        outputs.chain(cursor).collect()
    });
    Ok(Rows {
        rows: told.collect(),
        total: plan.is_counted.then_some(total),
    })
}

/// Whether a row fits all filters of a node. What is unknown does not fit.
pub fn fits(node: &Node, row: &[Cell]) -> bool {
    node.filters
        .iter()
        .all(|filter| holds(node, row, filter) == Some(true))
}

fn holds(node: &Node, row: &[Cell], filter: &Filter) -> Option<bool> {
    match filter {
        Filter::Never | Filter::Related(_) => Some(false),
        Filter::Not(inner) => holds(node, row, inner).map(|holds| !holds),
        Filter::And(terms) => together(node, row, terms, false),
        Filter::Or(terms) => together(node, row, terms, true),
        Filter::Test(field, check) => test(&value(node, row, field), check),
        Filter::Beyond { fields, is_greater } => {
            let wanted = if *is_greater {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            for (field, with) in fields {
                let ordering = compare(&value(node, row, field), with)?;
                if ordering.is_ne() {
                    return Some(ordering == wanted);
                }
            }
            Some(false)
        }
    }
}

/// Several filters: one that is `decisive` decides, and else what is unknown leaves it unknown.
fn together(node: &Node, row: &[Cell], terms: &[Filter], decisive: bool) -> Option<bool> {
    let mut is_unknown = false;
    for term in terms {
        match holds(node, row, term) {
            Some(holds) if holds == decisive => return Some(decisive),
            Some(_) => {}
            None => is_unknown = true,
        }
    }
    (!is_unknown).then_some(!decisive)
}

fn test(held: &Cell, check: &Check) -> Option<bool> {
    if let Check::Null = check {
        return Some(*held == Cell::Null);
    }
    if let Check::Distinct(wanted) = check {
        return Some(*held == Cell::Null || compare(held, wanted) != Some(Ordering::Equal));
    }
    if *held == Cell::Null {
        // A boolean that is unknown is neither.
        return matches!(check, Check::Is(_)).then_some(false);
    }
    let text = || held.to_text().unwrap_or_default();
    Some(match check {
        Check::Null | Check::Distinct(_) => false,
        Check::Is(wanted) => *held == Cell::Boolean(*wanted),
        Check::Compare(comparator, wanted) => is(*comparator, compare(held, wanted)?),
        Check::OneOf(wanted) => wanted
            .iter()
            .any(|wanted| compare(held, wanted) == Some(Ordering::Equal)),
        Check::Like { pattern, any_case } => is_like(pattern, &text(), *any_case),
        Check::Match { pattern, any_case } => regex(pattern, *any_case).ok()?.is_match(&text()),
        Check::Contains(json) => json::contains(&text(), json)?,
        Check::ContainedIn(json) => json::contains(json, &text())?,
        Check::Words(search) => search.finds(&text()),
    })
}

fn is(comparator: Comparator, ordering: Ordering) -> bool {
    match comparator {
        Comparator::Equal => ordering.is_eq(),
        Comparator::NotEqual => ordering.is_ne(),
        Comparator::Greater => ordering.is_gt(),
        Comparator::GreaterOrEqual => ordering.is_ge(),
        Comparator::Less => ordering.is_lt(),
        Comparator::LessOrEqual => ordering.is_le(),
    }
}

fn compare(held: &Cell, wanted: &Value) -> Option<Ordering> {
    Some(match (held, wanted) {
        (Cell::Text(held), Value::Text(wanted)) => held.cmp(wanted),
        (Cell::Uuid(held), Value::Uuid(wanted)) => held.cmp(wanted),
        (Cell::Integer(held), Value::Integer(wanted)) => held.cmp(wanted),
        (Cell::Boolean(held), Value::Boolean(wanted)) => held.cmp(wanted),
        (Cell::Decimal(held), Value::Decimal(wanted)) => held.cmp(wanted),
        (Cell::Time(held), Value::Time(wanted)) => held.cmp(wanted),
        (Cell::Bytes(held), Value::Bytes(wanted)) => held.cmp(wanted),
        (Cell::Json(held), Value::Json(wanted)) => {
            json::canonical(held)?.cmp(&json::canonical(wanted)?)
        }
        _ => return None,
    })
}

fn value(node: &Node, row: &[Cell], field: &Field) -> Cell {
    let columns = node.resource.columns;
    let index = columns
        .iter()
        .position(|column| column.name == field.column.name);
    let held = index
        .and_then(|index| row.get(index))
        .unwrap_or(&Cell::Null);
    let Cell::Json(json) = held else {
        return held.clone();
    };
    let mut found = Some(json.clone());
    for step in &field.path {
        found = found.and_then(|json| match step {
            PathStep::Key(key) => json::member(&json, key),
            PathStep::Index(index) => json::element(&json, i64::from(*index)),
        });
    }
    match found {
        Some(json) if field.kind == Kind::Text => json::text(&json).map_or(Cell::Null, Cell::Text),
        Some(json) => Cell::Json(json),
        None => Cell::Null,
    }
}

fn told(held: Cell, cast: Option<Cast>) -> Cell {
    match (cast, held) {
        (None, held) | (_, held @ Cell::Null) => held,
        (Some(Cast::Text), Cell::Time(at)) => Cell::Text(time_text(at)),
        (Some(Cast::Text), held) => held.to_text().map_or(Cell::Null, Cell::Text),
        (Some(Cast::Integer), Cell::Decimal(micros)) => {
            i64::try_from(half_away(micros)).map_or(Cell::Null, Cell::Integer)
        }
        (Some(Cast::Numeric), Cell::Integer(number)) => {
            Cell::Decimal(Quantity::from_int(number).micros())
        }
        (Some(Cast::Integer | Cast::Numeric), held) => held,
    }
}

fn in_order(node: &Node, left: &[Cell], right: &[Cell]) -> Ordering {
    let orders = node.order.iter().map(|term| {
        let (left, right) = (
            value(node, left, &term.field),
            value(node, right, &term.field),
        );
        term_order(term, &left, &right)
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn term_order(term: &Order, left: &Cell, right: &Cell) -> Ordering {
    let nulls = |left_is_null: bool| {
        if left_is_null == term.nulls_first {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    };
    let ordering = match (left, right) {
        (Cell::Null, Cell::Null) => return Ordering::Equal,
        (Cell::Null, _) => return nulls(true),
        (_, Cell::Null) => return nulls(false),
        (Cell::Text(left), Cell::Text(right)) => left.cmp(right),
        (Cell::Uuid(left), Cell::Uuid(right)) => left.cmp(right),
        (Cell::Integer(left), Cell::Integer(right)) => left.cmp(right),
        (Cell::Boolean(left), Cell::Boolean(right)) => left.cmp(right),
        (Cell::Decimal(left), Cell::Decimal(right)) => left.cmp(right),
        (Cell::Time(left), Cell::Time(right)) => left.cmp(right),
        (Cell::Bytes(left), Cell::Bytes(right)) => left.cmp(right),
        _ => Ordering::Equal,
    };
    if term.is_descending {
        ordering.reverse()
    } else {
        ordering
    }
}
