//! A query string as it stands in an address, taken apart into keys and values.

use super::ParseError;
use super::bounds::{MAX_PAIRS, at_most};
use percent_encoding::percent_decode_str;

/// The keys and values of a query string without its `?`, decoded and in order. A key without `=`
/// has an empty value, so that a filter whose operator was forgotten is refused, not passed over.
///
/// # Errors
/// More than [`MAX_PAIRS`] pairs, or what is not UTF-8 once it is decoded.
pub fn pairs(raw_query: &str) -> Result<Vec<(String, String)>, ParseError> {
    let mut pairs = Vec::new();
    for part in raw_query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((decode(key)?, decode(value)?));
        at_most(pairs.len(), MAX_PAIRS, "parameters")?;
    }
    Ok(pairs)
}

fn decode(text: &str) -> Result<String, ParseError> {
    let spaced = text.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => Err(ParseError {
            message: "the query string is not UTF-8".to_owned(),
            details: None,
            hint: Some("Encode letters as UTF-8, and its bytes with percent signs.".to_owned()),
        }),
    }
}
