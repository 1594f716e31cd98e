//! The secret that signs tokens: from `JWT_SECRET`, else made once and kept in the data folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::private;
use crate::settings::JwtSecret;

/// Its name in the data folder.
pub const FILE: &str = "jwt_secret";
/// The shortest secret, in bytes.
pub const MIN_BYTES: usize = 32;

/// The secret, and whether it was made up here.
pub struct Secret {
    pub secret: String,
    pub made_up: bool,
}

/// The secret that is set, else the folder's own, making one (mode 0600) where there is none.
pub fn load_or_make(folder: &Path, set: &JwtSecret) -> Result<Secret> {
    if let Some(secret) = set.get().map(ExposeSecret::expose_secret) {
        if secret.len() < MIN_BYTES {
            bail!(
                "JWT_SECRET has {} bytes; it must have {MIN_BYTES} or more",
                secret.len()
            );
        }
        return Ok(Secret {
            secret: secret.to_owned(),
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
    private::make_folder(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    private::write_new(&path, &secret)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Secret {
        secret,
        made_up: true,
    })
}
