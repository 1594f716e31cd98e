//! What is told of an error of the database: enough to find it, and nothing of the values that it was about.
//!
//! PostgreSQL quotes values in what it says, such as the key that is there already or the text that is no
//! number; logs and clients must not have them.

use std::error::Error;
use std::fmt;

/// The class of errors about values, whose messages quote them.
const DATA_EXCEPTION: &str = "22";

/// An error of the database, or of the way to it, without the values it was about.
#[derive(Debug)]
pub(crate) struct Said {
    text: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl From<tokio_postgres::Error> for Said {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(told) = error.as_db_error() {
            return Self {
                text: of_database(told),
                cause: None,
            };
        }
        let text = error.to_string();
        let cause = error.into_source();
        Self { text, cause }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Said {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause = self.cause.as_deref();
        cause.map(|cause| cause as &(dyn Error + 'static))
    }
}

fn of_database(told: &tokio_postgres::error::DbError) -> String {
    let mut text = format!("{} {}", told.severity(), told.code().code());
    if !told.code().code().starts_with(DATA_EXCEPTION) {
        text.push_str(": ");
        text.push_str(told.message());
    }
    let columns = told.detail().and_then(columns);
    let of = [
        ("table", told.table()),
        ("column", told.column()),
        ("constraint", told.constraint()),
        ("columns", columns),
    ];
    for (what, name) in of {
        if let Some(name) = name {
            text.push_str(&format!("; {what} {name}"));
        }
    }
    text
}

/// The columns of a key in `Key (a, b)=(1, 2) already exists.`
fn columns(detail: &str) -> Option<&str> {
    let (columns, _) = detail.strip_prefix("Key (")?.split_once(")=(")?;
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn of_a_key_only_the_columns_are_told() {
        let detail = "Key (namespace_id, external_id)=(default, secret) already exists.";
        assert_eq!(columns(detail), Some("namespace_id, external_id"));
        assert_eq!(columns("Failing row contains (1, secret)."), None);
        assert_eq!(columns(""), None);
    }
}
