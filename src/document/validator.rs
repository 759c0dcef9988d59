//! A validator for the part of JSON Schema, draft 4, that the shapes use: the keywords of [`compile::KEYWORDS`].
//!
//! A schema with another keyword does not compile. A complete validator brings references, formats, all drafts and a
//! regular expression engine with the tables of Unicode: `jsonschema` was a quarter of the time to build the service,
//! and 5 MB of it. The tests compare this validator with it on the bodies of every shape.

mod compile;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow::{self, Break, Continue};

use regex_lite::Regex;
use serde_json::{Number, Value};

pub use compile::MUST_BE;

/// A compiled schema.
pub struct Validator(Vec<Check>);

/// A keyword of a schema, and the error text if a value breaks it.
struct Check {
    test: Test,
    text: String,
}

enum Test {
    Type(Vec<fn(&Value) -> bool>),
    Enum(Vec<Value>),
    Number(Ordering, i64),
    Length(Ordering, usize),
    Items(Ordering, usize),
    Properties(Ordering, usize),
    Required(Vec<String>),
    Pattern(Regex),
    Members {
        known: BTreeMap<String, Validator>,
        others: Others,
    },
    Each(Validator),
    All(Vec<Validator>),
    Any(Vec<Validator>),
    /// An `anyOf` with a description, as an element of an `allOf`.
    Rule(Vec<Validator>),
    Not(Validator),
}

/// What the members are that `properties` does not name.
enum Others {
    Allowed,
    Refused,
    Checked(Validator),
}

/// A value that breaks a check. `member` is the one that is missing, or that there may not be.
struct Fault<'a> {
    check: &'a Check,
    value: &'a Value,
    place: Place<'a>,
    member: Option<&'a str>,
}

type Report<'r> = &'r mut dyn FnMut(Fault<'_>) -> ControlFlow<()>;

impl Validator {
    /// The place of the first fault of a value as a JSON pointer, and what is wrong there.
    pub fn find_fault(&self, value: &Value) -> Option<(String, String)> {
        let mut found = None;
        let _ = self.visit(value, Place::Body, &mut |fault| {
            found = Some((fault.place(), fault.text()));
            Break(())
        });
        found
    }

    fn is_valid(&self, value: &Value) -> bool {
        self.visit(value, Place::Body, &mut |_| Break(())).is_continue()
    }

    /// Reports every fault, until the report breaks.
    fn visit(&self, value: &Value, place: Place<'_>, report: Report<'_>) -> ControlFlow<()> {
        self.0.iter().try_for_each(|check| check.visit(value, place, report))
    }
}

impl Check {
    fn visit(&self, value: &Value, place: Place<'_>, report: Report<'_>) -> ControlFlow<()> {
        let holds = match (&self.test, value) {
            (Test::Type(types), _) => types.iter().any(|is| is(value)),
            (Test::Enum(values), _) => values.contains(value),
            (Test::Number(wrong, limit), Value::Number(number)) => compare(number, *limit) != Some(*wrong),
            (Test::Length(wrong, limit), Value::String(text)) => text.chars().count().cmp(limit) != *wrong,
            (Test::Items(wrong, limit), Value::Array(items)) => items.len().cmp(limit) != *wrong,
            (Test::Properties(wrong, limit), Value::Object(object)) => object.len().cmp(limit) != *wrong,
            (Test::Required(names), Value::Object(object)) => {
                for name in names.iter().filter(|name| !object.contains_key(*name)) {
                    report(Fault { check: self, value, place, member: Some(name) })?;
                }
                true
            }
            (Test::Pattern(pattern), Value::String(text)) => pattern.is_match(text),
            (Test::Members { known, others }, Value::Object(object)) => {
                for (name, value) in object {
                    let inside = Place::Member(&place, name);
                    match (known.get(name), others) {
                        (Some(schema), _) | (None, Others::Checked(schema)) => {
                            schema.visit(value, inside, report)?;
                        }
                        (None, Others::Refused) => {
                            report(Fault { check: self, value, place, member: Some(name) })?;
                        }
                        (None, Others::Allowed) => {}
                    }
                }
                true
            }
            (Test::Each(schema), Value::Array(items)) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(i, item)| schema.visit(item, Place::Item(&place, i), report))?;
                true
            }
            (Test::All(schemas), _) => {
                schemas.iter().try_for_each(|schema| schema.visit(value, place, report))?;
                true
            }
            (Test::Any(schemas) | Test::Rule(schemas), _) => {
                schemas.iter().any(|schema| schema.is_valid(value))
            }
            (Test::Not(schema), _) => !schema.is_valid(value),
            // A keyword of another type of value.
            _ => true,
        };
        if holds { Continue(()) } else { report(Fault { check: self, value, place, member: None }) }
    }
}

impl Fault<'_> {
    fn text(&self) -> String {
        match (&self.check.test, self.member) {
            (Test::Required(_), Some(name)) => format!("{} is a required property", Value::from(name)),
            (_, Some(name)) => format!("Additional properties are not allowed ('{name}' was unexpected)"),
            _ => self.check.text.clone(),
        }
    }

    /// The first alternative of a rule is the usual one, so the place is the deepest one in it.
    fn place(&self) -> String {
        let mut place = self.place.to_string();
        if let Test::Rule(alternatives) = &self.check.test {
            let _ = alternatives.iter().take(1).try_for_each(|usual| {
                usual.visit(self.value, self.place, &mut |fault| {
                    let other = fault.place.to_string();
                    if other.len() >= place.len() {
                        place = other;
                    }
                    Continue(())
                })
            });
        }
        place
    }
}

/// A place in a body, as a list from the inside to the outside.
#[derive(Clone, Copy)]
enum Place<'a> {
    Body,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

/// A JSON pointer (RFC 6901).
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Body => Ok(()),
            Place::Member(outside, name) => {
                write!(f, "{outside}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            Place::Item(outside, index) => write!(f, "{outside}/{index}"),
        }
    }
}

fn compare(number: &Number, limit: i64) -> Option<Ordering> {
    match number.as_i64() {
        Some(number) => Some(number.cmp(&limit)),
        #[expect(clippy::cast_precision_loss, reason = "limits are below 2^53")]
        None => number.as_f64()?.partial_cmp(&(limit as f64)),
    }
}
