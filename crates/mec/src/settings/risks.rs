//! Settings that are right by themselves and dangerous together or where they stand. A start warns of them.
//!
//! Settings are looked up by name, so that one that is not there is as one that nobody sets.

use std::net::SocketAddr;

use mec_store_postgres::PostgresConfig;

use super::layers::Origin;
use super::values::Values;
use super::wrong::Warning;

/// From so many seconds on answers from memory are told to be old.
const OLD_SECONDS: u64 = 3_600;
/// A secret with fewer different letters can be guessed.
const FEW_LETTERS: usize = 10;

/// One risk: when it is there, and what is said of it.
struct Risk {
    is_there: fn(&Values) -> bool,
    says: &'static str,
    remedy: &'static str,
}

const RISKS: [Risk; 13] = [
    Risk {
        is_there: |values| is_public(values) && values.text("MEC_TLS_CERT").is_none(),
        says: "MEC_LISTEN has an address that others can reach, without TLS: tokens pass unencrypted",
        remedy: "let a proxy on this machine speak TLS, or set MEC_TLS_CERT and MEC_TLS_KEY where this \
               version has them",
    },
    Risk {
        is_there: |values| is_public(values) && values.text("MEC_RATE_LIMIT_API") == Some("off"),
        says: "MEC_RATE_LIMIT_API is off, and MEC_LISTEN has an address that others can reach: one \
               client can take all there is",
        remedy: "set a limit, such as 100/s burst 100",
    },
    Risk {
        is_there: |values| {
            is_public(values) && values.text("MEC_RATE_LIMIT_WEBHOOKS") == Some("off")
        },
        says: "MEC_RATE_LIMIT_WEBHOOKS is off, and MEC_LISTEN has an address that others can reach",
        remedy: "set a limit, such as 10/s burst 20",
    },
    Risk {
        is_there: |values| values.list("MEC_CORS_ORIGINS").any(|origin| origin == "*"),
        says: "MEC_CORS_ORIGINS is *: every web page may call with a token that it gets hold of",
        remedy: "name the origins",
    },
    Risk {
        is_there: |values| {
            values
                .list("MEC_TRUSTED_PROXIES")
                .any(|proxy| proxy == "*" || proxy.ends_with("/0"))
        },
        says: "MEC_TRUSTED_PROXIES trusts every address: each client can claim to be another and has no \
               limit of its own",
        remedy: "name the proxies",
    },
    Risk {
        is_there: |values| values.text("MEC_WHEN_LOST") == Some("open"),
        says: "MEC_WHEN_LOST is open, which is dangerous: checks go on from memory as long as the \
               database is away, and limits can be passed without bound",
        remedy: "leave it closed, so that the product decides",
    },
    Risk {
        is_there: |values| seconds(values, "MEC_DEGRADED_FOR_SECONDS") > OLD_SECONDS,
        says: "MEC_DEGRADED_FOR_SECONDS is more than an hour: checks may be answered from memory of that \
               age",
        remedy: "set fewer seconds",
    },
    Risk {
        is_there: |values| values.is_given("MEC_ADMIN_DATABASE_URL"),
        says: "MEC_ADMIN_DATABASE_URL stands in the settings of the server, which does not need it: \
               whoever reads them is an administrator of the database",
        remedy: "give it to `mec migrate` alone",
    },
    Risk {
        is_there: is_unproven,
        says: "DATABASE_URL is to another machine without sslmode=verify-full: who stands between can be \
               the database",
        remedy: "add sslmode=verify-full and sslrootcert",
    },
    Risk {
        is_there: |values| values.text("JWT_SECRET").is_some_and(is_guessable),
        says: "JWT_SECRET repeats a few letters and can be guessed",
        remedy: "make one with `openssl rand -base64 48`",
    },
    Risk {
        is_there: |values| {
            values.text("MEC_METRICS_LISTEN").is_some_and(is_reachable)
                && values.text("MEC_METRICS_TOKEN").is_none()
        },
        says: "MEC_METRICS_LISTEN is an address that others can reach, and MEC_METRICS_TOKEN is not set: \
               everybody can read how much the service is used",
        remedy: "set MEC_METRICS_TOKEN, or listen on a loopback address",
    },
    Risk {
        is_there: |values| values.text("MEC_SECURITY_LOG") == Some("off"),
        says: "MEC_SECURITY_LOG is off: nobody can tell afterwards who tried what",
        remedy: "set it to file or stderr",
    },
    Risk {
        is_there: |values| {
            let mode = values.text("MEC_SOCKET_MODE").unwrap_or_default();
            values
                .list("MEC_LISTEN")
                .any(|address| address.starts_with("unix:"))
                && !mode.is_empty()
                && !mode.ends_with('0')
        },
        says: "MEC_SOCKET_MODE lets every user of the machine connect",
        remedy: "set it to 0660",
    },
];

/// The sentences about the risks that the settings of a server have.
pub fn of(values: &Values) -> Vec<Warning> {
    let there = RISKS.iter().filter(|risk| (risk.is_there)(values));
    let told = there.map(|risk| Warning::new(risk.says, risk.remedy));
    let mut told: Vec<Warning> = told.collect();
    for value in values.iter() {
        let name = &value.name;
        if value.is_secret && value.origin == Origin::Flag {
            let says = format!(
                "{name} stands on the command line, where every user of the machine can read it"
            );
            told.push(Warning::new(says, format!("use {name}_FILE")));
        }
        let is_bound = ["_LIMIT", "_MAX", "_TIMEOUT"]
            .iter()
            .any(|part| name.contains(part));
        let is_rate = name.starts_with("MEC_RATE_LIMIT");
        if is_bound
            && !is_rate
            && matches!(value.text.as_deref(), Some("off" | "none" | "unlimited"))
        {
            told.push(Warning::new(
                format!("{name} is off: nothing bounds it"),
                "set a bound",
            ));
        }
    }
    told
}

/// Whether an address that is listened on can be reached from elsewhere.
pub fn is_public(values: &Values) -> bool {
    values.list("MEC_LISTEN").any(is_reachable)
}

/// Whether others can reach an address. A path is a socket of this machine.
fn is_reachable(address: &str) -> bool {
    let address = address.parse::<SocketAddr>();
    address.is_ok_and(|address| !address.ip().is_loopback())
}

fn seconds(values: &Values, name: &str) -> u64 {
    values
        .text(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn is_guessable(secret: &str) -> bool {
    let mut letters: Vec<char> = secret.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    letters.len() < FEW_LETTERS
}

/// Whether a database is elsewhere and its certificate is not looked at.
fn is_unproven(values: &Values) -> bool {
    let url = values.text("DATABASE_URL");
    url.is_some_and(|url| !PostgresConfig::new(url.into()).is_proven())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: (&str, &str, Origin) = ("MEC_LISTEN", "0.0.0.0:8000", Origin::Environment);

    /// Which settings are named first by the sentences.
    fn named(pairs: &[(&str, &str, Origin)]) -> Vec<String> {
        let told = of(&Values::with(pairs));
        told.iter()
            .filter_map(|told| told.says.split(' ').next().map(str::to_owned))
            .collect()
    }

    #[test]
    fn risks_are_told_where_they_are() {
        let check = |pairs: &[(&str, &str, Origin)], expected: &[&str]| {
            assert_eq!(named(pairs), expected, "{pairs:?}");
        };
        let set = |name, text| (name, text, Origin::Environment);
        check(&[], &[]);
        check(
            &[set(
                "MEC_LISTEN",
                "127.0.0.1:8000,[::1]:8000,unix:/run/mec.sock",
            )],
            &[],
        );
        check(&[PUBLIC], &["MEC_LISTEN"]);
        check(
            &[set("MEC_LISTEN", "127.0.0.1:1, [::]:8000")],
            &["MEC_LISTEN"],
        );
        check(&[PUBLIC, set("MEC_TLS_CERT", "/c")], &[]);
        let tls = set("MEC_TLS_CERT", "/c");
        check(
            &[PUBLIC, tls.clone(), set("MEC_RATE_LIMIT_API", "off")],
            &["MEC_RATE_LIMIT_API"],
        );
        check(&[set("MEC_RATE_LIMIT_API", "off")], &[]);
        check(
            &[set("MEC_CORS_ORIGINS", "https://a.example,*")],
            &["MEC_CORS_ORIGINS"],
        );
        check(&[set("MEC_TRUSTED_PROXIES", "10.0.0.0/8")], &[]);
        check(
            &[set("MEC_TRUSTED_PROXIES", "10.0.0.0/8,::/0")],
            &["MEC_TRUSTED_PROXIES"],
        );
        check(&[set("MEC_WHEN_LOST", "open")], &["MEC_WHEN_LOST"]);
        check(&[set("MEC_DEGRADED_FOR_SECONDS", "3600")], &[]);
        check(
            &[set("MEC_DEGRADED_FOR_SECONDS", "3601")],
            &["MEC_DEGRADED_FOR_SECONDS"],
        );
        check(&[set("MEC_BODY_TIMEOUT", "off")], &["MEC_BODY_TIMEOUT"]);
        check(&[set("MEC_METRICS_LISTEN", "127.0.0.1:9000")], &[]);
        let metrics = || set("MEC_METRICS_LISTEN", "10.0.0.1:9000");
        check(&[metrics()], &["MEC_METRICS_LISTEN"]);
        check(&[metrics(), set("MEC_METRICS_TOKEN", "t")], &[]);
        check(&[set("MEC_SECURITY_LOG", "off")], &["MEC_SECURITY_LOG"]);
        let socket = set("MEC_LISTEN", "unix:/run/mec.sock");
        check(&[socket.clone(), set("MEC_SOCKET_MODE", "0660")], &[]);
        check(
            &[socket, set("MEC_SOCKET_MODE", "0666")],
            &["MEC_SOCKET_MODE"],
        );
        check(&[set("JWT_SECRET", &"0123".repeat(9))], &["JWT_SECRET"]);
        check(
            &[(
                "JWT_SECRET",
                "0123456789abcdef0123456789abcdef",
                Origin::Flag,
            )],
            &["JWT_SECRET"],
        );
    }

    #[test]
    fn a_database_elsewhere_must_prove_who_it_is() {
        let check = |url: &str, expected: bool| {
            let values = Values::with(&[("DATABASE_URL", url, Origin::Environment)]);
            assert_eq!(is_unproven(&values), expected, "{url}");
        };
        check("postgres://u:p@127.0.0.1:5432/mec", false);
        check("postgres://u:p@localhost/mec", false);
        check("postgres://u:p@[::1]/mec", false);
        check("postgres:///mec?host=/run/postgresql", false);
        check("postgres://u:p@db.example/mec", true);
        check("postgres://u:p@db.example/mec?sslmode=require", true);
        check("host=10.0.0.1 user=u dbname=mec", true);
        check("host=/run/postgresql user=u dbname=mec", false);
        check(
            "postgres://u:p@db.example/mec?sslmode=verify-full&sslrootcert=/ca",
            false,
        );
    }
}
