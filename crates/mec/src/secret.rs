//! The secret that signs tokens: from `JWT_SECRET`, else made once and kept in the data folder.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use uuid::Uuid;

const FILE: &str = "jwt_secret";
/// The shortest secret, in bytes.
const MIN_BYTES: usize = 32;

/// The secret, and whether it was made up here.
pub struct Secret {
    pub secret: String,
    pub made_up: bool,
}

/// Reads `JWT_SECRET`, else the folder's own secret, making one (mode 0600) where there is none.
pub fn load_or_make(folder: &Path) -> Result<Secret> {
    if let Ok(secret) = std::env::var("JWT_SECRET") {
        if secret.len() < MIN_BYTES {
            bail!(
                "JWT_SECRET has {} bytes; it must have {MIN_BYTES} or more",
                secret.len()
            );
        }
        return Ok(Secret {
            secret,
            made_up: false,
        });
    }
    let path = folder.join(FILE);
    if let Ok(secret) = fs::read_to_string(&path) {
        return Ok(Secret {
            secret: secret.trim().to_owned(),
            made_up: true,
        });
    }
    make_private(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    write_private(&path, &secret)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Secret {
        secret,
        made_up: true,
    })
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}
