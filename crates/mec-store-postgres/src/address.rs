//! The address of the database: what is read as `tokio-postgres` does, and what is said of encryption.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;

use mec_store::StoreError;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::tls::{Roots, Trust};

/// How much of a TLS session is asked for, named as libpq does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    pub(crate) const ALL: [Self; 5] = [
        Self::Disable,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// An address that was read.
pub(crate) struct Address {
    pub(crate) settings: Config,
    pub(crate) mode: Mode,
    pub(crate) trust: Trust,
}

impl Address {
    /// Reads an address. `sslmode` and `sslrootcert` are taken out before the rest is read, which knows only
    /// a part of the first and nothing of the second.
    pub(crate) fn parse(url: &SecretString) -> Result<Self, StoreError> {
        let (rest, said) = take_out(url.expose_secret());
        let (mode, trust) = judge(&said).map_err(|sentence| {
            StoreError::Unavailable(format!("the address of the database: {sentence}"), None)
        })?;
        let mut settings: Config = rest.parse().map_err(|_| {
            let sentence =
                "DATABASE_URL is not an address such as postgres://user:password@host/database";
            StoreError::Unavailable(sentence.to_owned(), None)
        })?;
        if settings.get_hosts().is_empty() {
            // The handshake needs a name, and a number is one.
            let numbers: Vec<IpAddr> = settings.get_hostaddrs().to_vec();
            for number in numbers {
                settings.host(number.to_string());
            }
        }
        let hosts = settings.get_hosts();
        let is_local = hosts.iter().all(|host| matches!(host, Host::Unix(_)));
        settings.ssl_mode(match mode {
            // A socket leaves the machine nowhere, and the server encrypts none.
            _ if is_local => SslMode::Disable,
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        Ok(Self {
            settings,
            mode,
            trust,
        })
    }
}

/// What an address says of encryption.
#[derive(Default)]
struct Said {
    mode: Option<String>,
    root: Option<String>,
}

impl Said {
    /// Takes a setting that is one of encryption; tells whether it was one. The last of a name counts.
    fn take(&mut self, key: &str, value: &str) -> bool {
        let place = match key {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.root,
            _ => return false,
        };
        *place = Some(value.to_owned());
        true
    }
}

fn judge(said: &Said) -> Result<(Mode, Trust), String> {
    let root = said.root.as_deref().filter(|root| !root.is_empty());
    let named = said.mode.as_deref().map(|name| {
        let mut modes = Mode::ALL.into_iter();
        let found = modes.find(|mode| mode.name() == name);
        found.ok_or_else(|| {
            let names = Mode::ALL.map(Mode::name).join(", ");
            format!("sslmode={name} is none of {names}")
        })
    });
    let named = named.transpose()?;
    if root == Some("system") {
        // As libpq does: whoever may get a certificate from one of the public authorities would be trusted.
        return match named.unwrap_or(Mode::VerifyFull) {
            mode @ (Mode::Disable | Mode::VerifyFull) => {
                Ok((mode, issued(Roots::System, Mode::VerifyFull)))
            }
            mode => Err(format!(
                "sslrootcert=system trusts every public authority, which proves nothing with sslmode={}; \
                 use sslmode=verify-full",
                mode.name()
            )),
        };
    }
    let mode = named.unwrap_or(Mode::Prefer);
    let trust = match (root, mode) {
        (Some(file), _) => issued(Roots::File(PathBuf::from(file)), mode),
        (None, Mode::VerifyCa | Mode::VerifyFull) => issued(Roots::System, mode),
        (None, Mode::Disable | Mode::Prefer | Mode::Require) => Trust::Anyone,
    };
    Ok((mode, trust))
}

fn issued(roots: Roots, mode: Mode) -> Trust {
    Trust::Issued {
        roots,
        names_host: mode == Mode::VerifyFull,
    }
}

fn take_out(address: &str) -> (String, Said) {
    let is_url = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    if is_url {
        of_url(address)
    } else {
        of_key_words(address)
    }
}

fn of_url(address: &str) -> (String, Said) {
    let mut said = Said::default();
    // A password may hold a question mark.
    let named_from = address.find('@').unwrap_or_default();
    let (user, place) = address.split_at(named_from);
    let Some((place, query)) = place.split_once('?') else {
        return (address.to_owned(), said);
    };
    let kept = query.split('&').filter(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let [key, value] = [key, value].map(|part| percent_decode_str(part).decode_utf8_lossy());
        !said.take(&key, &value)
    });
    let kept: Vec<&str> = kept.collect();
    let rest = if kept.is_empty() {
        format!("{user}{place}")
    } else {
        format!("{user}{place}?{}", kept.join("&"))
    };
    (rest, said)
}

/// What cannot be read is left as it is, for whoever reads the rest to refuse.
fn of_key_words(address: &str) -> (String, Said) {
    let mut said = Said::default();
    let mut kept = String::new();
    let mut left = address;
    while let Some((key, value, after)) = key_word(left) {
        if !said.take(key, &value) {
            let length = left.len().saturating_sub(after.len());
            kept.push_str(left.get(..length).unwrap_or_default());
            kept.push(' ');
        }
        left = after;
    }
    kept.push_str(left);
    (kept, said)
}

/// The first key word, its value, and what comes after.
fn key_word(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let (key, after) = text.split_once('=')?;
    let after = after.trim_start();
    let (quoted, body) = match after.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, after),
    };
    let mut value = String::new();
    let mut letters = body.char_indices();
    let mut end = body.len();
    let mut is_closed = !quoted;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            '\'' if quoted => {
                is_closed = true;
                end = at.saturating_add(1);
                break;
            }
            space if !quoted && space.is_whitespace() => {
                end = at;
                break;
            }
            letter => value.push(letter),
        }
    }
    is_closed.then_some((key.trim(), value.into(), body.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, mode: Mode, trust: Trust, rest: &str) {
        let read = Address::parse(&address.into()).unwrap();
        assert_eq!((read.mode, read.trust), (mode, trust), "{address}");
        assert_eq!(take_out(address).0.trim(), rest);
    }

    fn file(path: &str, names_host: bool) -> Trust {
        Trust::Issued {
            roots: Roots::File(path.into()),
            names_host,
        }
    }

    #[test]
    fn what_is_said_of_encryption_is_taken_out_of_both_forms() {
        let system = Trust::Issued {
            roots: Roots::System,
            names_host: true,
        };
        check(
            "postgres://h/d",
            Mode::Prefer,
            Trust::Anyone,
            "postgres://h/d",
        );
        check(
            "postgresql://u:p?sslmode=disable@h/d?sslmode=verify-full",
            Mode::VerifyFull,
            system.clone(),
            "postgresql://u:p?sslmode=disable@h/d",
        );
        check(
            "postgres://h/d?connect_timeout=3&sslrootcert=%2Fa%20b%2Fca.pem&ssl%6Dode=verify-ca&port=9",
            Mode::VerifyCa,
            file("/a b/ca.pem", false),
            "postgres://h/d?connect_timeout=3&port=9",
        );
        check(
            "host=h sslmode = 'verify-full' password='a \\' sslmode=disable' sslrootcert=/ca\\ 1.pem port=9",
            Mode::VerifyFull,
            file("/ca 1.pem", true),
            "host=h  password='a \\' sslmode=disable'  port=9",
        );
        check(
            "host=h sslmode=require sslrootcert='/ca'",
            Mode::Require,
            file("/ca", false),
            "host=h",
        );
        check(
            "host=h sslrootcert=system",
            Mode::VerifyFull,
            system,
            "host=h",
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |address: &str, named: &str| {
            let told = Address::parse(&address.into()).map(|_| ()).unwrap_err();
            assert!(told.to_string().contains(named), "{told}");
        };
        check("postgres://h/d?sslmode=allow", "sslmode=allow is none of");
        check("host=h sslmode=Verify-Full", "sslmode=Verify-Full is none");
        check("host=h sslmode=''", "sslmode= is none of");
        check(
            "postgres://h/d?sslmode=require&sslrootcert=system",
            "use sslmode=verify-full",
        );
        check("host=h sslmode='require", "DATABASE_URL is not an address");
        check("host=h sslmode=require nonsense", "DATABASE_URL is not");
    }

    #[test]
    fn a_socket_needs_no_encryption_and_a_number_is_a_name() {
        let mode = |address: &str| {
            let read = Address::parse(&address.into()).unwrap();
            (
                read.settings.get_ssl_mode(),
                read.settings.get_hosts().len(),
            )
        };
        let local = "postgres://u@%2Ftmp/d?sslmode=require";
        assert_eq!(mode(local), (SslMode::Disable, 1));
        let both = "host=/tmp,h port=1,1 sslmode=verify-full";
        assert_eq!(mode(both), (SslMode::Require, 2));
        let number = "hostaddr=127.0.0.1 sslmode=verify-ca";
        assert_eq!(mode(number), (SslMode::Require, 1));
    }
}
