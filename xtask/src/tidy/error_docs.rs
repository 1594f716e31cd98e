//! Every error code has a place in `docs/errors.md`, and every place there names a code.

use super::Finding;
use super::tree::Tree;
use std::collections::BTreeMap;

const TABLE: &str = "crates/mec-http/src/error/codes.rs";
const PAGE: &str = "docs/errors.md";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let (table, page) = match (tree.find(TABLE), tree.find(PAGE)) {
        (Some(table), Some(page)) => (table, page),
        (None, _) => {
            return vec![Finding::new(
                TABLE,
                1,
                "The table of error codes is missing.",
            )];
        }
        (_, None) => return vec![Finding::new(PAGE, 1, "The page of error codes is missing.")],
    };
    let codes = codes(&table.text);
    if codes.is_empty() {
        return vec![Finding::new(
            TABLE,
            1,
            "No line of the table reads as an error code.",
        )];
    }
    compare(&codes, &anchors(&page.text))
}

fn compare(codes: &BTreeMap<String, usize>, anchors: &BTreeMap<String, usize>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (code, line) in codes
        .iter()
        .filter(|(code, _)| !anchors.contains_key(*code))
    {
        let text = format!(
            "The error code {code} has no place in {PAGE}: add a heading or an anchor of that name."
        );
        findings.push(Finding::new(TABLE, *line, text));
    }
    for (code, line) in anchors
        .iter()
        .filter(|(code, _)| !codes.contains_key(*code))
    {
        let text = format!("{code} is not an error code in {TABLE}.");
        findings.push(Finding::new(PAGE, *line, text));
    }
    findings
}

/// The codes of the table, `code: "..."`, with their lines.
fn codes(table: &str) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    for (index, line) in table.lines().enumerate() {
        for part in line.split("code: \"").skip(1) {
            if let Some((code, _)) = part.split_once('"')
                && is_code(code)
            {
                codes.entry(code.to_owned()).or_insert(index + 1);
            }
        }
    }
    codes
}

/// The codes that the page names by an anchor or a heading, with their lines.
fn anchors(page: &str) -> BTreeMap<String, usize> {
    let mut anchors = BTreeMap::new();
    for (index, line) in page.lines().enumerate() {
        let mut names: Vec<&str> = line
            .split("<a id=\"")
            .skip(1)
            .filter_map(|part| part.split('"').next())
            .collect();
        if line.starts_with("##") {
            names.push(line.trim_start_matches('#').trim().trim_matches('`'));
        }
        for name in names.into_iter().filter(|name| is_code(name)) {
            anchors.entry(name.to_owned()).or_insert(index + 1);
        }
    }
    anchors
}

/// Whether a word has the form of a code: `lower_case_words`, or `PGRST` and digits.
fn is_code(word: &str) -> bool {
    let is_own = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match word.strip_prefix("PGRST") {
        Some(digits) => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()),
        None => !word.is_empty() && word.chars().all(is_own),
    }
}

#[cfg(test)]
mod tests {
    use super::{anchors, codes, compare};

    const TABLE: &str = "Row { code: \"bad_scope\", status: 400 },\nRow { code: \"PGRST202\", .. }\n\
                         code: \"Not a code\"";

    #[track_caller]
    fn check(page: &str, expected: &[&str]) {
        let findings = compare(&codes(TABLE), &anchors(page));
        let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn headings_and_anchors_are_places() {
        check(
            "# Errors\n## Overview\n## `bad_scope`\n<a id=\"PGRST202\"></a>\n",
            &[],
        );
    }

    #[test]
    fn a_code_without_a_place_and_a_place_without_a_code_are_found() {
        check(
            "## bad_scope\n### gone_code\n",
            &[
                "crates/mec-http/src/error/codes.rs:2: The error code PGRST202 has no place in \
                 docs/errors.md: add a heading or an anchor of that name.",
                "docs/errors.md:2: gone_code is not an error code in \
                 crates/mec-http/src/error/codes.rs.",
            ],
        );
    }
}
