//! What is asked of a column: `not.eq.5`.

use super::ParseError;
use super::cursor::Cursor;
use super::lists::{Place, array, list, value};
use crate::ast::{Comparison, Operand, Operator, Truth};
use crate::names::{COMPARISONS, RANGES, SEARCHES, TRUTHS, meaning};

const DELIMITER: &str = "delimiter (.)";
const HOW: &str = "A filter is written column=operator.value, as in status=eq.active.";

/// An operator with its value, and whether `not.` stands before it.
pub(super) fn operator(
    cursor: &mut Cursor<'_>,
    place: Place,
) -> Result<(bool, Operator), ParseError> {
    let is_negated = cursor.eat("not.");
    let start = *cursor;
    let word = cursor.take_while(|letter| letter.is_ascii_alphabetic());
    let operator = if let Some(comparison) = meaning(&COMPARISONS, word) {
        let operand = operand(cursor, place, comparison)?;
        Operator::Compare {
            comparison,
            operand,
        }
    } else if let Some(kind) = meaning(&SEARCHES, word) {
        let configuration = configuration(cursor)?;
        cursor.require(".", DELIMITER)?;
        let query = value(cursor, place)?;
        Operator::Search {
            kind,
            configuration,
            query,
        }
    } else if RANGES.contains(&word) {
        cursor.require(".", DELIMITER)?;
        let name = word.to_owned();
        let value = value(cursor, place)?;
        Operator::OfRanges { name, value }
    } else {
        match word {
            "in" => {
                cursor.require(".", DELIMITER)?;
                Operator::In(list(cursor)?)
            }
            "is" => {
                cursor.require(".", DELIMITER)?;
                Operator::Is(truth(cursor)?)
            }
            "isdistinct" => {
                cursor.require(".", DELIMITER)?;
                Operator::IsDistinct(value(cursor, place)?)
            }
            _ => return Err(unknown(&start, word)),
        }
    };
    Ok((is_negated, operator))
}

fn operand(
    cursor: &mut Cursor<'_>,
    place: Place,
    comparison: Comparison,
) -> Result<Operand, ParseError> {
    let before = *cursor;
    let quantifier = if cursor.eat("(any)") {
        Some(Operand::Any as fn(Vec<String>) -> Operand)
    } else if cursor.eat("(all)") {
        Some(Operand::All as fn(Vec<String>) -> Operand)
    } else {
        None
    };
    // "not equal to any" is read in two ways, so the language has neither.
    if quantifier.is_some() && comparison == Comparison::NotEqual {
        let hint = "Write not.eq(any) for none of them, or not.eq(all).";
        return Err(before.error(DELIMITER).with_hint(hint));
    }
    match quantifier {
        None if cursor.is_at("(") => Err(cursor.error("(any), (all) or a delimiter (.)")),
        None => {
            cursor.require(".", DELIMITER)?;
            Ok(Operand::One(value(cursor, place)?))
        }
        Some(of) => {
            cursor.require(".", DELIMITER)?;
            Ok(of(array(cursor, place)?))
        }
    }
}

fn configuration(cursor: &mut Cursor<'_>) -> Result<Option<String>, ParseError> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let name = cursor.name()?.text;
    cursor.require(")", "a closing parenthesis")?;
    Ok(Some(name))
}

fn truth(cursor: &mut Cursor<'_>) -> Result<Truth, ParseError> {
    let start = *cursor;
    let word = cursor.take_while(|letter| letter.is_ascii_alphabetic() || letter == '_');
    meaning(&TRUTHS, &word.to_ascii_lowercase())
        .ok_or_else(|| start.error("null, not_null, true, false or unknown"))
}

fn unknown(start: &Cursor<'_>, word: &str) -> ParseError {
    let error = start.error("operator (eq, gt, ...)");
    match nearest(&word.to_ascii_lowercase()) {
        Some(name) => error.with_hint(format!("Did you mean \"{name}\"? {HOW}")),
        None => error.with_hint(HOW),
    }
}

/// The operator that is almost this word: one letter differs, or two of a longer one. Of several,
/// one that begins alike, as "ft" does with "fts".
fn nearest(word: &str) -> Option<&'static str> {
    const LONGEST: usize = 12;
    let differing = match word.len() {
        0 => return None,
        1..=3 => 1,
        4..=LONGEST => 2,
        _ => return None,
    };
    let names = COMPARISONS.iter().map(|(name, _)| *name);
    let names = names.chain(SEARCHES.iter().map(|(name, _)| *name));
    let names = names.chain(RANGES).chain(["in", "is", "isdistinct"]);
    let begins_alike = |name: &str| name.chars().next() == word.chars().next();
    let measured = names.map(|name| (crate::near::distance(word, name), name));
    let near = measured.filter(|(letters, name)| *letters <= differing && *letters < name.len());
    near.min_by_key(|(letters, name)| (*letters, !begins_alike(name)))
        .map(|(_, name)| name)
}
