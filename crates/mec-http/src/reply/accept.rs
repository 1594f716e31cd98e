//! The media type of an answer, chosen by `Accept` as PostgREST chooses it.

use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, HeaderMap};
use axum::http::request::Parts;

use super::nulls::stripped;
use crate::error::ApiError;

/// How a result is shaped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Media {
    /// As it is: `application/json`.
    Plain,
    /// A record as an array of one: `application/vnd.pgrst.array+json`.
    Array(Nulls),
    /// Rows as the one object that they are: `application/vnd.pgrst.object+json`.
    Object(Nulls),
}

/// Whether members that are null are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Nulls {
    /// They are.
    Told,
    /// They are left out: `;nulls=stripped`.
    Stripped,
}

impl Nulls {
    fn of(self, body: String) -> String {
        match self {
            Self::Told => body,
            Self::Stripped => stripped(&body),
        }
    }
}

/// What a client likes best by `Accept`: the usual where it says nothing, none where it takes none of what
/// there is. `acceptable` tells what a range of the header asks for, with its weight.
pub fn liked_best<T: Copy>(
    headers: &HeaderMap,
    usual: T,
    acceptable: impl Fn(&str) -> Option<(u16, T)>,
) -> Option<T> {
    let mut values = headers.get_all(ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Some(usual);
    }
    let mut best: Option<(u16, T)> = None;
    for range in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
    {
        if let Some((weight, liked)) = acceptable(range)
            && best.is_none_or(|(held, _)| weight > held)
        {
            best = Some((weight, liked));
        }
    }
    best.map(|(_, liked)| liked)
}

impl Media {
    /// The media type that the client likes best of those that there are.
    pub fn choose(headers: &HeaderMap) -> Result<Self, ApiError> {
        liked_best(headers, Self::Plain, acceptable).ok_or_else(|| {
            let hint = "application/json, application/vnd.pgrst.object+json or \
                        application/vnd.pgrst.array+json";
            ApiError::new("PGRST107", "none of the accepted media types can be given")
                .with_details("Accept")
                .with_hint(Some(hint))
        })
    }

    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "application/json",
            Self::Array(Nulls::Told) => "application/vnd.pgrst.array+json",
            Self::Array(Nulls::Stripped) => "application/vnd.pgrst.array+json; nulls=stripped",
            Self::Object(Nulls::Told) => "application/vnd.pgrst.object+json",
            Self::Object(Nulls::Stripped) => "application/vnd.pgrst.object+json; nulls=stripped",
        }
    }

    /// The result in this shape.
    pub fn shape(self, body: String) -> Result<String, ApiError> {
        match self {
            Self::Plain => Ok(body),
            Self::Array(nulls) if body.starts_with('{') => Ok(format!("[{}]", nulls.of(body))),
            Self::Object(nulls) if body.starts_with('[') => one(&body).map(|row| nulls.of(row)),
            Self::Array(nulls) | Self::Object(nulls) => Ok(nulls.of(body)),
        }
    }
}

/// The one row of an array.
fn one(rows: &str) -> Result<String, ApiError> {
    let read: Result<Vec<&serde_json::value::RawValue>, _> = serde_json::from_str(rows);
    match read.as_deref() {
        Ok([row]) => Ok(row.get().to_owned()),
        read => {
            let details = format!("The result contains {} rows", read.map_or(0, <[_]>::len));
            Err(ApiError::new("PGRST116", "the result is not one object").with_details(details))
        }
    }
}

/// The shape that a range of `Accept` asks for, with its weight in thousandths.
fn acceptable(range: &str) -> Option<(u16, Media)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?;
    let mut media = match kind.to_ascii_lowercase().as_str() {
        "*/*" | "application/*" | "application/json" => Media::Plain,
        "application/vnd.pgrst.array+json" => Media::Array(Nulls::Told),
        "application/vnd.pgrst.object+json" => Media::Object(Nulls::Told),
        _ => return None,
    };
    let mut weight = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value.trim())?,
            "charset" if value.trim().eq_ignore_ascii_case("utf-8") => {}
            "nulls" if value.trim() == "stripped" => {
                media = match media {
                    Media::Array(_) => Media::Array(Nulls::Stripped),
                    Media::Object(_) => Media::Object(Nulls::Stripped),
                    Media::Plain => return None,
                };
            }
            // Other parameters change what is asked for.
            _ => return None,
        }
    }
    (weight > 0).then_some((weight, media))
}

/// A weight such as `0.75` in thousandths.
pub(crate) fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    Some((whole * 1000 + fraction).min(1000))
}

impl<S: Sync> FromRequestParts<S> for Media {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::choose(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, expected: Option<Media>) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        assert_eq!(Media::choose(&headers).ok(), expected, "{accept}");
    }

    #[test]
    fn media_types() {
        check("*/*", Some(Media::Plain));
        check("application/json; charset=UTF-8", Some(Media::Plain));
        check("text/csv, application/json;q=0.1", Some(Media::Plain));
        check(
            "application/json;q=0.5, application/vnd.pgrst.object+json",
            Some(Media::Object(Nulls::Told)),
        );
        check(
            "application/vnd.pgrst.array+json",
            Some(Media::Array(Nulls::Told)),
        );
        for none in [
            "text/csv",
            "application/json;q=0",
            "application/json;q=2",
            "",
            "x",
        ] {
            check(none, None);
        }
        check(
            "application/vnd.pgrst.object+json;nulls=stripped",
            Some(Media::Object(Nulls::Stripped)),
        );
        check("application/json;nulls=stripped", None);
        check("application/vnd.pgrst.array+json;nulls=kept", None);
        assert_eq!(Media::choose(&HeaderMap::new()).ok(), Some(Media::Plain));
    }

    #[test]
    fn shapes() {
        let shape = |media: Media, body: &str| media.shape(body.to_owned()).map_err(|e| e.code());
        assert_eq!(
            shape(Media::Array(Nulls::Told), "{}"),
            Ok("[{}]".to_owned())
        );
        assert_eq!(shape(Media::Array(Nulls::Told), "5"), Ok("5".to_owned()));
        assert_eq!(
            shape(Media::Object(Nulls::Told), r#"[{"a":[1,2]}]"#),
            Ok(r#"{"a":[1,2]}"#.to_owned())
        );
        assert_eq!(shape(Media::Object(Nulls::Told), "[]"), Err("PGRST116"));
        assert_eq!(
            shape(Media::Object(Nulls::Told), "[{},{}]"),
            Err("PGRST116")
        );
        assert_eq!(
            shape(Media::Array(Nulls::Stripped), r#"{"a":null,"b":1.50}"#),
            Ok(r#"[{"b":1.50}]"#.to_owned())
        );
    }
}
