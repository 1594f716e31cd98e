//! By what tokens are verified: secrets, and an issuer with public keys.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use mec_http::{ClaimPath, ClaimPaths, IssuerConfig};
use secrecy::{ExposeSecret, SecretString};

use super::whole;
use crate::jwks::KeysByHttps;
use crate::secret::MIN_BYTES;

/// So many former secrets are taken at the most.
const MAX_PREVIOUS: usize = 8;
/// How long no keys are fetched for an unknown one after they were.
const PAUSE: Duration = Duration::from_secs(5);

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
    /// The Auth0 tenant whose tokens are taken, such as tenant.eu.auth0.com
    #[arg(long, env = "AUTH0_DOMAIN", value_name = "HOST")]
    auth0_domain: Option<String>,
    /// Where the keys of another issuer are, by https, or by http from this machine itself; takes JWT_ISSUER
    #[arg(long, env = "JWT_JWKS_URL", value_name = "URL")]
    jwt_jwks_url: Option<String>,
    /// The iss of the tokens of that issuer
    #[arg(long, env = "JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// What the aud of the issuer's tokens must name
    #[arg(
        long,
        env = "JWT_AUDIENCE",
        value_name = "AUDIENCE",
        default_value = "mec-service"
    )]
    jwt_audience: String,
    /// Where the issuer's tokens say the role: a claim's name such as https://mec.example/role, or, from
    /// a / on, a JSON Pointer such as /app_metadata/role
    #[arg(
        long,
        env = "JWT_ROLE_CLAIM",
        value_name = "CLAIM",
        default_value = "role",
        value_parser = ClaimPath::parse
    )]
    jwt_role_claim: ClaimPath,
    /// Where they say the namespace
    #[arg(
        long,
        env = "JWT_NAMESPACE_CLAIM",
        value_name = "CLAIM",
        default_value = "namespace_id",
        value_parser = ClaimPath::parse
    )]
    jwt_namespace_claim: ClaimPath,
    /// Where they say the account of a mec_user
    #[arg(
        long,
        env = "JWT_ACCOUNT_CLAIM",
        value_name = "CLAIM",
        default_value = "account_id",
        value_parser = ClaimPath::parse
    )]
    jwt_account_claim: ClaimPath,
    /// How often the issuer's keys are fetched in the background; 10 to 86,400 seconds
    #[arg(
        long,
        env = "JWT_JWKS_REFRESH_SECONDS",
        value_name = "SECONDS",
        default_value = "300",
        value_parser = whole("JWT_JWKS_REFRESH_SECONDS", 10..=86_400, "seconds")
    )]
    jwt_jwks_refresh_seconds: u64,
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

    /// The issuer whose tokens are taken, where there is one.
    ///
    /// # Errors
    /// Where two are named, or one is without its address or name.
    pub fn issuer(&self) -> Result<Option<IssuerConfig>> {
        let set = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let (address, issuer) = match (
            set(&self.auth0_domain),
            set(&self.jwt_jwks_url),
            set(&self.jwt_issuer),
        ) {
            (None, None, None) => return Ok(None),
            (Some(_), Some(_), _) => {
                bail!("AUTH0_DOMAIN and JWT_JWKS_URL are both set: tokens are taken of one issuer")
            }
            (Some(domain), None, None) => {
                let name_of_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
                if !domain.chars().all(name_of_host) {
                    bail!("AUTH0_DOMAIN is the name of a host alone, such as tenant.eu.auth0.com");
                }
                let issuer = format!("https://{domain}/");
                (format!("{issuer}.well-known/jwks.json"), issuer)
            }
            (Some(_), None, Some(_)) => {
                bail!("AUTH0_DOMAIN says the issuer; JWT_ISSUER is for JWT_JWKS_URL")
            }
            (None, Some(address), Some(issuer)) => (address, issuer),
            (None, Some(_), None) => {
                bail!("JWT_JWKS_URL is set without JWT_ISSUER: set it to the iss of the tokens")
            }
            (None, None, Some(_)) => {
                bail!(
                    "JWT_ISSUER is set without JWT_JWKS_URL: set it to where the issuer's keys are"
                )
            }
        };
        if self.jwt_audience.is_empty() {
            bail!("JWT_AUDIENCE is empty: any service's tokens would be taken");
        }
        let source = KeysByHttps::at(&address).context("JWT_JWKS_URL")?;
        Ok(Some(IssuerConfig {
            source: Arc::new(source),
            issuer,
            audiences: vec![self.jwt_audience.clone()],
            claims: ClaimPaths {
                role: self.jwt_role_claim.clone(),
                namespace_id: self.jwt_namespace_claim.clone(),
                account_id: self.jwt_account_claim.clone(),
            },
            refresh: Duration::from_secs(self.jwt_jwks_refresh_seconds),
            pause: PAUSE,
        }))
    }
}

/// Takes any text, so that no message of the command line's repeats it.
fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::super::parsed;
    use super::*;

    fn issuer(flags: &[&str]) -> Result<Option<IssuerConfig>, String> {
        let issuer = parsed::<Tokens>(flags)?.issuer();
        issuer.map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn auth0_is_an_issuer_by_its_domain() {
        let issuer = issuer(&["--auth0-domain=tenant.eu.auth0.com"])
            .unwrap()
            .unwrap();
        assert_eq!(issuer.issuer, "https://tenant.eu.auth0.com/");
        let source = format!("{:?}", issuer.source);
        let address = "https://tenant.eu.auth0.com/.well-known/jwks.json";
        assert!(source.contains(address), "{source}");
        assert_eq!(issuer.claims, ClaimPaths::default());
        assert_eq!(issuer.refresh, Duration::from_secs(300));
    }

    #[test]
    fn another_issuer_has_its_address_and_name() {
        let flags = [
            "--jwt-jwks-url=http://127.0.0.1:9/keys",
            "--jwt-issuer=me",
            "--jwt-audience=https://mec.example/",
            "--jwt-role-claim=https://mec.example/role",
            "--jwt-account-claim=/app_metadata/account",
        ];
        let told = issuer(&flags).unwrap().unwrap();
        assert_eq!(told.issuer, "me");
        assert_eq!(told.audiences, ["https://mec.example/"]);
        assert_eq!(
            told.claims.role,
            ClaimPath::parse("https://mec.example/role").unwrap()
        );
        assert!(issuer(&[]).unwrap().is_none());
        assert!(
            issuer(&["--auth0-domain=", "--jwt-issuer="])
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn half_an_issuer_is_refused_by_name() {
        let check = |flags: &[&str], named: &str| {
            let told = issuer(flags).unwrap_err();
            assert!(told.contains(named), "{told}");
        };
        check(&["--jwt-jwks-url=https://a.example/"], "without JWT_ISSUER");
        check(&["--jwt-issuer=a"], "without JWT_JWKS_URL");
        let url = "--jwt-jwks-url=https://a.example/";
        check(&["--auth0-domain=a.example", url], "both set");
        check(&["--auth0-domain=https://a.example/"], "AUTH0_DOMAIN");
        check(
            &["--auth0-domain=a.example", "--jwt-issuer=a"],
            "JWT_ISSUER",
        );
        check(
            &["--jwt-jwks-url=http://a.example/", "--jwt-issuer=a"],
            "JWT_JWKS_URL",
        );
        check(&[url, "--jwt-issuer=a", "--jwt-audience="], "JWT_AUDIENCE");
        check(&["--jwt-role-claim=/a~"], "JSON Pointer");
        check(
            &["--jwt-jwks-refresh-seconds=9"],
            "JWT_JWKS_REFRESH_SECONDS",
        );
    }

    #[test]
    fn former_secrets_stand_on_lines_and_are_never_told() {
        let former = |text: &str| {
            let tokens = parsed::<Tokens>(&[&format!("--jwt-secret-previous={text}")]).unwrap();
            assert!(!format!("{tokens:?}").contains("former"));
            tokens.previous().map_err(|error| error.to_string())
        };
        let (a, b) = (
            "the former, of 32 bytes or more, a",
            "the former, of 32 bytes or more, b",
        );
        let taken = former(&format!("{a}\n{b}\n")).unwrap();
        let taken: Vec<&str> = taken.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(taken, [a, b]);
        let told = former("a former one").unwrap_err();
        assert!(
            told.contains("12 bytes") && !told.contains("former one"),
            "{told}"
        );
        let told = former(&[a; 9].join("\n")).unwrap_err();
        assert!(told.contains("9 secrets"), "{told}");
        assert!(
            parsed::<Tokens>(&[])
                .unwrap()
                .previous()
                .unwrap()
                .is_empty()
        );
    }
}
