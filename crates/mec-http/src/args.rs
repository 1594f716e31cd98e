//! Arguments: a JSON object read strictly, each value from its own text, so that quantities stay exact.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use mec_core::ids::{is_code, is_key};
use mec_core::{Code, Quantity, Timestamp};
use mec_engine::Target;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::error::ApiError;

/// The arguments of one call; what is taken is gone, what is left at the end is unknown.
pub(crate) struct Args {
    left: BTreeMap<String, Box<RawValue>>,
    unknown_code: &'static str,
    missing_code: &'static str,
}

type Result<T> = std::result::Result<T, ApiError>;

/// Refuses a body that is not sent as JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<()> {
    let sent = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_json = sent
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    is_json.then_some(()).ok_or_else(|| {
        ApiError::new(
            "unsupported_media_type",
            "send the body as application/json",
        )
    })
}

impl Args {
    pub(crate) fn of_rpc(body: &[u8]) -> Result<Self> {
        Self::read(body, "PGRST202", "PGRST202")
    }

    pub(crate) fn of_row(body: &Bytes) -> Result<Self> {
        Self::read(body, "unknown_field", "missing_field")
    }

    fn read(body: &[u8], unknown_code: &'static str, missing_code: &'static str) -> Result<Self> {
        let left = serde_json::from_slice(body).map_err(|error| {
            ApiError::new(
                "invalid_json",
                format!("the body is not a JSON object: {error}"),
            )
        })?;
        Ok(Self {
            left,
            unknown_code,
            missing_code,
        })
    }

    /// The raw text of a value; null is absent.
    fn raw(&mut self, name: &str) -> Option<Box<RawValue>> {
        self.left.remove(name).filter(|raw| raw.get() != "null")
    }

    pub(crate) fn optional<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let bad = |_| ApiError::new("invalid_value", format!("{name}: {expected}")).field(name);
        serde_json::from_str(raw.get()).map(Some).map_err(bad)
    }

    pub(crate) fn required<T>(&self, name: &'static str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| {
            ApiError::new(self.missing_code, format!("{name} is missing")).field(name)
        })
    }

    pub(crate) fn id(&mut self, name: &'static str) -> Result<Option<Uuid>> {
        self.optional(name, "a UUID")
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        self.optional(name, "a text")
    }

    pub(crate) fn code(&mut self, name: &'static str) -> Result<Option<Code>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let bad = || {
            ApiError::new(
                "invalid_value",
                format!("{name}: 1 to 100 bytes without control characters"),
            )
            .field(name)
        };
        is_code(&text).then(|| Some(text.into())).ok_or_else(bad)
    }

    pub(crate) fn key(&mut self, name: &'static str) -> Result<Option<String>> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let bad = || {
            ApiError::new(
                "invalid_value",
                format!("{name}: 1 to 255 bytes without control characters"),
            )
            .field(name)
        };
        is_key(&text).then_some(Some(text)).ok_or_else(bad)
    }

    pub(crate) fn time(&mut self, name: &'static str) -> Result<Option<Timestamp>> {
        self.optional(name, "a time such as 2026-11-24T02:00:34Z")
    }

    pub(crate) fn quantity(&mut self, name: &'static str) -> Result<Option<Quantity>> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let digits = raw.get().trim_matches('"');
        Quantity::parse(digits).map(Some).map_err(|error| {
            let code = match error {
                mec_core::quantity::QuantityError::TooManyDecimals => "too_many_decimals",
                _ => "invalid_value",
            };
            ApiError::new(code, format!("{name}: {error}")).field(name)
        })
    }

    /// An object of texts, numbers and truth values, all kept as texts.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<BTreeMap<String, String>> {
        let bad = |why: &str| ApiError::new("invalid_value", format!("{name}: {why}")).field(name);
        let Some(raw) = self.raw(name) else {
            return Ok(BTreeMap::new());
        };
        let object: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(raw.get()).map_err(|_| bad("an object"))?;
        let mut texts = BTreeMap::new();
        for (key, value) in object {
            let text = match value.get().as_bytes().first() {
                Some(b'"') => {
                    serde_json::from_str(value.get()).map_err(|_| bad("an object of texts"))?
                }
                Some(b'{' | b'[') => return Err(bad("values are texts, numbers or truth values")),
                _ => value.get().to_owned(),
            };
            texts.insert(key, text);
        }
        let fits = texts.len() <= 50
            && texts
                .iter()
                .all(|(k, v)| !k.is_empty() && k.len() <= 100 && v.len() <= 1000);
        fits.then_some(texts)
            .ok_or_else(|| bad("at most 50 keys of 100 bytes with values of 1000 bytes"))
    }

    /// What a caller tells for conditions; the keys of MEC's own are not the caller's to set.
    pub(crate) fn context(&mut self) -> Result<BTreeMap<String, String>> {
        let context = self.texts("p_context")?;
        if context.keys().any(|key| key.starts_with("mec.")) {
            return Err(ApiError::new(
                "invalid_value",
                "p_context: keys that begin with mec. are set by MEC",
            )
            .field("p_context"));
        }
        Ok(context)
    }

    /// The account, by MEC's id or the product's own.
    pub(crate) fn account(&mut self) -> Result<Target> {
        match (self.id("p_account_id")?, self.key("p_external_id")?) {
            (Some(id), None) => Ok(Target::Account(id)),
            (None, Some(external)) => Ok(Target::External(external)),
            (None, None) => {
                Err(ApiError::new("PGRST202", "p_account_id is missing").field("p_account_id"))
            }
            (Some(_), Some(_)) => Err(ApiError::new(
                "invalid_value",
                "give p_account_id or p_external_id, not both",
            )
            .field("p_external_id")),
        }
    }

    /// Refuses what was not taken.
    pub(crate) fn finish(self) -> Result<()> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => {
                Err(ApiError::new(self.unknown_code, format!("{name} is unknown here")).field(name))
            }
        }
    }
}
