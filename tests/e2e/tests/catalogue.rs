//! `mec catalogue` on the real binary, with a server running and without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Server, mec};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/catalogue.toml")
}

/// Writes the catalogue that `show` prints and answers its text and path.
fn shown(folder: &Path, namespace: &str) -> (String, String) {
    let text = mec(folder, &["catalogue", "show", "--namespace", namespace]);
    let text = text.ok().out;
    let path = folder.join("shown.toml");
    std::fs::write(&path, &text).unwrap();
    (text, path.to_str().unwrap().to_owned())
}

fn apply(folder: &Path, file: &str, more: &[&str]) -> support::Ran {
    let args = [&["catalogue", "apply", file], more].concat();
    mec(folder, &args)
}

#[test]
fn the_example_is_applied_shown_and_sold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    let file = example();
    let file = file.to_str().unwrap();
    let agents = ["--namespace", "agents"];
    let dry = apply(
        folder,
        file,
        &[&agents[..], &["--dry-run", "--json"]].concat(),
    );
    let dry = dry.ok().json();
    assert_eq!(
        (&dry["version"], &dry["applied"]),
        (&json!(0), &json!(false))
    );
    let told = apply(folder, file, &[&agents[..], &["--json"]].concat());
    let told = told.ok().json();
    assert_eq!(
        (&told["version"], &told["applied"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(told["changes"], dry["changes"]);
    let changes = told["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 5 + 4 + 10 + 3);
    assert!(changes.iter().all(|change| change["change"] == "added"));
    // What is printed is the same catalogue, and once more the same text.
    let (text, path) = shown(folder, "agents");
    let again = apply(folder, &path, &agents).ok().out;
    assert_eq!(again, "no changes; the catalogue is at version 1\n");
    assert_eq!(shown(folder, "agents").0, text);
    assert_eq!(apply(folder, file, &agents).ok().out, again);
    // The other namespace is as it was.
    assert!(shown(folder, "default").0.contains("version = 1\n"));

    let create = [
        "account",
        "create",
        "--external-id",
        "acme",
        "--plan",
        "team",
        "--seats",
        "2",
        "--json",
    ];
    let row = mec(folder, &[&create[..], &agents].concat()).ok().json();
    assert_eq!(row["entitlements_in_force"], 5);
    let check = ["check", "acme", "llm_tokens", "--json", "--quantity"];
    let asked = [&check[..], &["10000000"], &agents].concat();
    assert_eq!(mec(folder, &asked).ok().json()["decision"], "allow");
    let paid = [
        &check[..],
        &["10100000", "--context", "contract=signed"],
        &agents,
    ]
    .concat();
    let paid = mec(folder, &paid).ok().json();
    assert_eq!(paid["decision"], "overage", "{paid}");
    let denied = mec(folder, &[&check[..], &["10100000"], &agents].concat());
    assert_eq!(
        (denied.code, &denied.json()["code"]),
        (Some(3), &json!("grace_exceeded"))
    );
}

#[test]
fn faults_are_told_by_line_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    let file = folder.join("plans.toml");
    let text = std::fs::read_to_string(example()).unwrap();
    let line = |needle: &str| {
        let lines = text.lines().collect::<Vec<_>>();
        1 + lines.iter().position(|line| line.contains(needle)).unwrap()
    };
    let broken = text
        .replace(
            "default_unit_code = \"hours\"",
            "default_unit_code = \"hour\"",
        )
        .replace("trial_days = 14", "trail_days = 14")
        .replace("quantity_allowed = 12.5\n", "\n")
        .replace(
            "window_type_code = \"calendar_day\"",
            "window_type_code = \"daily\"",
        )
        .replace("condition_op = \"in\"", "condition_op = \"within\"");
    std::fs::write(&file, broken).unwrap();
    let path = file.to_str().unwrap();
    let ran = apply(folder, path, &[]);
    assert_eq!(ran.code, Some(1));
    let at = |line: usize, sentence: &str| format!("{path}:{line}: {sentence}");
    let expected = [
        at(
            line("default_unit_code = \"hours\""),
            "unknown unit \"hour\"; did you mean \"hours\"?",
        ),
        at(
            line("trial_days"),
            "unknown key \"trail_days\"; did you mean \"trial_days\"?",
        ),
        at(
            line("window_type_code = \"calendar_day\""),
            "unknown window type \"daily\"; known are billing_cycle, calendar_day, calendar_hour, \
             calendar_month, calendar_year, none, rolling_24h, rolling_30d, rolling_7d",
        ),
        at(
            line("quantity_allowed = 12.5") - 3,
            "a template needs the key quantity_allowed: a number, or \"unlimited\"",
        ),
        at(
            line("condition_op = \"in\""),
            "unknown condition_op \"within\"; known are eq, exists, gt, gte, in, lt, lte, ne, not_in",
        ),
        "mec: 5 faults; nothing was changed".to_owned(),
    ];
    assert_eq!(ran.err.lines().collect::<Vec<_>>(), expected);
    let told = apply(folder, path, &["--json"]).json();
    assert_eq!(
        (&told["applied"], told["faults"].as_array().unwrap().len()),
        (&json!(false), 5)
    );
    assert_eq!(
        told["faults"][0]["line"],
        line("default_unit_code = \"hours\"")
    );
    std::fs::write(&file, "version = 1\n[[plans]\nplan_id = \"x\n").unwrap();
    let ran = apply(folder, path, &[]);
    let first = ran.err.lines().next().unwrap();
    assert!(first.starts_with(&format!("{path}:2: ")), "{first}");
    assert!(shown(folder, "default").0.contains("version = 1\n"));
    let ran = apply(folder, "nowhere.toml", &[]);
    assert!(
        ran.code == Some(1) && ran.err.contains("nowhere.toml cannot be read"),
        "{ran:?}"
    );
}

#[test]
fn a_running_server_obeys_a_change_at_once_and_refuses_a_late_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::start(folder);
    let (text, path) = shown(folder, "default");
    let on_pro = [
        "account",
        "create",
        "--external-id",
        "acme",
        "--plan",
        "pro",
    ];
    mec(folder, &on_pro).ok();
    let more = text.replace("quantity_allowed = 500\n", "quantity_allowed = 550\n");
    assert_ne!(more, text);
    std::fs::write(&path, &more).unwrap();
    let told = apply(folder, &path, &[]).ok().out;
    let expected = "~ template pro: benchmark_runs cumulative calendar_month\n    \
                    quantity_allowed = 500 -> 550\n\
                    0 added, 1 changed, 0 removed; the catalogue is at version 2\n";
    assert_eq!(told, expected);
    let other = [
        "account",
        "create",
        "--external-id",
        "other",
        "--plan",
        "pro",
    ];
    mec(folder, &other).ok();
    for (account, allowed) in [("acme", 500), ("other", 550)] {
        let asked = json!({ "p_external_id": account, "p_resource_type": "benchmark_runs" });
        let answer = server.rpc("check_entitlement", asked).1;
        assert_eq!(answer["quantity_allowed"], allowed, "{account}");
    }
    // The file was made from version 1; somebody has changed the catalogue since.
    std::fs::write(&path, text.replace("\"Pro\"", "\"Professional\"")).unwrap();
    let late = apply(folder, &path, &[]);
    assert_eq!(late.code, Some(1));
    assert!(
        late.err
            .contains("at version 2, and the change was made from version 1"),
        "{late:?}"
    );
    server.stop();
}

#[test]
fn what_is_used_stays_and_only_an_administrator_may() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    let create = [
        "account",
        "create",
        "--external-id",
        "acme",
        "--plan",
        "pro",
    ];
    mec(folder, &create).ok();
    let (text, path) = shown(folder, "default");
    let without = |plan: &str| {
        let start = text
            .find(&format!("[[plans]]\nplan_id = \"{plan}\""))
            .unwrap();
        let rest = &text[start + 1..];
        let end = rest
            .find("[[plans]]")
            .or(rest.find("[[control_rules]]"))
            .unwrap();
        format!("{}{}", &text[..start], &rest[end..])
    };
    std::fs::write(&path, without("pro")).unwrap();
    let held = apply(folder, &path, &["--dry-run"]);
    assert_eq!(held.code, Some(1));
    assert!(
        held.err
            .contains("the plan pro is held by accounts: keep it"),
        "{held:?}"
    );
    std::fs::write(&path, without("enterprise")).unwrap();
    let gone = apply(folder, &path, &["--json"]).ok().json();
    let removed: Vec<&Value> = gone["changes"].as_array().unwrap().iter().collect();
    assert_eq!(removed.len(), 6, "{gone}");
    assert_eq!(removed[0]["change"], "removed");
    // Only an administrator may.
    let service = server.token.clone();
    let mut command = support::command(folder, &["catalogue", "show", "--server", &server.address]);
    let refused = support::ran(command.env("MEC_TOKEN", &service));
    assert!(
        refused.code == Some(1) && refused.err.contains("insufficient_role"),
        "{refused:?}"
    );
}
