//! Commands that talk to the running server, whose address stands in the data folder.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use mec_http::{Claims, Role};

use crate::clock::unix_seconds;
use crate::secret;

#[derive(clap::Args)]
pub struct AccountArgs {
    /// organization, team or user
    #[arg(long = "type", default_value = "organization")]
    account_type: String,
    /// The product's own id for it
    #[arg(long)]
    external_id: Option<String>,
    /// Its name for people
    #[arg(long)]
    name: Option<String>,
    /// In which namespace
    #[arg(long, default_value = "default")]
    namespace: String,
}

#[derive(clap::Args)]
pub struct CheckArgs {
    /// The product's own id of the account
    external_id: String,
    /// The resource type
    resource_type: String,
    /// How much is asked for
    #[arg(long, default_value = "1")]
    quantity: String,
    /// In which namespace
    #[arg(long, default_value = "default")]
    namespace: String,
}

pub fn create_account(folder: &Path, args: &AccountArgs) -> Result<ExitCode> {
    let mut row = serde_json::json!({ "account_type_code": args.account_type });
    if let Some(fields) = row.as_object_mut() {
        fields.extend(
            args.external_id
                .clone()
                .map(|id| ("external_id".to_owned(), id.into())),
        );
        fields.extend(
            args.name
                .clone()
                .map(|name| ("display_name".to_owned(), name.into())),
        );
    }
    println!("{}", post(folder, &args.namespace, "/api/accounts", &row)?);
    Ok(ExitCode::SUCCESS)
}

pub fn check(folder: &Path, args: &CheckArgs) -> Result<ExitCode> {
    let body = serde_json::json!({
        "p_external_id": args.external_id, "p_resource_type": args.resource_type, "p_requested_qty": args.quantity,
    });
    let answer = post(folder, &args.namespace, "/api/rpc/check_entitlement", &body)?;
    println!("{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer)?;
    let denied = answer
        .get("decision")
        .is_some_and(|decision| decision == "deny");
    Ok(if denied {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    })
}

fn post(folder: &Path, namespace: &str, path: &str, body: &serde_json::Value) -> Result<String> {
    let address = std::fs::read_to_string(folder.join("mec.addr")).with_context(|| {
        format!(
            "no server has run on {}; start `mec serve` first",
            folder.display()
        )
    })?;
    let claims = Claims {
        sub: "mec-cli".to_owned(),
        role: Role::MecService,
        namespace_id: namespace.to_owned(),
        account_id: None,
        aud: "mec-service".to_owned(),
        exp: unix_seconds().saturating_add(60),
    };
    let token = mec_http::issue_token(secret::load_or_make(folder)?.secret.as_bytes(), &claims)?;
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build();
    let mut answer = ureq::Agent::new_with_config(config)
        .post(format!("http://{}{path}", address.trim()))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json")
        .header("Prefer", "return=representation")
        .send(body.to_string())
        .with_context(|| format!("the server at {} does not answer", address.trim()))?;
    let text = answer.body_mut().read_to_string()?;
    if !answer.status().is_success() {
        bail!("the server answered {}: {text}", answer.status());
    }
    Ok(text)
}
