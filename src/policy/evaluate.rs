//! A check, the credentials and the target to yes or no.
//!
//! What oslo.policy raises on is a [`Failure`] here: no answer at all, and never a yes, also behind a `not`.

use std::fmt;

use serde_json::Value;

use super::check::Check;
use super::literal::Left;
use super::python::{self, Problem, Values};
use super::remote::{Question, Remote};
use super::rules::Rules;

/// How deep checks and the rules they refer to may go, all together. Python's own limit stops it at about half.
const MAX_DEPTH: usize = 1000;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The target has no such key. A `rule:` check takes that for a no.
    Missing(String),
    /// Anything else, in words for the operator.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(key) => write!(f, "the target has no {key:?}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// One question, being answered.
pub struct Evaluation<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// Who asks.
    pub credentials: &'a Values,
    /// What for.
    pub target: &'a Values,
    /// Who is asked in http checks.
    pub remote: Option<&'a Remote>,
    /// The rule that was asked first.
    pub asked: &'a str,
    /// The rules that are being answered just now, outermost first.
    pub path: Vec<&'a str>,
    /// How deep in checks we are.
    pub depth: usize,
}

impl<'a> Evaluation<'a> {
    /// Whether the check allows it.
    ///
    /// # Errors
    /// It cannot be answered.
    pub fn allows(&mut self, check: &'a Check) -> Result<bool, Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::Other(format!("the rules are nested more than {MAX_DEPTH} deep")));
        }
        let allowed = match check {
            Check::True => true,
            Check::False => false,
            Check::Not(check) => !self.allows(check)?,
            Check::And(checks) => self.first(checks, false)?,
            Check::Or(checks) => self.first(checks, true)?,
            Check::Rule(name) => self.rule(name)?,
            Check::Role(name) => self.has_role(name)?,
            Check::Remote { tls, rest } => self.ask(*tls, rest)?,
            Check::Generic { kind, left, pattern } => self.matches(kind, left, pattern)?,
        };
        self.depth -= 1;
        Ok(allowed)
    }

    /// `wanted` if one of the checks gives it; the rest is not looked at.
    fn first(&mut self, checks: &'a [Check], wanted: bool) -> Result<bool, Failure> {
        for check in checks {
            if self.allows(check)? == wanted {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }

    fn rule(&mut self, name: &'a str) -> Result<bool, Failure> {
        let Some(check) = self.rules.get(name) else { return Ok(false) };
        // Nothing changes between the two times, so that it would go on for ever.
        if self.path.contains(&name) {
            return Err(Failure::Other(format!("{} -> {name} is a circle", self.path.join(" -> "))));
        }
        self.path.push(name);
        let depth = self.depth;
        let allowed = match self.allows(check) {
            Err(Failure::Missing(_)) => {
                self.depth = depth;
                false
            }
            other => other?,
        };
        self.path.pop();
        Ok(allowed)
    }

    fn has_role(&self, name: &str) -> Result<bool, Failure> {
        let Some(name) = self.filled(name)? else { return Ok(false) };
        let Some(Value::Array(roles)) = self.credentials.get("roles") else { return Ok(false) };
        let name = name.to_lowercase();
        Ok(roles.iter().filter_map(Value::as_str).any(|role| role.to_lowercase() == name))
    }

    fn matches(&self, kind: &str, left: &Left, pattern: &str) -> Result<bool, Failure> {
        let Some(wanted) = self.filled(pattern)? else { return Ok(false) };
        match left {
            Left::Literal(literal) => Ok(*literal == *wanted),
            Left::Path(path) => in_values(self.credentials, path, &wanted),
            Left::Neither => {
                Err(Failure::Other(format!("{kind:?} is neither a literal nor a path into the credentials")))
            }
        }
    }

    /// The text with the target's values; `None` where one is missing.
    fn filled<'t>(&self, template: &'t str) -> Result<Option<std::borrow::Cow<'t, str>>, Failure> {
        match python::format(template, self.target) {
            Ok(text) => Ok(Some(text)),
            Err(Problem::Missing(_)) => Ok(None),
            Err(Problem::Malformed(why)) => Err(Failure::Other(why)),
        }
    }

    fn ask(&self, tls: bool, rest: &str) -> Result<bool, Failure> {
        let rest = python::format(rest, self.target).map_err(|problem| match problem {
            Problem::Missing(key) => Failure::Missing(key),
            Problem::Malformed(why) => Failure::Other(why),
        })?;
        let url = format!("{}:{rest}", if tls { "https" } else { "http" });
        let remote = self.remote.ok_or_else(|| Failure::Other("nobody is there to be asked".to_owned()))?;
        let question = Question { rule: self.asked, target: self.target, credentials: self.credentials };
        remote.allows(&url, &question).map_err(Failure::Other)
    }
}

/// Whether what is at the path is the text; of a list, whether any element leads there.
fn in_values(values: &Values, path: &[String], wanted: &str) -> Result<bool, Failure> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(python::repr(&Value::Object(values.clone())) == wanted);
    };
    match values.get(key) {
        None => Ok(false),
        Some(Value::Array(items)) => {
            for item in items {
                if at(item, rest, wanted)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Some(value) => at(value, rest, wanted),
    }
}

fn at(value: &Value, path: &[String], wanted: &str) -> Result<bool, Failure> {
    match (value, path.first()) {
        (_, None) => Ok(python::str(value) == wanted),
        (Value::Object(values), Some(_)) => in_values(values, path, wanted),
        (other, Some(key)) => {
            let kind = match other {
                Value::Null => "nothing",
                Value::Array(_) => "a list",
                _ => "a single value",
            };
            Err(Failure::Other(format!("the credentials have no {key:?} there, but {kind}")))
        }
    }
}
