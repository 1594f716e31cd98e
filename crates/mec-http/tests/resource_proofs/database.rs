//! The databases under both stores, for what no call can make or tell.

use std::path::PathBuf;

use mec_core::Quantity;
use mec_core::Timestamp;
use mec_test_postgres::Server;
use uuid::Uuid;

pub enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

/// A value, as it is written in SQL.
#[derive(Clone, Debug)]
pub enum Literal {
    Null,
    Text(String),
    Uuid(Uuid),
    Integer(i64),
    Boolean(bool),
    /// In millionths.
    Quantity(i64),
    /// In microseconds.
    Time(i64),
    Bytes(Vec<u8>),
    /// As the database writes it.
    Raw(&'static str),
}

impl Database {
    /// Runs SQL as the database's owner.
    pub fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch(sql).unwrap();
            }
            Self::Postgres(name) => {
                // What no call makes is not audited either.
                let sql =
                    format!("SET search_path = mec; SET session_replication_role = replica; {sql}");
                Server::shared().psql(name, &sql).unwrap();
            }
        }
    }

    /// The first column of each row of a query, as text.
    pub fn ask(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(file) => {
                let connection = rusqlite::Connection::open(file).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.map(Result::unwrap).collect()
            }
            Self::Postgres(name) => {
                let said = Server::shared().psql(name, sql).unwrap();
                said.lines().map(str::to_owned).collect()
            }
        }
    }

    /// What a resource is called.
    pub fn relation(&self, resource: &str) -> String {
        match self {
            Self::Sqlite(_) => resource.to_owned(),
            Self::Postgres(_) => format!("api.{resource}"),
        }
    }

    /// Puts rows into a table.
    pub fn insert(&self, table: &str, columns: &str, rows: &[Vec<Literal>]) {
        let rows = rows.iter().map(|row| {
            let values: Vec<String> = row.iter().map(|value| self.literal(value)).collect();
            format!("({})", values.join(", "))
        });
        let rows = rows.collect::<Vec<_>>().join(",\n");
        self.run(&format!("INSERT INTO {table} ({columns}) VALUES {rows}"));
    }

    pub fn literal(&self, value: &Literal) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match (self, value) {
            (_, Literal::Null) => "NULL".to_owned(),
            (_, Literal::Raw(sql)) => (*sql).to_owned(),
            (_, Literal::Text(text)) => quoted(text),
            (_, Literal::Integer(number)) => number.to_string(),
            (Self::Sqlite(_), Literal::Quantity(number) | Literal::Time(number)) => {
                number.to_string()
            }
            (Self::Sqlite(_), Literal::Uuid(id)) => format!("x'{}'", id.simple()),
            (Self::Sqlite(_), Literal::Boolean(is_true)) => u8::from(*is_true).to_string(),
            (Self::Postgres(_), Literal::Uuid(id)) => format!("'{id}'::uuid"),
            (_, Literal::Bytes(bytes)) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                match self {
                    Self::Sqlite(_) => format!("x'{digits}'"),
                    Self::Postgres(_) => format!("'\\x{digits}'::bytea"),
                }
            }
            (Self::Postgres(_), Literal::Boolean(is_true)) => is_true.to_string(),
            (Self::Postgres(_), Literal::Quantity(micros)) => {
                Quantity::from_micros((*micros).into()).to_string()
            }
            (Self::Postgres(_), Literal::Time(micros)) => {
                format!("'{}'::timestamptz", Timestamp::from_micros(*micros))
            }
        }
    }
}
