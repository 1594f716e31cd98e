//! Writes a plan as SQL.

use super::parts::parts;
use super::reach::REACH;
use super::{Bound, Dialect, Statement, Test, Values, direction};
use crate::plan::{
    Cast, Check, Comparator, Embed, Field, Filter, Node, Order, Output, Plan, Value, What,
};
use crate::schema::{Column, Kind, Side};

pub(super) struct Writer<'a> {
    pub(super) plan: &'a Plan,
    pub(super) dialect: &'a dyn Dialect,
    pub(super) values: Values,
    tables: usize,
}

/// A place where outputs are told.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Told {
    /// As a column of the answer.
    Column,
    /// Within JSON.
    Json,
}

impl<'a> Writer<'a> {
    pub(super) fn new(plan: &'a Plan, dialect: &'a dyn Dialect) -> Self {
        Self {
            plan,
            dialect,
            values: Values::default(),
            tables: 0,
        }
    }

    pub(super) fn rows(mut self) -> Statement {
        let node = &self.plan.node;
        let reach = self.reach();
        let parts = parts(node);
        let sql = if parts.is_empty() {
            let relation = self.dialect.relation(node.resource);
            let table = self.table();
            let outputs = self.outputs(&table).join(", ");
            let fits = self.fits(&table, node);
            let order = self.order(&table, node);
            let bounds = bounds(node);
            format!("SELECT {outputs} FROM {relation} {table}{fits}{order}{bounds}")
        } else {
            self.of_parts(node, parts, |writer, table| {
                (writer.outputs(table), writer.fits(table, node))
            })
        };
        self.end(format!("{reach}{sql}"))
    }

    /// What is told of the rows of a table, and after it the fields of the cursor.
    pub(super) fn outputs(&mut self, table: &str) -> Vec<String> {
        let node = &self.plan.node;
        let mut outputs = Vec::new();
        for output in &node.outputs {
            outputs.push(self.output(table, node, output, Told::Column));
        }
        for field in &self.plan.cursor {
            let value = self.field(table, field);
            outputs.push(self.dialect.read(&value, field.kind));
        }
        if outputs.is_empty() {
            outputs.push("1".to_owned());
        }
        outputs
    }

    pub(super) fn count(mut self) -> Statement {
        let node = &self.plan.node;
        let table = self.table();
        let reach = self.reach();
        let relation = self.dialect.relation(node.resource);
        let fits = self.fits(&table, node);
        let sql = format!("{reach}SELECT count(*) FROM {relation} {table}{fits}");
        self.end(sql)
    }

    fn end(self, sql: String) -> Statement {
        Statement {
            sql,
            values: self.values,
        }
    }

    pub(super) fn table(&mut self) -> String {
        self.tables += 1;
        format!("t{}", self.tables)
    }

    /// The WHERE of a node: what the caller may see, and what is asked for.
    pub(super) fn fits(&mut self, table: &str, node: &Node) -> String {
        let mut terms = self.seen(table, node.resource);
        for filter in &node.filters {
            terms.push(self.filter(table, node, filter));
        }
        if terms.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", terms.join(" AND "))
        }
    }

    fn filter(&mut self, table: &str, node: &Node, filter: &Filter) -> String {
        match filter {
            Filter::Never => "FALSE".to_owned(),
            Filter::Not(inner) => format!("NOT ({})", self.filter(table, node, inner)),
            Filter::And(terms) => self.terms(table, node, terms, " AND ", "TRUE"),
            Filter::Or(terms) => self.terms(table, node, terms, " OR ", "FALSE"),
            Filter::Related(index) => match node.embeds.get(*index) {
                Some(embed) => {
                    let (relation, other, fits) = self.related(table, node.resource, embed);
                    // What is asked for of the related rows may be none of those that there are.
                    let bounds = match embed.relation.side {
                        Side::Many if embed.node.limit == 0 || embed.node.offset > 0 => {
                            bounds(&embed.node)
                        }
                        _ => String::new(),
                    };
                    format!("EXISTS (SELECT 1 FROM {relation} {other}{fits}{bounds})")
                }
                None => "FALSE".to_owned(),
            },
            Filter::Test(field, check) => {
                let value = self.field(table, field);
                self.check(&value, field.kind, check)
            }
            Filter::Beyond { fields, is_greater } => {
                let (mut held, mut wanted) = (Vec::new(), Vec::new());
                for (field, value) in fields {
                    let of = self.field(table, field);
                    held.push(self.dialect.ordered(&of, field.kind));
                    wanted.push(self.dialect.place(&mut self.values, value, field.kind));
                }
                let side = if *is_greater { ">" } else { "<" };
                format!("({}) {side} ({})", held.join(", "), wanted.join(", "))
            }
        }
    }

    fn terms(
        &mut self,
        table: &str,
        node: &Node,
        terms: &[Filter],
        between: &str,
        of_none: &str,
    ) -> String {
        let terms = terms.iter().map(|term| self.filter(table, node, term));
        together(&terms.collect::<Vec<_>>(), between, of_none)
    }

    fn check(&mut self, value: &str, kind: Kind, check: &Check) -> String {
        let test = match check {
            Check::Null => return format!("{value} IS NULL"),
            Check::Is(true) => return format!("{value} IS TRUE"),
            Check::Is(false) => return format!("{value} IS FALSE"),
            Check::Compare(comparator, wanted) => {
                return self.compare(value, kind, *comparator, wanted);
            }
            Check::OneOf(wanted) => {
                return self.dialect.one_of(&mut self.values, value, wanted, kind);
            }
            Check::Distinct(wanted) => {
                let wanted = self.dialect.place(&mut self.values, wanted, kind);
                return self.dialect.distinct(value, &wanted);
            }
            Check::Like { pattern, any_case } => Test::Like {
                pattern,
                any_case: *any_case,
            },
            Check::Match { pattern, any_case } => Test::Match {
                pattern,
                any_case: *any_case,
            },
            Check::Contains(json) => Test::Contains(json),
            Check::ContainedIn(json) => Test::ContainedIn(json),
            Check::Words(search) => Test::Words(search),
        };
        self.dialect.test(&mut self.values, value, test)
    }

    fn compare(
        &mut self,
        value: &str,
        kind: Kind,
        comparator: Comparator,
        wanted: &Value,
    ) -> String {
        let wanted = self.dialect.place(&mut self.values, wanted, kind);
        let operator = match comparator {
            Comparator::Equal => return format!("{value} = {wanted}"),
            Comparator::NotEqual => return format!("{value} <> {wanted}"),
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
        };
        let value = self.dialect.ordered(value, kind);
        format!("{value} {operator} {wanted}")
    }

    /// The value of a field, in the form in which it is compared.
    pub(super) fn field(&mut self, table: &str, field: &Field) -> String {
        let value = self.column(table, field.column);
        if field.path.is_empty() {
            return value;
        }
        let is_text = field.kind == Kind::Text;
        self.dialect
            .path(&mut self.values, &value, &field.path, is_text)
    }

    /// A column's value. Of an account that the caller does not see nothing is told.
    fn column(&mut self, table: &str, column: &Column) -> String {
        let value = self.dialect.column(table, column);
        match column.tells_of {
            Some(account) if self.plan.reach.account.is_some() => format!(
                "CASE WHEN {table}.{account} IN (SELECT account_id FROM {REACH}) THEN {value} END"
            ),
            _ => value,
        }
    }

    pub(super) fn output(
        &mut self,
        table: &str,
        node: &Node,
        output: &Output,
        told: Told,
    ) -> String {
        match &output.what {
            What::Field(field, cast) => {
                let value = self.field(table, field);
                let (value, kind) = match cast {
                    None => (value, field.kind),
                    Some(Cast::Text) => (self.dialect.text(&value, field.kind), Kind::Text),
                    Some(Cast::Integer) => {
                        (self.dialect.integer(&value, field.kind), Kind::Integer)
                    }
                    Some(Cast::Numeric) => (self.dialect.amount(&value, field.kind), Kind::Amount),
                };
                match told {
                    Told::Column => self.dialect.read(&value, kind),
                    Told::Json => self.dialect.json(&mut self.values, &value, kind),
                }
            }
            What::Embed(index) => {
                self.told_as_json(node.embeds.get(*index), told, |writer, embed| {
                    writer.embedded(table, node.resource, embed)
                })
            }
            What::Count(index) => {
                self.told_as_json(node.embeds.get(*index), told, |writer, embed| {
                    let (relation, other, fits) = writer.related(table, node.resource, embed);
                    let name = writer.dialect.name(&mut writer.values, "count");
                    let number = format!("(SELECT count(*) FROM {relation} {other}{fits})");
                    let number = writer
                        .dialect
                        .json(&mut writer.values, &number, Kind::Integer);
                    let object = writer.dialect.object(&[(name, number)]);
                    writer.dialect.array("c", &format!("SELECT {object} AS c"))
                })
            }
            What::Spread { embed, output } => {
                let Some(embed) = node.embeds.get(*embed) else {
                    return "NULL".to_owned();
                };
                let Some(output) = embed.node.outputs.get(*output) else {
                    return "NULL".to_owned();
                };
                let (relation, other, fits) = self.related(table, node.resource, embed);
                let value = self.output(&other, &embed.node, output, told);
                format!("(SELECT {value} FROM {relation} {other}{fits} LIMIT 1)")
            }
        }
    }

    fn told_as_json(
        &mut self,
        embed: Option<&Embed>,
        told: Told,
        write: impl FnOnce(&mut Self, &Embed) -> String,
    ) -> String {
        let Some(embed) = embed else {
            return "NULL".to_owned();
        };
        let value = write(self, embed);
        match told {
            Told::Column => self.dialect.read(&value, Kind::Json),
            Told::Json => self.dialect.json(&mut self.values, &value, Kind::Json),
        }
    }

    pub(super) fn order(&mut self, table: &str, node: &Node) -> String {
        let mut terms = Vec::new();
        for term in &node.order {
            let value = self.order_value(table, node, term);
            let value = self.dialect.ordered(&value, term.field.kind);
            terms.push(format!("{value}{}", direction(term)));
        }
        if terms.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", terms.join(", "))
        }
    }

    pub(super) fn order_value(&mut self, table: &str, node: &Node, term: &Order) -> String {
        match term.embed.and_then(|index| node.embeds.get(index)) {
            None => self.field(table, &term.field),
            Some(embed) => {
                let (relation, other, fits) = self.related(table, node.resource, embed);
                let value = self.field(&other, &term.field);
                format!("(SELECT {value} FROM {relation} {other}{fits} LIMIT 1)")
            }
        }
    }
}

/// Terms in pairs of pairs: a chain of a thousand would be an expression a thousand deep, which SQLite refuses.
fn together(terms: &[String], between: &str, of_none: &str) -> String {
    match terms {
        [] => of_none.to_owned(),
        [one] => format!("({one})"),
        _ => {
            let (left, right) = terms.split_at(terms.len() / 2);
            let [left, right] = [left, right].map(|half| together(half, between, of_none));
            format!("({left}{between}{right})")
        }
    }
}

pub(super) fn bounds(node: &Node) -> String {
    let offset = match node.offset {
        0 => String::new(),
        offset => format!(" OFFSET {offset}"),
    };
    format!(" LIMIT {}{offset}", node.limit)
}

impl Bound {
    /// The values at the place.
    pub fn values(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}
