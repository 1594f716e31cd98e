//! Exact decimal quantities in millionths; no binary float ever touches one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// An exact decimal with six places, held as a whole number of millionths.
///
/// One event carries at most [`Quantity::MAX_EVENT`] either way; sums may use the whole range
/// of an `i128` and are checked.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default, Debug)]
pub struct Quantity(i128);

/// Why a text is not a [`Quantity`].
#[derive(Copy, Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum QuantityError {
    /// The text is not a number in JSON's grammar.
    #[error("not a decimal number")]
    NotANumber,
    /// The number has more than six significant decimal places.
    #[error("more than six decimal places")]
    TooManyDecimals,
    /// The number is larger than the range allows.
    #[error("number out of range")]
    OutOfRange,
    /// The text has more than 64 bytes.
    #[error("number longer than 64 characters")]
    TooLong,
}

/// Millionths in one.
const SCALE: i128 = 1_000_000;
/// Decimal places of a quantity.
const PLACES: i64 = 6;
/// Longest text that is read as a number, in bytes.
const MAX_TEXT: usize = 64;

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One whole unit.
    pub const ONE: Self = Self(SCALE);
    /// The largest magnitude of one event: 999,999,999,999.999999.
    pub const MAX_EVENT: Self = Self(999_999_999_999_999_999);

    /// A quantity of `micros` millionths.
    pub const fn from_micros(micros: i128) -> Self {
        Self(micros)
    }

    /// The quantity in millionths.
    pub const fn micros(self) -> i128 {
        self.0
    }

    /// A whole number.
    pub const fn from_int(value: i64) -> Self {
        Self(value as i128 * SCALE)
    }

    /// Reads a number in JSON's grammar, exactly, as the quantity of one event.
    ///
    /// # Errors
    /// See [`QuantityError`]; `OutOfRange` beyond ±[`Quantity::MAX_EVENT`]. Trailing zeros are
    /// not decimal places: `1.0000000` is fine.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let quantity = Self::parse_sum(text)?;
        if quantity.0.unsigned_abs() > Self::MAX_EVENT.0.unsigned_abs() {
            return Err(QuantityError::OutOfRange);
        }
        Ok(quantity)
    }

    /// Reads a number like [`Quantity::parse`], without the bound of one event.
    ///
    /// # Errors
    /// See [`QuantityError`]; `OutOfRange` beyond `i128::MAX` millionths either way.
    pub fn parse_sum(text: &str) -> Result<Self, QuantityError> {
        let number = Decimal::parse(text)?;
        if number.is_zero() {
            return Ok(Self::ZERO);
        }
        let shift = number.exponent + PLACES;
        if shift < 0 {
            return Err(QuantityError::TooManyDecimals);
        }
        // An i128 has at most 39 digits, so a larger shift cannot fit and need not be computed.
        let factor = u32::try_from(shift)
            .ok()
            .and_then(|shift| 10_i128.checked_pow(shift))
            .ok_or(QuantityError::OutOfRange)?;
        number
            .digits()
            .try_fold(0_i128, |value, digit| {
                value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
            })
            .and_then(|value| value.checked_mul(factor))
            .map(|value| Self(if number.negative { -value } else { value }))
            .ok_or(QuantityError::OutOfRange)
    }

    /// The number of decimal places needed to write the quantity, 0..=6.
    pub const fn decimals(self) -> u32 {
        let mut rest = self.0 % SCALE;
        if rest == 0 {
            return 0;
        }
        let mut places = 6;
        while rest % 10 == 0 {
            rest /= 10;
            places -= 1;
        }
        places
    }

    /// The sum, or `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` on overflow.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product with a whole number, or `None` on overflow.
    pub fn checked_mul_int(self, factor: i64) -> Option<Self> {
        self.0.checked_mul(i128::from(factor)).map(Self)
    }

    /// The quantity with the other sign; `i128::MIN` millionths saturate.
    #[allow(clippy::should_implement_trait, reason = "it saturates")]
    pub const fn neg(self) -> Self {
        Self(0_i128.saturating_sub(self.0))
    }

    /// The magnitude; `i128::MIN` millionths saturate.
    pub const fn abs(self) -> Self {
        if self.0 < 0 { self.neg() } else { self }
    }

    /// Whether the quantity is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether the quantity is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the quantity is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The quantity divided by a whole number and rounded half-even to six places. A divisor of
    /// zero, which no unit factor is, leaves it as it is.
    pub fn div_round_half_even(self, divisor: i64) -> Self {
        if divisor == 0 {
            return self;
        }
        // The only quotient beyond the range is that of i128::MIN and -1, which saturates.
        Self(div_half_even(self.0, i128::from(divisor)).unwrap_or(i128::MAX))
    }

    /// `self / whole x 100`, rounded half-even to six places; `None` when `whole` is zero or the
    /// exact computation would overflow (from about 10^24 units).
    pub fn percent_of(self, whole: Self) -> Option<Self> {
        const HUNDRED: i128 = 100 * SCALE;
        let quotient = self.0.checked_div(whole.0)?.checked_mul(HUNDRED)?;
        // The whole part is a multiple of an even number, so ties round the same in the rest.
        let rest = self.0.checked_rem(whole.0)?.checked_mul(HUNDRED)?;
        quotient
            .checked_add(div_half_even(rest, whole.0)?)
            .map(Self)
    }

    /// The largest whole number not above the quantity.
    pub const fn floor_int(self) -> i128 {
        self.0.div_euclid(SCALE)
    }
}

/// The quotient rounded to the nearest whole number, ties to the even one.
fn div_half_even(dividend: i128, divisor: i128) -> Option<i128> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?.unsigned_abs();
    let away = match rest.cmp(&(divisor.unsigned_abs() - rest)) {
        Ordering::Less => false,
        Ordering::Equal => quotient % 2 != 0,
        Ordering::Greater => true,
    };
    let step = if (dividend < 0) == (divisor < 0) {
        1
    } else {
        -1
    };
    if away {
        quotient.checked_add(step)
    } else {
        Some(quotient)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (magnitude / 1_000_000, magnitude % 1_000_000);
        let places = self.decimals();
        if places == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = fraction / 10_u128.pow(6 - places);
        write!(
            f,
            "{sign}{whole}.{fraction:0width$}",
            width = places as usize
        )
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

/// Written as a JSON number with its exact digits (by serde_json's writers; a
/// `serde_json::Value` keeps a fraction only as a float).
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % SCALE == 0
            && let Ok(whole) = i64::try_from(self.0 / SCALE)
        {
            return serializer.serialize_i64(whole);
        }
        RawValue::from_string(self.to_string())
            .map_err(ser::Error::custom)?
            .serialize(serializer)
    }
}

/// Reads a JSON number, or a string holding one, from its digits. Without the bound of one
/// event, so that every written sum reads back. It works with serde_json's own deserializers and
/// so not inside `flatten`, untagged or internally tagged types.
impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text: Cow<'_, str> = if raw.get().starts_with('"') {
            Cow::Owned(serde_json::from_str(raw.get()).map_err(de::Error::custom)?)
        } else {
            Cow::Borrowed(raw.get())
        };
        Self::parse_sum(&text).map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::Number)
            .description(Some("An exact decimal with up to six places."))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Quantity {}

/// A number in JSON's grammar taken apart: `±digits x 10^exponent`, where the digits neither
/// begin nor end with a zero (none at all for zero).
#[derive(Copy, Clone, Debug)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    // The digits before and after the point as written, without outer zeros.
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
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

    fn is_zero(&self) -> bool {
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

    fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use proptest::prelude::*;

    use super::QuantityError::{NotANumber, OutOfRange, TooLong, TooManyDecimals};
    use super::*;

    fn q(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn reads_exactly() {
        let table = "0 0,-0 0,-0.000e5 0,0e999999999999999999999999 0,1 1000000,0.1 100000,\
            -3.25 -3250000,1.0000000 1000000,100.00000000000 100000000,0.0000010 1,\
            1e3 1000000000,1.5E-1 150000,1500000000e-9 1500000,0.0000000000000001e+16 1000000,\
            10203.040506 10203040506,999999999999.999999 999999999999999999,\
            -999999999999999999e-6 -999999999999999999";
        for (text, micros) in table.split(',').map(|row| row.split_once(' ').unwrap()) {
            assert_eq!(
                Quantity::parse(text),
                Ok(Quantity(micros.parse().unwrap())),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_with_the_right_reason() {
        let refused = |texts: &str, why| {
            for text in texts.split('|') {
                assert_eq!(Quantity::parse(text), Err(why), "{text}");
            }
        };
        refused(
            "|-|+1|.5|5.|1.e3|01|-01|1e|1e+|1e+-1|NaN|Infinity|-Infinity|inf",
            NotANumber,
        );
        refused("0x10| 1|1 |1_000|1,5|１|1.2.3|1e1.5|null|--1", NotANumber);
        refused(
            "0.0000001|1e-400|1e-7|-1.2345678|1e-99999999999999999999",
            TooManyDecimals,
        );
        refused(
            "1e12|1e400|-1000000000000|1e99999999999999999999|1000000000000e-0",
            OutOfRange,
        );
        refused(&"1".repeat(64), OutOfRange);
        refused(&"1".repeat(65), TooLong);
        let most = Quantity(i128::MAX);
        assert_eq!(Quantity::parse_sum(&most.to_string()), Ok(most));
        let beyond = "170141183460469231731687303715884.105728";
        assert_eq!(Quantity::parse_sum(beyond), Err(OutOfRange));
    }

    #[test]
    fn writes_normalised() {
        for (micros, text) in [
            (0, "0"),
            (500_000, "0.5"),
            (-1, "-0.000001"),
            (100_000_000, "100"),
            (-3_250_000, "-3.25"),
            (i128::MIN, "-170141183460469231731687303715884.105728"),
        ] {
            assert_eq!(Quantity(micros).to_string(), text);
        }
        assert_eq!(
            [q("1"), q("1.5"), q("-0.000001")].map(Quantity::decimals),
            [0, 1, 6]
        );
    }

    #[test]
    fn json_keeps_every_digit() {
        let json = "[0.1,12,-999999999999.999999,10000000000000000000]";
        let read: Vec<Quantity> = serde_json::from_str(json).unwrap();
        assert_eq!(read[2], Quantity::MAX_EVENT.neg());
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        let text = r#""12.5""#;
        assert_eq!(serde_json::from_str::<Quantity>(text).unwrap(), q("12.5"));
        assert_eq!(
            serde_json::from_str::<Option<Quantity>>("null").unwrap(),
            None
        );
        for bad in ["true", "{}", "[1]", "\"x\"", "0.0000001", "null"] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
        assert_eq!(
            serde_json::to_value(q("12")).unwrap(),
            serde_json::json!(12)
        );
    }

    #[test]
    fn rounds_half_even() {
        let table =
            "5/2=2 7/2=4 -5/2=-2 -7/2=-4 5/-2=-2 1/2=0 3/2=2 -1/2=0 2/3=1 1/3=0 60/60=1 7/0=7";
        for row in table.split(' ') {
            let (division, expected) = row.split_once('=').unwrap();
            let (micros, divisor) = division.split_once('/').unwrap();
            let micros = Quantity(micros.parse().unwrap());
            let rounded = micros.div_round_half_even(divisor.parse().unwrap());
            assert_eq!(rounded, Quantity(expected.parse().unwrap()), "{row}");
        }
        let least = Quantity(i128::MIN);
        assert_eq!(least.div_round_half_even(-1), Quantity(i128::MAX));
    }

    #[test]
    fn percentages() {
        assert_eq!(q("1").percent_of(q("3")), Some(q("33.333333")));
        assert_eq!(q("2").percent_of(q("3")), Some(q("66.666667")));
        assert_eq!(q("80").percent_of(q("100")), Some(q("80")));
        assert_eq!(q("-5").percent_of(q("2")), Some(q("-250")));
        assert_eq!(q("5").percent_of(Quantity::ZERO), None);
        assert_eq!(Quantity(i128::MAX).percent_of(Quantity::ONE), None);
        assert_eq!(Quantity(i128::MIN).percent_of(Quantity(-1)), None);
        // 0.0000005 % is a tie and goes to the even neighbour, 0.
        assert_eq!(q("0.000001").percent_of(q("200")), Some(Quantity::ZERO));
        assert_eq!(q("0.000003").percent_of(q("200")), Some(Quantity(2)));
    }

    #[test]
    fn edges_saturate_or_report() {
        assert_eq!(Quantity(i128::MAX).checked_add(Quantity(1)), None);
        assert_eq!(Quantity(i128::MIN).checked_sub(Quantity(1)), None);
        assert_eq!(Quantity(i128::MAX).checked_mul_int(2), None);
        assert_eq!(Quantity(i128::MIN).abs(), Quantity(i128::MAX));
        assert_eq!([q("-0.5"), q("1.9")].map(Quantity::floor_int), [-1, 1]);
    }

    proptest! {
        #[test]
        fn text_round_trips(micros in any::<i128>()) {
            prop_assume!(micros != i128::MIN);
            let quantity = Quantity(micros);
            prop_assert_eq!(Quantity::parse_sum(&quantity.to_string()), Ok(quantity));
            let json = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(&json, &quantity.to_string());
            prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
        }

        #[test]
        fn exponents_shift_the_point(micros in -1_000_000_000_i128..1_000_000_000, shift in -20_i32..20) {
            let text = format!("{micros}e{shift}");
            let (digits, power) = (micros, shift + 6);
            let exact = if power >= 0 {
                Some(digits * 10_i128.pow(power as u32))
            } else {
                let unit = 10_i128.pow(power.unsigned_abs());
                (digits % unit == 0).then(|| digits / unit)
            };
            match (exact, Quantity::parse_sum(&text)) {
                (Some(exact), read) => prop_assert_eq!(read, Ok(Quantity(exact))),
                (None, read) => prop_assert_eq!(read, Err(QuantityError::TooManyDecimals)),
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,70}|-?[0-9]{0,40}(\\.[0-9]{0,20})?([eE][-+]?[0-9]{0,20})?") {
            let _ = Quantity::parse_sum(&text);
        }

        #[test]
        fn rounding_is_within_half(micros in any::<i64>(), divisor in any::<i64>()) {
            prop_assume!(divisor != 0);
            let rounded = Quantity(i128::from(micros)).div_round_half_even(divisor).micros();
            let error = rounded * i128::from(divisor) - i128::from(micros);
            prop_assert!(error.unsigned_abs() * 2 <= u128::from(divisor.unsigned_abs()));
        }
    }
}
