//! Invariant I1: `mec-core` does no I/O, reads no clock and makes no random number.

use super::Finding;
use super::source::{code_only, find_word, line_of, test_lines};
use super::tree::{File, Tree};

const ROOT: &str = "crates/mec-core/src/lib.rs";
const FOLDER: &str = "crates/mec-core/src/";

/// Names that only a clock, a random source or the system answers to.
const NAMES: [&str; 9] = [
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "now_v7",
    "new_v4",
    "rand",
    "getrandom",
    "tokio",
];

/// Modules of `std` that reach outside.
const STD_MODULES: [&str; 6] = ["env", "fs", "io", "net", "process", "thread"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let forbids = |file: &File| code_only(&file.text).contains("#![forbid(unsafe_code)]");
    if !tree.find(ROOT).is_some_and(forbids) {
        findings.push(Finding::new(
            ROOT,
            1,
            "The core must say #![forbid(unsafe_code)].",
        ));
    }
    for file in tree
        .rust()
        .filter(|file| file.path.starts_with(FOLDER) && !file.is_test())
    {
        findings.extend(impure(file));
    }
    findings
}

fn impure(file: &File) -> Vec<Finding> {
    let code = code_only(&file.text);
    let tests = test_lines(&code);
    let mut found: Vec<(usize, String)> = Vec::new();
    for name in NAMES {
        found.extend(find_word(&code, name).map(|offset| (offset, name.to_owned())));
    }
    found.extend(std_modules(&code));
    let mut findings = Vec::new();
    for (offset, name) in found {
        let line = line_of(&code, offset);
        if tests.get(line - 1) != Some(&true) {
            let text = format!(
                "The core may not use {name}: the caller passes the time and new ids in (I1)."
            );
            findings.push(Finding::new(&file.path, line, text));
        }
    }
    findings
}

/// The uses of an outside module of `std`, alone or in a group as in `use std::{fs, mem}`.
fn std_modules(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for start in find_word(code, "std::") {
        let rest = code.get(start + "std::".len()..).unwrap_or_default();
        let names = match rest.strip_prefix('{') {
            Some(group) => group_heads(group),
            None => vec![head(rest)],
        };
        for name in names.into_iter().filter(|name| STD_MODULES.contains(name)) {
            found.push((start, format!("std::{name}")));
        }
    }
    found
}

/// The first word of every member of a use group, whose opening brace is already read.
fn group_heads(group: &str) -> Vec<&str> {
    let mut heads = vec![head(group)];
    let mut depth = 0_usize;
    for (offset, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(head(group.get(offset + 1..).unwrap_or_default())),
            _ => {}
        }
    }
    heads
}

fn head(text: &str) -> &str {
    let text = text.trim_start();
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::impure;
    use crate::tidy::tree::File;

    #[track_caller]
    fn lines(text: &str, expected: &[usize]) {
        let file = File {
            path: "crates/mec-core/src/a.rs".to_owned(),
            text: text.to_owned(),
        };
        let mut found: Vec<usize> = impure(&file).iter().map(|finding| finding.line).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn clocks_and_random_sources_are_refused() {
        lines("use std::time::{Duration, Instant};", &[1]);
        lines("fn f() {\n    jiff::Timestamp::now()\n}", &[2]);
        lines(
            "let id = Uuid::now_v7();\nlet other = Uuid::new_v4();",
            &[1, 2],
        );
        lines("use rand::Rng;", &[1]);
        lines("let operand = 1; // Instant\nlet brand = \"rand\";", &[]);
    }

    #[test]
    fn outside_modules_are_refused_alone_and_in_groups() {
        lines("use std::fs;", &[1]);
        lines("use std::{mem, net::TcpStream};", &[1]);
        lines("std::fs::read(path)", &[1]);
        lines("use std::{collections::{BTreeMap, HashMap}, fmt};", &[]);
    }

    #[test]
    fn tests_of_the_core_may_read_their_tables() {
        lines("#[cfg(test)]\nmod tests {\n    use std::fs;\n}", &[]);
    }
}
