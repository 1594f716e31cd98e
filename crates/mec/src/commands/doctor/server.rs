//! The server: whether one runs, answers, keeps time and takes the token.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::Findings;
use crate::clock::unix_seconds;
use crate::door::{Answer, Call, Door, Reach, address_of, token_of};
use crate::place::Place;

/// From so many seconds on a difference of clocks is told.
const WARN_SECONDS: u64 = 5;
/// Tokens are taken so many seconds after their end, and no longer.
const LEEWAY_SECONDS: u64 = 30;

pub fn look(place: &Place, reach: &Reach, findings: &mut Findings) {
    let folder = place.data_dir.as_path();
    let Some(address) = address(place, reach, findings) else {
        return;
    };
    let token = token_of(folder);
    let held = token.is_ok();
    let token = token.unwrap_or_default();
    let door = match reach.server {
        Some(_) => Door::to_server(&address, token, reach),
        None => Door::to_running(folder, &address, token, reach),
    };
    let door = match door {
        Ok(door) => door,
        Err(error) => {
            findings.fail("server", format!("{error:#}"), "name its address");
            return;
        }
    };
    let health = match door.send(&Call::get("/health")) {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => {
            let told = format!("{address} answers /health with status {}", answer.status);
            findings.fail("server", told, "see whether another program has the port");
            return;
        }
        Err(error) => {
            findings.fail("server", format!("{error:#}"), "look into the server's log");
            return;
        }
    };
    findings.ok("server", format!("{address} is up"));
    match door.send(&Call::get("/ready")) {
        Ok(answer) if answer.status == 200 => findings.ok("server", "its store can be written to"),
        Ok(answer) => findings.fail(
            "server",
            format!("/ready answers with status {}", answer.status),
            "its store cannot be written to: look at the disk and the server's log",
        ),
        Err(error) => findings.fail("server", format!("{error:#}"), "look into the server's log"),
    }
    clock(&health, findings);
    if held {
        token_works(&door, findings);
    } else {
        findings.fail(
            "token",
            "MEC_TOKEN is not set, and the data folder holds no token",
            "set MEC_TOKEN, or restart the server, which writes one",
        );
    }
}

fn address(place: &Place, reach: &Reach, findings: &mut Findings) -> Option<String> {
    let folder = place.data_dir.as_path();
    if let Some(server) = &reach.server {
        return Some(server.clone());
    }
    if place.postgres().is_some() {
        let address = address_of(folder);
        if address.is_none() {
            findings.warn(
                "server",
                "none has left its address in the data folder",
                "start `mec serve`; commands work without it",
            );
        }
        return address;
    }
    match mec_store_sqlite::is_owned(folder) {
        Err(error) => {
            findings.fail(
                "server",
                format!("the lock of the data folder cannot be looked at: {error}"),
                "run mec as the user who owns the folder",
            );
            None
        }
        Ok(false) => {
            findings.warn(
                "server",
                "none runs on the data folder",
                "start `mec serve`; commands work without it",
            );
            None
        }
        Ok(true) => {
            let address = address_of(folder);
            if address.is_none() {
                findings.fail(
                    "server",
                    "a process has the data folder, but its address is not there",
                    "wait until the server has started, or restart it",
                );
            }
            address
        }
    }
}

fn clock(answer: &Answer, findings: &mut Findings) {
    let date = answer.headers.get("date");
    let date = date.and_then(|date| date.to_str().ok());
    let server = date.and_then(|date| rfc2822::parse(date).ok());
    let server = server.map(|time| Timestamp::from(time).as_second());
    let Some(server) = server.and_then(|seconds| u64::try_from(seconds).ok()) else {
        findings.warn(
            "clock",
            "the server does not tell its time",
            "see whether a proxy stands between",
        );
        return;
    };
    let apart = unix_seconds().abs_diff(server);
    let told = format!("{apart} seconds apart from the server's");
    let remedy = "set both clocks by NTP";
    if apart > LEEWAY_SECONDS {
        findings.fail("clock", told, remedy);
    } else if apart > WARN_SECONDS {
        findings.warn("clock", told, remedy);
    } else {
        findings.ok("clock", told);
    }
}

fn token_works(door: &Door, findings: &mut Findings) {
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
