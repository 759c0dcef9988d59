//! One option with its value, and where the value comes from.

use std::fmt;
use std::path::PathBuf;

use super::option::{Opt, Value};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// No source sets the option.
    Default,
    /// A file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// The command line option of this name.
    CommandLine(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::CommandLine(flag) => write!(f, "the command line option {flag}"),
        }
    }
}

/// An option and its value. There is no [`Debug`](fmt::Debug), because it would show passwords.
#[derive(Clone)]
pub struct Setting {
    /// The section.
    pub group: String,
    /// The option.
    pub opt: &'static Opt,
    /// The value; `None` if it is unset.
    pub value: Option<Value>,
    /// Where the value comes from.
    pub source: Source,
    /// Whether a reference to a secret was substituted into the value.
    pub holds_secret: bool,
}

impl Setting {
    /// `[group] name`
    pub fn name(&self) -> String {
        format!("[{}] {}", self.group, self.opt.name)
    }

    /// The text, if there is one and it is not empty.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// The error for a value that is not valid.
pub fn refusal(group: &str, name: &str, source: &Source, why: &str) -> String {
    match source {
        Source::Default => format!("The option [{group}] {name} is not valid: {why}."),
        source => format!("The option [{group}] {name}, given by {source}, is not valid: {why}."),
    }
}
