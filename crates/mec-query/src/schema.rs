//! What is served: the resources with their columns, keys, relations and rights. The plans, the SQL of both
//! stores and the API's description are made of this one table.

mod relations;
mod tables;

use crate::Role;

pub use relations::{FOREIGN_KEYS, ForeignKey, Relation, Side, relations_between};
pub use tables::RESOURCES;

/// One resource: a table or a view under `/api/<name>`.
#[derive(Debug)]
pub struct Resource {
    /// Its name.
    pub name: &'static str,
    /// What it is, for its readers.
    pub description: &'static str,
    /// Its columns, in the order in which `*` gives them.
    pub columns: &'static [Column],
    /// The columns that name a row, beside its namespace.
    pub key: &'static [&'static str],
    /// Whose rows they are.
    pub belongs: Belongs,
    /// The least role that reads it; what it sees of it is bounded by [`Belongs`] too.
    pub least_reader: Role,
    /// What may be done with it beside reading.
    pub writes: Writes,
    /// Where its rows come from.
    pub source: Source,
}

/// Where the rows of a resource come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// A table or view of the store.
    Store,
    /// A table or view that grows with every call: it is read by an index or within a time limit.
    Growing {
        /// Which filter makes it quick, for who is told that it was not.
        hint: &'static str,
        /// The relations that it is made of, each with an index by account and time; none where it is one.
        parts: &'static [&'static str],
    },
    /// The engine, which works them out; the store knows nothing of them.
    Engine,
}

/// Whose the rows of a resource are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Belongs {
    /// Everybody's: one set for all namespaces.
    All,
    /// The namespace's.
    Namespace,
    /// The account's that a column names, and so those of the accounts above it.
    Account(&'static str),
    /// Those of a row of another resource.
    Row {
        /// The column that names the other row.
        column: &'static str,
        /// The other resource, which belongs to an account.
        of: &'static str,
    },
}

/// What may be done with the rows of a resource beside reading them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Writes {
    /// The least role that may; none where nobody may.
    pub least_writer: Option<Role>,
    /// POST
    pub insert: bool,
    /// PATCH
    pub update: bool,
    /// PUT, and POST over rows that are there
    pub upsert: bool,
    /// DELETE
    pub delete: bool,
}

/// One column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// The column of the same row that names the account which this one tells of, where that is another
    /// than the row's own.
    pub tells_of: Option<&'static str>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Text.
    Text,
    /// An id.
    Uuid,
    /// A whole number of 64 bits.
    Integer,
    /// True or false.
    Boolean,
    /// A decimal with six places at the most.
    Quantity,
    /// A sum of quantities, which may be larger than any of them.
    Amount,
    /// A moment, in whole microseconds.
    Time,
    /// JSON.
    Json,
    /// Bytes, written as `\x` and hexadecimal digits.
    Bytes,
}

impl Writes {
    /// Nobody writes them.
    pub const NONE: Self = Self {
        least_writer: None,
        insert: false,
        update: false,
        upsert: false,
        delete: false,
    };
}

impl Kind {
    /// The type's name, as PostgreSQL has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Integer => "bigint",
            Self::Boolean => "boolean",
            Self::Quantity | Self::Amount => "numeric",
            Self::Time => "timestamp with time zone",
            Self::Json => "jsonb",
            Self::Bytes => "bytea",
        }
    }
}

impl Resource {
    /// The resource of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        RESOURCES.iter().find(|resource| resource.name == name)
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether its rows bear the namespace they belong to.
    pub fn has_namespace(&self) -> bool {
        self.belongs != Belongs::All
    }

    /// The methods that it takes, as `Allow` lists them.
    pub fn methods(&self) -> String {
        let writes = &self.writes;
        let all = [
            (true, "OPTIONS,GET,HEAD"),
            (writes.insert, "POST"),
            (writes.upsert, "PUT"),
            (writes.update, "PATCH"),
            (writes.delete, "DELETE"),
        ];
        let taken = all.iter().filter(|(is_taken, _)| *is_taken);
        taken.map(|(_, name)| *name).collect::<Vec<_>>().join(",")
    }
}
