//! The environment's settings.

use std::net::SocketAddr;

use super::Findings;
use crate::secret;
use crate::settings::{Freshness, Tokens, from_environment};

/// The variables that are known; the nearest is named for one that is not.
const KNOWN: [&str; 17] = [
    "MEC_ADMIN_DATABASE_URL",
    "MEC_DATA_DIR",
    "MEC_DEGRADED_FOR_SECONDS",
    "MEC_LISTEN",
    "MEC_NAMESPACE",
    "MEC_POSTGRES_CONNECT_TIMEOUT_MS",
    "MEC_POSTGRES_IDLE_TIMEOUT_MS",
    "MEC_POSTGRES_LOCK_TIMEOUT_MS",
    "MEC_POSTGRES_READERS",
    "MEC_POSTGRES_STATEMENT_TIMEOUT_MS",
    "MEC_POSTGRES_WAIT_TIMEOUT_MS",
    "MEC_POSTGRES_WRITERS",
    "MEC_QUERY_TIMEOUT_MS",
    "MEC_SERVER",
    "MEC_STALENESS_BOUND_MS",
    "MEC_TOKEN",
    "MEC_WHEN_LOST",
];

pub fn look(findings: &mut Findings) {
    listen(findings);
    jwt_secret(findings);
    freshness(findings);
    tokens(findings);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("MEC_") && !KNOWN.contains(&name.as_ref()) {
            let remedy = match mec_http::nearest(&name, KNOWN) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known are {}", KNOWN.join(", ")),
            };
            let finding = format!("the environment has {name}, which is no setting");
            findings.warn("settings", finding, remedy);
        }
    }
}

fn freshness(findings: &mut Findings) {
    if let Err(wrong) = from_environment::<Freshness>() {
        does_not_start(findings, &wrong.to_string());
    }
}

fn tokens(findings: &mut Findings) {
    let tokens = match from_environment::<Tokens>() {
        Ok(tokens) => tokens,
        Err(wrong) => return does_not_start(findings, &wrong.to_string()),
    };
    let wrong = tokens.previous().err().or_else(|| tokens.issuer().err());
    if let Some(wrong) = wrong {
        does_not_start(findings, &format!("{wrong:#}"));
    }
}

fn does_not_start(findings: &mut Findings, wrong: &str) {
    let sentence = wrong.lines().next().unwrap_or_default();
    let sentence = sentence.trim_start_matches("error: ");
    findings.fail("settings", sentence, "`mec serve` does not start with it");
}

fn listen(findings: &mut Findings) {
    let Some(listen) = std::env::var_os("MEC_LISTEN") else {
        findings.ok("settings", "MEC_LISTEN is not set: 127.0.0.1:8000");
        return;
    };
    let listen = listen.to_string_lossy();
    let Ok(address) = listen.parse::<SocketAddr>() else {
        findings.fail(
            "settings",
            format!("MEC_LISTEN is {listen:?}, which is no address"),
            "set it to an address with a port, such as 127.0.0.1:8000",
        );
        return;
    };
    if !address.ip().is_loopback() && std::env::var_os("JWT_SECRET").is_none() {
        findings.fail(
            "settings",
            format!("MEC_LISTEN is {address}, which others can reach, and JWT_SECRET is not set"),
            "set JWT_SECRET to 32 bytes or more of your own",
        );
        return;
    }
    findings.ok("settings", format!("MEC_LISTEN is {address}"));
}

fn jwt_secret(findings: &mut Findings) {
    let Some(secret) = std::env::var_os("JWT_SECRET") else {
        findings.ok(
            "settings",
            "JWT_SECRET is not set: the data folder's own secret signs tokens",
        );
        return;
    };
    let bytes = secret.len();
    if bytes < secret::MIN_BYTES {
        findings.fail(
            "settings",
            format!("JWT_SECRET has {bytes} bytes"),
            format!("set it to {} bytes or more", secret::MIN_BYTES),
        );
    } else {
        findings.ok("settings", format!("JWT_SECRET has {bytes} bytes"));
    }
}
