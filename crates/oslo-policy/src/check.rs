//! The syntax tree of a rule.

use std::fmt;

use super::literal::Left;

/// A parsed rule. It is displayed as oslo.policy displays it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// `@`: always allows.
    True,
    /// `!`: never allows.
    False,
    /// `not`
    Not(Box<Self>),
    /// `and`
    And(Vec<Self>),
    /// `or`
    Or(Vec<Self>),
    /// `rule:name`: another rule.
    Rule(String),
    /// `role:name`: the caller has this role; upper and lower case are the same.
    Role(String),
    /// `http:` and `https:`: another service decides.
    Remote {
        /// Whether the URL is https.
        tls: bool,
        /// The part after the colon.
        rest: String,
    },
    /// Anything else: a value from the credentials, or a literal, equals a text.
    Generic {
        /// The left side as written.
        kind: String,
        /// The left side, parsed.
        left: Left,
        /// The right side, before the target's values are interpolated.
        pattern: String,
    },
}

impl Check {
    /// The check `kind:rest`.
    pub fn new(kind: &str, rest: &str) -> Self {
        let text = rest.to_owned();
        match kind {
            "rule" => Self::Rule(text),
            "role" => Self::Role(text),
            "http" => Self::Remote { tls: false, rest: text },
            "https" => Self::Remote { tls: true, rest: text },
            _ => Self::Generic { kind: kind.to_owned(), left: Left::parse(kind), pattern: text },
        }
    }

    /// Calls `visit` for this check and everything inside it.
    pub fn walk<'c>(&'c self, visit: &mut impl FnMut(&'c Self)) {
        visit(self);
        match self {
            Self::Not(check) => check.walk(visit),
            Self::And(checks) | Self::Or(checks) => checks.iter().for_each(|check| check.walk(visit)),
            _ => {}
        }
    }

    /// The roles it names.
    pub fn roles(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.walk(&mut |check| match check {
            Self::Role(name) => names.push(name.as_str()),
            Self::Generic { kind, pattern, .. } if kind == "roles" => names.push(pattern),
            _ => {}
        });
        names
    }

    /// The rules it refers to.
    pub fn references(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.walk(&mut |check| {
            if let Self::Rule(name) = check {
                names.push(name.as_str());
            }
        });
        names
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined =
            |checks: &[Self], word: &str| checks.iter().map(Self::to_string).collect::<Vec<_>>().join(word);
        match self {
            Self::True => f.write_str("@"),
            Self::False => f.write_str("!"),
            Self::Not(check) => write!(f, "not {check}"),
            Self::And(checks) => write!(f, "({})", joined(checks, " and ")),
            Self::Or(checks) => write!(f, "({})", joined(checks, " or ")),
            Self::Rule(name) => write!(f, "rule:{name}"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Remote { tls: false, rest } => write!(f, "http:{rest}"),
            Self::Remote { tls: true, rest } => write!(f, "https:{rest}"),
            Self::Generic { kind, pattern, .. } => write!(f, "{kind}:{pattern}"),
        }
    }
}
