//! Exact decimal quantities in millionths; no binary float ever touches one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

pub(crate) use decimal::Decimal;

mod decimal;

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

#[cfg(test)]
mod tests;
