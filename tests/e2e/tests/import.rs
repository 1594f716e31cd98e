//! `mec import` on the real binary: each row counts once, however often and however rudely it is run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use support::{Server, command, mec};

fn usage(server: &Server) -> u64 {
    let args = json!({ "p_external_id": "acme", "p_resource_type": "llm_tokens" });
    server.rpc("get_usage", args).1.as_u64().unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn counts(json: &Value) -> [u64; 4] {
    ["rows", "new", "repeated", "refused"].map(|count| json[count].as_u64().unwrap())
}

/// Rows of 1 token each.
fn tokens(rows: u32) -> String {
    let mut text = "idempotency_key,external_id,resource_type,quantity,details.model\n".to_owned();
    for row in 0..rows {
        writeln!(text, "key-{row},acme,llm_tokens,1,m{}", row % 3).unwrap();
    }
    text
}

#[test]
fn a_csv_file_counts_once_and_refused_rows_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    server.organization("acme", None);
    let text = "\u{feff}idempotency_key,external_id,resource_type,tokens,unit_code,resource_scope,occurred_at,details.model,note\n\
        a,acme,llm_tokens,100,,model:x,2026-01-31T23:59:59Z,\"x, large\",ignored\n\
        b,acme,llm_tokens,10,tokens,,,,\n\
        c,acme,llm_tokens,1.5,,,,,\n\
        d,nobody,llm_tokens,1,,,,,\n\
        ,acme,llm_tokens,1,,,,,\n\
        e,acme,llm_tokens\n\
        b,acme,llm_tokens,11,,,,,\n\
        f,acme,llm_tokens,1,,,,,\n";
    let file = write(folder, "usage.csv", text);
    let args = [
        "import",
        &file,
        "--map",
        "tokens=quantity",
        "--map",
        "note=",
        "--json",
    ];
    let one_at_a_time = [&args[..], &["--in-flight", "1"]].concat();
    let first = mec(folder, &one_at_a_time);
    assert_eq!(first.code, Some(5), "{first:?}");
    assert_eq!(counts(&first.json()), [8, 3, 0, 5]);
    let refused = format!("{file}.refused.csv");
    assert_eq!(first.json()["refused_file"], refused);
    let mut told: Vec<String> = std::fs::read_to_string(&refused)
        .unwrap()
        .lines()
        .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(told.remove(0), "row,idempotency_key,code");
    told.sort();
    let expected = [
        "3,c,too_many_decimals",
        "4,d,account_not_found",
        "5,,unreadable_row",
        "6,,unreadable_row",
        "7,b,idempotency_conflict",
    ];
    assert_eq!(told, expected);
    let second = mec(folder, &one_at_a_time);
    assert_eq!(counts(&second.json()), [8, 0, 3, 5]);
    assert_eq!(usage(&server), 111);
    let series = json!({
        "p_external_id": "acme", "p_resource_type": "llm_tokens", "p_bucket": "month", "p_group_by": "detail:model",
        "p_from": "2026-01-01T00:00:00Z", "p_to": "2026-02-01T00:00:00Z",
    });
    let series = server.rpc("usage_series", series).1;
    assert_eq!(series.as_array().unwrap().len(), 1, "{series}");
    assert!(series.to_string().contains("x, large"), "{series}");
    // Without the faults nothing is refused, and what was told of them goes.
    let whole: Vec<&str> = text
        .lines()
        .enumerate()
        .filter_map(|(number, line)| [0, 1, 2, 8].contains(&number).then_some(line))
        .collect();
    std::fs::write(&file, whole.join("\n")).unwrap();
    mec(folder, &args).ok();
    assert!(!Path::new(&refused).exists());
}

#[test]
fn ndjson_is_read_with_keys_made_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    server.organization("acme", None);
    let mut text = String::new();
    for row in 1..=2_500 {
        writeln!(
            text,
            r#"{{"quantity": {}, "details": {{"row": {row}}}}}"#,
            row % 2 + 1
        )
        .unwrap();
    }
    writeln!(text, "\nno json\n{{\"quantity\": 1, \"account\": \"x\"}}").unwrap();
    writeln!(
        text,
        r#"{{"quantity": 1, "details": {{"a": "{}"}}}}"#,
        "x".repeat(70_000)
    )
    .unwrap();
    let file = write(folder, "usage.ndjson", &text);
    let args = [
        "--external-id",
        "acme",
        "--resource",
        "llm_tokens",
        "--key-prefix",
        "jan-",
        "--json",
    ];
    let import = [&["import", &file][..], &args].concat();
    let first = mec(folder, &import);
    assert_eq!(
        (first.code, counts(&first.json())),
        (Some(5), [2_503, 2_500, 0, 3])
    );
    let told = std::fs::read_to_string(format!("{file}.refused.csv")).unwrap();
    for start in [
        "2502,,unreadable_row,no JSON object",
        "2503,,unreadable_row,",
        "2504,,unreadable_row,the row is longer than 65536 bytes",
    ] {
        assert!(told.contains(start), "{start} {told}");
    }
    assert_eq!(counts(&mec(folder, &import).json()), [2_503, 0, 2_500, 3]);
    assert_eq!(usage(&server), 3_750);
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    server.organization("acme", None);
    let text = "{\"quantity\": 2}\n".repeat(1_500);
    let args = [
        "--external-id",
        "acme",
        "--resource",
        "llm_tokens",
        "--key-prefix",
        "p-",
        "--json",
    ];
    let file = write(folder, "usage.ndjson", &text);
    mec(folder, &[&["import", &file][..], &args].concat()).ok();
    // The same rows by another way are the same rows.
    let mut piped = command(
        folder,
        &[&["import", "-", "--format", "ndjson"][..], &args].concat(),
    )
    .current_dir(folder)
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let more = text + "{}\n";
    piped
        .stdin
        .take()
        .unwrap()
        .write_all(more.as_bytes())
        .unwrap();
    let output = piped.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(counts(&told), [1_501, 0, 1_500, 1]);
    assert!(folder.join("stdin.refused.csv").exists());
    assert_eq!(usage(&server), 3_000);
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_stood() {
    const ROWS: u32 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    server.organization("acme", None);
    let file = write(folder, "usage.csv", &tokens(ROWS));
    let mut import = command(folder, &["import", &file, "--in-flight", "1"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while usage(&server) == 0 {}
    import.kill().unwrap();
    import.wait().unwrap();
    let again = mec(folder, &["import", &file, "--json"]).ok().json();
    let [rows, new, repeated, refused] = counts(&again);
    assert_eq!(
        (rows, new + repeated, refused),
        (ROWS.into(), ROWS.into(), 0)
    );
    assert!(new > 0 && repeated > 0, "{again}");
    assert_eq!(usage(&server), u64::from(ROWS));
}

#[test]
fn an_import_waits_for_a_server_that_comes_back() {
    const ROWS: u32 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Server::start(folder);
    server.organization("acme", None);
    let file = write(folder, "usage.csv", &tokens(ROWS));
    let import = command(folder, &["import", &file, "--in-flight", "2", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while usage(&server) == 0 {}
    let listen = server.address.trim_start_matches("http://").to_owned();
    server.kill();
    let server = Server::start_at(folder, &listen);
    let output = import.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [rows, new, repeated, refused] = counts(&told);
    assert_eq!(
        (rows, new + repeated, refused),
        (ROWS.into(), ROWS.into(), 0)
    );
    assert_eq!(usage(&server), u64::from(ROWS));
}

#[test]
fn what_cannot_be_imported_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    mec(folder, &["migrate"]).ok();
    mec(folder, &["account", "create", "--external-id", "acme"]).ok();
    let unknown = write(folder, "a.csv", "idempotency_key,amount\nk,1\n");
    let endless = format!("idempotency_key,quantity\nk,\"{}\n", "x".repeat(200_000));
    let endless = write(folder, "b.csv", &endless);
    let nameless = write(folder, "c.txt", "");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["import", &unknown], 1, "\"amount\" is no column of usage"),
        (
            &["import", &endless],
            1,
            "a row is longer than 65536 bytes; is a quote not closed?",
        ),
        (
            &["import", &nameless],
            1,
            "name the format with --format csv or --format ndjson",
        ),
        (
            &["import", &unknown, "--map", "amount=count"],
            1,
            "\"count\" is no column of usage",
        ),
        (&["import", "nowhere.csv"], 1, "nowhere.csv cannot be read"),
        (
            &["import", &unknown, "--map", "amount"],
            2,
            "COLUMN=NAME is expected",
        ),
    ];
    for (args, code, sentence) in cases {
        let ran = mec(folder, args);
        assert!(
            ran.code == Some(code) && ran.err.contains(sentence),
            "{args:?} {ran:?}"
        );
    }
    // Where no server runs the folder itself is written to.
    let file = write(folder, "d.csv", &tokens(1_200));
    let told = mec(folder, &["import", &file]).ok().out;
    assert_eq!(told, "1200 rows: 1200 new, 0 repeated, 0 refused\n");
    assert_eq!(usage(&Server::start(folder)), 1_200);
}
