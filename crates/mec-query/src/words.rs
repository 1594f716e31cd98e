//! Searching for words in a text, as PostgreSQL's configuration `simple` does: words are runs of letters
//! and digits, whatever their case, and none is left out or cut to its stem.

use crate::ast::SearchKind;

/// So many words may a search ask for.
const MAX_WORDS: usize = 100;
/// So deep may its parentheses stand in each other.
const MAX_DEPTH: usize = 20;

/// A search.
#[derive(Clone, Debug)]
pub struct Search {
    /// How its query is written.
    pub kind: SearchKind,
    /// The query as it is written.
    pub query: String,
    wanted: Option<Wanted>,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Words at these distances after each other; the first one's means nothing.
    Phrase(Vec<(usize, Word)>),
    All(Vec<Wanted>),
    Any(Vec<Wanted>),
    Not(Box<Wanted>),
}

#[derive(Clone, Debug)]
struct Word {
    text: String,
    is_prefix: bool,
}

impl Search {
    /// Reads a query; none where it is not written as its kind asks.
    pub fn parse(kind: SearchKind, query: &str) -> Option<Self> {
        let wanted = match kind {
            SearchKind::Operators => Some(Parser::parse(query)?),
            SearchKind::Plain => all(words(query).map(one).collect()),
            SearchKind::Phrase => phrase(query),
            SearchKind::Web => web(query),
        };
        if words(query).count() > MAX_WORDS {
            return None;
        }
        Some(Self {
            kind,
            query: query.to_owned(),
            wanted,
        })
    }

    /// Whether a text holds what is searched for. A search for nothing finds nothing.
    pub fn finds(&self, text: &str) -> bool {
        let held: Vec<String> = words(text).collect();
        self.wanted
            .as_ref()
            .is_some_and(|wanted| wanted.is_in(&held))
    }
}

impl Wanted {
    fn is_in(&self, held: &[String]) -> bool {
        match self {
            Self::Phrase(words) => (0..held.len()).any(|start| {
                let mut at = start;
                words.iter().enumerate().all(|(index, (distance, word))| {
                    at += if index == 0 { 0 } else { *distance };
                    held.get(at).is_some_and(|held| word.is(held))
                })
            }),
            Self::All(parts) => parts.iter().all(|part| part.is_in(held)),
            Self::Any(parts) => parts.iter().any(|part| part.is_in(held)),
            Self::Not(part) => !part.is_in(held),
        }
    }
}

impl Word {
    fn is(&self, held: &str) -> bool {
        if self.is_prefix {
            held.starts_with(&self.text)
        } else {
            held == self.text
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn word(text: String) -> Word {
    Word {
        text,
        is_prefix: false,
    }
}

fn one(text: String) -> Wanted {
    Wanted::Phrase(vec![(0, word(text))])
}

fn all(mut parts: Vec<Wanted>) -> Option<Wanted> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Wanted::All(parts)),
    }
}

fn phrase(text: &str) -> Option<Wanted> {
    let words: Vec<_> = words(text).map(|text| (1, word(text))).collect();
    (!words.is_empty()).then_some(Wanted::Phrase(words))
}

/// As one writes to search engines: words, `"a phrase"`, `or` and `-`.
fn web(query: &str) -> Option<Wanted> {
    let mut ways = vec![Vec::new()];
    let mut rest = query.trim_start();
    while !rest.is_empty() {
        let is_negated = rest.starts_with('-');
        let body = rest.trim_start_matches('-');
        let (text, after) = match body.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => body.split_once(char::is_whitespace).unwrap_or((body, "")),
        };
        rest = after.trim_start();
        if text.eq_ignore_ascii_case("or") && !is_negated {
            ways.push(Vec::new());
        } else if let (Some(found), Some(way)) = (phrase(text), ways.last_mut()) {
            way.push(if is_negated {
                Wanted::Not(Box::new(found))
            } else {
                found
            });
        }
    }
    let mut ways: Vec<_> = ways.into_iter().filter_map(all).collect();
    match ways.len() {
        0 | 1 => ways.pop(),
        _ => Some(Wanted::Any(ways)),
    }
}

/// Reads the operators `&`, `|`, `!`, `<->`, `:*` and parentheses.
struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn parse(query: &'a str) -> Option<Wanted> {
        let mut parser = Self {
            rest: query.trim_start(),
            depth: 0,
        };
        let wanted = parser.any()?;
        parser.rest.is_empty().then_some(wanted)
    }

    fn take(&mut self, token: &str) -> bool {
        let taken = self.rest.strip_prefix(token);
        if let Some(rest) = taken {
            self.rest = rest.trim_start();
        }
        taken.is_some()
    }

    fn any(&mut self) -> Option<Wanted> {
        let mut parts = vec![self.all()?];
        while self.take("|") {
            parts.push(self.all()?);
        }
        if parts.len() == 1 {
            parts.pop()
        } else {
            Some(Wanted::Any(parts))
        }
    }

    fn all(&mut self) -> Option<Wanted> {
        let mut parts = vec![self.phrase()?];
        while self.take("&") {
            parts.push(self.phrase()?);
        }
        all(parts)
    }

    /// Words after each other. Only words can be, not what stands in parentheses.
    fn phrase(&mut self) -> Option<Wanted> {
        let first = self.not()?;
        let Wanted::Phrase(mut words) = first else {
            return Some(first);
        };
        while let Some(distance) = self.distance() {
            let Wanted::Phrase(next) = self.not()? else {
                return None;
            };
            words.extend(next.into_iter().map(|(_, word)| (distance, word)));
        }
        Some(Wanted::Phrase(words))
    }

    fn distance(&mut self) -> Option<usize> {
        if self.take("<->") {
            return Some(1);
        }
        let (digits, _) = self.rest.strip_prefix('<')?.split_once('>')?;
        let distance: usize = digits.parse().ok()?;
        self.take(&format!("<{digits}>"));
        Some(distance)
    }

    fn not(&mut self) -> Option<Wanted> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let wanted = if self.take("!") {
            Wanted::Not(Box::new(self.not()?))
        } else if self.take("(") {
            let inner = self.any()?;
            if !self.take(")") {
                return None;
            }
            inner
        } else {
            self.word()?
        };
        self.depth -= 1;
        Some(wanted)
    }

    fn word(&mut self) -> Option<Wanted> {
        let end = |letter: char| !(letter.is_alphanumeric() || letter == '_');
        let quoted = self.rest.strip_prefix('\'');
        let (text, rest) = match quoted {
            Some(quoted) => quoted.split_once('\'')?,
            None => {
                let length = self.rest.find(end).unwrap_or(self.rest.len());
                self.rest.split_at_checked(length)?
            }
        };
        let is_prefix = rest.starts_with(":*");
        self.rest = rest.strip_prefix(":*").unwrap_or(rest).trim_start();
        let mut found: Vec<_> = words(text).map(|text| (1, word(text))).collect();
        if let Some((_, last)) = found.last_mut() {
            last.is_prefix = is_prefix;
        }
        (!found.is_empty()).then_some(Wanted::Phrase(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The quick brown Fox, jumped-over 2 lazy dogs";

    #[track_caller]
    fn check(kind: SearchKind, query: &str, expected: Option<bool>) {
        let found = Search::parse(kind, query).map(|search| search.finds(TEXT));
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn operators() {
        let operators = |query, expected| check(SearchKind::Operators, query, expected);
        operators("fox", Some(true));
        operators("fox & !cat", Some(true));
        operators("cat | dogs", Some(true));
        operators("brown <-> fox", Some(true));
        operators("quick <-> fox", Some(false));
        operators("quick <2> fox", Some(true));
        operators("jump:*", Some(true));
        operators("jump", Some(false));
        operators("(cat | fox) & (2 | 3)", Some(true));
        operators("fox cat", None);
        operators("fox &", None);
        operators("(fox", None);
    }

    #[test]
    fn words_phrases_and_the_web() {
        check(SearchKind::Plain, "dogs FOX", Some(true));
        check(SearchKind::Plain, "dogs cat", Some(false));
        check(SearchKind::Plain, "", Some(false));
        check(SearchKind::Phrase, "brown fox", Some(true));
        check(SearchKind::Phrase, "fox brown", Some(false));
        check(SearchKind::Web, "\"lazy dogs\" -cat", Some(true));
        check(SearchKind::Web, "cat or fox", Some(true));
        check(SearchKind::Web, "fox -dogs", Some(false));
    }
}
