//! The nearest known name to a mistyped one, for hints.

/// The longest name for which a neighbour is sought, in bytes.
const MAX_BYTES: usize = 64;

/// The nearest of some names, if one is near: at most a third of its letters differ.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_BYTES {
        return None;
    }
    let measured = known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate));
    let (differing, candidate) = measured.min_by_key(|(differing, _)| *differing)?;
    (differing * 3 <= candidate.len()).then_some(candidate)
}

/// The number of letters to insert, delete or replace to come from one text to the other.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&right) {
            let replaced = diagonal + usize::from(*other != letter);
            diagonal = *cell;
            before = replaced.min(before + 1).min(*cell + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("abc", "abc", 0),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn only_near_names_are_offered() {
        let known = ["p_account_id", "p_quantity"];
        assert_eq!(nearest("p_acount_id", known), Some("p_account_id"));
        assert_eq!(nearest("p_qty", known), None);
        assert_eq!(nearest(&"p".repeat(100), known), None);
    }
}
