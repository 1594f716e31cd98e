//! Lengths of time that may be given in minutes or in seconds.

use crate::error::ApiError;

/// A length of time must be above zero.
pub fn positive(field: &'static str, length: i64) -> Result<i64, ApiError> {
    if length > 0 {
        return Ok(length);
    }
    let message = format!("{field}: expected a whole number above zero");
    Err(ApiError::new("invalid_value", message).with_details(field))
}

/// A length in seconds from minutes or seconds, of which at most one may be given.
pub fn seconds(
    (minutes_field, minutes): (&'static str, Option<i64>),
    (seconds_field, seconds): (&'static str, Option<i64>),
) -> Result<Option<i64>, ApiError> {
    match (minutes, seconds) {
        (None, None) => Ok(None),
        (None, Some(seconds)) => positive(seconds_field, seconds).map(Some),
        (Some(minutes), None) => {
            // The core bounds the length; a saturated one is beyond its bound.
            Ok(Some(positive(minutes_field, minutes)?.saturating_mul(60)))
        }
        (Some(_), Some(_)) => {
            let message =
                format!("{minutes_field}: give {minutes_field} or {seconds_field}, not both");
            Err(ApiError::new("invalid_value", message).with_details(minutes_field))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn at_most_one_unit() {
        let check = |minutes, given| {
            seconds(("m", minutes), ("s", given))
                .map_err(|error| error.to_json().contains("\"details\":\"m\""))
        };
        assert_eq!(check(None, None), Ok(None));
        assert_eq!(check(Some(2), None), Ok(Some(120)));
        assert_eq!(check(None, Some(5)), Ok(Some(5)));
        assert_eq!(check(Some(1), Some(5)), Err(true));
        assert_eq!(check(Some(0), None), Err(true));
        assert_eq!(check(None, Some(-1)), Err(false));
    }
}
