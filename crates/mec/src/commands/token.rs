//! `mec token`: a token signed with the folder's secret.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::ValueEnum;
use mec_core::Namespace;
use mec_http::{Claims, Role};
use serde_json::json;
use uuid::Uuid;

use crate::clock::unix_seconds;
use crate::settings::JwtSecret;
use crate::{output, secret};

#[derive(clap::Args)]
pub struct TokenArgs {
    /// What the token may do
    #[arg(long, value_enum, default_value = "mec_service")]
    role: RoleName,
    /// In which namespace; `*` for an administrator of all
    #[arg(long, default_value = "default")]
    namespace: String,
    /// The account in whose subtree a mec_user may act
    #[arg(long)]
    account: Option<Uuid>,
    /// How long it lasts: seconds, or a number with s, m, h or d
    #[arg(long, default_value = "24h", value_parser = seconds)]
    ttl: u64,
    /// Print JSON, with when the token ends
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    secret: JwtSecret,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
#[allow(
    clippy::enum_variant_names,
    reason = "these are the names of the roles"
)]
pub enum RoleName {
    MecUser,
    MecService,
    MecAdmin,
}

impl RoleName {
    /// The role of this name.
    pub fn role(self) -> Role {
        match self {
            Self::MecUser => Role::MecUser,
            Self::MecService => Role::MecService,
            Self::MecAdmin => Role::MecAdmin,
        }
    }
}

pub fn token(folder: &Path, args: &TokenArgs) -> Result<ExitCode> {
    let role = args.role.role();
    if args.namespace == "*" && role != Role::MecAdmin {
        bail!("--namespace '*' is for --role mec_admin only");
    }
    if args.namespace != "*" && Namespace::parse(&args.namespace).is_none() {
        bail!(
            "--namespace {}: 1 to 64 characters of A-Z a-z 0-9 _ . - are expected",
            args.namespace
        );
    }
    if args.account.is_some() && role != Role::MecUser {
        bail!("--account is for --role mec_user only");
    }
    let claims = Claims {
        sub: "mec-token".to_owned(),
        role,
        namespace_id: args.namespace.clone(),
        account_id: args.account,
        aud: "mec-service".to_owned(),
        exp: unix_seconds().saturating_add(args.ttl),
    };
    let secret = secret::load_or_make(folder, &args.secret)?.secret;
    let token = mec_http::issue_token(secret.as_bytes(), &claims)?;
    if args.json {
        let expires_at = jiff::Timestamp::from_second(i64::try_from(claims.exp)?)?;
        output::print_json(&json!({
            "token": token,
            "role": role.as_str(),
            "namespace_id": claims.namespace_id,
            "account_id": claims.account_id,
            "expires_at": expires_at.to_string(),
        }))?;
    } else {
        output::print(&token)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a time span; ten years at the most.
pub fn seconds(text: &str) -> Result<u64, String> {
    const MAX: u64 = 3_653 * 86_400;
    let (digits, factor) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(digits) if text.ends_with('m') => (digits, 60),
        Some(digits) if text.ends_with('h') => (digits, 3_600),
        Some(digits) if text.ends_with('d') => (digits, 86_400),
        Some(digits) => (digits, 1),
        None => (text, 1),
    };
    let number: Option<u64> = digits.parse().ok();
    let seconds = number.and_then(|number| number.checked_mul(factor));
    seconds
        .filter(|seconds| (1..=MAX).contains(seconds))
        .ok_or_else(|| {
            "a number of seconds, or one with s, m, h or d, up to 3653d, is expected".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, expected) in [
            ("90", 90),
            ("90s", 90),
            ("15m", 900),
            ("2h", 7_200),
            ("1d", 86_400),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "1w",
            "m",
            "1.5h",
            "99999999999999999999d",
            "4000d",
        ] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
