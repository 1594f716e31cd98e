//! Whether the engine answered as the model did.

use std::collections::BTreeMap;

use mec_engine::{EngineError, Outcome};
use serde_json::Value;

use super::calls::Expected;
use super::play::Play;
use super::world::Call;

/// The engine's names for the entitlements that the model named itself, and back.
pub type Names = BTreeMap<String, String>;

impl Play {
    pub fn judge(
        &mut self,
        call: &Call,
        expected: &Expected,
        got: &Result<Outcome, EngineError>,
    ) -> Result<(), String> {
        self.compare(expected, got).map_err(|why| {
            let body = |outcome: &Outcome| outcome.body.clone();
            let told = match &expected.answer {
                Ok(answer) => answer.to_string(),
                Err(code) => (*code).to_owned(),
            };
            let got = got.as_ref().map(body);
            let (namespace, target) = (&self.here.namespace, &call.target);
            let command = &call.command;
            format!("{namespace} {target:?} {command:?}: {why}\nexpected {told}\ngot {got:?}")
        })
    }

    fn compare(
        &mut self,
        expected: &Expected,
        got: &Result<Outcome, EngineError>,
    ) -> Result<(), String> {
        match (&expected.answer, got) {
            (Err(code), Err(EngineError::Refused(refusal))) if refusal.code() == *code => Ok(()),
            (Ok(answer), Ok(outcome)) => {
                if (outcome.replayed, outcome.late) != (expected.replayed, expected.late) {
                    return Err("another kind of answer".to_owned());
                }
                let mut body: Value = serde_json::from_str(&outcome.body).unwrap();
                let mut answer = answer.clone();
                sort_limits(&mut body);
                sort_limits(&mut answer);
                self.same("", &answer, &body)
            }
            _ => Err("an answer for a refusal, or another one".to_owned()),
        }
    }

    fn same(&mut self, name: &str, expected: &Value, got: &Value) -> Result<(), String> {
        let differ = || Err(format!("{name}: expected {expected}, got {got}"));
        match (expected, got) {
            (Value::Object(a), Value::Object(b)) => {
                if !a.keys().eq(b.keys()) {
                    return differ();
                }
                let mut fields = a.iter().zip(b.values());
                fields.try_for_each(|((name, a), b)| self.same(name, a, b))
            }
            (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                let mut elements = a.iter().zip(b);
                elements.try_for_each(|(a, b)| self.same(name, a, b))
            }
            (Value::String(a), Value::String(b)) if name.starts_with("entitlement_id") => {
                let names = &mut self.here.names;
                names.entry(a.clone()).or_insert_with(|| b.clone());
                names.entry(b.clone()).or_insert_with(|| a.clone());
                if names[a] == *b && names[b] == *a {
                    Ok(())
                } else {
                    differ()
                }
            }
            _ if expected == got => Ok(()),
            _ => differ(),
        }
    }
}

/// The order in which limits of one level are told means nothing.
fn sort_limits(answer: &mut Value) {
    if let Some(Value::Array(limits)) = answer.get_mut("limits") {
        limits.sort_by_key(|limit| {
            let name = |field: &str| limit[field].to_string();
            (
                name("level"),
                name("limit_kind"),
                name("window_type"),
                name("resource_scope"),
            )
        });
    }
}
