//! The left side of a generic check: a Python literal, or a path into the credentials.

use super::python::float_repr;

/// What the left side of `kind:match` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// A literal, as Python's `str` of it.
    Literal(String),
    /// A path into the credentials.
    Path(Vec<String>),
    /// Neither. Evaluating the check is an error.
    Neither,
}

/// Python's keywords, which are not names. The three literals among them are handled before.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

impl Left {
    /// Parses a quoted string, an integer, a float, `True`, `False`, `None`, or a path. Python's other literals, such as
    /// escapes in strings, hexadecimal numbers and lists, are [`Left::Neither`].
    pub fn parse(text: &str) -> Self {
        if matches!(text, "True" | "False" | "None") {
            return Self::Literal(text.to_owned());
        }
        if let Some(literal) = string(text).or_else(|| number(text)) {
            return Self::Literal(literal);
        }
        // Python parses names joined by `-` as a subtraction. That is not a literal, so oslo.policy takes it for a path.
        let is_path = text.strip_prefix('-').unwrap_or(text).split('-').all(is_dotted_name);
        if is_path { Self::Path(text.split('.').map(str::to_owned).collect()) } else { Self::Neither }
    }
}

fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(|name| {
        let mut characters = name.chars();
        characters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && characters.all(|c| c.is_alphanumeric() || c == '_')
            && !KEYWORDS.contains(&name)
    })
}

/// The content of a string in quotes.
fn string(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let content = text[1..].strip_suffix(quote)?;
    (!content.contains([quote, '\\'])).then(|| content.to_owned())
}

/// A number, as Python writes it.
fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.starts_with(|c: char| c.is_ascii_digit()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // Python rejects leading zeros.
        return match digits {
            "0" => Some("0".to_owned()),
            _ if digits.starts_with('0') => None,
            _ => Some(format!("{sign}{digits}")),
        };
    }
    // Rust also parses names, such as `inf`, which Python takes for paths.
    let is_float = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    text.parse().ok().filter(|_| is_float).map(float_repr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_pythons() {
        for (text, literal) in [
            ("True", "True"),
            ("None", "None"),
            ("'Member'", "Member"),
            ("\"Member\"", "Member"),
            ("''", ""),
            ("5", "5"),
            ("-5", "-5"),
            ("+5", "5"),
            ("-0", "0"),
            ("99999999999999999999999999999999999999999999", "99999999999999999999999999999999999999999999"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("1.", "1.0"),
            ("1e3", "1000.0"),
            ("1E-7", "1e-07"),
            ("1e16", "1e+16"),
            ("1e999", "inf"),
        ] {
            assert_eq!(Left::parse(text), Left::Literal(literal.to_owned()), "{text}");
        }
    }

    #[test]
    fn names_are_paths() {
        for text in ["project_id", "user.domain.id", "_x1", "true", "foo-bar", "é", "-x", "inf", "nan"] {
            let path = text.split('.').map(str::to_owned).collect();
            assert_eq!(Left::parse(text), Left::Path(path), "{text}");
        }
    }

    #[test]
    fn anything_else_is_neither() {
        for text in [
            "", "'a", "a'", "'a'b", "'", "class", "x.if", "a..b", ".a", "a.", "1a", "01", "1__0", "_.", "0x",
            "%(x)s", "@x", "a-", "$", "!", "é!", "1.2.3", "1e", "e5.", "'é", "--1", "+-1", ".", "1.inf",
        ] {
            assert_eq!(Left::parse(text), Left::Neither, "{text}");
        }
    }

    #[test]
    fn other_literals_of_python_are_refused() {
        for text in [
            "'a''b'", "'''a'''", r"'a\'b'", r"'\n'", "r'a'", "u'a'", "b'a'", "00", "1_000", "0x1F", "0b10",
            "[1]", "(1,)", "1j",
        ] {
            assert_eq!(Left::parse(text), Left::Neither, "{text}");
        }
    }
}
