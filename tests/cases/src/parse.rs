//! Reading a file: headings, the givens that the rows of a section share, and rows of three columns.

use crate::outcome::Outcome;
use crate::{Case, Step};

/// Reads the rows of a file.
///
/// # Errors
/// The first line that is not of the format, as `file:line: what is wrong`.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let mut shared: Vec<Step> = Vec::new();
    let mut cases = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let here = |what: String| format!("{file}:{line_number}: {what}");
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with("== ") {
            shared.clear();
        } else if let Some(given) = line.strip_prefix("with ") {
            shared.extend(steps(given).map_err(here)?);
        } else {
            let mut case = row(line).map_err(here)?;
            case.givens.splice(0..0, shared.iter().cloned());
            case.file = file.to_owned();
            case.line = line_number;
            cases.push(case);
        }
    }
    Ok(cases)
}

fn row(line: &str) -> Result<Case, String> {
    let columns: Vec<&str> = split(line, '|')?;
    let [givens, request, outcome] = columns.as_slice() else {
        return Err(format!(
            "a row has three columns (givens | request | outcome), this one has {}",
            columns.len()
        ));
    };
    let request = Step::read(words(request)?)?;
    if !request.asks() {
        return Err(format!("{} asks for nothing", request.verb));
    }
    Ok(Case {
        file: String::new(),
        line: 0,
        text: line.to_owned(),
        givens: steps(givens)?,
        request,
        outcome: Outcome::read(outcome)?,
    })
}

fn steps(text: &str) -> Result<Vec<Step>, String> {
    split(text, ';')?
        .into_iter()
        .filter(|step| !step.trim().is_empty())
        .map(|step| Step::read(words(step)?))
        .collect()
}

/// Parts between separators that do not stand in quotes.
fn split(text: &str, separator: char) -> Result<Vec<&str>, String> {
    let mut quoted = false;
    let parts = text
        .split(|c: char| {
            quoted ^= c == '"';
            c == separator && !quoted
        })
        .collect();
    if quoted {
        return Err("a quotation mark is not closed".to_owned());
    }
    Ok(parts)
}

/// Words between blanks; quotes hold one together and are not part of it.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    });
    Ok(parts
        .filter(|word| !word.is_empty())
        .map(|word| word.replace('"', ""))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn refused(text: &str, what: &str) {
        let told = parse("f.txt", text).err().unwrap_or_default();
        assert!(told.contains(what), "{text:?} told {told:?}");
    }

    #[test]
    fn what_is_not_of_the_format_is_refused_with_its_line() {
        refused(
            "\n# a comment\nx | check 1 r | allow unlimited",
            "f.txt:3: there is no verb x",
        );
        refused("| check 1 r", "f.txt:1: a row has three columns");
        refused("| check 1 | allow unlimited", "check needs 2 words");
        refused(
            "| check 1 r under x | allow unlimited",
            "check has no option under",
        );
        refused("| check 1 r by | allow unlimited", "by needs a value");
        refused("| check 1 r by a by b | allow unlimited", "by stands twice");
        refused(
            "| check 1 r with k | allow unlimited",
            "with needs KEY=VALUE",
        );
        refused("| at 2026-01-01 | allow unlimited", "at asks for nothing");
        refused("| check 1 r | perhaps", "perhaps");
        refused("| check 1 r | allow", "allow needs a code");
        refused(
            "| check 1 r | allow unlimited, left 3",
            "there is no field left",
        );
        refused("| check 1 r | allow unlimited, used", "used needs a value");
        refused("| check 1 r | refused", "refused needs a code");
        refused("with wait 1s; go\n", "f.txt:1: there is no verb go");
        refused("| check 1 r with \"k=v | allow unlimited", "not closed");
    }

    #[test]
    fn a_section_shares_its_givens_and_the_next_begins_anew() {
        let text = "== one\nwith wait 1s\nwait 2s | check 1 r | allow unlimited\n== two\n| check 1 r with \"k=a b\" | allow unlimited";
        let cases = parse("f.txt", text).unwrap_or_default();
        let givens: Vec<Vec<&str>> = cases
            .iter()
            .map(|case| case.givens.iter().map(|step| step.word(0)).collect())
            .collect();
        assert_eq!(givens, [vec!["1s", "2s"], vec![]]);
        assert_eq!(
            cases
                .last()
                .map(|case| (case.line, case.request.context.clone())),
            Some((5, vec![("k".to_owned(), "a b".to_owned())]))
        );
    }
}
