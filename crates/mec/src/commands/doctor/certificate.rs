//! The certificate of TLS: whether it can be read and is valid now.

use std::fs;

use x509_parser::pem::Pem;

use super::Findings;
use crate::clock::unix_seconds;
use crate::settings::Values;

/// From so many days before its end on there is a warning.
const WARN_DAYS: i64 = 14;
const DAY_SECONDS: i64 = 86_400;

pub fn look(values: &Values, findings: &mut Findings) {
    let Some(path) = values.text("MEC_TLS_CERT") else {
        return;
    };
    match validity(path) {
        Err(why) => findings.fail(
            "certificate",
            format!("{path}: {why}"),
            "name a file with the certificate and those that lead to its authority, as PEM",
        ),
        Ok((begins, ends)) => judge(path, begins, ends, findings),
    }
}

fn judge(path: &str, begins: i64, ends: i64, findings: &mut Findings) {
    let now = i64::try_from(unix_seconds()).unwrap_or(i64::MAX);
    let days = ends.saturating_sub(now) / DAY_SECONDS;
    if now < begins {
        let told = format!("{path} is not valid yet");
        findings.fail("certificate", told, "wait, or look at this machine's clock");
    } else if now > ends {
        let told = format!("{path} has ended {} days ago", -days);
        findings.fail("certificate", told, "renew it and send the server SIGHUP");
    } else if days < WARN_DAYS {
        let told = format!("{path} ends in {days} days");
        findings.warn("certificate", told, "renew it and send the server SIGHUP");
    } else {
        findings.ok("certificate", format!("{path} is valid for {days} days"));
    }
}

/// From when until when the first certificate of a file is valid, in seconds since 1970.
fn validity(path: &str) -> Result<(i64, i64), String> {
    let bytes = fs::read(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let pems = Pem::iter_from_buffer(&bytes).filter_map(Result::ok);
    let pem = pems.into_iter().find(|pem| pem.label == "CERTIFICATE");
    let pem = pem.ok_or("it holds no certificate")?;
    let certificate = pem.parse_x509();
    let certificate =
        certificate.map_err(|error| format!("its certificate is malformed: {error}"))?;
    let validity = certificate.validity();
    Ok((
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    ))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::commands::doctor::State;
    use crate::settings::Origin;

    const DAY: Duration = Duration::from_secs(86_400);

    /// How it stands with a certificate of these times.
    fn state(begins: SystemTime, ends: SystemTime) -> State {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = begins.into();
        params.not_after = ends.into();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cert.pem");
        // The key may stand before it in the same file.
        let text = format!(
            "{}{}",
            key.serialize_pem(),
            params.self_signed(&key).unwrap().pem()
        );
        fs::write(&path, text).unwrap();
        found(path.to_str().unwrap())
    }

    fn found(path: &str) -> State {
        let mut findings = Findings::default();
        look(
            &Values::with(&[("MEC_TLS_CERT", path, Origin::Environment)]),
            &mut findings,
        );
        assert_eq!(findings.0.len(), 1);
        findings.0[0].state
    }

    #[test]
    fn the_time_of_a_certificate_is_told() {
        let now = SystemTime::now();
        let before = now - 10 * DAY;
        assert_eq!(state(before, now + 90 * DAY), State::Ok);
        assert_eq!(state(before, now + 15 * DAY), State::Ok);
        assert_eq!(state(before, now + 13 * DAY), State::Warn);
        assert_eq!(state(before, now - DAY), State::Fail);
        assert_eq!(state(now + DAY, now + 90 * DAY), State::Fail);
        assert_eq!(found("/nowhere/cert.pem"), State::Fail);
        assert_eq!(found("/dev/null"), State::Fail);
    }
}
