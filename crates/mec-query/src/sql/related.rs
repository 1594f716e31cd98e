//! Rows that are told within others.

use super::parts::parts;
use super::writer::{Told, Writer, bounds};
use crate::plan::{Embed, Node};
use crate::schema::{Resource, Side};

impl Writer<'_> {
    /// Related rows as JSON: an object, or an array.
    pub(super) fn embedded(
        &mut self,
        table: &str,
        resource: &'static Resource,
        embed: &Embed,
    ) -> String {
        let node = &embed.node;
        if embed.relation.side == Side::One {
            let (relation, other, fits) = self.related(table, resource, embed);
            let object = self.as_object(&other, node);
            return format!("(SELECT {object} FROM {relation} {other}{fits} LIMIT 1)");
        }
        let parts = parts(node);
        if !parts.is_empty() {
            let rows = self.of_parts(node, parts, |writer, other| {
                let object = writer.as_object(other, node);
                let fits = writer.related_fits(table, resource, embed, other);
                (vec![object], fits)
            });
            return self.dialect.array("c0", &rows);
        }
        let (relation, other, fits) = self.related(table, resource, embed);
        let object = self.as_object(&other, node);
        let order = self.order(&other, node);
        let bounds = bounds(node);
        let rows = format!("SELECT {object} AS c0 FROM {relation} {other}{fits}{order}{bounds}");
        self.dialect.array("c0", &rows)
    }

    /// The outputs of a node as one object.
    fn as_object(&mut self, table: &str, node: &Node) -> String {
        let mut members = Vec::new();
        for output in &node.outputs {
            let name = self.dialect.name(&mut self.values, &output.name);
            let value = self.output(table, node, output, Told::Json);
            members.push((name, value));
        }
        self.dialect.object(&members)
    }

    /// The related rows of a row that fit: their relation, what it is called, and the WHERE.
    pub(super) fn related(
        &mut self,
        table: &str,
        resource: &'static Resource,
        embed: &Embed,
    ) -> (String, String, String) {
        let other = self.table();
        let relation = self.dialect.relation(embed.node.resource);
        let fits = self.related_fits(table, resource, embed, &other);
        (relation, other, fits)
    }

    /// The WHERE of related rows in a table.
    fn related_fits(
        &mut self,
        table: &str,
        resource: &'static Resource,
        embed: &Embed,
        other: &str,
    ) -> String {
        let (own, theirs) = embed.relation.columns();
        let join = match (resource.column(own), embed.node.resource.column(theirs)) {
            (Some(own), Some(theirs)) => format!(
                "{} = {}",
                self.dialect.column(other, theirs),
                self.dialect.column(table, own)
            ),
            _ => "FALSE".to_owned(),
        };
        let fits = self.fits(other, &embed.node);
        match fits.strip_prefix(" WHERE ") {
            Some(terms) => format!(" WHERE {join} AND {terms}"),
            None => format!(" WHERE {join}"),
        }
    }
}
