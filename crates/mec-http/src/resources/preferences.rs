//! `Prefer`: what a client wishes of an answer, and `Preference-Applied`, which says what was granted.

use axum::http::HeaderValue;
use axum::http::header::HeaderMap;

use crate::error::ApiError;

/// The preferences of a request. The first of its kind counts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Preferences {
    /// What is told of rows that were written.
    pub wanted: Option<Wanted>,
    /// Whether all rows that fit are counted, and by which word that was asked for.
    pub count: Option<&'static str>,
    /// What becomes of a row that is there already.
    pub resolution: Option<Resolution>,
    /// Whether a column that a row lacks takes its default, rather than null.
    pub missing: Option<Missing>,
    /// Whether what is written is undone in the end.
    pub transaction: Option<Transaction>,
    /// Whether what is not known is refused.
    pub is_strict: Option<bool>,
    /// The zone in which times are told.
    pub timezone: Option<String>,
    /// So many rows may change at the most.
    pub max_affected: Option<u64>,
    unknown: Vec<String>,
}

/// What is told of rows that were written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Nothing.
    Minimal,
    /// Where the row is.
    HeadersOnly,
    /// The rows.
    Representation,
}

/// What becomes of a row that is there already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resolution {
    /// It takes over what is sent.
    Merge,
    /// It stays.
    Ignore,
}

/// What becomes of a column that a row lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missing {
    /// It takes its default.
    Default,
    /// It is null.
    Null,
}

/// How a write ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transaction {
    /// It stays.
    Commit,
    /// It is undone, when the answer is known.
    Rollback,
}

impl Preferences {
    /// Reads the preferences of a request.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        let values = headers.get_all("prefer").iter();
        for value in values.filter_map(|value| value.to_str().ok()) {
            for preference in value
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty())
            {
                read.take(preference);
            }
        }
        read
    }

    fn take(&mut self, preference: &str) {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let is_known = match (name, value) {
            ("return", "minimal") => first(&mut self.wanted, Wanted::Minimal),
            ("return", "headers-only") => first(&mut self.wanted, Wanted::HeadersOnly),
            ("return", "representation") => first(&mut self.wanted, Wanted::Representation),
            ("count", "exact") => first(&mut self.count, "count=exact"),
            ("count", "planned") => first(&mut self.count, "count=planned"),
            ("count", "estimated") => first(&mut self.count, "count=estimated"),
            ("resolution", "merge-duplicates") => first(&mut self.resolution, Resolution::Merge),
            ("resolution", "ignore-duplicates") => first(&mut self.resolution, Resolution::Ignore),
            ("missing", "default") => first(&mut self.missing, Missing::Default),
            ("missing", "null") => first(&mut self.missing, Missing::Null),
            ("tx", "commit") => first(&mut self.transaction, Transaction::Commit),
            ("tx", "rollback") => first(&mut self.transaction, Transaction::Rollback),
            ("handling", "strict") => first(&mut self.is_strict, true),
            ("handling", "lenient") => first(&mut self.is_strict, false),
            ("timezone", zone) if is_zone(zone) => first(&mut self.timezone, zone.to_owned()),
            ("max-affected", number) if number.parse::<u64>().is_ok() => {
                first(&mut self.max_affected, number.parse().unwrap_or(0))
            }
            // Of checks, and read there.
            ("consistency", "strong" | "bounded") => true,
            _ => false,
        };
        if !is_known {
            self.unknown.push(preference.chars().take(100).collect());
        }
    }

    /// Refuses what is not known where the client asks for that.
    pub fn refuse_unknown(&self) -> Result<(), ApiError> {
        if self.is_strict != Some(true) || self.unknown.is_empty() {
            return Ok(());
        }
        let details = format!("Invalid preferences: {}", self.unknown.join(", "));
        let message = "Invalid preferences given with handling=strict";
        Err(ApiError::new("PGRST122", message).with_details(details))
    }

    /// How many rows may change at the most; it binds those only who ask to be held to what they say.
    pub fn limit(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.is_strict == Some(true))
    }

    /// `Preference-Applied`, of those of the preferences that the method honours.
    pub fn applied(&self, is_write: bool) -> Option<HeaderValue> {
        let writes = |text: &'static str| is_write.then(|| text.to_owned());
        let all = [
            self.resolution.and_then(|resolution| match resolution {
                Resolution::Merge => writes("resolution=merge-duplicates"),
                Resolution::Ignore => writes("resolution=ignore-duplicates"),
            }),
            self.missing.and_then(|missing| match missing {
                Missing::Default => writes("missing=default"),
                Missing::Null => writes("missing=null"),
            }),
            self.wanted.and_then(|wanted| match wanted {
                Wanted::Minimal => writes("return=minimal"),
                Wanted::HeadersOnly => writes("return=headers-only"),
                Wanted::Representation => writes("return=representation"),
            }),
            self.count.map(str::to_owned),
            self.transaction.and_then(|transaction| match transaction {
                Transaction::Commit => writes("tx=commit"),
                Transaction::Rollback => writes("tx=rollback"),
            }),
            self.is_strict.map(|is_strict| {
                let how = if is_strict { "strict" } else { "lenient" };
                format!("handling={how}")
            }),
            self.timezone
                .as_ref()
                .map(|zone| format!("timezone={zone}")),
            self.limit()
                .filter(|_| is_write)
                .map(|limit| format!("max-affected={limit}")),
        ];
        let applied: Vec<String> = all.into_iter().flatten().collect();
        if applied.is_empty() {
            return None;
        }
        HeaderValue::try_from(applied.join(", ")).ok()
    }
}

fn first<T>(held: &mut Option<T>, value: T) -> bool {
    held.get_or_insert(value);
    true
}

/// Whether a zone is one that times can be told in.
fn is_zone(name: &str) -> bool {
    name.len() <= 64 && mec_query::rows::local_time(mec_core::Timestamp::default(), name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Preferences {
        let mut headers = HeaderMap::new();
        headers.insert("prefer", text.parse().unwrap());
        Preferences::read(&headers)
    }

    #[test]
    fn the_first_of_a_kind_counts_and_the_applied_ones_stand_in_order() {
        let read =
            read("count=exact,return=minimal, return=representation, resolution=merge-duplicates");
        assert_eq!(read.wanted, Some(Wanted::Minimal));
        assert_eq!(
            read.applied(true).unwrap(),
            "resolution=merge-duplicates, return=minimal, count=exact"
        );
        assert_eq!(read.applied(false).unwrap(), "count=exact");
    }

    #[test]
    fn what_is_not_known_is_refused_on_request_only() {
        assert!(read("speed=light").refuse_unknown().is_ok());
        assert!(
            read("handling=strict, speed=light")
                .refuse_unknown()
                .is_err()
        );
        assert!(
            read("handling=strict, count=exact, consistency=strong")
                .refuse_unknown()
                .is_ok()
        );
        assert!(
            read("handling=strict, timezone=Mars/Olympus")
                .refuse_unknown()
                .is_err()
        );
    }

    #[test]
    fn a_bound_of_changes_needs_strict_handling() {
        assert_eq!(read("max-affected=3").limit(), None);
        assert_eq!(read("max-affected=3, handling=strict").limit(), Some(3));
    }
}
