//! The kinds of request, and what counts as an answer to each.

use super::client::Answer;

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Check,
    Checks,
    Consume,
    Meter,
    Meters,
    Acquire,
    Release,
    Entitlements,
    Ledger,
    Raw,
}

impl Kind {
    pub const ALL: [Self; 10] = [
        Self::Check,
        Self::Checks,
        Self::Consume,
        Self::Meter,
        Self::Meters,
        Self::Acquire,
        Self::Release,
        Self::Entitlements,
        Self::Ledger,
        Self::Raw,
    ];

    /// The RPC's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Check => "check_entitlement",
            Self::Checks => "check_entitlements",
            Self::Consume => "consume",
            Self::Meter => "meter_consumption",
            Self::Meters => "meter_consumptions",
            Self::Acquire => "acquire_lease",
            Self::Release => "release_lease",
            Self::Entitlements => "entitlements",
            Self::Ledger => "consumption",
            Self::Raw => "raw",
        }
    }

    /// Whether it is a `GET`, whose path is what changes from request to request.
    pub fn is_get(self) -> bool {
        matches!(self, Self::Entitlements | Self::Ledger)
    }

    /// The code of an answer that is not what was asked for.
    pub fn refusal(self, answer: &Answer<'_>) -> Option<String> {
        let wanted = match self {
            Self::Check | Self::Consume | Self::Acquire => !has(answer, "\"decision\":\"deny\""),
            Self::Checks | Self::Meters => {
                !has(answer, "\"error\":") && !has(answer, "\"decision\":\"deny\"")
            }
            Self::Release => answer.body == "true",
            Self::Entitlements | Self::Ledger => answer.body.starts_with("[{"),
            Self::Meter | Self::Raw => true,
        };
        if wanted && (200..300).contains(&answer.status) {
            return None;
        }
        let code = text_field(answer.body, "code").unwrap_or("no code");
        Some(format!("{} {code}", answer.status))
    }
}

fn has(answer: &Answer<'_>, text: &str) -> bool {
    answer.body.contains(text)
}

/// The value of the first string field of this name. Parsing every answer would measure the parser.
pub fn text_field<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let start = json.find(&format!("\"{name}\":\""))? + name.len() + 4;
    json.get(start..)?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_by_status_and_code() {
        let refusal = |kind: Kind, status, body| kind.refusal(&Answer { status, body });
        assert_eq!(refusal(Kind::Check, 200, r#"{"decision":"allow"}"#), None);
        assert_eq!(
            refusal(
                Kind::Consume,
                200,
                r#"{"decision":"deny","code":"limit_reached"}"#
            ),
            Some("200 limit_reached".to_owned())
        );
        assert_eq!(
            refusal(Kind::Meter, 503, r#"{"code":"unavailable"}"#),
            Some("503 unavailable".to_owned())
        );
        assert_eq!(
            refusal(
                Kind::Meters,
                200,
                r#"[{"status":404,"error":{"code":"account_not_found"}}]"#
            ),
            Some("200 account_not_found".to_owned())
        );
        assert_eq!(refusal(Kind::Release, 200, "true"), None);
        assert_eq!(
            refusal(Kind::Release, 200, "false"),
            Some("200 no code".to_owned())
        );
    }
}
