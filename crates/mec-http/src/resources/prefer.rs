//! `Prefer: return=...`: what a client wants to get back of a row that it wrote.

use axum::http::header::HeaderMap;

/// What is wanted back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Return {
    /// Nothing was said; no body.
    Unsaid,
    /// No body.
    Minimal,
    /// No body, but where the row is.
    HeadersOnly,
    /// The row.
    Representation,
}

impl Return {
    /// The first preference of its kind; others are not for MEC to honour here.
    pub fn of(headers: &HeaderMap) -> Self {
        let values = headers
            .get_all("prefer")
            .iter()
            .filter_map(|value| value.to_str().ok());
        let mut wanted = values
            .flat_map(|text| text.split(','))
            .filter_map(|preference| match preference.trim() {
                "return=representation" => Some(Self::Representation),
                "return=headers-only" => Some(Self::HeadersOnly),
                "return=minimal" => Some(Self::Minimal),
                _ => None,
            });
        wanted.next().unwrap_or(Self::Unsaid)
    }

    /// The value of `Preference-Applied`.
    pub const fn applied(self) -> Option<&'static str> {
        match self {
            Self::Unsaid => None,
            Self::Minimal => Some("return=minimal"),
            Self::HeadersOnly => Some("return=headers-only"),
            Self::Representation => Some("return=representation"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_its_kind_counts() {
        let check = |prefer: &str, expected| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", prefer.parse().unwrap());
            assert_eq!(Return::of(&headers), expected, "{prefer}");
        };
        check("return=representation", Return::Representation);
        check(
            "count=exact,return=minimal, return=representation",
            Return::Minimal,
        );
        check("tx=commit", Return::Unsaid);
    }
}
