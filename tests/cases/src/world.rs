//! Running a row in a world: the catalogue and the accounts first, then step by step.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Case, Step};

/// What was named in a row, with its id.
pub type Names = BTreeMap<String, String>;

/// The accounts of every world: name, type, and the one above.
const ACCOUNTS: [(&str, &str, Option<&str>); 4] = [
    ("acme", "organization", None),
    ("research", "team", Some("acme")),
    ("ada", "user", Some("research")),
    ("ben", "user", Some("research")),
];
/// An account that does not exist.
const UNKNOWN: (&str, &str) = ("nobody", "01930000-0000-7000-8000-0000000000ff");

/// Something that a row can be run in.
pub trait World {
    /// Moves the clock to a time, which may lie before the present one.
    fn at(&mut self, time: &str);

    /// Lets seconds pass.
    fn wait(&mut self, seconds: i64);

    /// Puts the rules and offers of a row; answers the ids of the rules in their order.
    fn catalogue(&mut self, rules: &[&Step], offers: &[&Step]) -> Vec<String>;

    /// Creates an account of a type, below another, in a time zone.
    fn account(&mut self, id: &str, account_type: &str, parent: Option<&str>, zone: Option<&str>);

    /// Is told that the request comes next.
    fn before_request(&mut self) {}

    /// Takes a step; answers JSON, or the code of an error.
    fn act(&mut self, step: &Step, names: &Names) -> Result<String, String>;
}

/// Runs a row.
///
/// # Errors
/// How the answer differs from what the row expects, with the row's place.
pub fn judge(case: &Case, world: &mut impl World) -> Result<(), String> {
    let here = |what: String| format!("{}:{}: {}\n    {what}", case.file, case.line, case.text);
    let mut names = begin(case, world);
    for given in &case.givens {
        match given.verb {
            "at" => world.at(given.word(0)),
            "wait" => world.wait(seconds(given.word(0)).map_err(here)?),
            "rule" | "offer" | "zone" => {}
            _ => {
                let told = world.act(given, &names);
                remember(given, told, &mut names)
                    .map_err(|what| here(format!("the given {}: {what}", given.verb)))?;
            }
        }
    }
    world.before_request();
    let told = world.act(&case.request, &names);
    match case.outcome.difference(&told, &names) {
        Some(difference) => Err(here(difference)),
        None => Ok(()),
    }
}

fn begin(case: &Case, world: &mut impl World) -> Names {
    let of = |verb: &str| -> Vec<&Step> {
        case.givens
            .iter()
            .filter(|step| step.verb == verb)
            .collect()
    };
    let rules = of("rule");
    let ids = world.catalogue(&rules, &of("offer"));
    let named = rules
        .iter()
        .zip(ids)
        .filter_map(|(rule, id)| Some((rule.name()?.to_owned(), id)));
    let mut names: Names = named.collect();
    names.insert(UNKNOWN.0.to_owned(), UNKNOWN.1.to_owned());
    let zones = of("zone");
    for (number, (name, account_type, parent)) in ACCOUNTS.into_iter().enumerate() {
        let id = format!("01930000-0000-7000-8000-00000000000{number}");
        let zone = zones.iter().find(|zone| zone.word(0) == name);
        let parent = parent.and_then(|parent| names.get(parent)).cloned();
        world.account(
            &id,
            account_type,
            parent.as_deref(),
            zone.map(|zone| zone.word(1)),
        );
        names.insert(name.to_owned(), id);
    }
    names
}

/// A given must be granted, or denied where the row says so; the id that it made is kept under its name.
fn remember(given: &Step, told: Result<String, String>, names: &mut Names) -> Result<(), String> {
    let body = told.map_err(|code| format!("refused {code}"))?;
    let answer: Value = serde_json::from_str(&body).map_err(|_| format!("answered {body}"))?;
    let denied = answer
        .get("decision")
        .is_some_and(|decision| decision == "deny");
    if denied != given.denied {
        return Err(format!("answered {body}"));
    }
    let Some(name) = given.name() else {
        return Ok(());
    };
    let made = match given.verb {
        "entitle" => answer.get("entitlement_id"),
        "consume" => answer.get("event_id"),
        "reserve" => answer.get("reservation_id"),
        "lease" => answer.get("lease_id"),
        _ => Some(&answer),
    };
    let id = made
        .and_then(Value::as_str)
        .ok_or_else(|| format!("made nothing to name: {body}"))?;
    names.insert(name.to_owned(), id.to_owned());
    Ok(())
}

/// A length of time: a whole number with s, m, h or d.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text} is no length of time such as 90s, 5m, 3h or 2d");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let length = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    Ok(number.saturating_mul(length))
}
