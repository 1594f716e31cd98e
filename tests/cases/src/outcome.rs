//! What a row expects, and how an answer is compared with it. Numbers and times are compared as
//! texts, so that not a digit is lost.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::Names;

/// The words for the fields of a decision, and their names in JSON.
const FIELDS: &[(&str, &str)] = &[
    ("allowed", "quantity_allowed"),
    ("used", "quantity_used"),
    ("reserved", "quantity_reserved"),
    ("remaining", "quantity_remaining"),
    ("percent", "percent_used"),
    ("kind", "limit_kind"),
    ("action", "limit_action"),
    ("start", "window_start"),
    ("end", "window_end"),
    ("resets", "resets_at"),
    ("retry", "retry_after_seconds"),
    ("overage", "overage_quantity"),
    ("multiplier", "overage_multiplier"),
    ("entitlement", "entitlement_id"),
    ("rule", "rule_id"),
    ("event", "event_id"),
    ("lease", "lease_id"),
    ("reservation", "reservation_id"),
    ("success", "success"),
    ("fencing", "fencing_token"),
    ("expires", "expires_at"),
];

const DECISIONS: [&str; 5] = ["allow", "warn", "grace", "overage", "deny"];

/// What a row expects.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A decision with its code, and some of its fields.
    Decision {
        /// The decision.
        decision: &'static str,
        /// Its code.
        code: String,
        /// Names in JSON with values.
        fields: Vec<(&'static str, String)>,
    },
    /// A plain answer: `id` for any id, else its JSON.
    Answers(String),
    /// An error with this code.
    Refused(String),
}

impl Outcome {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim);
        let head = parts.next().unwrap_or_default();
        let (word, rest) = head.split_once(' ').unwrap_or((head, ""));
        let rest = rest.trim().to_owned();
        let decision = DECISIONS.into_iter().find(|known| *known == word);
        if rest.is_empty() {
            return Err(match (decision, word) {
                (Some(_), _) | (None, "refused") => format!("{word} needs a code"),
                _ => format!(
                    "{word} is no outcome: a decision with its code, answers X or refused CODE"
                ),
            });
        }
        let fields = parts.map(field).collect::<Result<Vec<_>, _>>()?;
        match (decision, word) {
            (Some(decision), _) => Ok(Self::Decision {
                decision,
                code: rest,
                fields,
            }),
            (None, "answers") if fields.is_empty() => Ok(Self::Answers(rest)),
            (None, "refused") if fields.is_empty() => Ok(Self::Refused(rest)),
            _ => Err(format!("{text} is no outcome")),
        }
    }

    /// How an answer differs from what is expected; nothing where it does not.
    pub fn difference(&self, told: &Result<String, String>, names: &Names) -> Option<String> {
        match (self, told) {
            (Self::Refused(code), Err(refused)) if code == refused => None,
            (Self::Answers(expected), Ok(body)) => {
                let fits = match expected.as_str() {
                    "id" => body.len() == 38 && body.starts_with('"'),
                    _ => expected == body,
                };
                (!fits).then(|| format!("answered {body}"))
            }
            (
                Self::Decision {
                    decision,
                    code,
                    fields,
                },
                Ok(body),
            ) => {
                let Ok(answer) = serde_json::from_str::<BTreeMap<&str, &RawValue>>(body) else {
                    return Some(format!("answered {body}"));
                };
                let wanted = [("decision", (*decision).to_owned()), ("code", code.clone())];
                let differing = wanted
                    .iter()
                    .chain(fields)
                    .find(|(field, expected)| plain(&answer, field) != named(expected, names));
                differing.map(|(field, expected)| {
                    let found = plain(&answer, field);
                    format!("{field} is {found}, not {expected}; answered {body}")
                })
            }
            (_, Ok(body)) => Some(format!("answered {body}")),
            (_, Err(code)) => Some(format!("refused {code}")),
        }
    }
}

fn field(text: &str) -> Result<(&'static str, String), String> {
    let (word, value) = text
        .split_once(' ')
        .ok_or_else(|| format!("{text} needs a value"))?;
    let (_, name) = FIELDS
        .iter()
        .find(|(known, _)| *known == word)
        .ok_or_else(|| format!("there is no field {word}"))?;
    Ok((name, value.trim().to_owned()))
}

/// A field's value as a row writes it: without quotes, times by `Z`, `none` for null and absent.
fn plain(answer: &BTreeMap<&str, &RawValue>, field: &str) -> String {
    let raw = answer.get(field).map_or("null", |value| value.get());
    match raw {
        "null" => "none".to_owned(),
        _ => raw.trim_matches('"').replace("+00:00", "Z"),
    }
}

/// What a row's value stands for: the id behind a name, else itself.
fn named(value: &str, names: &Names) -> String {
    names
        .get(value)
        .cloned()
        .unwrap_or_else(|| value.to_owned())
}
