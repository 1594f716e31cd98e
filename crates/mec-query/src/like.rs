//! Patterns of SQL's LIKE.

/// SQL's LIKE: `%` for any letters, `_` for one, and a backslash before either of them itself.
pub fn is_like(pattern: &str, text: &str, any_case: bool) -> bool {
    if any_case {
        return is_like(&pattern.to_lowercase(), &text.to_lowercase(), false);
    }
    let pattern = letters(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where to go on when what follows the last `%` does not fit: it takes one letter more.
    let mut again = None;
    while from < text.len() {
        match (pattern.get(at), text.get(from)) {
            (Some(Letter::Any), _) => {
                again = Some((at + 1, from + 1));
                at += 1;
            }
            (Some(Letter::One), _) => {
                at += 1;
                from += 1;
            }
            (Some(Letter::Is(wanted)), Some(held)) if wanted == held => {
                at += 1;
                from += 1;
            }
            _ => match again {
                Some((after, next)) => {
                    at = after;
                    from = next;
                    again = Some((after, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == Letter::Any)
}

#[derive(Eq, PartialEq)]
enum Letter {
    Any,
    One,
    Is(char),
}

fn letters(pattern: &str) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        letters.push(match letter {
            '%' => Letter::Any,
            '_' => Letter::One,
            '\\' => match rest.next() {
                Some(letter) => Letter::Is(letter),
                None => break,
            },
            letter => Letter::Is(letter),
        });
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness() {
        for (pattern, text, expected) in [
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("a_c", "abc", true),
            ("a_", "abc", false),
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("a\\%", "a%", true),
            ("a\\%", "ab", false),
            ("%ab%ab", "abxab", true),
            ("%ab%ab", "ab", false),
            ("\u{e4}_", "\u{e4}\u{f6}", true),
        ] {
            assert_eq!(is_like(pattern, text, false), expected, "{pattern} {text}");
        }
    }
}
