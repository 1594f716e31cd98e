//! A plan as SQL. What the stores say differently is a [`Dialect`]'s; the rest stands here once. Names come
//! from the schema, and all that came from a request is a value.

mod parts;
mod reach;
mod related;
mod writer;

use crate::plan::{Order, PathStep, Plan, Value};
use crate::schema::{Column, Kind, Resource};

/// A statement with its values, which it names by their numbers from 1 on.
#[derive(Clone, Debug, Default)]
pub struct Statement {
    /// The statement.
    pub sql: String,
    /// Its values.
    pub values: Values,
}

/// The values of a statement.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// In the order of their numbers.
    pub all: Vec<Bound>,
}

/// A value or several at one place of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// One.
    One(Value),
    /// Several, as an array.
    Many(Vec<Value>),
}

impl Values {
    /// Takes in a value; returns its number.
    pub fn add(&mut self, value: Bound) -> usize {
        let held = self.all.iter().position(|held| *held == value);
        held.map_or_else(
            || {
                self.all.push(value);
                self.all.len()
            },
            |index| index + 1,
        )
    }

    /// Takes in a text; returns its number.
    pub fn text(&mut self, text: &str) -> usize {
        self.add(Bound::One(Value::Text(text.to_owned())))
    }
}

/// How a store says what a plan asks. Expressions are SQL; none of them holds a request's text.
pub trait Dialect {
    /// What a resource is called behind FROM.
    fn relation(&self, resource: &Resource) -> String;

    /// What a part of a resource is called behind FROM.
    fn part(&self, name: &str) -> String;

    /// A column's value in the form in which it is compared and ordered.
    fn column(&self, table: &str, column: &Column) -> String;

    /// A value in the form of a kind of column.
    fn place(&self, values: &mut Values, value: &Value, kind: Kind) -> String;

    /// Whether an expression is one of several values.
    fn one_of(&self, values: &mut Values, of: &str, wanted: &[Value], kind: Kind) -> String;

    /// Whether two expressions differ, where null is a value like any other.
    fn distinct(&self, left: &str, right: &str) -> String;

    /// An expression as it is compared by order: text by its bytes.
    fn ordered(&self, of: &str, kind: Kind) -> String;

    /// A test that is not a plain comparison.
    fn test(&self, values: &mut Values, of: &str, test: Test<'_>) -> String;

    /// What a place of JSON holds: JSON, or text.
    fn path(&self, values: &mut Values, of: &str, path: &[PathStep], is_text: bool) -> String;

    /// An expression as it is read from a row.
    fn read(&self, of: &str, kind: Kind) -> String;

    /// An expression as JSON within JSON.
    fn json(&self, values: &mut Values, of: &str, kind: Kind) -> String;

    /// An expression as text.
    fn text(&self, of: &str, kind: Kind) -> String;

    /// A number as a whole one.
    fn integer(&self, of: &str, kind: Kind) -> String;

    /// A number as an amount.
    fn amount(&self, of: &str, kind: Kind) -> String;

    /// An object of names, which are expressions, and values, which are JSON.
    fn object(&self, members: &[(String, String)]) -> String;

    /// The place of a name.
    fn name(&self, values: &mut Values, name: &str) -> String;

    /// The array of what `item` is in the rows of a query.
    fn array(&self, item: &str, rows: &str) -> String;
}

/// A test that is not a plain comparison.
#[derive(Clone, Copy, Debug)]
pub enum Test<'a> {
    /// SQL's LIKE.
    Like {
        /// The pattern.
        pattern: &'a str,
        /// Whether the case of letters is the same to it.
        any_case: bool,
    },
    /// A regular expression.
    Match {
        /// The expression.
        pattern: &'a str,
        /// Whether the case of letters is the same to it.
        any_case: bool,
    },
    /// JSON that holds other JSON.
    Contains(&'a str),
    /// JSON that is held by other JSON.
    ContainedIn(&'a str),
    /// Words in a text.
    Words(&'a crate::Search),
}

/// The statement that reads a plan's rows: its outputs in order, and after them its cursor's fields.
pub fn rows(plan: &Plan, dialect: &dyn Dialect) -> Statement {
    writer::Writer::new(plan, dialect).rows()
}

/// The statement that counts the rows that fit.
pub fn count(plan: &Plan, dialect: &dyn Dialect) -> Statement {
    writer::Writer::new(plan, dialect).count()
}

/// How a term of an order ends. What is never null says nothing of nulls, so that an index fits.
fn direction(term: &Order) -> &'static str {
    let is_nullable =
        term.field.column.is_nullable || !term.field.path.is_empty() || term.embed.is_some();
    match (term.is_descending, term.nulls_first, is_nullable) {
        (false, _, false) => "",
        (true, _, false) => " DESC",
        (false, true, true) => " NULLS FIRST",
        (false, false, true) => " NULLS LAST",
        (true, true, true) => " DESC NULLS FIRST",
        (true, false, true) => " DESC NULLS LAST",
    }
}
