//! A view of Rust source without its comments and literals, line for line.

/// Blanks comments, strings and characters, and keeps every newline where it stood.
pub fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            code.extend(chars.get(at));
            at += 1;
        } else {
            let blanked = chars.get(at..end).unwrap_or_default();
            code.extend(blanked.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment or literal that begins at `at` ends; `at` itself if none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let char_at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let after_word = at > 0 && is_word(char_at(at - 1));
    match (char_at(at), char_at(at + 1)) {
        ('/', '/') => line_end(chars, at),
        ('/', '*') => block_comment_end(chars, at),
        ('"', _) => string_end(chars, at + 1),
        ('r', '"' | '#') if !after_word => raw_string_end(chars, at),
        ('b' | 'c', '"') if !after_word => string_end(chars, at + 2),
        ('b' | 'c', 'r') if !after_word && matches!(char_at(at + 2), '"' | '#') => {
            match raw_string_end(chars, at + 1) {
                end if end == at + 1 => at,
                end => end,
            }
        }
        ('\'', '\\') => quote_end(chars, at + 3),
        ('\'', _) if char_at(at + 2) == '\'' => at + 3,
        _ => at,
    }
    .min(chars.len())
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars
        .iter()
        .skip(at)
        .position(|c| *c == '\n')
        .map_or(chars.len(), |length| at + length)
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut index) = (0, at);
    loop {
        match (chars.get(index), chars.get(index + 1)) {
            (Some('/'), Some('*')) => (depth, index) = (depth + 1, index + 2),
            (Some('*'), Some('/')) => (depth, index) = (depth - 1, index + 2),
            (None, _) => return chars.len(),
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
}

fn string_end(chars: &[char], mut index: usize) -> usize {
    loop {
        match chars.get(index) {
            Some('\\') => index += 2,
            Some('"') => return index + 1,
            None => return chars.len(),
            Some(_) => index += 1,
        }
    }
}

/// `at` is the `r`; it is answered itself when no string begins there (`r#type`).
fn raw_string_end(chars: &[char], at: usize) -> usize {
    let hashes = chars.iter().skip(at + 1).take_while(|c| **c == '#').count();
    let mut index = at + 1 + hashes;
    if chars.get(index) != Some(&'"') {
        return at;
    }
    index += 1;
    while index < chars.len() {
        let closing = chars
            .iter()
            .skip(index + 1)
            .take(hashes)
            .filter(|c| **c == '#')
            .count();
        if chars.get(index) == Some(&'"') && closing == hashes {
            return index + 1 + hashes;
        }
        index += 1;
    }
    chars.len()
}

fn quote_end(chars: &[char], from: usize) -> usize {
    chars
        .iter()
        .skip(from)
        .position(|c| *c == '\'')
        .map_or(chars.len(), |length| from + length + 1)
}

/// For each line of a code view, whether it stands in an item for tests only.
pub fn test_lines(code: &str) -> Vec<bool> {
    let mut lines = vec![false; code.lines().count()];
    for marker in ["#[cfg(test)]", "#[cfg(all(test", "#[test]"] {
        for (start, _) in code.match_indices(marker) {
            let end = item_end(code, start + marker.len());
            let first = line_of(code, start) - 1;
            let last = line_of(code, end) - 1;
            lines
                .iter_mut()
                .take(last + 1)
                .skip(first)
                .for_each(|line| *line = true);
        }
    }
    lines
}

/// The end of the item after an attribute: its closing brace, or its semicolon if it has no body.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code.get(from..).unwrap_or_default().char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return from + offset,
            '}' => depth -= 1,
            ';' if depth == 0 => return from + offset,
            _ => {}
        }
    }
    code.len()
}

/// The number, from 1, of the line in which a byte offset lies.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The byte offsets at which `word` stands as a word of its own.
pub fn find_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let ends_in_word = word.ends_with(is_word);
    let stands_alone = move |offset: &usize| {
        let before = text
            .get(..*offset)
            .and_then(|part| part.chars().next_back());
        let after = text
            .get(offset + word.len()..)
            .and_then(|part| part.chars().next());
        !(before.is_some_and(is_word) || (ends_in_word && after.is_some_and(is_word)))
    };
    text.match_indices(word)
        .map(|(offset, _)| offset)
        .filter(stands_alone)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::{code_only, find_word, test_lines};

    #[track_caller]
    fn check(source: &str, expected: &str) {
        assert_eq!(code_only(source), expected);
    }

    #[test]
    fn comments_are_blanked_and_lines_stay() {
        check("a // b\nc", "a     \nc");
        check("a /* b /* c */\n d */ e", "a             \n      e");
        check("/// doc\nfn f() {}", "       \nfn f() {}");
    }

    #[test]
    fn literals_are_blanked() {
        check(r#"f("a\"b", c)"#, "f(      , c)");
        check(r###"f(r#"a"b"#, c)"###, "f(        , c)");
        check(r#"f(b"ab", br"x")"#, "f(     ,      )");
        check(r"f('\'', 'x', '\u{1F600}')", "f(    ,    ,            )");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        check(
            "fn f<'a>(x: &'a str, r#type: u8)",
            "fn f<'a>(x: &'a str, r#type: u8)",
        );
        check("var\"x\"", "var   ");
    }

    #[test]
    fn what_has_no_end_reaches_to_the_end() {
        check("a \"b", "a   ");
        check("a /* b", "a     ");
        check("a '\\", "a   ");
    }

    #[test]
    fn test_items_are_found() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { {} }\n}\nfn c() {}";
        assert_eq!(test_lines(code), [false, true, true, true, true, false]);
        assert_eq!(
            test_lines("#[cfg(test)]\nuse x;\nfn c() {}"),
            [true, true, false]
        );
    }

    #[test]
    fn words_have_bounds() {
        let found: Vec<_> = find_word("sleep(1) asleep(2) x::sleep(d)", "sleep(").collect();
        assert_eq!(found, [0, 22]);
        assert_eq!(find_word("Instants InstantX", "Instant").count(), 0);
        assert_eq!(find_word("std::fs", "std::").count(), 1);
    }
}
