//! Every requirement of `docs/security.md` is proven by a test that is there, or says why it need not be.

use super::tree::Tree;
use super::{Finding, Report};
use std::collections::BTreeMap;

const PAGE: &str = "docs/security.md";
/// The requirements of OWASP ASVS 5.0 up to level 2 that have a row, by their section. Those that level 3 alone
/// asks for are left out.
const REQUIRED: [(&str, &[u32]); 22] = [
    ("2.1", &[1, 2, 3]),
    ("2.2", &[1, 2, 3]),
    ("2.3", &[1, 2, 3, 4]),
    ("2.4", &[1]),
    ("4.1", &[1, 2, 3]),
    ("4.2", &[1]),
    ("4.3", &[1, 2]),
    ("4.4", &[1, 2, 3, 4]),
    ("8.1", &[1, 2]),
    ("8.2", &[1, 2, 3]),
    ("8.3", &[1]),
    ("8.4", &[1]),
    ("9.1", &[1, 2, 3]),
    ("9.2", &[1, 2, 3, 4]),
    ("12.1", &[1, 2, 3]),
    ("12.2", &[1, 2]),
    ("12.3", &[1, 2, 3, 4]),
    ("16.1", &[1]),
    ("16.2", &[1, 2, 3, 4, 5]),
    ("16.3", &[1, 2, 3, 4]),
    ("16.4", &[1, 2, 3]),
    ("16.5", &[1, 2, 3]),
];

pub fn check(tree: &Tree, report: &mut Report) {
    let Some(page) = tree.find(PAGE) else {
        let text = "The page of security requirements is missing.";
        report.failures.push(Finding::new(PAGE, 1, text));
        return;
    };
    let rows = rows(&page.text);
    for id in required().filter(|id| !rows.contains_key(id)) {
        let text = format!("The requirement {id} has no row.");
        report.failures.push(Finding::new(PAGE, 1, text));
    }
    for (id, (line, proof)) in &rows {
        judge(tree, id, *line, proof, report);
    }
}

fn judge(tree: &Tree, id: &str, line: usize, proof: &str, report: &mut Report) {
    if let Some(missing) = proof.strip_prefix("Open:") {
        let text = format!("The requirement {id} is open:{missing}");
        report.notes.push(Finding::new(PAGE, line, text));
        return;
    }
    if let Some(reason) = proof.strip_prefix("Not applicable:") {
        if reason.split_whitespace().count() < 4 {
            let text = format!("The requirement {id} does not say why it is not applicable.");
            report.failures.push(Finding::new(PAGE, line, text));
        }
        return;
    }
    let tests: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
    if tests.is_empty() {
        let text = format!("The requirement {id} names no test.");
        report.failures.push(Finding::new(PAGE, line, text));
    }
    for test in tests.into_iter().filter(|test| !is_there(tree, test)) {
        let text = format!("The requirement {id} names {test}, which is not there.");
        report.failures.push(Finding::new(PAGE, line, text));
    }
}

/// Whether the tree has a test, `file::name`.
fn is_there(tree: &Tree, test: &str) -> bool {
    let Some((path, name)) = test.split_once("::") else {
        return false;
    };
    let head = format!("fn {name}(");
    tree.find(path)
        .is_some_and(|file| file.text.contains(&head))
}

fn required() -> impl Iterator<Item = String> {
    let sections = REQUIRED.iter();
    sections.flat_map(|(section, numbers)| {
        numbers
            .iter()
            .map(move |number| format!("{section}.{number}"))
    })
}

/// The rows by the requirement's id, with line and proof.
fn rows(page: &str) -> BTreeMap<String, (usize, String)> {
    let mut rows = BTreeMap::new();
    for (index, line) in page.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", id, _, _, proof, ""] = cells.as_slice()
            && id.starts_with(|c: char| c.is_ascii_digit())
        {
            rows.insert((*id).to_owned(), (index + 1, (*proof).to_owned()));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{check, required};
    use crate::tidy::Report;
    use crate::tidy::tree::{File, Tree};

    /// The findings on a page where every requirement has this proof.
    fn told(proof: &str) -> Report {
        let rows: Vec<String> = required()
            .map(|id| format!("| {id} | asked | 1 | {proof} |\n"))
            .collect();
        let file = |path: &str, text: String| File {
            path: path.to_owned(),
            text,
        };
        let test = "#[test]\nfn it_holds() {}\n".to_owned();
        let mut report = Report::default();
        let tree = Tree {
            root: "".into(),
            files: vec![file("docs/security.md", rows.concat()), file("a.rs", test)],
        };
        check(&tree, &mut report);
        report
    }

    #[test]
    fn a_row_names_a_test_that_is_there_or_says_why_not() {
        for good in ["`a.rs::it_holds`", "Not applicable: there is none of it."] {
            let report = told(good);
            assert!(
                report.failures.is_empty() && report.notes.is_empty(),
                "{good}"
            );
        }
        for bad in [
            "`a.rs::it_fails`",
            "`b.rs::it_holds`",
            "`a.rs::it_holds`, `a.rs::it_fails`",
            "`a.rs`",
            "it is so",
            "Not applicable:",
        ] {
            assert_eq!(told(bad).failures.len(), required().count(), "{bad}");
        }
        let open = told("Open: it is not done.");
        assert!(open.failures.is_empty() && open.notes.len() == required().count());
    }

    #[test]
    fn a_requirement_without_a_row_is_found() {
        let mut report = Report::default();
        let page = File {
            path: "docs/security.md".to_owned(),
            text: "| 2.1.1 | asked | 1 | Open: not done. |\n".to_owned(),
        };
        let tree = Tree {
            root: "".into(),
            files: vec![page],
        };
        check(&tree, &mut report);
        assert_eq!(report.failures.len(), required().count() - 1);
    }
}
