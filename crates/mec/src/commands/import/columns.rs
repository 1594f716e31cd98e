//! What the columns of a file mean, and a row as the arguments of `meter_consumption`.

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::ImportArgs;

/// The names that columns may have, with the arguments they become.
const NAMES: [(&str, &str); 8] = [
    ("idempotency_key", "p_idempotency_key"),
    ("account_id", "p_account_id"),
    ("external_id", "p_external_id"),
    ("resource_type", "p_resource_type"),
    ("quantity", "p_quantity"),
    ("unit_code", "p_unit_code"),
    ("resource_scope", "p_resource_scope"),
    ("occurred_at", "p_occurred_at"),
];
const DETAILS: &str = "details.";

/// Where the value of a column goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    Argument(&'static str),
    Detail(String),
    Nowhere,
}

/// How rows become arguments.
pub struct Columns {
    map: Vec<(String, String)>,
    /// Arguments that all rows have.
    fixed: Vec<(&'static str, String)>,
    key_prefix: Option<String>,
}

impl Columns {
    pub fn new(args: &ImportArgs) -> Result<Self> {
        for (column, name) in &args.map {
            if !name.is_empty() && place(name).is_none() {
                bail!("--map {column}={name}: {}", unknown(name));
            }
        }
        let account = args.account.map(|id| ("p_account_id", id.to_string()));
        let external = args.external_id.clone();
        let external = external.map(|id| ("p_external_id", id));
        let resource = args.resource.clone();
        let resource = resource.map(|code| ("p_resource_type", code));
        Ok(Self {
            map: args.map.clone(),
            fixed: account
                .into_iter()
                .chain(external)
                .chain(resource)
                .collect(),
            key_prefix: args.key_prefix.clone(),
        })
    }

    /// Where the values of a file's column go; an unknown name is an error, so that no column is lost
    /// by a slip of the pen.
    pub fn place_of(&self, column: &str) -> Result<Place, String> {
        let mapped = self.map.iter().find(|(from, _)| from == column);
        let name = mapped.map_or(column, |(_, name)| name);
        if name.is_empty() {
            return Ok(Place::Nowhere);
        }
        let place = place(name).ok_or_else(|| {
            format!(
                "{}; --map {column}=NAME names it, --map {column}= leaves it out",
                unknown(name)
            )
        })?;
        // What is fixed for all rows is not read from one.
        let is_fixed = matches!(&place, Place::Argument(argument) if self.is_fixed(argument));
        Ok(if is_fixed { Place::Nowhere } else { place })
    }

    fn is_fixed(&self, argument: &str) -> bool {
        let of_account = ["p_account_id", "p_external_id"];
        self.fixed.iter().any(|(fixed, _)| {
            *fixed == argument || (of_account.contains(fixed) && of_account.contains(&argument))
        }) || (argument == "p_idempotency_key" && self.key_prefix.is_some())
    }

    /// The arguments of a row, and its key.
    pub fn arguments(
        &self,
        number: u64,
        values: Vec<(Place, String)>,
    ) -> Result<(String, String), String> {
        let mut arguments = Map::new();
        let mut details = Map::new();
        for (place, value) in values {
            match place {
                Place::Argument(argument) => {
                    arguments.insert(argument.to_owned(), value.into());
                }
                Place::Detail(key) => {
                    details.insert(key, value.into());
                }
                Place::Nowhere => {}
            }
        }
        for (argument, value) in &self.fixed {
            arguments.insert((*argument).to_owned(), value.as_str().into());
        }
        if let Some(prefix) = &self.key_prefix {
            let key = format!("{prefix}{number}");
            arguments.insert("p_idempotency_key".to_owned(), key.into());
        }
        if !details.is_empty() {
            arguments.insert("p_details".to_owned(), details.into());
        }
        let key = arguments.get("p_idempotency_key").and_then(Value::as_str);
        let Some(key) = key.map(str::to_owned) else {
            return Err("the row has no idempotency_key; --key-prefix makes keys".to_owned());
        };
        Ok((key, Value::from(arguments).to_string()))
    }
}

fn place(name: &str) -> Option<Place> {
    if let Some(key) = name.strip_prefix(DETAILS) {
        return (!key.is_empty()).then(|| Place::Detail(key.to_owned()));
    }
    let (_, argument) = NAMES.iter().find(|(known, _)| *known == name)?;
    Some(Place::Argument(argument))
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    format!(
        "{name:?} is no column of usage; known are {} and details.KEY",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{Columns, Place};

    fn columns() -> Columns {
        Columns {
            map: vec![
                ("tokens".to_owned(), "quantity".to_owned()),
                ("noise".to_owned(), String::new()),
            ],
            fixed: vec![("p_external_id", "acme".to_owned())],
            key_prefix: Some("row-".to_owned()),
        }
    }

    #[test]
    fn columns_have_their_places() {
        let place = |name: &str| columns().place_of(name);
        assert_eq!(place("tokens"), Ok(Place::Argument("p_quantity")));
        assert_eq!(
            place("details.model"),
            Ok(Place::Detail("model".to_owned()))
        );
        for left_out in ["noise", "account_id", "external_id", "idempotency_key"] {
            assert_eq!(place(left_out), Ok(Place::Nowhere), "{left_out}");
        }
        assert!(place("amount").unwrap_err().contains("--map amount=NAME"));
    }

    #[test]
    fn a_row_becomes_arguments() {
        let values = vec![
            (Place::Argument("p_quantity"), "1.50".to_owned()),
            (Place::Detail("model".to_owned()), "m".to_owned()),
            (Place::Nowhere, "x".to_owned()),
        ];
        let (key, json) = columns().arguments(7, values.clone()).unwrap();
        assert_eq!(key, "row-7");
        assert_eq!(
            json,
            r#"{"p_details":{"model":"m"},"p_external_id":"acme","p_idempotency_key":"row-7","p_quantity":"1.50"}"#
        );
        let keyless = Columns {
            key_prefix: None,
            ..columns()
        };
        assert!(
            keyless
                .arguments(7, values)
                .unwrap_err()
                .contains("--key-prefix")
        );
    }
}
