//! One option with its value, and where the value comes from.

use std::fmt;
use std::path::PathBuf;

use super::option::{Opt, Value};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody gave one.
    Default,
    /// A file has it.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A variable of this name has it.
    Environment(String),
    /// The command line has it, as this option.
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

/// An option and what it comes to. A [`Debug`](fmt::Debug) of it would show passwords, and there is none.
#[derive(Clone)]
pub struct Setting {
    /// The section.
    pub group: String,
    /// The option.
    pub opt: &'static Opt,
    /// The value; none where it is unset.
    pub value: Option<Value>,
    /// Where it comes from.
    pub source: Source,
    /// Whether it refers to a secret, and so holds one.
    pub holds_secret: bool,
}

impl Setting {
    /// `[group] name`
    pub fn name(&self) -> String {
        format!("[{}] {}", self.group, self.opt.name)
    }

    /// A text that is there and not empty.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// The sentence on a value that is not valid.
pub fn refusal(group: &str, name: &str, source: &Source, why: &str) -> String {
    match source {
        Source::Default => format!("The option [{group}] {name} is not valid: {why}."),
        source => format!("The option [{group}] {name}, given by {source}, is not valid: {why}."),
    }
}
