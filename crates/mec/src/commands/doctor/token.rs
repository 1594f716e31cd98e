//! The token: what it says of itself, and whether the server takes it.

use super::Findings;
use crate::clock::unix_seconds;
use crate::door::{Call, Door};

/// From so many seconds before its end on there is a warning.
const WARN_SECONDS: u64 = 3_600;

pub fn look(token: &str, door: &Door, findings: &mut Findings) {
    says(token, findings);
    works(door, findings);
}

/// What it says of itself; an API key says nothing.
fn says(token: &str, findings: &mut Findings) {
    let Some(claims) = mec_http::read_unverified(token) else {
        return;
    };
    let (role, namespace) = (claims.role.as_str(), &claims.namespace_id);
    let now = unix_seconds();
    let told = format!("it is for the role {role} in the namespace {namespace}");
    let remedy = "set MEC_TOKEN to a new one, such as `mec token` prints";
    if claims.exp < now {
        let told = format!(
            "{told} and has ended {} seconds ago",
            now.abs_diff(claims.exp)
        );
        findings.fail("token", told, remedy);
        return;
    }
    let told = format!("{told} for {} more seconds", claims.exp.abs_diff(now));
    if claims.exp.abs_diff(now) < WARN_SECONDS {
        findings.warn("token", told, remedy);
    } else {
        findings.ok("token", told);
    }
}

fn works(door: &Door, findings: &mut Findings) {
    let answer = match door.send(&Call::get("/admin/catalogue")) {
        Ok(answer) => answer,
        Err(error) => {
            findings.fail("token", format!("{error:#}"), "look into the server's log");
            return;
        }
    };
    let why = answer.refused().map(|refused| refused.message);
    let why = why.unwrap_or_else(|| format!("status {}", answer.status));
    match answer.status {
        200 => findings.ok("token", "it is taken, for an administrator"),
        // Other commands than those for the catalogue need less.
        403 => findings.warn(
            "token",
            format!("it is taken, but not for an administrator: {why}"),
            "make one with `mec token --role mec_admin` for `mec catalogue`",
        ),
        _ => findings.fail(
            "token",
            format!("it is refused: {why}"),
            "restart the server, which writes a new one, or set MEC_TOKEN anew",
        ),
    }
}
