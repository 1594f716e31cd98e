//! The triggers that keep the ledger and the logs append-only must stand as the migrations made
//! them: without them the next statement may change what all else proves.

use std::collections::BTreeMap;

use mec_store::verify::Difference;
use rusqlite::Connection;

use super::Stop;
use crate::values::all;
use crate::{migrate, sql};

pub(super) fn compare(conn: &Connection) -> Result<(), Stop> {
    let fresh = Connection::open_in_memory()?;
    migrate::lay(&fresh)?;
    let mut found = triggers(conn)?;
    for (name, made) in triggers(&fresh)? {
        match found.remove(&name) {
            Some(text) if text == made => {}
            Some(_) => {
                let sentence = format!("the trigger {name} is not the one of this schema");
                return Err(Difference(sentence).into());
            }
            None => {
                let sentence = format!(
                    "the trigger {name} is missing: what it guards can be changed or deleted"
                );
                return Err(Difference(sentence).into());
            }
        }
    }
    match found.into_keys().next() {
        Some(name) => {
            let sentence = format!("the trigger {name} is none of this schema");
            Err(Difference(sentence).into())
        }
        None => Ok(()),
    }
}

fn triggers(conn: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let rows = all(conn, sql::TRIGGER_SELECT_ALL, [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.into_iter().collect())
}
