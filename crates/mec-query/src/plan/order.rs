//! Orders, which always end with the key, so that pages neither repeat nor miss a row.

use super::build::field;
use super::{Field, Node, Order, PlanError};
use crate::ast::OrderTerm;
use crate::schema::{Kind, Side};

/// So many terms an order may have.
const MAX_TERMS: usize = 20;

pub(super) fn order(
    node: &Node,
    names: &[(String, usize)],
    terms: &[OrderTerm],
) -> Result<Vec<Order>, PlanError> {
    if terms.len() > MAX_TERMS {
        let message = "the order has too many terms";
        return Err(PlanError::new("query_too_complex", message));
    }
    let mut order = Vec::new();
    for term in terms {
        let embed = term
            .relation
            .as_deref()
            .map(|name| related(node, names, name));
        let embed = embed.transpose()?;
        let of = embed.and_then(|index| node.embeds.get(index));
        let resource = of.map_or(node.resource, |embed| embed.node.resource);
        let field = field(resource, &term.column)?;
        if field.kind == Kind::Json {
            let message = "JSON has no order; take text of it with ->>";
            return Err(PlanError::new("42883", message).with_details(field.column.name));
        }
        order.push(Order {
            embed,
            field,
            is_descending: term.is_descending,
            nulls_first: term.nulls_first.unwrap_or(term.is_descending),
        });
    }
    // In the direction of what was asked for, so that one index serves both ways.
    let is_descending = order.last().is_some_and(|term| term.is_descending);
    for name in node.resource.key {
        let is_there = |term: &Order| {
            term.embed.is_none() && term.field.path.is_empty() && term.field.column.name == *name
        };
        if !order.iter().any(is_there)
            && let Some(column) = node.resource.column(name)
        {
            order.push(Order {
                embed: None,
                field: Field {
                    column,
                    path: Vec::new(),
                    kind: column.kind,
                },
                is_descending,
                nulls_first: is_descending,
            });
        }
    }
    Ok(order)
}

fn related(node: &Node, names: &[(String, usize)], name: &str) -> Result<usize, PlanError> {
    let Some((_, index)) = names.iter().find(|(known, _)| known == name) else {
        let message = format!("'{name}' is not an embedded resource in this request");
        let hint = format!("Verify that '{name}' is included in the 'select' query parameter.");
        return Err(PlanError::new("PGRST108", message).with_hint(Some(hint)));
    };
    let is_one = node
        .embeds
        .get(*index)
        .is_some_and(|embed| embed.relation.side == Side::One);
    if is_one {
        return Ok(*index);
    }
    let message = format!("A related order on '{name}' is not possible");
    let details = format!(
        "'{}' and '{name}' do not form a many-to-one or one-to-one relationship",
        node.resource.name
    );
    Err(PlanError::new("PGRST118", message).with_details(details))
}
