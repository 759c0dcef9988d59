//! What a rule is made of.

use std::fmt;

use super::literal::Left;

/// A rule, parsed. It is shown as oslo.policy shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// `@`: everybody.
    True,
    /// `!`: nobody.
    False,
    /// `not`
    Not(Box<Self>),
    /// `and`
    And(Vec<Self>),
    /// `or`
    Or(Vec<Self>),
    /// `rule:name`: another rule.
    Rule(String),
    /// `role:name`: one of the caller's roles, in any case.
    Role(String),
    /// `http:` and `https:`: what another service says.
    Remote {
        /// Whether it is asked over TLS.
        tls: bool,
        /// What stands behind the colon.
        rest: String,
    },
    /// Anything else: something of the caller's, or a literal, is equal to a text.
    Generic {
        /// The left side as it was written.
        kind: String,
        /// What it means.
        left: Left,
        /// The right side, before the target's values are put in.
        pattern: String,
    },
}

impl Check {
    /// The check of this kind.
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

    /// Calls `seen` for this check and all it is made of.
    pub fn walk<'c>(&'c self, seen: &mut impl FnMut(&'c Self)) {
        seen(self);
        match self {
            Self::Not(check) => check.walk(seen),
            Self::And(checks) | Self::Or(checks) => checks.iter().for_each(|check| check.walk(seen)),
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
