//! Steps: a verb, the words that must follow it, and the options that may.

use std::collections::BTreeMap;

/// What may follow a verb.
struct Form {
    verb: &'static str,
    /// How many words must follow.
    words: usize,
    /// Options of one value.
    options: &'static [&'static str],
    /// Options without a value.
    flags: &'static [&'static str],
    /// Whether it can be asked last.
    asks: bool,
}

const fn form(
    verb: &'static str,
    words: usize,
    options: &'static [&'static str],
    flags: &'static [&'static str],
    asks: bool,
) -> Form {
    Form {
        verb,
        words,
        options,
        flags,
        asks,
    }
}

/// Every verb. `if` takes three words and `with` one; both may stand several times.
const FORMS: &[Form] = &[
    form("at", 1, &[], &[], false),
    form("wait", 1, &[], &[], false),
    form("zone", 2, &[], &[], false),
    form("suspend", 1, &[], &[], false),
    form("deactivate", 1, &[], &[], false),
    form("resume", 1, &[], &[], false),
    form(
        "rule",
        3,
        &[
            "warn",
            "grace",
            "hours",
            "multiplier",
            "scope",
            "priority",
            "if",
            "as",
        ],
        &["inactive"],
        false,
    ),
    form(
        "offer",
        4,
        &["per", "unit", "scope", "priority", "days", "trial"],
        &["addon", "per_seat"],
        false,
    ),
    form(
        "entitle",
        3,
        &[
            "to",
            "per",
            "unit",
            "scope",
            "priority",
            "from",
            "until",
            "anchor",
            "usage_from",
            "status",
            "if",
            "as",
        ],
        &[],
        true,
    ),
    form("check", 2, &["by", "unit", "scope", "with"], &[], true),
    form(
        "consume",
        2,
        &["by", "unit", "scope", "with", "as"],
        &[],
        true,
    ),
    form(
        "meter",
        2,
        &["by", "unit", "scope", "occurred", "as"],
        &[],
        true,
    ),
    form(
        "reserve",
        2,
        &["by", "unit", "scope", "with", "seconds", "as"],
        &[],
        true,
    ),
    form("commit", 1, &["quantity"], &[], true),
    form("release", 1, &[], &[], true),
    form("correct", 2, &["as"], &[], true),
    form("stock", 2, &["by", "scope"], &[], true),
    form(
        "grant",
        2,
        &["to", "scope", "per", "priority", "until", "as"],
        &[],
        true,
    ),
    form("void", 1, &[], &[], true),
    form(
        "lease",
        2,
        &["by", "scope", "session", "seconds", "with", "as"],
        &[],
        true,
    ),
    form("heartbeat", 1, &["seconds"], &[], true),
    form("return", 1, &[], &[], true),
    form("provision", 1, &["to", "from", "seats"], &[], true),
    form("change", 2, &["to", "at"], &["fresh"], true),
    form("cancel", 1, &["to", "at"], &[], true),
];

/// One step of a row.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its verb.
    pub verb: &'static str,
    /// Whether it is given as denied, by a `not` before it.
    pub denied: bool,
    /// The words that must follow the verb.
    words: Vec<String>,
    options: BTreeMap<&'static str, String>,
    /// Keys, operators and values of its conditions.
    pub conditions: Vec<[String; 3]>,
    /// Keys and values of its context.
    pub context: Vec<(String, String)>,
}

impl Step {
    /// Reads a step.
    pub(crate) fn read(words: Vec<String>) -> Result<Self, String> {
        let mut words = words.into_iter().peekable();
        let denied = words.next_if(|word| word == "not").is_some();
        let verb = words.next().ok_or("a step is empty")?;
        let form = FORMS
            .iter()
            .find(|form| form.verb == verb)
            .ok_or_else(|| format!("there is no verb {verb}"))?;
        let mut step = Self {
            verb: form.verb,
            denied,
            words: words.by_ref().take(form.words).collect(),
            options: BTreeMap::new(),
            conditions: Vec::new(),
            context: Vec::new(),
        };
        if step.words.len() < form.words {
            return Err(format!("{verb} needs {} words after it", form.words));
        }
        while let Some(name) = words.next() {
            step.read_option(form, &name, &mut words)?;
        }
        Ok(step)
    }

    fn read_option(
        &mut self,
        form: &Form,
        name: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        let known = |of: &[&'static str]| of.iter().copied().find(|known| *known == name);
        if let Some(flag) = known(form.flags) {
            self.options.insert(flag, String::new());
            return Ok(());
        }
        let option =
            known(form.options).ok_or_else(|| format!("{} has no option {name}", form.verb))?;
        let mut value = || words.next().ok_or_else(|| format!("{name} needs a value"));
        match option {
            "if" => self.conditions.push([value()?, value()?, value()?]),
            "with" => {
                let pair = value()?;
                let (key, value) = pair
                    .split_once('=')
                    .ok_or_else(|| format!("with needs KEY=VALUE, not {pair}"))?;
                self.context.push((key.to_owned(), value.to_owned()));
            }
            _ => {
                if self.options.insert(option, value()?).is_some() {
                    return Err(format!("{name} stands twice"));
                }
            }
        }
        Ok(())
    }

    /// Whether it can be asked last.
    pub(crate) fn asks(&self) -> bool {
        FORMS.iter().any(|form| form.verb == self.verb && form.asks)
    }

    /// A word that must follow the verb, by its place from 0.
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Whether a flag stands.
    pub fn has(&self, flag: &str) -> bool {
        self.options.contains_key(flag)
    }

    /// The account that it is about.
    pub fn account(&self) -> &str {
        self.option("by").or(self.option("to")).unwrap_or("acme")
    }

    /// What its answer is remembered as.
    pub fn name(&self) -> Option<&str> {
        self.option("as")
    }
}
