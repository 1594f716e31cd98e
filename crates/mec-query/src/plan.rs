//! Plans: a query with every name resolved against the [`crate::schema`] and every value typed, bounded to
//! what the caller may see. A store renders a plan; nothing of a request's text reaches SQL but as a value.

mod build;
mod embed;
mod error;
mod filters;
mod keyset;
mod literal;
mod order;

use mec_core::Namespace;
use uuid::Uuid;

use crate::schema::{Column, Kind, Relation, Resource};

pub use build::{Asking, plan, resource};
pub use error::PlanError;
pub use filters::regex;
pub use keyset::next_page;
pub use literal::{Number, Value};

/// The most rows of one answer, and of one embedding in each of its rows.
pub const MAX_ROWS: u64 = 1_000;
/// So deep may embeddings stand in each other.
pub const MAX_EMBED_DEPTH: usize = 5;
/// So many relations may one answer be made of.
pub const MAX_EMBEDS: usize = 20;
/// So much may be told of a row: PostgreSQL makes no objects of more members.
pub const MAX_OUTPUTS: usize = 50;
/// So many tests may a plan hold, the elements of lists counted.
pub const MAX_TESTS: usize = 2_000;

/// What is read.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The rows and what is told of each.
    pub node: Node,
    /// What the caller may see.
    pub reach: Reach,
    /// What names a row's place in the order, so that the next page can begin after it; empty where the
    /// order is not of columns alone that are never null. Their values follow those of the outputs.
    pub cursor: Vec<Field>,
    /// Whether all rows that fit are counted, beyond those that are answered.
    pub is_counted: bool,
    /// The zone in which times are told.
    pub timezone: Option<String>,
}

/// What a caller may see.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reach {
    /// The namespace whose rows are seen; none for the rows that all namespaces share alone.
    pub namespace: Option<Namespace>,
    /// The account whose subtree is seen; none for all accounts of the namespace.
    pub account: Option<Uuid>,
}

/// Rows of one resource.
#[derive(Clone, Debug)]
pub struct Node {
    /// The resource.
    pub resource: &'static Resource,
    /// What is told of a row, in order.
    pub outputs: Vec<Output>,
    /// The related rows that outputs and filters speak of.
    pub embeds: Vec<Embed>,
    /// What holds for a row: all of them.
    pub filters: Vec<Filter>,
    /// The order, which ends with the resource's key, so that it is the same every time.
    pub order: Vec<Order>,
    /// At most so many rows.
    pub limit: u64,
    /// So many rows are passed over.
    pub offset: u64,
}

/// What is told of a row.
#[derive(Clone, Debug)]
pub struct Output {
    /// What the answer calls it.
    pub name: String,
    /// What it is.
    pub what: What,
}

/// What an output is.
#[derive(Clone, Debug)]
pub enum What {
    /// A column's value.
    Field(Field, Option<Cast>),
    /// An embedding: an object or null, or an array.
    Embed(usize),
    /// How many related rows there are, as an array of one object.
    Count(usize),
    /// An output of an embedding, told as if it were the row's own.
    Spread {
        /// The embedding.
        embed: usize,
        /// Its output.
        output: usize,
    },
}

/// As what a value is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cast {
    /// As text.
    Text,
    /// As a whole number; a decimal is rounded half away from zero.
    Integer,
    /// As a decimal.
    Numeric,
}

/// A column's value, or what a place of its JSON holds.
#[derive(Clone, Debug)]
pub struct Field {
    /// The column.
    pub column: &'static Column,
    /// The way into its JSON.
    pub path: Vec<PathStep>,
    /// What is found there.
    pub kind: Kind,
}

/// One step into JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PathStep {
    /// The value of a key.
    Key(String),
    /// The element of an array; from its end where it is negative.
    Index(i32),
}

/// Related rows.
#[derive(Clone, Debug)]
pub struct Embed {
    /// How they are related.
    pub relation: Relation,
    /// What is asked of them.
    pub node: Node,
}

/// What holds for a row.
#[derive(Clone, Debug)]
pub enum Filter {
    /// A test of a value.
    Test(Field, Check),
    /// All hold.
    And(Vec<Filter>),
    /// One holds.
    Or(Vec<Filter>),
    /// Its fields, the first one first, lie on one side of values: what two ways of saying it that an index
    /// cannot follow, `a > x or (a = x and b > y)`, become.
    Beyond {
        /// Each field with its value.
        fields: Vec<(Field, Value)>,
        /// Above them, or below.
        is_greater: bool,
    },
    /// It does not hold. Where it is unknown, it stays so.
    Not(Box<Filter>),
    /// There are related rows that fit.
    Related(usize),
    /// It holds for no row.
    Never,
}

/// A test of a value. Of a null it is unknown, but for [`Check::Null`] and [`Check::Distinct`].
#[derive(Clone, Debug)]
pub enum Check {
    /// A comparison; the value is of the field's kind.
    Compare(Comparator, Value),
    /// One of several values.
    OneOf(Vec<Value>),
    /// It is null.
    Null,
    /// It is this boolean.
    Is(bool),
    /// It differs, where null is a value like any other.
    Distinct(Value),
    /// A pattern of SQL's LIKE, with `%` and `_`.
    Like {
        /// The pattern.
        pattern: String,
        /// Whether the case of letters is the same to it.
        any_case: bool,
    },
    /// A regular expression, found anywhere.
    Match {
        /// The expression.
        pattern: String,
        /// Whether the case of letters is the same to it.
        any_case: bool,
    },
    /// JSON that holds all of other JSON.
    Contains(String),
    /// JSON that is held by other JSON.
    ContainedIn(String),
    /// Words in a text.
    Words(crate::Search),
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparator {
    /// The same.
    Equal,
    /// Another.
    NotEqual,
    /// Above.
    Greater,
    /// Above, or the same.
    GreaterOrEqual,
    /// Below.
    Less,
    /// Below, or the same.
    LessOrEqual,
}

/// One term of an order.
#[derive(Clone, Debug)]
pub struct Order {
    /// The embedding, with one row at the most, of whose column it is.
    pub embed: Option<usize>,
    /// The value.
    pub field: Field,
    /// From the greatest to the least.
    pub is_descending: bool,
    /// Whether nulls come first.
    pub nulls_first: bool,
}
