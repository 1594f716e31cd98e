//! The secrets that sign tokens: from `JWT_SECRET`, else one made once and kept in the data folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use secrecy::SecretString;
use uuid::Uuid;

use crate::private;
use crate::settings::Tokens;

/// Its name in the data folder.
pub const FILE: &str = "jwt_secret";
/// The shortest secret, in bytes.
pub const MIN_BYTES: usize = 32;

/// The secrets. There is one at least.
pub struct Secrets {
    first: String,
    rest: Vec<String>,
}

impl Secrets {
    /// The one that signs.
    pub fn first(&self) -> &str {
        &self.first
    }

    /// All of which tokens are taken.
    pub fn all(&self) -> Vec<SecretString> {
        let all = std::iter::once(&self.first).chain(&self.rest);
        all.map(|secret| secret.clone().into()).collect()
    }
}

/// The secrets of the settings, each of enough bytes; none where none is set.
pub fn given(tokens: &Tokens) -> Result<Option<Secrets>> {
    let Some(secrets) = tokens.secrets() else {
        return Ok(None);
    };
    if let Some(short) = secrets.iter().find(|secret| secret.len() < MIN_BYTES) {
        bail!(
            "JWT_SECRET has {} bytes; it must have {MIN_BYTES} or more",
            short.len()
        );
    }
    let mut secrets = secrets.into_iter();
    let Some(first) = secrets.next() else {
        bail!("JWT_SECRET is empty; it must have {MIN_BYTES} bytes or more");
    };
    Ok(Some(Secrets {
        first,
        rest: secrets.collect(),
    }))
}

/// Those of the settings, else the folder's own secret, making one (mode 0600) where there is none.
pub fn load_or_make(folder: &Path, tokens: &Tokens) -> Result<Secrets> {
    if let Some(secrets) = given(tokens)? {
        return Ok(secrets);
    }
    let kept = |first: String| Secrets {
        first,
        rest: Vec::new(),
    };
    let path = folder.join(FILE);
    if let Ok(secret) = fs::read_to_string(&path) {
        return Ok(kept(secret.trim().to_owned()));
    }
    private::make_folder(folder)
        .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    private::write_new(&path, &secret)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(kept(secret))
}
