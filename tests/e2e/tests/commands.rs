//! The smaller commands on the real binary: accounts, checks, tokens, and how they reach the data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use support::{Server, binary, command, mec, ran};

#[test]
fn accounts_are_created_and_checked_with_a_server_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for running in [false, true] {
        let name = format!("acme-{running}");
        if !running {
            mec(folder, &["migrate"]).ok();
        }
        let server = running.then(|| Server::start(folder));
        let create = [
            "account",
            "create",
            "--external-id",
            &name,
            "--name",
            "Acme",
            "--email",
            "a@b.example",
            "--timezone",
            "Europe/Berlin",
            "--plan",
            "starter",
            "--json",
        ];
        let row = mec(folder, &create).ok().json();
        assert_eq!(
            (&row["timezone"], &row["entitlements_in_force"]),
            (&json!("Europe/Berlin"), &json!(5))
        );
        let id = row["account_id"].as_str().unwrap();
        let id = id.to_owned();
        child_and_checks(folder, &name, &id);
        let twice = mec(folder, &create);
        assert!(
            twice.code == Some(1) && twice.err.contains("already_exists"),
            "{twice:?}"
        );
        drop(server);
    }
}

fn child_and_checks(folder: &Path, name: &str, id: &str) {
    let child = [
        "account",
        "create",
        "--type",
        "user",
        "--parent",
        id,
        "--external-id",
        &format!("u-{name}"),
    ];
    let table = mec(folder, &child).ok().out;
    assert!(
        table.contains("parent_account_id") && table.contains(id),
        "{table}"
    );
    let allowed = mec(folder, &["check", &format!("u-{name}"), "benchmark_runs"]).ok();
    assert!(
        allowed.out.starts_with("allow (within_entitlement): "),
        "{allowed:?}"
    );
    let by_id = [
        "check",
        id,
        "gpu_hours",
        "--by-id",
        "--quantity",
        "1501",
        "--unit",
        "minutes",
        "--json",
    ];
    let denied = mec(folder, &by_id);
    assert_eq!(
        (denied.code, &denied.json()["code"]),
        (Some(3), &json!("limit_reached"))
    );
    let explained = mec(folder, &["check", name, "benchmark_runs", "--explain"]).ok();
    assert!(explained.out.contains("entitlement_ids"), "{explained:?}");
    let nobody = mec(folder, &["check", "nobody", "benchmark_runs"]);
    assert!(
        nobody.code == Some(3) && nobody.out.contains("account_not_found"),
        "{nobody:?}"
    );
    let wrong = mec(
        folder,
        &["check", name, "benchmark_runs", "--quantity", "x"],
    );
    assert!(
        wrong.code == Some(1) && wrong.err.contains("invalid_value"),
        "{wrong:?}"
    );
}

#[test]
fn a_plan_that_is_not_there_is_said_beside_the_account_that_is() {
    let folder = tempfile::tempdir().unwrap();
    mec(folder.path(), &["migrate"]).ok();
    let create = [
        "account",
        "create",
        "--external-id",
        "acme",
        "--plan",
        "gold",
    ];
    let ran = mec(folder.path(), &create);
    assert_eq!(ran.code, Some(1));
    let expected = "mec: the account was created, but not provisioned with gold: \
                    the plan gold does not exist (plan_not_found)\n";
    assert_eq!(ran.err, expected);
}

#[test]
fn commands_find_their_way_and_say_where_there_is_none() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    let check = ["check", "acme", "benchmark_runs"];
    let empty = mec(&folder, &check);
    assert!(
        empty.code == Some(1) && empty.err.contains("holds no database"),
        "{empty:?}"
    );
    assert!(!folder.exists());
    let mut server = Server::start(&folder);
    server.organization("acme", None);
    // What a killed server left leads nowhere, and is not followed.
    server.kill();
    assert!(folder.join("mec.token").exists());
    assert_eq!(mec(&folder, &check).code, Some(3));
    assert!(!folder.join("mec.token").exists());
    let server = Server::start(&folder);
    let second = mec(&folder, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(
        second.code == Some(1) && second.err.contains("is in use by another mec process"),
        "{second:?}"
    );
    // From elsewhere by its address, with a token, in the namespace that is named.
    let elsewhere = place.path().join("elsewhere");
    let far = [&check[..], &["--server", &server.address]].concat();
    let without = mec(&elsewhere, &far);
    assert!(
        without.code == Some(1) && without.err.contains("MEC_TOKEN is not set"),
        "{without:?}"
    );
    let with = ran(command(&elsewhere, &far).env("MEC_TOKEN", &server.token));
    assert_eq!(with.code, Some(3), "{with:?}");
    let other = [&far[..], &["--namespace", "other"]].concat();
    let other = ran(command(&elsewhere, &other).env("MEC_TOKEN", &server.token));
    assert!(
        other.code == Some(1) && other.err.contains("insufficient_role"),
        "{other:?}"
    );
    let forged = ran(command(&elsewhere, &far).env("MEC_TOKEN", "x.y.z"));
    assert!(
        forged.code == Some(1) && forged.err.contains("invalid_token"),
        "{forged:?}"
    );
    assert!(!elsewhere.exists());
}

#[test]
fn tokens_say_what_they_are_and_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    server.organization("acme", None);
    let token = |args: &[&str]| mec(folder, &[&["token"], args].concat());
    let admin = token(&[
        "--role",
        "mec_admin",
        "--namespace",
        "*",
        "--ttl",
        "15m",
        "--json",
    ]);
    let admin = admin.ok().json();
    assert_eq!(
        (&admin["role"], &admin["namespace_id"]),
        (&json!("mec_admin"), &json!("*"))
    );
    let user = token(&["--role", "mec_user"]).ok().out;
    let asked = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" }).to_string();
    let path = "/api/rpc/check_entitlement";
    assert_eq!(server.post(Some(user.trim()), path, &asked).0, 200);
    let provision = json!({ "p_external_id": "acme", "p_plan_id": "pro" }).to_string();
    assert_eq!(
        server
            .post(Some(user.trim()), "/api/rpc/provision_plan", &provision)
            .0,
        403
    );
    for (args, code, sentence) in [
        (
            &["--namespace", "*"][..],
            1,
            "--namespace '*' is for --role mec_admin only",
        ),
        (&["--namespace", "a b"], 1, "1 to 64 characters"),
        (
            &["--account", "01a20cb0-4e26-72b5-9073-c3c021f7393b"],
            1,
            "--account is for --role mec_user only",
        ),
        (&["--ttl", "soon"], 2, "a number of seconds"),
        (&["--role", "king"], 2, "possible values"),
    ] {
        let ran = token(args);
        assert!(
            ran.code == Some(code) && ran.err.contains(sentence),
            "{args:?} {ran:?}"
        );
    }
}

#[test]
fn keys_are_made_listed_and_revoked_with_a_server_and_without() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    let key = |args: &[&str]| mec(folder, &[&["key"], args].concat());
    let listed = || key(&["list", "--json"]).ok().json();
    let early = key(&["create", "--name", "early"]).ok().out;
    let server = Server::start(folder);
    server.organization("acme", None);
    let late = key(&["create", "--name", "late", "--ttl", "1h", "--json"]);
    let late = late.ok().json();
    assert!(late["expires_at"].is_string(), "{late}");
    let names = |keys: &Value| -> Vec<Value> {
        let keys = keys.as_array().unwrap().iter();
        keys.map(|key| key["name"].clone()).collect()
    };
    assert_eq!(names(&listed()), ["late", "early"]);
    let secret = late["key"].as_str().unwrap();
    assert!(!key(&["list"]).ok().out.contains(secret));

    let asked = json!({ "p_external_id": "acme", "p_resource_type": "benchmark_runs" }).to_string();
    let asks = |key: &str| {
        let path = "/api/rpc/check_entitlement";
        server.post(Some(key.trim()), path, &asked).0
    };
    assert_eq!((asks(&early), asks(secret)), (200, 200));
    let id = late["key_id"].as_str().unwrap();
    key(&["revoke", id]).ok();
    assert_eq!((asks(&early), asks(secret)), (200, 401));
    assert_eq!(names(&listed()), ["early"]);
    let again = key(&["revoke", id]);
    assert!(
        again.code == Some(1) && again.err.contains("key_not_found"),
        "{again:?}"
    );
    let everywhere = key(&["list", "--namespace", "*", "--json"]);
    assert_eq!(everywhere.ok().json(), json!([]));
}

#[test]
fn former_secrets_are_taken_and_a_wrong_setting_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        "the old secret, of 32 bytes or more",
        "the new secret, of 32 bytes or more",
    );
    let signed_by = |secret: &str| {
        let mut token = command(folder.path(), &["token"]);
        ran(token.env("JWT_SECRET", secret))
            .ok()
            .out
            .trim()
            .to_owned()
    };
    let (by_old, by_new) = (signed_by(old), signed_by(new));
    let path = "/api/rpc/get_window_boundaries";
    let asked = json!({ "p_window_type": "calendar_month" }).to_string();
    for (previous, taken) in [(old, 200), ("", 401)] {
        let settings = [("JWT_SECRET", new), ("JWT_SECRET_PREVIOUS", previous)];
        let server = Server::with_environment(folder.path(), &settings);
        let status = |token: &str| server.post(Some(token), path, &asked).0;
        assert_eq!((status(&by_new), status(&by_old)), (200, taken));
    }
    for (name, value, sentence) in [
        ("JWT_SECRET_PREVIOUS", "short secret", "12 bytes"),
        ("JWT_ISSUER", "https://a.example/", "without JWT_JWKS_URL"),
        ("AUTH0_DOMAIN", "https://a.example", "AUTH0_DOMAIN"),
    ] {
        let refused = ran(command(folder.path(), &["serve"]).env(name, value));
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(sentence), "{refused:?}");
        assert!(!refused.err.contains("short secret"), "{refused:?}");
    }
}

#[test]
fn exit_codes_are_told() {
    for args in [&["--help"][..], &["exit-codes"], &["help", "exit-codes"]] {
        let told = ran(Command::new(binary()).args(args)).ok().out;
        assert!(
            told.contains("3  check: the decision is deny"),
            "{args:?} {told}"
        );
    }
    assert_eq!(ran(Command::new(binary()).arg("unknown")).code, Some(2));
}
