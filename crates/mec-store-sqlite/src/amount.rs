//! Sums as two columns: `whole`, rounded down, and `micros`, 0 to 999,999. An amount in the base unit
//! can exceed an INTEGER of millionths, and SQLite would go on with a rounded REAL.

use rusqlite::Row;

const MICROS: i128 = 1_000_000;
/// The bound of `whole` in the tables' constraint: two sums within it can be added without overflow.
const BOUND: i128 = 1 << 62;

/// The columns of an amount; none when it is beyond what a sum can hold.
pub(crate) fn split(amount: i128) -> Option<(i64, i64)> {
    let whole = amount.div_euclid(MICROS);
    if !(-BOUND..BOUND).contains(&whole) {
        return None;
    }
    let micros = i64::try_from(amount.rem_euclid(MICROS)).ok()?;
    i64::try_from(whole).ok().map(|whole| (whole, micros))
}

/// The amount of two columns. Any two INTEGERs fit.
pub(crate) fn join(whole: i64, micros: i64) -> i128 {
    i128::from(whole) * MICROS + i128::from(micros)
}

/// Reads an amount from the columns at `first` and after it.
pub(crate) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<i128> {
    Ok(join(row.get(first)?, row.get(first + 1)?))
}

/// An amount as bytes that are ordered as it is: the sign turned round, then the most significant first.
pub(crate) fn ordered(amount: i128) -> [u8; 16] {
    (amount ^ i128::MIN).to_be_bytes()
}

/// The amount of ordered bytes.
pub(crate) fn from_ordered(bytes: &[u8]) -> Option<i128> {
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(i128::from_be_bytes(bytes) ^ i128::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_come_back() {
        let bound = BOUND * MICROS;
        for amount in [
            0,
            1,
            -1,
            999_999,
            1_000_000,
            -999_999,
            -1_000_000,
            -1_000_001,
            bound - 1,
            -bound,
        ] {
            let (whole, micros) = split(amount).unwrap();
            assert!((0..1_000_000).contains(&micros));
            assert_eq!(join(whole, micros), amount);
        }
    }

    #[test]
    fn bytes_are_ordered_as_amounts_are() {
        let amounts = [i128::MIN, -1_000_001, -1, 0, 1, 255, 256, i128::MAX];
        let bytes = amounts.map(ordered);
        assert!(bytes.is_sorted());
        assert_eq!(bytes.map(|bytes| from_ordered(&bytes)), amounts.map(Some));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let bound = BOUND * MICROS;
        for amount in [bound, -bound - 1, i128::MAX, i128::MIN] {
            assert_eq!(split(amount), None);
        }
    }
}
