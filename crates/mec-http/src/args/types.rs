//! The types of arguments: how each is read, what it allows, and how the description tells it.

use std::sync::Arc;

use mec_core::ids::{is_code, is_key};
use mec_core::quantity::QuantityError;
use mec_core::{Quantity, Timestamp};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr, Schema, SchemaFormat};
use uuid::Uuid;

use super::value::{Arg, Bad, Raw};
use super::{Arguments, Params, Shape};
use crate::error::ApiError;
use crate::rpc::Named;

/// The most elements of an array.
pub const MAX_ITEMS: usize = 1_000;
/// The longest text for people, in bytes.
const MAX_TEXT_BYTES: usize = 1_000;

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A short name of a catalogue row or a scope: 1 to 100 bytes without control characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Code(pub mec_core::Code);

impl Arg for Code {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let text = raw.text().ok().filter(|text| is_code(text));
        let expected = "a string of 1 to 100 bytes without control characters";
        text.map(|text| Self(text.as_ref().into()))
            .ok_or(Bad::value(expected))
    }

    fn schema() -> RefOr<Schema> {
        string().min_length(Some(1)).max_length(Some(100)).into()
    }
}

/// A key, token or external id: 1 to 255 bytes without control characters.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Key(pub Arc<str>);

impl Key {
    /// The key as a text of its own.
    pub fn into_string(self) -> String {
        self.0.as_ref().to_owned()
    }
}

impl Arg for Key {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let text = raw.text().ok().filter(|text| is_key(text));
        let expected = "a string of 1 to 255 bytes without control characters";
        text.map(|text| Self(text.as_ref().into()))
            .ok_or(Bad::value(expected))
    }

    fn schema() -> RefOr<Schema> {
        string().min_length(Some(1)).max_length(Some(255)).into()
    }
}

/// A text for people: at most 1,000 bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Text(pub String);

impl Arg for Text {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let text = raw.text().ok().filter(|text| text.len() <= MAX_TEXT_BYTES);
        text.map(|text| Self(text.into_owned()))
            .ok_or(Bad::value("a string of at most 1000 bytes"))
    }

    fn schema() -> RefOr<Schema> {
        string().max_length(Some(MAX_TEXT_BYTES)).into()
    }
}

impl Arg for Uuid {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let text = raw.text()?;
        // The other forms that the parser knows (braced, urn:) are no UUIDs of JSON or PostgreSQL's output.
        let read = (text.len() == 36)
            .then(|| Self::try_parse(&text).ok())
            .flatten();
        read.ok_or(Bad::value(
            "a UUID such as 0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10",
        ))
    }

    fn schema() -> RefOr<Schema> {
        string()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .into()
    }
}

impl Arg for Timestamp {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let text = raw
            .text()
            .map_err(|_| Bad::value("a string with a date-time"))?;
        Self::parse(&text).map_err(|_| {
            Bad::value("a date-time of the years 0001 to 9998 such as 2026-11-24T02:00:34+00:00")
        })
    }

    fn schema() -> RefOr<Schema> {
        string()
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl Arg for Quantity {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        Self::parse(&raw.digits()?).map_err(|error| match error {
            QuantityError::TooManyDecimals => {
                Bad::with_code("too_many_decimals", "a decimal with at most six places")
            }
            QuantityError::NotANumber => Bad::value("a decimal number"),
            QuantityError::OutOfRange => {
                let range = "a decimal within +-999999999999.999999";
                Bad::value(range)
            }
            QuantityError::TooLong => Bad::value("a decimal of at most 64 characters"),
        })
    }

    fn schema() -> RefOr<Schema> {
        // A decoder of doubles would lose digits that a string keeps, so that both are taken.
        ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::from_iter([
                Type::Number,
                Type::String,
            ]))
            .pattern(Some(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"))
            .into()
    }

    fn to_value(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }
}

/// A whole number, read as a decimal so that `60`, `6e1` and `"60"` are the same.
fn whole(raw: Raw<'_>) -> Result<i64, Bad> {
    let digits = raw.digits().map_err(|_| Bad::value("a whole number"))?;
    let quantity = Quantity::parse(&digits)
        .ok()
        .filter(|quantity| quantity.decimals() == 0);
    let number = quantity.and_then(|quantity| i64::try_from(quantity.floor_int()).ok());
    number.ok_or(Bad::value("a whole number"))
}

macro_rules! whole_numbers {
    ($($ty:ty),+) => {$(
        impl Arg for $ty {
            fn read(raw: Raw<'_>) -> Result<Self, Bad> {
                let range = || format!("a whole number from {} to {}", Self::MIN, Self::MAX);
                Self::try_from(whole(raw)?).map_err(|_| Bad::value(range()))
            }

            fn schema() -> RefOr<Schema> {
                let signed = Self::MIN != 0;
                let bound = (!signed).then_some(0);
                ObjectBuilder::new().schema_type(Type::Integer).minimum(bound).into()
            }

            fn to_value(&self) -> Option<Value> {
                Some((*self).into())
            }
        }
    )+};
}
whole_numbers!(i64, i32, u32);

impl Arg for bool {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        match raw.digits().as_deref() {
            Ok("true") => Ok(true),
            Ok("false") => Ok(false),
            _ => Err(Bad::value("true or false")),
        }
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }

    fn to_value(&self) -> Option<Value> {
        Some((*self).into())
    }
}

/// Up to 1,000 calls in one, each read for itself: a wrong one does not spoil the others.
#[derive(Debug)]
pub struct Many<P>(pub Vec<Result<P, ApiError>>);

impl<P: Params + Named> Arg for Many<P> {
    fn read(raw: Raw<'_>) -> Result<Self, Bad> {
        let items: Result<Vec<&RawValue>, _> = serde_json::from_str(raw.json());
        let items = items.map_err(|_| Bad::value("an array of argument objects"))?;
        if items.len() > MAX_ITEMS {
            return Err(Bad::with_code("too_many_items", "at most 1000 elements"));
        }
        let read = |item: &RawValue| {
            P::decode(&Arguments::from_text(Shape::Function(P::NAME), item.get())?)
        };
        Ok(Self(items.into_iter().map(read).collect()))
    }

    fn schema() -> RefOr<Schema> {
        let item = Ref::from_schema_name(format!("{}_arguments", P::NAME));
        ArrayBuilder::new()
            .items(item)
            .max_items(Some(MAX_ITEMS))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<T: Arg + std::fmt::Debug>(json: &str, expected: &str) {
        let told = match T::read(Raw::Json(json)) {
            Ok(value) => format!("{value:?}"),
            Err(bad) => bad.code.to_owned(),
        };
        assert_eq!(told, expected, "{json}");
    }

    #[test]
    fn quantities() {
        check::<Quantity>("1.50", "Quantity(1500000)");
        check::<Quantity>("\"0.1\"", "Quantity(100000)");
        check::<Quantity>("-123456789012.345678", "Quantity(-123456789012345678)");
        check::<Quantity>("0.1234567", "too_many_decimals");
        for bad in ["\"NaN\"", "1e400", "true", "{}", "[1]", "\"\"", "\"1_0\""] {
            check::<Quantity>(bad, "invalid_value");
        }
    }

    #[test]
    fn whole_numbers() {
        check::<i64>("60", "60");
        check::<i64>("6e1", "60");
        check::<i32>("\"-5\"", "-5");
        check::<u32>("0", "0");
        for bad in ["1.5", "null", "true", "\"x\"", "99999999999999999999"] {
            check::<i64>(bad, "invalid_value");
        }
        check::<u32>("-1", "invalid_value");
        check::<i32>("3000000000", "invalid_value");
    }

    #[test]
    fn names_and_ids() {
        check::<bool>("true", "true");
        check::<bool>("1", "invalid_value");
        check::<Code>("\"a\\u0062\"", "Code(\"ab\")");
        check::<Key>(&format!("\"{}\"", "k".repeat(256)), "invalid_value");
        for bad in ["\"\"", "\"\\n\"", "\"\\ud800\"", "1"] {
            check::<Code>(bad, "invalid_value");
        }
        check::<Uuid>(
            "\"{0192f0c1-7f3a-7cc0-8a3b-5d2f9d1e4a10}\"",
            "invalid_value",
        );
    }
}
