//! Hexadecimal digits of ids: they are written several times a request, so that no formatter is in the way.

use std::fmt;

/// The last `N` hexadecimal digits of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    /// Those of this number.
    pub fn of(mut number: u128) -> Self {
        let mut digits = [b'0'; N];
        for digit in digits.iter_mut().rev() {
            *digit = match (number & 0xf) as u8 {
                low @ 0..10 => b'0' + low,
                high => b'a' + (high - 10),
            };
            number >>= 4;
        }
        Self(digits)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        // They are ASCII, so that the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Digits;

    #[test]
    fn digits_are_those_of_the_formatter() {
        for number in [0, 1, 0xabc, u128::MAX, 0x0123_4567_89ab_cdef] {
            assert_eq!(Digits::<32>::of(number).as_str(), format!("{number:032x}"));
        }
        assert_eq!(Digits::<2>::of(0x1234).as_str(), "34");
    }
}
