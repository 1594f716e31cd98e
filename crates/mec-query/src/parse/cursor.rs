//! A place in a text, and the pieces of which all of the grammar is made.

use super::ParseError;
use super::bounds::MAX_NAME_LETTERS;
use crate::names::is_of_name;

/// How much of a text is repeated in the message of its error.
const MAX_ECHO_LETTERS: usize = 200;

/// What is still to be read of a text. Each letter is looked at a constant number of times.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// What the text is, for errors: `filter`.
    subject: &'static str,
    whole: &'a str,
    rest: &'a str,
}

/// A name, and whether it could be a word of the language: with quotes it is none.
pub(super) struct Name {
    pub(super) text: String,
    is_bare: bool,
}

impl Name {
    /// It is the word of the language, not a name that happens to be spelled so.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.is_bare && self.text == word
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(subject: &'static str, whole: &'a str) -> Self {
        let rest = whole;
        Self {
            subject,
            whole,
            rest,
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn is_at(&self, text: &str) -> bool {
        self.rest.starts_with(text)
    }

    /// At a comma, a closing parenthesis or the end: where a value within parentheses ends.
    pub(super) fn is_at_end_of_element(&self) -> bool {
        matches!(self.peek(), None | Some(',' | ')'))
    }

    /// Passes over the text if it stands here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next();
        self.rest = letters.as_str();
        letter
    }

    /// All letters up to the first one that is not `wanted`.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !wanted(letter));
        self.advance(end.unwrap_or(self.rest.len()))
    }

    pub(super) fn take_rest(&mut self) -> &'a str {
        self.advance(self.rest.len())
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (head, tail) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = tail;
        head
    }

    /// What lies between an earlier place and this one.
    pub(super) fn since(&self, earlier: &Self) -> &'a str {
        let bytes = earlier.rest.len().saturating_sub(self.rest.len());
        earlier.rest.get(..bytes).unwrap_or_default()
    }

    pub(super) fn skip_spaces(&mut self) {
        self.take_while(|letter| matches!(letter, ' ' | '\t'));
    }

    pub(super) fn require(&mut self, text: &str, expected: &str) -> Result<(), ParseError> {
        if self.eat(text) {
            return Ok(());
        }
        Err(self.error(expected))
    }

    pub(super) fn require_end(&self, expected: &str) -> Result<(), ParseError> {
        if self.is_done() {
            return Ok(());
        }
        Err(self.error(expected))
    }

    /// `"..."` with `\"` and `\\`; nothing is passed over where there is none or it has no end.
    pub(super) fn quoted(&mut self) -> Option<String> {
        let mut ahead = *self;
        if !ahead.eat("\"") {
            return None;
        }
        let mut text = String::new();
        loop {
            match ahead.next()? {
                '"' => break,
                '\\' => text.push(ahead.next()?),
                letter => text.push(letter),
            }
        }
        *self = ahead;
        Some(text)
    }

    /// A name of letters, digits, `_`, `$`, spaces and dashes within, or one in quotes.
    pub(super) fn name(&mut self) -> Result<Name, ParseError> {
        self.name_of(
            is_of_name,
            "a name (letters, digits, _ or $) or one in quotes",
        )
    }

    /// A name of the letters that are `allowed`, and dashes within, or one in quotes.
    pub(super) fn name_of(
        &mut self,
        allowed: impl Fn(char) -> bool,
        expected: &str,
    ) -> Result<Name, ParseError> {
        self.skip_spaces();
        let start = *self;
        let (text, is_bare) = if self.is_at("\"") {
            let closing = "a closing quote (\")";
            let text = self
                .quoted()
                .ok_or_else(|| Cursor { rest: "", ..start }.error(closing))?;
            (text, false)
        } else {
            (self.bare(allowed).trim().to_owned(), true)
        };
        if is_bare && text.is_empty() {
            return Err(start.error(expected));
        }
        if text.chars().nth(MAX_NAME_LETTERS).is_some() {
            let expected = format!("a name of at most {MAX_NAME_LETTERS} letters");
            return Err(start.error(&expected));
        }
        Ok(Name { text, is_bare })
    }

    /// A dash belongs to a name unless it begins the arrow of a way into JSON.
    fn bare(&mut self, allowed: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest;
        let is_dash_within = |at: usize| {
            let after = rest.get(at + 1..);
            at > 0 && after.is_some_and(|after| !after.starts_with('>'))
        };
        let end = rest.char_indices().find(|(at, letter)| match letter {
            '-' => !is_dash_within(*at),
            letter => !allowed(*letter),
        });
        self.advance(end.map_or(rest.len(), |(at, _)| at))
    }

    /// What stands here cannot be read; `expected` says what could be.
    pub(super) fn error(&self, expected: &str) -> ParseError {
        let found = match self.peek() {
            None => "end of input".to_owned(),
            Some(letter) => format!("{:?}", letter.to_string()),
        };
        let mut echo: String = self.whole.chars().take(MAX_ECHO_LETTERS).collect();
        if echo.len() < self.whole.len() {
            echo.push('…');
        }
        let column = self.whole.chars().count() - self.rest.chars().count() + 1;
        let subject = self.subject;
        ParseError {
            message: format!("\"failed to parse {subject} ({echo})\" (line 1, column {column})"),
            details: Some(format!("unexpected {found} expecting {expected}")),
            hint: None,
        }
    }
}
