//! The first screen: where the service listens, and three calls to paste.

use std::io::{IsTerminal, Write};

use anyhow::Result;
use mec_http::{Claims, Role};

use crate::clock::unix_seconds;
use crate::secret::Secret;

/// Prints the first screen. Where no person reads it, it is a log, in which no token may stand; but for a
/// folder's own secret, which is good on this machine only.
pub fn welcome(shown: &[String], place: &str, secret: &Secret) -> Result<()> {
    let mut screen: String = shown
        .iter()
        .map(|address| format!("listening on {address}\n"))
        .collect();
    screen.push_str(&format!("data in {place}\n\n"));
    if secret.made_up || std::io::stdout().is_terminal() {
        screen.push_str(&first_calls(shown, &secret.secret)?);
    } else {
        screen.push_str("A token: mec token --role mec_service, with the same JWT_SECRET\n");
    }
    // Whoever reads the screen may go away; the service stays.
    if let Err(error) = std::io::stdout().write_all(screen.as_bytes()) {
        tracing::warn!(%error, "the first screen could not be printed");
    }
    Ok(())
}

/// A token and three calls to paste.
fn first_calls(shown: &[String], secret: &str) -> Result<String> {
    let claims = Claims {
        sub: "first-start".to_owned(),
        role: Role::MecService,
        namespace_id: "default".to_owned(),
        account_id: None,
        aud: "mec-service".to_owned(),
        exp: unix_seconds().saturating_add(86_400),
    };
    let token = mec_http::issue_token(secret.as_bytes(), &claims)?;
    let head = "-H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json'";
    let api = match shown.first() {
        Some(first) => match first.strip_prefix("unix:") {
            Some(path) => format!("--unix-socket {path} http://localhost/api"),
            None => format!("{first}/api"),
        },
        None => String::new(),
    };
    Ok(format!(
        "A token of the role mec_service, good for a day, and three calls to paste:

TOKEN={token}
curl -s {api}/accounts {head} -d '{{\"account_type_code\":\"organization\",\"external_id\":\"acme\"}}' && curl -s {api}/rpc/provision_plan {head} -d '{{\"p_external_id\":\"acme\",\"p_plan_id\":\"starter\"}}'; echo
curl -s {api}/rpc/check_entitlement {head} -d '{{\"p_external_id\":\"acme\",\"p_resource_type\":\"benchmark_runs\"}}'; echo
curl -s {api}/rpc/consume {head} -d '{{\"p_idempotency_key\":\"run-1\",\"p_external_id\":\"acme\",\"p_resource_type\":\"benchmark_runs\"}}'; echo
",
    ))
}
