//! Numbers in JSON's grammar, taken apart without loss.

use std::cmp::Ordering;

use super::QuantityError;

/// Longest text that is read as a number, in bytes.
const MAX_TEXT: usize = 64;

/// A number in JSON's grammar taken apart: `±digits x 10^exponent`, where the digits neither
/// begin nor end with a zero (none at all for zero).
#[derive(Copy, Clone, Debug)]
pub(crate) struct Decimal<'a> {
    pub(super) negative: bool,
    // The digits before and after the point as written, without outer zeros.
    whole: &'a [u8],
    fraction: &'a [u8],
    pub(super) exponent: i64,
}

/// Exponents are cut to this magnitude: beyond any range, and safe to add a length to.
const MAX_EXPONENT: i64 = 1_000_000_000_000_000;

impl<'a> Decimal<'a> {
    /// Takes a number of at most 64 bytes apart.
    pub(crate) fn parse(text: &'a str) -> Result<Self, QuantityError> {
        if text.len() > MAX_TEXT {
            return Err(QuantityError::TooLong);
        }
        Self::parse_bytes(text.as_bytes()).ok_or(QuantityError::NotANumber)
    }

    fn parse_bytes(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (whole, text) = digits(text)?;
        if whole.len() > 1 && whole.starts_with(b"0") {
            return None;
        }
        let (fraction, text) = match text {
            [b'.', rest @ ..] => digits(rest)?,
            _ => (&[] as &[u8], text),
        };
        let written: i64 = match text {
            [] => 0,
            [b'e' | b'E', b'-', rest @ ..] => -exponent(rest)?,
            [b'e' | b'E', b'+', rest @ ..] | [b'e' | b'E', rest @ ..] => exponent(rest)?,
            _ => return None,
        };
        let whole = trim_start(whole);
        let fraction = trim_end(fraction);
        // Zeros on the inner side count as digits only where a digit stands beyond them.
        let (whole, fraction, exponent) = if fraction.is_empty() {
            let trimmed = trim_end(whole);
            (
                trimmed,
                fraction,
                written + (whole.len() - trimmed.len()) as i64,
            )
        } else {
            let exponent = written - fraction.len() as i64;
            (
                whole,
                if whole.is_empty() {
                    trim_start(fraction)
                } else {
                    fraction
                },
                exponent,
            )
        };
        Some(Self {
            negative,
            whole,
            fraction,
            exponent,
        })
    }

    pub(super) fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// The order of the values, exactly; `None` where an exponent is too large to tell.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, negative) => {
                if negative {
                    -1
                } else {
                    1
                }
            }
        };
        let point = |number: &Self| {
            let length = (number.whole.len() + number.fraction.len()) as i64;
            let known = number.exponent.abs() <= MAX_EXPONENT - MAX_TEXT as i64;
            known.then_some(number.exponent + length)
        };
        let signs = sign(self).cmp(&sign(other));
        if signs.is_ne() || self.is_zero() {
            return Some(signs);
        }
        // No digits begin or end with zero: the longer of two with a common beginning is larger.
        let magnitudes = point(self)?
            .cmp(&point(other)?)
            .then_with(|| self.digits().cmp(other.digits()));
        Some(if self.negative {
            magnitudes.reverse()
        } else {
            magnitudes
        })
    }

    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.whole.iter().chain(self.fraction).copied()
    }
}

fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end)
        .filter(|(digits, _)| !digits.is_empty())
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (digits, rest) = digits(text)?;
    let value = digits.iter().fold(0_i64, |value, byte| {
        (value * 10 + i64::from(byte - b'0')).min(MAX_EXPONENT)
    });
    rest.is_empty().then_some(value)
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b'0', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b'0'] = text {
        text = rest;
    }
    text
}
