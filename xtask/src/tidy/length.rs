//! A file that is too long holds more than one concept.

use super::tree::{File, Tree};
use super::{Finding, Report};

const NOTE_OVER: usize = 400;
const FAIL_OVER: usize = 800;

pub fn check(tree: &Tree, report: &mut Report) {
    for file in tree.rust().filter(|file| !is_exempt(file)) {
        let lines = file.text.lines().count();
        if lines > FAIL_OVER {
            let text = format!(
                "The file has {lines} lines; the limit is {FAIL_OVER}. Split it by concept."
            );
            report.failures.push(Finding::new(&file.path, lines, text));
        } else if lines > NOTE_OVER {
            let text =
                format!("The file has {lines} lines; over {NOTE_OVER}, think of splitting it.");
            report.notes.push(Finding::new(&file.path, lines, text));
        }
    }
}

fn is_exempt(file: &File) -> bool {
    file.is_test()
        || file
            .path
            .split('/')
            .any(|part| part == "generated" || part == "data")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::Report;
    use crate::tidy::tree::{File, Tree};

    #[track_caller]
    fn judge(path: &str, lines: usize, failures: usize, notes: usize) {
        let file = File {
            path: path.to_owned(),
            text: "x\n".repeat(lines),
        };
        let mut report = Report::default();
        check(
            &Tree {
                root: "".into(),
                files: vec![file],
            },
            &mut report,
        );
        assert_eq!(
            (report.failures.len(), report.notes.len()),
            (failures, notes)
        );
    }

    #[test]
    fn long_files_are_noted_and_then_refused() {
        judge("crates/a/src/lib.rs", 400, 0, 0);
        judge("crates/a/src/lib.rs", 401, 0, 1);
        judge("crates/a/src/lib.rs", 800, 0, 1);
        judge("crates/a/src/lib.rs", 801, 1, 0);
    }

    #[test]
    fn tests_and_generated_code_may_be_long() {
        judge("crates/a/tests/long.rs", 2000, 0, 0);
        judge("crates/a/src/book/tests.rs", 2000, 0, 0);
        judge("crates/a/src/generated/api.rs", 2000, 0, 0);
        judge("docs/long.md", 2000, 0, 0);
    }
}
