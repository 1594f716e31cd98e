//! Filters: conditions with their names resolved and their values typed.

use super::build::{Builder, field};
use super::literal::{Number, Value, shown};
use super::{Check, Comparator, Field, Filter, MAX_TESTS, Node, PlanError};
use crate::Search;
use crate::ast::{Comparison, Condition, Operand, Operator, Truth};
use crate::schema::{Kind, Resource};

/// The largest program that a regular expression may become, in bytes.
const MAX_REGEX_BYTES: usize = 256 * 1024;

impl Builder {
    pub(super) fn filter(
        &mut self,
        node: &Node,
        names: &[(String, usize)],
        condition: &Condition,
    ) -> Result<Filter, PlanError> {
        match condition {
            Condition::Logic {
                is_negated,
                is_or,
                terms,
            } => {
                let terms: Result<Vec<_>, _> = terms
                    .iter()
                    .map(|term| self.filter(node, names, term))
                    .collect();
                let terms = terms?;
                let filter = if *is_or {
                    Filter::Or(terms)
                } else {
                    Filter::And(terms)
                };
                Ok(negate(filter, *is_negated))
            }
            Condition::Test {
                column,
                is_negated,
                operator,
            } => {
                self.tests += match operator {
                    Operator::In(list)
                    | Operator::Compare {
                        operand: Operand::Any(list) | Operand::All(list),
                        ..
                    } => list.len().max(1),
                    _ => 1,
                };
                if self.tests > MAX_TESTS {
                    let message = "the query has too many filters";
                    return Err(PlanError::new("query_too_complex", message));
                }
                let embedded = names.iter().find(|(name, _)| *name == column.name);
                if let Some((name, index)) = embedded
                    && column.path.is_empty()
                    && node.resource.column(&column.name).is_none()
                {
                    return related(name, *index, operator, *is_negated);
                }
                let field = field(node.resource, column)?;
                let name = field.column.name;
                // What is wrong with a value is told with its column, where nothing else is to be said.
                let test = test(field, operator).map_err(|error| match error.hint {
                    Some(_) => error,
                    None => error.with_hint(Some(format!("in the filter of {name}"))),
                });
                Ok(negate(test?, *is_negated))
            }
        }
    }
}

/// The plans that anybody may see.
pub(super) fn only_active(plans: &'static Resource) -> Option<Filter> {
    let column = plans.column("status")?;
    let field = Field {
        column,
        path: Vec::new(),
        kind: column.kind,
    };
    let active = Value::Text("active".to_owned());
    Some(Filter::Test(
        field,
        Check::Compare(Comparator::Equal, active),
    ))
}

fn negate(filter: Filter, is_negated: bool) -> Filter {
    if is_negated {
        Filter::Not(Box::new(filter))
    } else {
        filter
    }
}

/// `relation=is.null`: there is no related row that fits.
fn related(
    name: &str,
    index: usize,
    operator: &Operator,
    is_negated: bool,
) -> Result<Filter, PlanError> {
    let wants_none = match operator {
        Operator::Is(Truth::Null) => !is_negated,
        Operator::Is(Truth::NotNull) => is_negated,
        _ => {
            let message = "Bad operator on the embedded resource";
            let details = format!("Only is null or not is null filters are allowed on '{name}'");
            return Err(PlanError::new("PGRST120", message).with_details(details));
        }
    };
    Ok(negate(Filter::Related(index), wants_none))
}

fn test(field: Field, operator: &Operator) -> Result<Filter, PlanError> {
    match operator {
        Operator::Compare {
            comparison,
            operand,
        } => match operand {
            Operand::One(text) => compare(field, *comparison, text),
            Operand::Any(texts) => each(&field, *comparison, texts).map(Filter::Or),
            Operand::All(texts) => each(&field, *comparison, texts).map(Filter::And),
        },
        Operator::In(texts) => one_of(field, texts),
        Operator::Is(truth) => is(field, *truth),
        Operator::IsDistinct(text) => {
            let value = match number(&field, text)? {
                Some(Number::Above(_)) => return Ok(always()),
                _ => Value::parse(text, field.kind)?,
            };
            Ok(Filter::Test(field, Check::Distinct(value)))
        }
        Operator::Search {
            kind,
            configuration,
            query,
        } => {
            must_be_text(&field, "@@")?;
            if let Some(name) = configuration.as_deref().filter(|name| *name != "simple") {
                let message = format!(
                    "text search configuration \"{}\" does not exist",
                    shown(name)
                );
                let hint = "the configuration is simple: words as they are written";
                return Err(PlanError::new("42704", message).with_hint(Some(hint)));
            }
            let search = Search::parse(*kind, query).ok_or_else(|| {
                let message = "syntax error in tsquery";
                PlanError::new("42601", message).with_details(shown(query))
            })?;
            Ok(Filter::Test(field, Check::Words(search)))
        }
        Operator::OfRanges { name, value } if field.kind == Kind::Json && name == "cs" => {
            json(value).map(|json| Filter::Test(field, Check::Contains(json)))
        }
        Operator::OfRanges { name, value } if field.kind == Kind::Json && name == "cd" => {
            json(value).map(|json| Filter::Test(field, Check::ContainedIn(json)))
        }
        Operator::OfRanges { name, .. } => Err(no_operator(&field, name)),
    }
}

fn json(text: &str) -> Result<String, PlanError> {
    match Value::parse(text, Kind::Json)? {
        Value::Json(json) => Ok(json),
        _ => Err(PlanError::new(
            "22P02",
            "invalid input syntax for type json",
        )),
    }
}

fn each(field: &Field, comparison: Comparison, texts: &[String]) -> Result<Vec<Filter>, PlanError> {
    let tests = texts
        .iter()
        .map(|text| compare(field.clone(), comparison, text));
    let tests: Vec<_> = tests.collect::<Result<_, _>>()?;
    Ok(tests)
}

fn compare(field: Field, comparison: Comparison, text: &str) -> Result<Filter, PlanError> {
    let comparator = match comparison {
        Comparison::Equal => Comparator::Equal,
        Comparison::NotEqual => Comparator::NotEqual,
        Comparison::Greater => Comparator::Greater,
        Comparison::GreaterOrEqual => Comparator::GreaterOrEqual,
        Comparison::Less => Comparator::Less,
        Comparison::LessOrEqual => Comparator::LessOrEqual,
        Comparison::Like | Comparison::ILike => {
            must_be_text(&field, "~~")?;
            let pattern = text.replace('*', "%");
            if ends_in_escape(&pattern) {
                let message = "LIKE pattern must not end with escape character";
                return Err(PlanError::new("22025", message));
            }
            let any_case = comparison == Comparison::ILike;
            return Ok(Filter::Test(field, Check::Like { pattern, any_case }));
        }
        Comparison::Match | Comparison::IMatch => {
            must_be_text(&field, "~")?;
            let any_case = comparison == Comparison::IMatch;
            let pattern = text.to_owned();
            regex(&pattern, any_case)?;
            return Ok(Filter::Test(field, Check::Match { pattern, any_case }));
        }
    };
    match number(&field, text)? {
        Some(Number::Above(micros)) => Ok(between(field, comparator, micros)),
        _ => {
            let value = Value::parse(text, field.kind)?;
            let is_ordered = !matches!(comparator, Comparator::Equal | Comparator::NotEqual);
            if is_ordered && field.kind == Kind::Json {
                return Err(no_operator(&field, "<"));
            }
            Ok(Filter::Test(field, Check::Compare(comparator, value)))
        }
    }
}

fn number(field: &Field, text: &str) -> Result<Option<Number>, PlanError> {
    match field.kind {
        Kind::Quantity | Kind::Amount => Number::parse(text, field.kind).map(Some),
        _ => Ok(None),
    }
}

/// A comparison with what lies between a value that the column can hold and the next.
fn between(field: Field, comparator: Comparator, micros: i128) -> Filter {
    let floor = Value::Decimal(micros);
    match comparator {
        Comparator::Equal => Filter::Never,
        Comparator::NotEqual => Filter::Not(Box::new(Filter::Test(field, Check::Null))),
        Comparator::Greater | Comparator::GreaterOrEqual => {
            Filter::Test(field, Check::Compare(Comparator::Greater, floor))
        }
        Comparator::Less | Comparator::LessOrEqual => {
            Filter::Test(field, Check::Compare(Comparator::LessOrEqual, floor))
        }
    }
}

fn always() -> Filter {
    Filter::And(Vec::new())
}

fn one_of(field: Field, texts: &[String]) -> Result<Filter, PlanError> {
    let mut values = Vec::with_capacity(texts.len());
    for text in texts {
        if !matches!(number(&field, text)?, Some(Number::Above(_))) {
            values.push(Value::parse(text, field.kind)?);
        }
    }
    Ok(if values.is_empty() {
        Filter::Never
    } else {
        Filter::Test(field, Check::OneOf(values))
    })
}

fn is(field: Field, truth: Truth) -> Result<Filter, PlanError> {
    let wanted = match truth {
        Truth::Null => return Ok(Filter::Test(field, Check::Null)),
        Truth::NotNull => return Ok(negate(Filter::Test(field, Check::Null), true)),
        Truth::True => Check::Is(true),
        Truth::False => Check::Is(false),
        Truth::Unknown => Check::Null,
    };
    if field.kind != Kind::Boolean {
        let name = field.column.name;
        let message = format!(
            "argument of IS TRUE must be type boolean, not type {}",
            field.kind.name()
        );
        return Err(PlanError::new("42804", message).with_details(name));
    }
    Ok(Filter::Test(field, wanted))
}

fn must_be_text(field: &Field, operator: &str) -> Result<(), PlanError> {
    if field.kind == Kind::Text {
        Ok(())
    } else {
        Err(no_operator(field, operator))
    }
}

fn no_operator(field: &Field, operator: &str) -> PlanError {
    let message = format!(
        "operator does not exist: {} {operator} unknown",
        field.kind.name()
    );
    PlanError::new("42883", message).with_details(field.column.name)
}

fn ends_in_escape(pattern: &str) -> bool {
    let escapes = pattern.chars().rev().take_while(|letter| *letter == '\\');
    escapes.count() % 2 == 1
}

/// A regular expression of a request.
///
/// # Errors
/// 2201B where it is not one, or not one that can be searched for in linear time.
pub fn regex(pattern: &str, any_case: bool) -> Result<regex::Regex, PlanError> {
    let built = regex::RegexBuilder::new(pattern)
        .case_insensitive(any_case)
        .size_limit(MAX_REGEX_BYTES)
        .build();
    built.map_err(|_| {
        PlanError::new("2201B", "invalid regular expression").with_details(shown(pattern))
    })
}
