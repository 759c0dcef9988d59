//! What the policy language takes from Python: `str` and `repr` of values, and the `%` operator.

use std::borrow::Cow;
use std::fmt::Write;

use oslo_log::percent::{self, Conversion};
use serde_json::{Map, Value};

/// The most places of a conversion: wider than any text to compare with.
const WIDEST: usize = 10_000;

/// Values by name: the credentials, or the target.
pub type Values = Map<String, Value>;

/// The reason why a template could not be formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is no such key: Python's `KeyError`, which the checks treat as a refusal.
    Missing(String),
    /// The template is not valid, or the value does not fit it: Python's other errors, which oslo.policy does not catch.
    Malformed(String),
}

/// `str(value)`
pub fn str(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(repr(other)),
    }
}

/// `repr(value)`
pub fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float_repr(float),
            None => number.to_string(),
        },
        Value::String(text) => string_repr(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => dict_repr(map),
    }
}

fn dict_repr(map: &Values) -> String {
    let items: Vec<String> =
        map.iter().map(|(key, value)| format!("{}: {}", string_repr(key), repr(value))).collect();
    format!("{{{}}}", items.join(", "))
}

/// `repr` of a float: the shortest digits that parse to it, with an exponent of at least two digits.
pub fn float_repr(float: f64) -> String {
    if float.is_nan() || float.is_infinite() {
        return float.to_string();
    }
    let text = format!("{float:?}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{}e{sign}{exponent:0>2}", digits.strip_suffix(".0").unwrap_or(digits))
}

fn string_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `template % values`
///
/// # Errors
/// [`Problem::Missing`] for a missing key, [`Problem::Malformed`] for an invalid template; the first problem in the
/// text counts.
pub fn format<'t>(template: &'t str, values: &Values) -> Result<Cow<'t, str>, Problem> {
    if !template.contains('%') {
        return Ok(Cow::Borrowed(template));
    }
    let malformed = |why: &str| Problem::Malformed(format!("{template:?} is no format: {why}"));
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    // A conversion without a key takes the whole mapping, or, once, the value that the last key named.
    let whole = Value::Object(Map::new());
    let mut argument = Some(&whole);
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let (key, after) = percent::key(after).map_err(|_| malformed("a parenthesis is not closed"))?;
        if let Some(key) = key {
            argument = Some(values.get(key).ok_or_else(|| Problem::Missing(key.to_owned()))?);
        }
        let (conversion, after) =
            Conversion::parse(after, WIDEST).map_err(|_| malformed("the width is too large"))?;
        rest = after;
        let letter = conversion.letter.ok_or_else(|| malformed("it ends too early"))?;
        if !"%srdiu".contains(letter) {
            return Err(malformed("no value here fits that conversion"));
        }
        if letter == '%' {
            out.push('%');
            continue;
        }
        let value = argument.take().ok_or_else(|| malformed("it asks for more than there is"))?;
        let text = match (letter, std::ptr::eq(value, &whole)) {
            ('s' | 'r', true) => Cow::Owned(dict_repr(values)),
            ('s', false) => str(value),
            ('r', false) => Cow::Owned(repr(value)),
            ('d' | 'i' | 'u', false) if value.is_i64() || value.is_u64() => str(value),
            ('d' | 'i' | 'u', false) if value.is_boolean() => {
                Cow::Borrowed(if value == true { "1" } else { "0" })
            }
            _ => return Err(malformed("the value does not fit")),
        };
        conversion.pad(&text, &mut out);
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values() -> Values {
        let values = json!({"p": "x", "a.b": "dotted", "a(b)c": "nested", "n": 5, "t": true, "none": null});
        values.as_object().unwrap().clone()
    }

    #[test]
    fn str_is_pythons() {
        for (value, text) in [
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(5), "5"),
            (json!(-1.5), "-1.5"),
            (json!(1e20), "1e+20"),
            (json!(1.5e-7), "1.5e-07"),
            (json!(1000.0), "1000.0"),
            (json!("it's"), "it's"),
            (json!(["a", 1, null, "it's", "\"'\n"]), r#"['a', 1, None, "it's", '"\'\n']"#),
            (json!({"a": ["b"]}), "{'a': ['b']}"),
        ] {
            assert_eq!(str(&value), text);
        }
    }

    #[test]
    fn format_is_pythons() {
        for (template, text) in [
            ("plain", "plain"),
            ("%(p)s", "x"),
            ("a%(p)sb%(p)s", "axbx"),
            ("%(a.b)s", "dotted"),
            ("%(a(b)c)s", "nested"),
            ("100%%", "100%"),
            ("%(p)%", "%"),
            ("%(n)d %(n)s %(t)s %(t)d %(none)s", "5 5 True 1 None"),
            ("[%(p)3s]", "[  x]"),
            ("[%(p)-3s]", "[x  ]"),
            ("[%(n)03d]", "[005]"),
            ("[%(a.b).3s]", "[dot]"),
            ("%(p)ls", "x"),
            ("%(p)r", "'x'"),
        ] {
            assert_eq!(format(template, &values()).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn format_fails_where_pythons_fails() {
        for template in ["%", "100%", "%(p)", "%(p", "%(p)d", "%(p)y", "%y", "%(p)s %s", "%(p)*s", "%d"] {
            let problem = format(template, &values());
            assert!(matches!(problem, Err(Problem::Malformed(_))), "{template}: {problem:?}");
        }
        for template in ["%(q)s", "%(q)s%", "%()s", "%(P)s", "%( p)s"] {
            let problem = format(template, &values());
            assert!(matches!(problem, Err(Problem::Missing(_))), "{template}: {problem:?}");
        }
    }
}
