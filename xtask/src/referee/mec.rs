//! MEC itself: the release binary on a folder of its own, with accounts made over its API.

use super::child::Child;
use super::mec_load::is_allowed;
use crate::load::{self, Client, Template};
use crate::workspace::output;
use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub const CHECK_PATH: &str = "/api/rpc/check_entitlement";
pub const RESOURCE: &str = "api_requests";
const PLAN: &str = "pro";
const SETUP_CONNECTIONS: usize = 32;

/// Accounts over which writes are spread.
pub const SPREAD: usize = 1_000;

/// A running MEC with its accounts.
pub struct Mec {
    _server: Child,
    pub address: SocketAddr,
    token: String,
    pub accounts: Arc<[String]>,
    /// Counts the runs, so that no idempotency key comes twice.
    pub runs: AtomicU64,
}

impl Mec {
    /// Starts the embedded store in `folder` with as many accounts as asked, each with a plan and
    /// an entitlement of `api_requests` that no run exhausts.
    pub async fn start(binary: &Path, folder: &Path, accounts: usize) -> Result<Self> {
        let data = folder.join("mec");
        let log = std::fs::File::create(folder.join("mec.log"))?;
        let mut command = mec(binary, "serve", &data);
        command.args(["--listen", "127.0.0.1:0"]);
        command
            .env("MEC_RATE_LIMIT_API", "off")
            .env("MEC_RATE_LIMIT_WEBHOOKS", "off");
        command.stdout(log.try_clone()?).stderr(log);
        let mut server = Child::spawn("mec serve", &mut command)?;
        let address = server
            .wait_until(|| {
                let address = parse_address(&std::fs::read_to_string(data.join("mec.addr")).ok()?)?;
                std::net::TcpStream::connect(address).ok().map(|_| address)
            })
            .map_err(|error| {
                let log = std::fs::read_to_string(folder.join("mec.log")).unwrap_or_default();
                anyhow!("{error}; its log: {}", log.trim())
            })?;
        let mut token = mec(binary, "token", &data);
        token.args(["--role", "mec_service", "--namespace", "default"]);
        let token = String::from_utf8(output(&mut token)?)?.trim().to_owned();

        let mut mec = Self {
            _server: server,
            address,
            token,
            accounts: [].into(),
            runs: AtomicU64::new(0),
        };
        mec.accounts = mec.make_accounts(accounts).await?.into();
        Ok(mec)
    }

    async fn make_accounts(&self, count: usize) -> Result<Vec<String>> {
        let accounts = (1..=count).map(|number| {
            json!({
                "account_type_code": "organization",
                "external_id": format!("ref-{number}"),
                "display_name": format!("Referee {number}"),
            })
        });
        let template = self
            .template("/api/accounts")?
            .with("prefer", "return=representation");
        let answers = self.post_all(&template, accounts).await?;
        let ids: Vec<String> = answers
            .iter()
            .map(|answer| account_id(answer))
            .collect::<Result<_>>()?;

        let plans = ids
            .iter()
            .map(|id| json!({"p_account_id": id, "p_plan_id": PLAN}));
        self.post_all(&self.template("/api/rpc/provision_plan")?, plans)
            .await?;

        let entitlements = ids.iter().map(|id| {
            json!({
                "account_id": id,
                "resource_type_code": RESOURCE,
                "limit_kind_code": "cumulative",
                "quantity_allowed": 999_999_999,
                "unit_code": "requests",
                "window_type_code": "calendar_month",
            })
        });
        self.post_all(&self.template("/api/entitlements")?, entitlements)
            .await?;
        Ok(ids)
    }

    async fn post_all(
        &self,
        template: &Template,
        bodies: impl Iterator<Item = Value>,
    ) -> Result<Vec<Bytes>> {
        let bodies = bodies.map(|body| Bytes::from(body.to_string())).collect();
        load::send_all(self.address, template, bodies, SETUP_CONNECTIONS).await
    }

    pub fn template(&self, path: &str) -> Result<Template> {
        Template::post(path, Some(&self.token))
    }

    /// The check's request and the length of its answer, so that the empty route is asked the same.
    pub async fn sample(&self) -> Result<Sample> {
        let template = self.template(CHECK_PATH)?;
        let account = self.accounts.first().context("there is no account")?;
        let body = check_body(account);
        let answer = Client::connect(self.address)
            .await?
            .send(&template, body.clone())
            .await?;
        ensure!(
            is_allowed(&answer),
            "the first check answered {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(Sample {
            template,
            body,
            answer_bytes: answer.len(),
        })
    }
}

/// What a check looks like on the wire.
pub struct Sample {
    pub template: Template,
    pub body: Bytes,
    pub answer_bytes: usize,
}

impl Sample {
    /// Stands for a real check where MEC is not measured.
    pub fn without_mec() -> Result<Self> {
        let template = Template::post(CHECK_PATH, Some(&"x".repeat(200)))?;
        let body = check_body("00000000-0000-0000-0000-000000000000");
        Ok(Self {
            template,
            body,
            answer_bytes: 480,
        })
    }
}

/// A command of the binary on its folder, free of settings of the caller's own.
fn mec(binary: &Path, command: &str, data: &Path) -> Command {
    let mut mec = Command::new(binary);
    mec.arg(command).arg("--data-dir").arg(data);
    for name in ["DATABASE_URL", "JWT_SECRET", "MEC_DATA_DIR", "MEC_LISTEN"] {
        mec.env_remove(name);
    }
    mec
}

pub fn check_body(account: &str) -> Bytes {
    json!({"p_account_id": account, "p_resource_type": RESOURCE})
        .to_string()
        .into()
}

/// The address in `mec.addr`, with or without a scheme.
fn parse_address(text: &str) -> Option<SocketAddr> {
    let line = text.lines().next()?.trim();
    let line = line.strip_prefix("http://").unwrap_or(line);
    line.trim_end_matches('/').parse().ok()
}

/// The id in the answer to an insert: an object, or an array of one.
fn account_id(answer: &[u8]) -> Result<String> {
    let answer: Value = serde_json::from_slice(answer)?;
    let row = answer.get(0).unwrap_or(&answer);
    match row.get("account_id").and_then(Value::as_str) {
        Some(id) => Ok(id.to_owned()),
        None => bail!("the new account has no account_id: {answer}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{account_id, parse_address};

    #[test]
    fn the_address_is_read_with_and_without_a_scheme() {
        let expected = "127.0.0.1:8000".parse().ok();
        assert_eq!(parse_address("127.0.0.1:8000\n"), expected);
        assert_eq!(parse_address("http://127.0.0.1:8000/\n"), expected);
        assert_eq!(parse_address("127.0.0.1"), None);
    }

    #[test]
    fn the_new_account_is_an_object_or_an_array_of_one() {
        assert_eq!(account_id(br#"{"account_id":"a"}"#).unwrap(), "a");
        assert_eq!(account_id(br#"[{"account_id":"a"}]"#).unwrap(), "a");
        assert!(account_id(b"[]").is_err());
    }
}
