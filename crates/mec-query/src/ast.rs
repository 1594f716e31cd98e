//! A query string as it is written: names are not resolved, and values are texts.
//!
//! The grammar is PostgREST's: <https://docs.postgrest.org/en/v12/references/api/tables_views.html>.

use std::collections::BTreeMap;

/// What a query string asks for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query {
    /// `select`; empty where it is absent or says nothing, which means all columns.
    pub select: Vec<Item>,
    /// What is asked of the resource itself, under the empty path, and of each embedding, under the
    /// names that lead to it from the outside in (`plans.plan_entitlement_templates.limit=1`).
    pub parts: BTreeMap<Vec<String>, Part>,
    /// `columns`: those of a body that are written.
    pub columns: Option<Vec<String>>,
    /// `on_conflict`: the columns by which a row of a body is the same as one that is there.
    pub on_conflict: Option<Vec<String>>,
}

/// What is asked of one relation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Part {
    /// All of them hold for a row that is wanted, in the order in which they are written.
    pub filters: Vec<Condition>,
    /// `order`, the most significant first.
    pub order: Vec<OrderTerm>,
    /// `limit`; the last one that is written. May be negative, which the plan refuses.
    pub limit: Option<i64>,
    /// `offset`; the last one that is written.
    pub offset: Option<i64>,
}

/// One item of `select`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Item {
    /// `*`
    All,
    /// `alias:column->json->>path::cast`
    Column {
        /// What the answer calls it.
        alias: Option<String>,
        /// The column.
        column: Column,
        /// The type as which it is given.
        cast: Option<String>,
    },
    /// `column.sum()` or `count()`. They are parsed so that they can be refused by name.
    Aggregate {
        /// What the answer calls it.
        alias: Option<String>,
        /// Of which column; none for `count()`.
        column: Option<Column>,
        /// `sum`, `avg`, `count`, `max` or `min`.
        function: String,
    },
    /// `alias:relation!hint!inner(select)` or `...relation(select)`
    Embed {
        /// What the answer calls it; none where it is spread.
        alias: Option<String>,
        /// The relation, or a foreign key's column or constraint.
        relation: String,
        /// The column or constraint by which it is related, of several.
        hint: Option<String>,
        /// Whether rows without a related one are left out: `!inner`; `!left` says that they are not.
        is_inner: bool,
        /// `...`: its columns become columns of the outer row.
        is_spread: bool,
        /// What is wanted of it; empty for nothing: `relation()` only takes part in filters.
        select: Vec<Item>,
    },
}

/// A column, or a place within one that holds JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The way into its JSON, from the outside in.
    pub path: Vec<Step>,
}

/// One step into JSON.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// The key of an object, or the digits of an array's index, perhaps after a minus.
    pub key: String,
    /// `->>`, which gives text, instead of `->`, which gives JSON.
    pub is_text: bool,
}

/// One filter, or several of them together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Condition {
    /// `column=not.operator.value`
    Test {
        /// What is tested. A name may also be that of an embedding, for `is.null`.
        column: Column,
        /// `not.`
        is_negated: bool,
        /// How.
        operator: Operator,
    },
    /// `not.and=(...)` or `or=(...)`, of one term at the least.
    Logic {
        /// `not.`
        is_negated: bool,
        /// `or`; otherwise `and`.
        is_or: bool,
        /// The terms.
        terms: Vec<Condition>,
    },
}

/// What is asked of a column's value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operator {
    /// A comparison with one text, or with any or all of several.
    Compare {
        /// Which.
        comparison: Comparison,
        /// With what.
        operand: Operand,
    },
    /// `in.(a,b)`; of no element it holds for nothing.
    In(Vec<String>),
    /// `is.null`
    Is(Truth),
    /// `isdistinct.value`
    IsDistinct(String),
    /// `fts(english).value` and its like.
    Search {
        /// How the query is written.
        kind: SearchKind,
        /// The configuration's name.
        configuration: Option<String>,
        /// The query.
        query: String,
    },
    /// `cs`, `cd`, `ov`, `sl`, `sr`, `nxr`, `nxl`, `adj`: of arrays and ranges.
    OfRanges {
        /// Its name.
        name: String,
        /// The array or range.
        value: String,
    },
}

/// What a value is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operand {
    /// `eq.value`
    One(String),
    /// `eq(any).{a,b}`: it holds for one of them.
    Any(Vec<String>),
    /// `eq(all).{a,b}`: it holds for each of them.
    All(Vec<String>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `like`, where `*` also stands for `%`
    Like,
    /// `ilike`: the same whatever the case of letters
    ILike,
    /// `match`: a POSIX regular expression
    Match,
    /// `imatch`: the same whatever the case of letters
    IMatch,
}

/// What `is` asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truth {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`: a boolean that is null
    Unknown,
}

/// How the query of a search is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SearchKind {
    /// `fts`: with the operators `&`, `|`, `!` and `<->`
    Operators,
    /// `plfts`: words that all stand in the text
    Plain,
    /// `phfts`: words that stand one after the other
    Phrase,
    /// `wfts`: as one writes to search engines
    Web,
}

/// One term of `order`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrderTerm {
    /// The embedding of whose column it is: `order=plans(plan_name)`.
    pub relation: Option<String>,
    /// The column.
    pub column: Column,
    /// `desc`
    pub is_descending: bool,
    /// `nullsfirst` (some, true) or `nullslast`; none for the usual: last, and first where it descends.
    pub nulls_first: Option<bool>,
}
