//! Flags, the environment, the file and files of secrets.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Server, command, ran};

const LONG: &str = "a secret of the tests, 32 bytes or more";

/// A command in a working folder, on the data folder in it.
fn within(folder: &Path, args: &[&str]) -> Command {
    let mut command = command(&folder.join("data"), args);
    command.current_dir(folder);
    command
}

fn secret(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Where each setting that is no default comes from, and its value.
fn origins(ran: &Ran) -> Vec<String> {
    let told = ran.json();
    let settings = told["settings"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    settings
        .map(|one| {
            format!(
                "{} {} {}",
                text(&one["from"]),
                text(&one["name"]),
                text(&one["value"])
            )
        })
        .collect()
}

#[test]
fn the_default_file_is_right_and_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let default = ran(&mut within(place.path(), &["config", "default"]))
        .ok()
        .out;
    assert!(
        default.contains("\n#MEC_LISTEN = \"127.0.0.1:8000\"\n"),
        "{default}"
    );
    let check = |text: &str| {
        fs::write(place.path().join("other.toml"), text).unwrap();
        ran(&mut within(
            place.path(),
            &["config", "check", "other.toml", "--json"],
        ))
        .ok()
    };
    // The data folder is a flag of the test's own.
    assert_eq!(origins(&check(&default)).len(), 1);
    // What is shown with a number is a default, which may be said.
    let is_number = |line: &str| {
        line.starts_with("#MEC_") && line.ends_with(|letter: char| letter.is_ascii_digit())
    };
    let said: Vec<&str> = default
        .lines()
        .filter(|line| is_number(line))
        .map(|line| &line[1..])
        .collect();
    assert!(said.len() > 8, "{said:?}");
    let told = check(&said.join("\n"));
    assert_eq!(origins(&told).len(), said.len() + 1, "{told:?}");
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let place = tempfile::tempdir().unwrap();
    let file =
        "MEC_QUERY_TIMEOUT_MS = 101\nMEC_STALENESS_BOUND_MS = '102'\nMEC_POSTGRES_READERS = 3\n";
    fs::write(place.path().join("mec.toml"), file).unwrap();
    let args = ["config", "check", "--json", "--query-timeout-ms", "201"];
    let mut check = within(place.path(), &args);
    check
        .env("MEC_QUERY_TIMEOUT_MS", "301")
        .env("MEC_STALENESS_BOUND_MS", "302");
    let told = ran(&mut check).ok();
    let origins = origins(&told);
    let expected = [
        "file MEC_POSTGRES_READERS 3",
        "flag MEC_QUERY_TIMEOUT_MS 201",
        "environment MEC_STALENESS_BOUND_MS 302",
    ];
    // The first is the data folder.
    assert_eq!(origins[1..], expected, "{told:?}");
    // A file that is named goes before the one that is there, and the one that is there before the data folder's.
    fs::create_dir(place.path().join("data")).unwrap();
    for name in ["other.toml", "data/mec.toml"] {
        fs::write(place.path().join(name), "MEC_QUERY_TIMEOUT_MS = 400").unwrap();
    }
    let read = |name: Option<&str>| {
        let mut check = within(place.path(), &["config", "check", "--json"]);
        check.envs(name.map(|name| ("MEC_CONFIG", name)));
        ran(&mut check).ok().json()["file"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(read(Some("other.toml")), "other.toml");
    assert_eq!(read(None), "mec.toml");
    fs::remove_file(place.path().join("mec.toml")).unwrap();
    assert!(read(None).ends_with("data/mec.toml"));
}

#[test]
fn what_is_wrong_stops_the_start_with_a_sentence() {
    let place = tempfile::tempdir().unwrap();
    let long = secret(place.path(), "long", LONG);
    let check = |file: &str, environment: &[(&str, &str)], expected: &str| {
        fs::write(place.path().join("mec.toml"), file).unwrap();
        for args in [["serve"].as_slice(), &[], &["config", "check"]] {
            let mut wrong = within(place.path(), args);
            let told = ran(wrong.envs(environment.iter().copied()));
            assert_eq!(told.code, Some(2), "{file} {args:?} {told:?}");
            let shown = told.out + &told.err;
            assert!(shown.contains(expected), "{expected}: {shown}");
            assert!(!shown.contains("hush"), "{shown}");
        }
    };
    let near = "mec.toml: line 3: unknown key \"MEC_LISTN\"; did you mean \"MEC_LISTEN\"?";
    check("# a\n# b\nMEC_LISTN = 'x'", &[], near);
    check(
        "PATH = '/bin'",
        &[],
        "mec.toml: line 1: unknown key \"PATH\"; `mec config default` prints all",
    );
    check(
        "[serve]\nMEC_LISTEN = ''",
        &[],
        "mec.toml: line 1: unknown key \"serve\"",
    );
    check(
        "\nMEC_LISTEN = 8000",
        &[],
        "mec.toml: line 2: MEC_LISTEN has addresses such as 127.0.0.1:8000 or unix:/run/mec.sock, not '8000'",
    );
    check("MEC_LISTEN 8000", &[], "mec.toml: line 1: ");
    let bounds = "MEC_QUERY_TIMEOUT_MS is a whole number of milliseconds from 10 to 600000, not";
    check(
        "MEC_QUERY_TIMEOUT_MS = 9",
        &[],
        &format!("mec.toml: line 1: {bounds} '9'"),
    );
    check(
        "",
        &[("MEC_QUERY_TIMEOUT_MS", "x")],
        &format!("the environment: {bounds} 'x'"),
    );
    check(
        "MEC_WHEN_LOST = ['open']",
        &[],
        "mec.toml: line 1: MEC_WHEN_LOST is one value, no list",
    );
    check("MEC_CONFIG = 'x'", &[], "MEC_CONFIG names the file itself");
    check(
        "JWT_SECRET = 'hush'",
        &[],
        "mec.toml: line 1: JWT_SECRET has 4 bytes",
    );
    check("", &[("MEC_CONFIG", "/nowhere")], "/nowhere cannot be read");
    check(
        "",
        &[("JWT_SECRET_FILE", "/nowhere")],
        "the environment: JWT_SECRET_FILE: /nowhere cannot be read",
    );
    check(
        "",
        &[("JWT_SECRET_FILE", &long), ("JWT_SECRET", "hush")],
        "the environment: JWT_SECRET and JWT_SECRET_FILE are both set",
    );
    check(
        "",
        &[("MEC_LISTEN", "0.0.0.0:0")],
        "set JWT_SECRET (32 bytes or more)",
    );
    check(
        "",
        &[("DATABASE_URL", "postgres://h/hush")],
        "JWT_SECRET is not set: with DATABASE_URL",
    );
    // Commands that do not use it go on; those that would not know are stopped, too.
    let token = |file: &str| {
        fs::write(place.path().join("mec.toml"), file).unwrap();
        ran(&mut within(place.path(), &["token"])).code
    };
    assert_eq!(token("MEC_WHEN_LOST = 'ajar'"), Some(0));
    assert_eq!(token("MEC_WHEN_LOSS = 'open'"), Some(2));
}

#[test]
fn what_is_doubtful_is_warned_of() {
    let place = tempfile::tempdir().unwrap();
    fs::write(
        place.path().join("mec.toml"),
        "STRIPE_API_KEY = 'hush'\nMEC_WHEN_LOST = 'open'\n",
    )
    .unwrap();
    let open = secret(place.path(), "open", LONG);
    fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
    let mut check = within(place.path(), &["config", "check"]);
    check
        .env("MEC_LISTN", "x")
        .env("MEC_LISTEN", "0.0.0.0:8000")
        .env("JWT_SECRET_FILE", &open);
    let told = ran(&mut check).ok().out;
    for expected in [
        "warn  the environment has MEC_LISTN, which is no setting; did you mean MEC_LISTEN?",
        "warn  mec.toml: line 1: STRIPE_API_KEY is set, and not used by this version",
        "open holds a secret and has mode 0644: every user of the machine can read it; chmod 600 ",
        "warn  MEC_WHEN_LOST is open, which is dangerous",
        "warn  MEC_LISTEN has an address that others can reach, without TLS",
        "a secret of 39 bytes",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(!told.contains("hush") && !told.contains(LONG), "{told}");
}

#[test]
fn a_secret_of_a_file_is_the_same_as_one_of_the_environment() {
    let place = tempfile::tempdir().unwrap();
    let path = secret(place.path(), "secret", &format!("{LONG}\n"));
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let mut serve = within(place.path(), &args);
    // It shows no token, and is asked with those that the commands make.
    let server = Server::spawn(serve.env("JWT_SECRET_FILE", &path), Some(String::new()));
    let token = |name: &str, value: &str| {
        let told = ran(within(place.path(), &["token", "--role", "mec_admin"]).env(name, value));
        told.ok().out.trim().to_owned()
    };
    fs::write(
        place.path().join("mec.toml"),
        format!(
            "MEC_TOKEN_FILE = '{}'",
            place.path().join("token").display()
        ),
    )
    .unwrap();
    for token in [token("JWT_SECRET", LONG), token("JWT_SECRET_FILE", &path)] {
        secret(place.path(), "token", &token);
        let args = ["catalogue", "show", "--server", &server.address];
        ran(&mut within(place.path(), &args)).ok();
    }
}
