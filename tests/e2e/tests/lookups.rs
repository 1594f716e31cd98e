//! `mec lookups` on the real binary, with a server running and without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;

use serde_json::json;
use support::{Ran, Server, mec, ran, verify};

/// Writes the lookups that `show` prints and answers their text and path.
fn shown(folder: &Path) -> (String, String) {
    let text = mec(folder, &["lookups", "show"]).ok().out;
    let path = folder.join("lookups.toml");
    std::fs::write(&path, &text).unwrap();
    (text, path.to_str().unwrap().to_owned())
}

fn apply(folder: &Path, file: &str, more: &[&str]) -> Ran {
    mec(folder, &[&["lookups", "apply", file], more].concat())
}

const MORE: &str = "
[[units]]
unit_code = \"pages\"
unit_category = \"paper\"

[[units]]
unit_code = \"books\"
unit_category = \"paper\"
scale = 2
base_unit_code = \"pages\"
base_factor = 300

[[window_types]]
window_type_code = \"fortnight\"
description = \"Two weeks\"
mode = \"calendar\"
period_unit = \"week\"
period_count = 2
";

const CATALOGUE: &str = "
[[resource_types]]
resource_type_code = \"prints\"
default_unit_code = \"books\"
allowed_units = [\"books\", \"pages\"]

[[plans]]
plan_id = \"reader\"

[[plans.templates]]
resource_type_code = \"prints\"
limit_kind_code = \"cumulative\"
quantity_allowed = 1.5
window_type_code = \"fortnight\"
";

#[test]
fn what_is_shown_changes_nothing_and_new_rows_count_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    let (text, path) = shown(folder);
    let unchanged = "no changes; the set of lookups is at version 1\n";
    assert_eq!(apply(folder, &path, &[]).ok().out, unchanged);
    let json = mec(folder, &["lookups", "show", "--json"]).ok().json();
    assert_eq!(
        (&json["version"], json["units"].as_array().unwrap().len()),
        (&json!(1), 8)
    );

    // A running server takes the rows, and a catalogue that names them, at once.
    let mut server = Server::start(folder);
    server.organization("acme", None);
    std::fs::write(&path, format!("{text}{MORE}")).unwrap();
    let dry = apply(folder, &path, &["--dry-run"]).ok().out;
    let last = "3 added, 0 changed, 0 removed if applied; the set of lookups is at version 1\n";
    assert!(dry.ends_with(last), "{dry}");
    let told = apply(folder, &path, &[]).ok().out;
    let expected =
        "+ unit pages\n    unit_code = \"pages\"\n    unit_category = \"paper\"\n    scale = 0\n";
    assert!(told.starts_with(expected), "{told}");
    let last = "3 added, 0 changed, 0 removed; the set of lookups is at version 2\n";
    assert!(told.ends_with(last), "{told}");
    let plans = folder.join("plans.toml");
    std::fs::write(&plans, CATALOGUE).unwrap();
    let agents = ["--namespace", "agents"];
    let catalogue = ["catalogue", "apply", plans.to_str().unwrap()];
    mec(folder, &[&catalogue[..], &agents].concat()).ok();
    let create = [
        "account",
        "create",
        "--external-id",
        "r",
        "--plan",
        "reader",
    ];
    mec(folder, &[&create[..], &agents].concat()).ok();
    let check = ["check", "r", "prints", "--unit", "pages", "--json"];
    let asked = |pages: &str| {
        let quantity = ["--quantity", pages];
        mec(folder, &[&check[..], &quantity, &agents].concat())
    };
    assert_eq!(asked("450").ok().json()["quantity_remaining"], 1.5);
    assert_eq!(asked("451").code, Some(3));
    let moment = json!({"p_window_type": "fortnight", "p_reference_time": "2026-11-24T10:00:00Z"});
    let window = server.rpc("get_window_boundaries", moment).1;
    let fortnight = json!({"window_start": "2026-11-23T00:00:00+00:00", "window_end": "2026-12-07T00:00:00+00:00"});
    assert_eq!(window, fortnight);

    // What is used changes its description only, and each fault has its line.
    let (text, path) = shown(folder);
    let line = |needle: &str| {
        let mut lines = text.lines();
        1 + lines.position(|line| line.contains(needle)).unwrap()
    };
    let changed = text
        .replace("base_factor = 300", "base_factor = 301")
        .replace("period_count = 2\n", "period_count = 3\n")
        .replace("\"Two weeks\"", "\"Fourteen days\"");
    std::fs::write(&path, &changed).unwrap();
    let refused = apply(folder, &path, &[]);
    assert_eq!(refused.code, Some(1));
    let expected = format!(
        "{path}:{}: the unit books is in use: base_factor stays 300\n\
         {path}:{}: the window type fortnight is in use: period_count stays 2\n\
         mec: 2 faults; nothing was changed\n",
        line("base_factor = 300"),
        line("period_count = 2"),
    );
    assert_eq!(refused.err, expected);
    let described = text.replace("\"Two weeks\"", "\"Fourteen days\"");
    std::fs::write(&path, &described).unwrap();
    let told = apply(folder, &path, &["--json"]).ok().json();
    assert_eq!(
        (&told["version"], told["changes"].as_array().unwrap().len()),
        (&json!(3), 1)
    );
    let late = apply(folder, &path, &[]).ok().out;
    assert_eq!(late, unchanged.replace('1', "3"));
    std::fs::write(&path, described.replace("Fourteen", "14")).unwrap();
    let late = apply(folder, &path, &[]);
    let sentence = "at version 3, and the change was made from version 2";
    assert!(
        late.code == Some(1) && late.err.contains(sentence),
        "{late:?}"
    );
    server.stop();
    assert_eq!(asked("450").code, Some(0));
    assert_eq!(verify(folder).0, Some(0));
}

#[test]
fn only_an_administrator_of_all_namespaces_may() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    let show = ["lookups", "show", "--server", &server.address];
    for (role, sentence) in [
        ("mec_service", "insufficient_role"),
        ("mec_admin", "namespace_id *"),
    ] {
        let token = mec(folder, &["token", "--role", role]).ok().out;
        let refused = ran(support::command(folder, &show).env("MEC_TOKEN", token.trim()));
        assert!(
            refused.code == Some(1) && refused.err.contains(sentence),
            "{refused:?}"
        );
    }
    let all = ["token", "--role", "mec_admin", "--namespace", "*"];
    let token = mec(folder, &all).ok().out;
    ran(support::command(folder, &show).env("MEC_TOKEN", token.trim())).ok();
    // MEC_NAMESPACE is about other commands.
    let set = ran(support::command(folder, &["lookups", "show"]).env("MEC_NAMESPACE", "acme"));
    assert!(set.ok().out.contains("[[window_types]]"));
}
