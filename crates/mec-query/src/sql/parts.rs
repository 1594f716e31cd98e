//! Rows that come from several relations: the first of each in the order, and of these the first. A database
//! that is asked for the first rows of them all together reads all of them.

use super::direction;
use super::writer::{Writer, bounds};
use crate::plan::Node;
use crate::schema::Source;

/// The relations that a node's rows come from; none where it is one, or where their order is that of others.
pub(super) fn parts(node: &Node) -> &'static [&'static str] {
    match node.resource.source {
        Source::Growing { parts, .. } if node.order.iter().all(|term| term.embed.is_none()) => {
            parts
        }
        _ => &[],
    }
}

impl Writer<'_> {
    /// The rows of a node from its parts. Of a table that is called so, `told` tells the outputs and the WHERE;
    /// the outputs are called `c0` and so on.
    pub(super) fn of_parts(
        &mut self,
        node: &Node,
        parts: &[&str],
        mut told: impl FnMut(&mut Self, &str) -> (Vec<String>, String),
    ) -> String {
        let mut width = 0;
        let mut ways = Vec::new();
        for part in parts {
            let relation = self.dialect.part(part);
            let table = self.table();
            let (mut outputs, fits) = told(self, &table);
            width = outputs.len();
            for term in &node.order {
                let value = self.order_value(&table, node, term);
                outputs.push(self.dialect.ordered(&value, term.field.kind));
            }
            let outputs = outputs.iter().enumerate();
            let outputs = outputs.map(|(index, output)| format!("{output} AS c{index}"));
            let outputs = outputs.collect::<Vec<_>>().join(", ");
            let order = self.order(&table, node);
            let most = node.limit.saturating_add(node.offset);
            let all = self.table();
            ways.push(format!(
                "SELECT * FROM (SELECT {outputs} FROM {relation} {table}{fits}{order} LIMIT {most}) {all}"
            ));
        }
        let all = self.table();
        let outputs = (0..width).map(|index| format!("{all}.c{index} AS c{index}"));
        let outputs = outputs.collect::<Vec<_>>().join(", ");
        let order = node.order.iter().enumerate();
        let order =
            order.map(|(index, term)| format!("{all}.c{}{}", width + index, direction(term)));
        let order = order.collect::<Vec<_>>().join(", ");
        let ways = ways.join(" UNION ALL ");
        let bounds = bounds(node);
        format!("SELECT {outputs} FROM ({ways}) {all} ORDER BY {order}{bounds}")
    }
}
