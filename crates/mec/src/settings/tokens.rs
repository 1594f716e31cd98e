//! By what secrets tokens are verified.

use std::convert::Infallible;

use anyhow::{Result, bail};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use crate::secret::MIN_BYTES;

/// So many former secrets are taken at the most.
const MAX_PREVIOUS: usize = 8;

/// The secret that signs tokens.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tokens")]
pub struct JwtSecret {
    /// The secret of tokens signed by HS256, 32 bytes or more; without it the data folder's own
    #[arg(
        long,
        env = "JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        value_parser = secret
    )]
    jwt_secret: Option<SecretString>,
}

impl JwtSecret {
    /// The secret, where one is set.
    pub fn get(&self) -> Option<&SecretString> {
        self.jwt_secret.as_ref()
    }
}

/// By what tokens are verified.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tokens")]
pub struct Tokens {
    #[command(flatten)]
    pub secret: JwtSecret,
    /// Former secrets whose tokens are still taken, and ones to come, each on a line of its own; 8 at the
    /// most, of 32 bytes or more
    #[arg(
        long,
        env = "JWT_SECRET_PREVIOUS",
        value_name = "SECRETS",
        hide_env_values = true,
        value_parser = secret
    )]
    jwt_secret_previous: Option<SecretString>,
}

impl Tokens {
    /// The secrets besides the one that signs.
    ///
    /// # Errors
    /// Where there are too many, or one is too short.
    pub fn previous(&self) -> Result<Vec<SecretString>> {
        let Some(previous) = &self.jwt_secret_previous else {
            return Ok(Vec::new());
        };
        let lines = previous.expose_secret().lines();
        let secrets: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        if secrets.len() > MAX_PREVIOUS {
            let count = secrets.len();
            bail!("JWT_SECRET_PREVIOUS holds {count} secrets; {MAX_PREVIOUS} are the most");
        }
        if let Some(short) = secrets.iter().find(|secret| secret.len() < MIN_BYTES) {
            let bytes = short.len();
            bail!(
                "JWT_SECRET_PREVIOUS holds a secret of {bytes} bytes; it must have {MIN_BYTES} or more"
            );
        }
        Ok(secrets.into_iter().map(SecretString::from).collect())
    }
}

/// Takes any text, so that no message of the command line's repeats it.
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}
