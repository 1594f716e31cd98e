//! A request, as all doors are asked it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a query string as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'*')
    .remove(b'(')
    .remove(b')')
    .remove(b',');

/// Who asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// Without a token.
    Nobody,
    /// Bound to an account.
    User,
    /// A user who is bound to none.
    Member,
    Service,
    Admin,
    /// The service of the other namespace.
    Elsewhere,
    /// With a token that another secret signed.
    Forger,
    /// With a token that has expired.
    Late,
    /// With a token for another audience.
    Stranger,
    /// With what is no token.
    Garbled,
}

impl Who {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Nobody, "nobody"),
        (Self::User, "user"),
        (Self::Member, "member"),
        (Self::Service, "service"),
        (Self::Admin, "admin"),
        (Self::Elsewhere, "elsewhere"),
        (Self::Forger, "forger"),
        (Self::Late, "late"),
        (Self::Stranger, "stranger"),
        (Self::Garbled, "garbled"),
    ];

    pub fn parse(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, name)| *name == word);
        found.map(|(who, _)| *who)
    }

    fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(who, _)| *who == self);
        found.map_or("", |(_, name)| name)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub who: Who,
    pub method: String,
    pub relation: String,
    /// The query's names and values, not encoded.
    pub pairs: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    /// What is known of it beside its text.
    pub tags: Vec<&'static str>,
}

impl Ask {
    pub fn new(who: Who, relation: &str) -> Self {
        Self {
            who,
            method: "GET".to_owned(),
            relation: relation.to_owned(),
            pairs: Vec::new(),
            headers: Vec::new(),
            tags: Vec::new(),
        }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.pairs.push((name.to_owned(), value.into()));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Reads a line as it is printed: `service GET plans?select=plan_id | Accept: text/csv`.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(" | ");
        let mut words = parts.next()?.splitn(3, ' ');
        let (who, method, target) = (words.next()?, words.next()?, words.next()?);
        let (relation, query) = target.split_once('?').unwrap_or((target, ""));
        let mut ask = Self::new(Who::parse(who)?, relation);
        method.clone_into(&mut ask.method);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            ask = ask.with(name, value);
        }
        for header in parts {
            let (name, value) = header.split_once(": ")?;
            ask = ask.header(name.trim(), value.trim());
        }
        Some(ask)
    }

    /// What follows the folder of the resources in the address.
    pub fn target(&self) -> String {
        let mut target = self.relation.clone();
        for (index, (name, value)) in self.pairs.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.extend(utf8_percent_encode(name, PLAIN));
            target.push('=');
            target.extend(utf8_percent_encode(value, PLAIN));
        }
        target
    }

    /// Whether an order is asked for: of the rows, and of embedded ones.
    pub fn orders(&self) -> (bool, bool) {
        let rows = self.pairs.iter().any(|(name, _)| name == "order");
        let embedded = self.pairs.iter().any(|(name, _)| name.ends_with(".order"));
        (rows, embedded)
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.who.name(), self.method, self.relation)?;
        for (index, (name, value)) in self.pairs.iter().enumerate() {
            let before = if index == 0 { '?' } else { '&' };
            write!(f, "{before}{name}={value}")?;
        }
        for (name, value) in &self.headers {
            write!(f, " | {name}: {value}")?;
        }
        for tag in &self.tags {
            write!(f, " {tag}")?;
        }
        Ok(())
    }
}
