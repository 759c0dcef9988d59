//! Decides whether a check allows given credentials and a target.
//!
//! Where oslo.policy raises an exception, the result is a [`Failure`]: it is no answer, so a `not` does not turn it into
//! permission.

use std::fmt;

use serde_json::Value;

use super::check::Check;
use super::literal::Left;
use super::python::{self, Problem, Values};
use super::remote::{Question, Remote};
use super::rules::Rules;

/// The deepest nesting of checks, with the rules they refer to. Python's recursion limit is about half of it.
const MAX_DEPTH: usize = 1000;

/// The reason why a check could not be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The target has no such key. A `rule:` check treats this as a refusal.
    Missing(String),
    /// Any other reason, for the operator.
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

/// One evaluation in progress.
pub struct Evaluation<'a> {
    pub rules: &'a Rules,
    /// The caller's credentials.
    pub credentials: &'a Values,
    /// The target, such as the project in the path.
    pub target: &'a Values,
    /// The client for http checks.
    pub remote: Option<&'a Remote>,
    /// The rule with which the evaluation began.
    pub rule: &'a str,
    /// The rules under evaluation, outermost first.
    pub path: Vec<&'a str>,
    /// The current nesting of checks.
    pub depth: usize,
}

impl<'a> Evaluation<'a> {
    /// Whether the check allows the target.
    ///
    /// # Errors
    /// The check cannot be evaluated.
    pub fn allows(&mut self, check: &'a Check) -> Result<bool, Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::Other(format!("the rules are nested more than {MAX_DEPTH} deep")));
        }
        let allowed = match check {
            Check::True => true,
            Check::False => false,
            Check::Not(check) => !self.allows(check)?,
            Check::And(checks) => self.short_circuit(checks, false)?,
            Check::Or(checks) => self.short_circuit(checks, true)?,
            Check::Rule(name) => self.allows_rule(name)?,
            Check::Role(name) => self.has_role(name)?,
            Check::Remote { tls, rest } => self.ask_remote(*tls, rest)?,
            Check::Generic { kind, left, pattern } => self.matches(kind, left, pattern)?,
        };
        self.depth -= 1;
        Ok(allowed)
    }

    /// `wanted` as soon as one of the checks gives it; the rest are not evaluated.
    fn short_circuit(&mut self, checks: &'a [Check], wanted: bool) -> Result<bool, Failure> {
        for check in checks {
            if self.allows(check)? == wanted {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }

    fn allows_rule(&mut self, name: &'a str) -> Result<bool, Failure> {
        let Some(check) = self.rules.get(name) else { return Ok(false) };
        // The second evaluation would be like the first, and so never end.
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
        let Some(name) = self.interpolate(name)? else { return Ok(false) };
        let Some(Value::Array(roles)) = self.credentials.get("roles") else { return Ok(false) };
        let name = name.to_lowercase();
        Ok(roles.iter().filter_map(Value::as_str).any(|role| role.to_lowercase() == name))
    }

    fn matches(&self, kind: &str, left: &Left, pattern: &str) -> Result<bool, Failure> {
        let Some(wanted) = self.interpolate(pattern)? else { return Ok(false) };
        match left {
            Left::Literal(literal) => Ok(*literal == *wanted),
            Left::Path(path) => path_equals(self.credentials, path, &wanted),
            Left::Neither => {
                Err(Failure::Other(format!("{kind:?} is neither a literal nor a path into the credentials")))
            }
        }
    }

    /// The text with the target's values in it; `None` if a value is missing.
    fn interpolate<'t>(&self, template: &'t str) -> Result<Option<std::borrow::Cow<'t, str>>, Failure> {
        match python::format(template, self.target) {
            Ok(text) => Ok(Some(text)),
            Err(Problem::Missing(_)) => Ok(None),
            Err(Problem::Malformed(why)) => Err(Failure::Other(why)),
        }
    }

    fn ask_remote(&self, tls: bool, rest: &str) -> Result<bool, Failure> {
        let rest = python::format(rest, self.target).map_err(|problem| match problem {
            Problem::Missing(key) => Failure::Missing(key),
            Problem::Malformed(why) => Failure::Other(why),
        })?;
        let url = format!("{}:{rest}", if tls { "https" } else { "http" });
        let remote = self.remote.ok_or_else(|| Failure::Other("http checks are not sent here".to_owned()))?;
        let question = Question { rule: self.rule, target: self.target, credentials: self.credentials };
        remote.allows(&url, &question).map_err(Failure::Other)
    }
}

/// Whether the value at the path equals the text. For a list on the way, any element may lead there.
fn path_equals(values: &Values, path: &[String], wanted: &str) -> Result<bool, Failure> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(python::repr(&Value::Object(values.clone())) == wanted);
    };
    match values.get(key) {
        None => Ok(false),
        Some(Value::Array(items)) => {
            for item in items {
                if value_equals(item, rest, wanted)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Some(value) => value_equals(value, rest, wanted),
    }
}

fn value_equals(value: &Value, path: &[String], wanted: &str) -> Result<bool, Failure> {
    match (value, path.first()) {
        (_, None) => Ok(python::str(value) == wanted),
        (Value::Object(values), Some(_)) => path_equals(values, path, wanted),
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
