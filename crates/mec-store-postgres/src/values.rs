//! Between PostgreSQL's values and the core's.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use mec_core::{Code, Namespace, Quantity, Timestamp};
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use tokio_postgres::Row;

use crate::error::Fault;

/// PostgreSQL counts microseconds from 2000-01-01 on.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A moment as a `timestamptz`, whose calendar reaches further than the core's.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct At(pub(crate) Timestamp);

impl ToSql for At {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.put_i64(self.0.as_micros().saturating_sub(EPOCH_MICROS));
        Ok(IsNull::No)
    }

    accepts!(TIMESTAMPTZ);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for At {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(Timestamp::from_micros(
            micros.saturating_add(EPOCH_MICROS),
        )))
    }

    accepts!(TIMESTAMPTZ);
}

/// An amount of millionths as the decimal text that a `numeric` is cast from.
pub(crate) fn decimal(micros: i128) -> String {
    Quantity::from_micros(micros).to_string()
}

/// Millionths from the decimal text of a `numeric` with six places at the most.
pub(crate) fn millionths(text: &str) -> Result<i128, Fault> {
    let damaged = || Fault::damaged(format!("{text} is no amount"));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_fraction = fraction.len() <= 6 && fraction.bytes().all(|of| of.is_ascii_digit());
    let whole: Option<i128> = whole.parse().ok().filter(|_| is_fraction);
    let whole = whole.and_then(|whole| whole.checked_mul(1_000_000));
    let places = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let rest = places.fold(0, |rest: i128, digit| rest * 10 + i128::from(digit - b'0'));
    let micros = whole.ok_or_else(damaged)?.saturating_add(rest);
    Ok(sign * micros)
}

/// Reading a row by the order of its columns. A value that the schema rules out is damage.
pub(crate) trait Columns {
    fn read<'a, T: FromSql<'a>>(&'a self, column: usize) -> Result<T, Fault>;

    fn at(&self, column: usize) -> Result<Timestamp, Fault> {
        Ok(self.read::<At>(column)?.0)
    }

    fn optional_at(&self, column: usize) -> Result<Option<Timestamp>, Fault> {
        Ok(self.read::<Option<At>>(column)?.map(|At(at)| at))
    }

    fn code(&self, column: usize) -> Result<Code, Fault> {
        Ok(Code::from(self.read::<&str>(column)?))
    }

    fn optional_code(&self, column: usize) -> Result<Option<Code>, Fault> {
        Ok(self.read::<Option<&str>>(column)?.map(Code::from))
    }

    /// A text of which the empty one stands for none.
    fn none_if_empty(&self, column: usize) -> Result<Option<Code>, Fault> {
        let text: &str = self.read(column)?;
        Ok((!text.is_empty()).then(|| Code::from(text)))
    }

    fn namespace(&self, column: usize) -> Result<Namespace, Fault> {
        self.named(column, Namespace::parse)
    }

    /// A text that names one of a closed set.
    fn named<T>(&self, column: usize, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let text: &str = self.read(column)?;
        parse(text).ok_or_else(|| Fault::damaged(format!("{text} is not expected here")))
    }

    fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, Fault> {
        let number: i64 = self.read(column)?;
        T::try_from(number).map_err(|_| Fault::damaged(format!("{number} is out of range")))
    }

    fn amount(&self, column: usize) -> Result<i128, Fault> {
        millionths(self.read(column)?)
    }

    fn quantity(&self, column: usize) -> Result<Quantity, Fault> {
        Ok(Quantity::from_micros(self.amount(column)?))
    }

    fn optional_quantity(&self, column: usize) -> Result<Option<Quantity>, Fault> {
        let text: Option<&str> = self.read(column)?;
        text.map(|text| Ok(Quantity::from_micros(millionths(text)?)))
            .transpose()
    }

    fn hash(&self, column: usize) -> Result<[u8; 32], Fault> {
        let bytes: &[u8] = self.read(column)?;
        let hash = bytes.try_into();
        hash.map_err(|_| Fault::damaged("a hash does not have 32 bytes".to_owned()))
    }

    /// JSON that was asked for as text.
    fn json<T: serde::de::DeserializeOwned>(&self, column: usize) -> Result<T, Fault> {
        let text: &str = self.read(column)?;
        // What is wrong is told without the text, which an error of the reader's quotes.
        let wrong =
            |error: serde_json::Error| format!("JSON at column {} is wrong", error.column());
        serde_json::from_str(text).map_err(|error| Fault::damaged(wrong(error)))
    }
}

impl Columns for Row {
    fn read<'a, T: FromSql<'a>>(&'a self, column: usize) -> Result<T, Fault> {
        Ok(self.try_get(column)?)
    }
}
