//! Words that must not be in a finished change: unfinished code, skipped tests, sleeping tests and
//! paths of one machine.

use super::Finding;
use super::source::{code_only, find_word, line_of, test_lines};
use super::tree::{File, Tree};

/// Spelled in two parts so that this file does not contain them.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

const UNFINISHED: [(&str, &str); 3] = [
    ("todo!", "Unfinished code must not be merged."),
    ("unimplemented!", "Unfinished code must not be merged."),
    ("dbg!", "A debugging aid must not be merged."),
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        findings.extend(machine_paths(file));
    }
    for file in tree.rust() {
        findings.extend(code_words(file));
    }
    findings
}

fn machine_paths(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in MACHINE_PATHS {
        for (offset, _) in file.text.match_indices(path) {
            let before = file
                .text
                .get(..offset)
                .and_then(|part| part.chars().next_back());
            if !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') {
                let text = format!("The path {path} belongs to one machine, not to the project.");
                findings.push(Finding::new(&file.path, line_of(&file.text, offset), text));
            }
        }
    }
    findings
}

fn code_words(file: &File) -> Vec<Finding> {
    let code = code_only(&file.text);
    let mut findings = Vec::new();
    for (word, sentence) in UNFINISHED {
        for offset in find_word(&code, word) {
            findings.push(Finding::new(&file.path, line_of(&code, offset), sentence));
        }
    }
    for (offset, _) in code.match_indices("#[ignore") {
        let sentence = "A test is never skipped: make it run or delete it.";
        findings.push(Finding::new(&file.path, line_of(&code, offset), sentence));
    }
    let tests = test_lines(&code);
    for offset in find_word(&code, "sleep(") {
        let line = line_of(&code, offset);
        if file.is_test() || tests.get(line - 1) == Some(&true) {
            let sentence = "A test never sleeps: wait for the event itself.";
            findings.push(Finding::new(&file.path, line, sentence));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{MACHINE_PATHS, code_words, machine_paths};
    use crate::tidy::tree::File;

    #[track_caller]
    fn lines(path: &str, text: &str, expected: &[usize]) {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let found: Vec<usize> = code_words(&file)
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn unfinished_code_is_found_and_its_name_in_text_is_not() {
        lines("src/a.rs", "fn f() {\n    todo!()\n}", &[2]);
        lines("src/a.rs", "fn f() { dbg!(1) }", &[1]);
        lines("src/a.rs", "// todo!()\nconst A: &str = \"todo!\";", &[]);
    }

    #[test]
    fn skipped_tests_are_found() {
        lines("src/a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}", &[2]);
    }

    #[test]
    fn tests_may_not_sleep_and_other_code_may() {
        lines("src/a.rs", "fn f() { std::thread::sleep(d) }", &[]);
        lines(
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { sleep(d) }\n}",
            &[3],
        );
        lines(
            "tests/a.rs",
            "async fn f() { tokio::time::sleep(d).await }",
            &[1],
        );
    }

    #[test]
    fn paths_of_a_machine_are_found_and_lookalikes_are_not() {
        let [first, second] = MACHINE_PATHS;
        let text =
            format!("cd {first}main\n\"{second}x\"\nhttps://example.com{first}x\nnet{second}");
        let file = File {
            path: "README.md".to_owned(),
            text,
        };
        let found: Vec<usize> = machine_paths(&file)
            .iter()
            .map(|finding| finding.line)
            .collect();
        assert_eq!(found, [1, 2]);
    }
}
