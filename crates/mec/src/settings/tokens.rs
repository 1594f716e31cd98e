//! What tokens are signed with.

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

/// Tokens.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tokens")]
pub struct Tokens {
    /// The secret that signs tokens by HS256, of 32 bytes or more. Several stand one a line: the first signs, and
    /// tokens of all are taken, as while one is replaced by another. Without it, and without DATABASE_URL, the data
    /// folder keeps one of its own
    #[arg(
        long,
        env = "JWT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        hide_short_help = true
    )]
    jwt_secret: Option<SecretString>,
}

impl Tokens {
    /// The secrets; none where none is set.
    pub fn secrets(&self) -> Option<Vec<String>> {
        let text = self.jwt_secret.as_ref()?.expose_secret();
        Some(secrets(text).map(str::to_owned).collect())
    }
}

/// The secrets that a value of `JWT_SECRET` holds.
pub fn secrets(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| !line.is_empty())
}
