//! What of the settings keeps a server from starting, beyond the form of each value.

use std::fs;
use std::path::Path;

use mec_store::StoreError;
use mec_store_postgres::PostgresConfig;

use super::risks::is_public;
use super::values::Values;
use super::wrong::Wrong;
use crate::secret;

/// All that would stop a server with these settings before it opens its store.
pub fn check(values: &Values) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    jwt_secret(values, &mut wrong);
    database(values, &mut wrong);
    data_folder(values, &mut wrong);
    wrong
}

fn jwt_secret(values: &Values, wrong: &mut Vec<Wrong>) {
    let mut add = |sentence: String| wrong.push(Wrong::of("JWT_SECRET", sentence));
    let least = secret::MIN_BYTES;
    // A secret that is set and empty is too short, not absent.
    let is_given = values.is_given("JWT_SECRET");
    let bytes = values.text("JWT_SECRET").map_or(0, str::len);
    if is_given && bytes < least {
        let from = values.from("JWT_SECRET");
        add(format!(
            "{from}: JWT_SECRET has {bytes} bytes; it must have {least} or more"
        ));
    }
    if is_given {
        return;
    }
    if values.text("DATABASE_URL").is_some() {
        add(format!(
            "JWT_SECRET is not set: with DATABASE_URL every node must have the same, {least} bytes or more"
        ));
    } else if is_public(values) {
        add(format!(
            "MEC_LISTEN has an address that others can reach; set JWT_SECRET ({least} bytes or more) before listening on it"
        ));
    }
}

fn database(values: &Values, wrong: &mut Vec<Wrong>) {
    let Some(url) = values.text("DATABASE_URL") else {
        return;
    };
    if let Err(error) = PostgresConfig::new(url.into()).check() {
        let from = values.from("DATABASE_URL");
        // It tells what is wrong with the address, and was not about a store that is away.
        let why = match error {
            StoreError::Unavailable(why, _) => why,
            other => other.to_string(),
        };
        wrong.push(Wrong::of(
            "DATABASE_URL",
            format!("{from}: DATABASE_URL: {why}"),
        ));
    }
}

fn data_folder(values: &Values, wrong: &mut Vec<Wrong>) {
    let Some(folder) = values.text("MEC_DATA_DIR").map(Path::new) else {
        return;
    };
    if fs::metadata(folder).is_ok_and(|metadata| !metadata.is_dir()) {
        let told = format!("MEC_DATA_DIR: {} is no folder", folder.display());
        wrong.push(Wrong::of("MEC_DATA_DIR", told));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Origin;

    #[test]
    fn what_would_stop_a_server_is_told() {
        let check = |pairs: &[(&str, &str)], expected: &[&str]| {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(name, text)| (*name, *text, Origin::Environment))
                .collect();
            let told = super::check(&Values::with(&pairs));
            assert_eq!(told.len(), expected.len(), "{told:?}");
            for (told, part) in told.iter().zip(expected) {
                assert!(told.sentence.contains(part), "{told:?}");
            }
        };
        let near_full = "postgres://h/d?sslmode=full";
        let long = "0123456789abcdef0123456789abcdef";
        check(&[("MEC_LISTEN", "127.0.0.1:8000")], &[]);
        check(&[("JWT_SECRET", "short")], &["JWT_SECRET has 5 bytes"]);
        check(&[("JWT_SECRET", "")], &["JWT_SECRET has 0 bytes"]);
        check(&[("MEC_LISTEN", "0.0.0.0:8000"), ("JWT_SECRET", long)], &[]);
        check(
            &[("MEC_LISTEN", "0.0.0.0:8000")],
            &["that others can reach"],
        );
        check(
            &[("DATABASE_URL", near_full), ("JWT_SECRET", long)],
            &["sslmode=full is none of"],
        );
        check(
            &[("DATABASE_URL", "postgres://h/d")],
            &["with DATABASE_URL every node"],
        );
        check(
            &[("MEC_DATA_DIR", "/dev/null")],
            &["/dev/null is no folder"],
        );
    }
}
