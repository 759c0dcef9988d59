//! The left side of a generic check: a Python literal, or a path into the credentials.

use super::python::float_repr;

/// What the left side of `kind:match` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// A literal, as Python's `str` of it.
    Literal(String),
    /// A path into the credentials.
    Path(Vec<String>),
    /// Neither: Python rejects the text, and oslo.policy fails when it evaluates the check.
    Neither,
}

/// Python's keywords, which are not names. The three literals among them are handled before.
const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

impl Left {
    /// Parses a text by the rules of Python's `ast.literal_eval`, except for containers and complex numbers, which no
    /// credential can equal.
    pub fn parse(text: &str) -> Self {
        if matches!(text, "True" | "False" | "None") {
            return Self::Literal(text.to_owned());
        }
        if let Some(literal) = strings(text).or_else(|| signed_number(text)) {
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

/// One or more strings in quotes, side by side.
fn strings(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_raw = rest.starts_with(['r', 'R']);
        let body = if is_raw { &rest[1..] } else { rest.strip_prefix(['u', 'U']).unwrap_or(rest) };
        let quote = body.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let mut characters = body[1..].chars();
        loop {
            match characters.next()? {
                c if c == quote => break,
                '\\' if is_raw => out.extend(['\\', characters.next()?]),
                '\\' => escape(&mut characters, &mut out)?,
                c => out.push(c),
            }
        }
        rest = characters.as_str();
    }
    (!text.is_empty()).then_some(out)
}

/// Reads the rest of an escape sequence, after its backslash.
fn escape(characters: &mut std::str::Chars<'_>, out: &mut String) -> Option<()> {
    let code = |characters: &mut std::str::Chars<'_>, digits: usize| {
        let rest = characters.as_str();
        let code = u32::from_str_radix(rest.get(..digits)?, 16).ok()?;
        *characters = rest[digits..].chars();
        char::from_u32(code)
    };
    let character = match characters.next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        c @ ('\\' | '\'' | '"') => c,
        'x' => code(characters, 2)?,
        'u' => code(characters, 4)?,
        'U' => code(characters, 8)?,
        // These rare escapes are not implemented, so they are refused.
        'a' | 'b' | 'f' | 'v' | 'N' | '0'..='7' => return None,
        c => {
            out.push('\\');
            c
        }
    };
    out.push(character);
    Some(())
}

fn signed_number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let number = number(digits)?;
    Some(if number == "0" { number } else { format!("{sign}{number}") })
}

fn number(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let digits = grouped(digits.strip_prefix('_').unwrap_or(digits), radix)?;
            return Some(u128::from_str_radix(&digits, radix).ok()?.to_string());
        }
    }
    if let Some(digits) = grouped(&lower, 10) {
        let significant = digits.trim_start_matches('0');
        // Python rejects leading zeros, except in zero itself.
        return match significant {
            "" => Some("0".to_owned()),
            _ if significant.len() < digits.len() => None,
            _ => Some(digits),
        };
    }
    let (mantissa, exponent) = match lower.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (&*lower, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let part = |digits: &str| if digits.is_empty() { Some(String::new()) } else { grouped(digits, 10) };
    let (whole, fraction) = (part(whole)?, part(fraction)?);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match exponent {
        None => "0".to_owned(),
        Some(exponent) => {
            let digits = grouped(exponent.strip_prefix(['-', '+']).unwrap_or(exponent), 10)?;
            if exponent.starts_with('-') { format!("-{digits}") } else { digits }
        }
    };
    format!("{whole}.{fraction}e{exponent}").parse().ok().map(float_repr)
}

/// Digits without the single underscores between them.
fn grouped(text: &str, radix: u32) -> Option<String> {
    let is_grouped =
        text.split('_').all(|group| !group.is_empty() && group.chars().all(|c| c.is_digit(radix)));
    is_grouped.then(|| text.replace('_', ""))
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
            ("'a''b'\"c\"", "abc"),
            ("'''a'''", "a"),
            (r"'a\'b\\\x41\u00e9\q'", "a'b\\Aé\\q"),
            (r"r'a\nb'", r"a\nb"),
            ("u'a'", "a"),
            ("5", "5"),
            ("-5", "-5"),
            ("+5", "5"),
            ("-0", "0"),
            ("00", "0"),
            ("1_000", "1000"),
            ("99999999999999999999999999999999999999999999", "99999999999999999999999999999999999999999999"),
            ("0x1F", "31"),
            ("0b1_0", "2"),
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
            "", "'a", "a'", "'a'b", "class", "x.if", "a..b", ".a", "a.", "1a", "01", "1__0", "_.", "0x",
            "%(x)s", "@x", "a-", "$", "!", "é!", r"'\'", r"'\x4'", "1.2.3", "1e", "e5.", "u", "'é", "'\\xé'",
        ] {
            let left = Left::parse(text);
            // A lone prefix is a name.
            assert_eq!(left == Left::Neither, text != "u", "{text}: {left:?}");
        }
    }
}
