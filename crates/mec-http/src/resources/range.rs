//! Which rows of all are answered: `Range`, `Content-Range`, and the status that goes with them.

use axum::http::header::{HeaderMap, RANGE};
use axum::http::{HeaderValue, StatusCode};
use mec_query::ast::Query;

use crate::error::ApiError;

/// Takes the rows that the header `Range` names into a query, as its limit and offset.
pub fn narrow(headers: &HeaderMap, query: &mut Query) -> Result<(), ApiError> {
    let part = query.parts.entry(Vec::new()).or_default();
    let offset = part.offset.unwrap_or(0);
    // No rows at all are asked for by their number alone, whatever the header says.
    if part.limit == Some(0) {
        let message = "no rows are asked for, but from an offset on";
        return if offset > 0 {
            Err(not_satisfiable(message))
        } else {
            Ok(())
        };
    }
    let Some((first, last)) = headers.get(RANGE).and_then(read) else {
        return Ok(());
    };
    if last.is_some_and(|last| last < first) {
        return Err(not_satisfiable("the range ends before it begins"));
    }
    let begin = offset.max(first);
    // Both bounds hold where both are given.
    let ends = [
        part.limit.map(|limit| offset.saturating_add(limit)),
        last.map(|last| last.saturating_add(1)),
    ];
    let end = ends.into_iter().flatten().min();
    if end.is_some_and(|end| end <= begin) {
        return Err(not_satisfiable("the range lies beyond the limit"));
    }
    part.offset = Some(begin);
    part.limit = end.map(|end| end - begin);
    Ok(())
}

/// `0-24` or `25-`.
fn read(value: &HeaderValue) -> Option<(i64, Option<i64>)> {
    let text = value.to_str().ok()?;
    let text = text.strip_prefix("items=").unwrap_or(text);
    let (first, last) = text.split_once('-')?;
    let first = first.trim().parse().ok()?;
    let last = match last.trim() {
        "" => None,
        last => Some(last.parse().ok()?),
    };
    Some((first, last))
}

/// The status of an answer of so many rows from an offset on, of a total where that is known.
pub fn status(offset: u64, rows: usize, total: Option<u64>) -> Result<StatusCode, ApiError> {
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    match total {
        Some(total) if offset > 0 && offset > total => {
            let details =
                format!("An offset of {offset} was requested, but there are only {total} rows.");
            Err(not_satisfiable(details))
        }
        Some(total) if rows < total => Ok(StatusCode::PARTIAL_CONTENT),
        _ => Ok(StatusCode::OK),
    }
}

/// `Content-Range`: the places of the rows, and of how many.
pub fn content_range(offset: u64, rows: usize, total: Option<u64>) -> Option<HeaderValue> {
    let total = total.map_or_else(|| "*".to_owned(), |total| total.to_string());
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let range = match rows.checked_sub(1) {
        None => format!("*/{total}"),
        Some(last) => format!("{offset}-{}/{total}", offset.saturating_add(last)),
    };
    HeaderValue::try_from(range).ok()
}

fn not_satisfiable(details: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new("PGRST103", "Requested range not satisfiable").with_details(details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mec_query::parse::{pairs, parse};

    #[track_caller]
    fn check(range: &str, query: &str, expected: Option<(Option<i64>, Option<i64>)>) {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, range.parse().unwrap());
        let mut query = parse(pairs(query).unwrap()).unwrap();
        let narrowed = narrow(&headers, &mut query).ok().map(|()| {
            let part = query.parts.remove(&Vec::new()).unwrap_or_default();
            (part.offset, part.limit)
        });
        assert_eq!(narrowed, expected, "{range}");
    }

    #[test]
    fn ranges_are_limits_and_offsets() {
        check("0-9", "", Some((Some(0), Some(10))));
        check("items=5-", "", Some((Some(5), None)));
        check("5-9", "limit=2", None);
        check("5-9", "limit=0", Some((None, Some(0))));
        check("0-9", "limit=0&offset=1", None);
        check("2-9", "limit=2&offset=3", Some((Some(3), Some(2))));
        check("9-0", "", None);
        check("nonsense", "", Some((None, None)));
    }

    #[test]
    fn places_and_statuses() {
        assert_eq!(content_range(0, 0, None).unwrap(), "*/*");
        assert_eq!(content_range(10, 5, Some(40)).unwrap(), "10-14/40");
        assert_eq!(status(10, 5, Some(40)).unwrap(), 206);
        assert_eq!(status(0, 0, Some(40)).unwrap(), 206);
        assert_eq!(status(0, 5, Some(5)).unwrap(), 200);
        assert_eq!(status(41, 0, Some(40)).unwrap_err().code(), "PGRST103");
        assert_eq!(status(41, 0, None).unwrap(), 200);
    }
}
