//! The data folder: whose it is, who may read it, and what it holds.

use std::fs::{self, Metadata};
use std::path::Path;

use mec_store_sqlite::DATABASE_FILE;

use super::{Findings, disk};
use crate::settings::Values;
use crate::{secret, serve};

/// A write-ahead log of so many bytes is not being moved into the database.
const LARGE_WAL_BYTES: u64 = 1024 * 1024 * 1024;

pub fn look(folder: &Path, values: &Values, findings: &mut Findings) {
    let shown = folder.display();
    match fs::metadata(folder) {
        Err(error) => {
            findings.fail(
                "data folder",
                format!("{shown} cannot be read: {error}"),
                "start `mec serve`, which makes it, or name the right one with --data-dir",
            );
            return;
        }
        Ok(metadata) if !metadata.is_dir() => {
            findings.fail(
                "data folder",
                format!("{shown} is no folder"),
                "name the folder with --data-dir",
            );
            return;
        }
        Ok(metadata) => private("data folder", folder, &metadata, 0o700, findings),
    }
    for name in [DATABASE_FILE, "mec.db-wal", secret::FILE, serve::TOKEN_FILE] {
        let path = folder.join(name);
        if let Ok(metadata) = fs::metadata(&path) {
            private("file", &path, &metadata, 0o600, findings);
        }
    }
    if !values.is_given("JWT_SECRET") {
        signing_secret(folder, findings);
    }
    database(folder, findings);
    disk::look(folder, findings);
}

#[cfg(unix)]
fn private(
    what: &'static str,
    path: &Path,
    metadata: &Metadata,
    wanted: u32,
    findings: &mut Findings,
) {
    use std::os::unix::fs::MetadataExt;
    let shown = path.display();
    let (mode, owner, own) = (
        metadata.mode() & 0o777,
        metadata.uid(),
        rustix::process::geteuid().as_raw(),
    );
    if mode & 0o077 != 0 {
        findings.fail(
            what,
            format!("{shown} has mode {mode:04o}: others can reach it"),
            format!("chmod {wanted:o} {shown}"),
        );
    } else if owner != own {
        findings.warn(
            what,
            format!("{shown} belongs to user {owner}, and this is user {own}"),
            "run mec as the user who owns the folder",
        );
    } else {
        findings.ok(what, format!("{shown} has mode {mode:04o}"));
    }
}

#[cfg(not(unix))]
fn private(what: &'static str, path: &Path, _: &Metadata, _: u32, findings: &mut Findings) {
    findings.ok(what, format!("{} is there", path.display()));
}

fn signing_secret(folder: &Path, findings: &mut Findings) {
    let path = folder.join(secret::FILE);
    let shown = path.display();
    match fs::read_to_string(&path) {
        Err(error) => findings.fail(
            "secret",
            format!("{shown} cannot be read: {error}"),
            "start `mec serve`, which makes one, or set JWT_SECRET; tokens signed with a lost secret are void",
        ),
        Ok(text) if text.trim().len() < secret::MIN_BYTES => findings.fail(
            "secret",
            format!("{shown} has {} bytes", text.trim().len()),
            format!(
                "stop the server, remove the file and start again for a new one of {} bytes or more",
                secret::MIN_BYTES
            ),
        ),
        Ok(text) => findings.ok("secret", format!("{shown} has {} bytes", text.trim().len())),
    }
}

fn database(folder: &Path, findings: &mut Findings) {
    let path = folder.join(DATABASE_FILE);
    let shown = path.display();
    if !path.is_file() {
        findings.fail(
            "database",
            format!("{shown} is not there"),
            "start `mec serve`, or name the right folder with --data-dir",
        );
        return;
    }
    match mec_store_sqlite::schema(folder) {
        Err(error) => findings.fail(
            "database",
            format!("{shown} cannot be opened: {error}"),
            "restore a backup, or look at the file's mode and owner",
        ),
        Ok(schema) if schema.found > schema.newest => findings.fail(
            "database",
            format!(
                "schema version {}, and this mec knows {}",
                schema.found, schema.newest
            ),
            "run a newer mec",
        ),
        Ok(schema) if schema.found < schema.newest => findings.warn(
            "database",
            format!("schema version {} of {}", schema.found, schema.newest),
            "run `mec migrate`, or start the server",
        ),
        Ok(schema) => findings.ok("database", format!("schema version {}", schema.found)),
    }
    let wal = fs::metadata(folder.join("mec.db-wal")).map_or(0, |wal| wal.len());
    if wal > LARGE_WAL_BYTES {
        findings.warn(
            "database",
            format!("the write-ahead log has {} MiB", wal / 1024 / 1024),
            "end the programs that keep the database open for reading",
        );
    }
}
