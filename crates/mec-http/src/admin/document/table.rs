//! Reading an object key by key: what is missing, unknown or wrong becomes a fault with its place, and
//! reading goes on, so that all faults are told at once.

use std::cell::RefCell;
use std::collections::HashMap;

use mec_core::ids::{is_code, is_key};
use mec_core::{Code, Quantity};

use super::node::{Node, Value};
use crate::args::nearest;

/// What is wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    pub place: String,
    pub sentence: String,
}

/// Where faults are gathered.
#[derive(Debug, Default)]
pub struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    pub fn add(&self, place: &str, sentence: impl Into<String>) {
        self.0.borrow_mut().push(Fault {
            place: place.to_owned(),
            sentence: sentence.into(),
        });
    }

    pub fn into_vec(self) -> Vec<Fault> {
        self.0.into_inner()
    }

    /// A name that is none of the known, with the nearest of them.
    pub fn unknown<'k>(
        &self,
        place: &str,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'k str>,
    ) {
        let shown: String = name.chars().take(64).collect();
        let mut known: Vec<&str> = known.collect();
        known.sort_unstable();
        known.dedup();
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known are {}", known.join(", ")),
        };
        self.add(place, format!("unknown {what} {shown:?}; {hint}"));
    }
}

/// Names that stand twice, told at the second.
pub fn twice<'n>(rows: impl Iterator<Item = (&'n str, &'n Node<'n>)>, key: &str, faults: &Faults) {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (name, node) in rows {
        if let Some(first) = seen.insert(name, &node.place) {
            let place = format!("{}.{key}", node.place);
            faults.add(
                &place,
                format!("{key} {name:?} stands twice, first in {first}"),
            );
        }
    }
}

/// The longest text for people, in bytes.
const MAX_TEXT_BYTES: usize = 1_000;

/// One object, of which keys are taken.
pub struct Table<'n> {
    /// What it is, for sentences: `plan`.
    what: &'static str,
    pub place: &'n str,
    entries: &'n [(String, Node<'n>)],
    taken: Vec<&'static str>,
    pub faults: &'n Faults,
}

impl<'n> Table<'n> {
    /// The table at a node; a fault where something else stands there.
    pub fn of(node: &'n Node<'n>, what: &'static str, faults: &'n Faults) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            faults.add(
                &node.place,
                format!("a {what} is a table of keys and values"),
            );
            return None;
        };
        Some(Self {
            what,
            place: &node.place,
            entries,
            taken: Vec::new(),
            faults,
        })
    }

    /// The node of a key; null is as absent.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node<'n>> {
        self.taken.push(key);
        let (_, node) = self.entries.iter().find(|(held, _)| held == key)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// Whether a key is there, be it null.
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(held, _)| held == key)
    }

    /// The place of a key: its own where it stands, else the table's.
    pub fn place_of(&self, key: &str) -> &'n str {
        let entry = self.entries.iter().find(|(held, _)| held == key);
        entry.map_or(self.place, |(_, node)| &node.place)
    }

    pub fn missing(&self, key: &str) {
        let sentence = format!("a {} needs the key {key}", self.what);
        self.faults.add(self.place, sentence);
    }

    fn wrong<T>(&self, node: &Node<'_>, key: &str, expected: &str) -> Option<T> {
        self.faults
            .add(&node.place, format!("{key} must be {expected}"));
        None
    }

    /// A short name.
    pub fn code(&mut self, key: &'static str) -> Option<Code> {
        let node = self.take(key)?;
        match &node.value {
            Value::Text(text) if is_code(text) => Some(text.as_str().into()),
            _ => self.wrong(
                node,
                key,
                "a text of 1 to 100 bytes without control characters",
            ),
        }
    }

    /// A short name that must be there.
    pub fn required_code(&mut self, key: &'static str) -> Option<Code> {
        if self.take(key).is_none() {
            self.missing(key);
        }
        self.code(key)
    }

    /// A list of short names.
    pub fn codes(&mut self, key: &'static str) -> Option<Vec<(Code, &'n str)>> {
        let node = self.take(key)?;
        let Value::List(nodes) = &node.value else {
            return self.wrong(node, key, "a list of texts");
        };
        let codes = nodes.iter().map(|node| match &node.value {
            Value::Text(text) if is_code(text) => Some((text.as_str().into(), node.place.as_str())),
            _ => self.wrong(node, key, "a list of texts of 1 to 100 bytes each"),
        });
        codes.collect()
    }

    /// A text for people.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        let node = self.take(key)?;
        match &node.value {
            Value::Text(text) if text.len() <= MAX_TEXT_BYTES => Some(text.clone()),
            _ => self.wrong(node, key, "a text of at most 1000 bytes"),
        }
    }

    /// A text, or a number, boolean or list as it is written.
    pub fn written(&mut self, key: &'static str) -> Option<String> {
        let node = self.take(key)?;
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) | Value::List(_) => Some(node.json.to_owned()),
            _ => self.wrong(node, key, "a text, number, boolean or list"),
        }
    }

    /// An id of another system's.
    pub fn key(&mut self, key: &'static str) -> Option<String> {
        let node = self.take(key)?;
        match &node.value {
            Value::Text(text) if is_key(text) => Some(text.clone()),
            _ => self.wrong(
                node,
                key,
                "a text of 1 to 255 bytes without control characters",
            ),
        }
    }

    pub fn flag(&mut self, key: &'static str, absent: bool) -> bool {
        match self.take(key) {
            None => absent,
            Some(node) => match node.value {
                Value::Bool(flag) => flag,
                _ => self.wrong(node, key, "true or false").unwrap_or(absent),
            },
        }
    }

    /// A whole number within bounds.
    pub fn whole(&mut self, key: &'static str, least: i64, most: i64) -> Option<i64> {
        let node = self.take(key)?;
        let read = match node.value {
            Value::Number(text) => text.parse().ok(),
            _ => None,
        };
        match read.filter(|number| (least..=most).contains(number)) {
            Some(number) => Some(number),
            None => self.wrong(node, key, &format!("a whole number from {least} to {most}")),
        }
    }

    /// A quantity that is not negative.
    pub fn quantity(&mut self, key: &'static str) -> Option<Quantity> {
        let node = self.take(key)?;
        let digits = match &node.value {
            Value::Number(text) => text,
            Value::Text(text) => text.as_str(),
            _ => "",
        };
        match Quantity::parse(digits) {
            Ok(quantity) if !quantity.is_negative() => Some(quantity),
            _ => self.wrong(
                node,
                key,
                "a decimal number of at most six places, not below zero",
            ),
        }
    }

    /// One of some names.
    pub fn one_of<T: Copy>(
        &mut self,
        key: &'static str,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let node = self.take(key)?;
        let Value::Text(text) = &node.value else {
            let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
            return self.wrong(node, key, &names.join(", "));
        };
        let found = all.iter().copied().find(|one| name(*one) == text);
        if found.is_none() {
            let names = all.iter().map(|one| name(*one));
            self.faults.unknown(&node.place, key, text, names);
        }
        found
    }

    /// The list of tables at a key.
    pub fn tables(&mut self, key: &'static str) -> &'n [Node<'n>] {
        match self.take(key) {
            None => &[],
            Some(node) => match &node.value {
                Value::List(nodes) => nodes,
                _ => self.wrong(node, key, "a list of tables").unwrap_or(&[]),
            },
        }
    }

    /// Names every key that was not taken.
    pub fn finish(self) {
        for (key, node) in self.entries {
            if !self.taken.contains(&key.as_str()) {
                let known = self.taken.iter().copied();
                self.faults.unknown(&node.place, "key", key, known);
            }
        }
    }
}
