//! Python's `%(key)03d` formats, as far as log formats use them.

use crate::keys::Key;
use crate::percent::{self, Conversion, Problem};
use crate::value::Value;

/// The greatest width or precision of a field. More would be a mistake, and could fill the disk.
const MAX_WIDTH: usize = 256;

/// A parsed format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Key, Conversion),
}

/// How an unknown key is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The format is refused; Python would lose every record.
    Refuse,
    /// It becomes a `-`.
    Dash,
}

impl Format {
    /// Parses a format.
    ///
    /// # Errors
    /// A part of a sentence for the operator: what is wrong with the format.
    pub fn parse(text: &str, unknown: Unknown) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let Ok((Some(name), after)) = percent::key(rest) else {
                return Err("a % is followed by neither %, nor a key in parentheses".to_owned());
            };
            let (conversion, after) = conversion(name, after)?;
            rest = after;
            let key = match (Key::parse(name), unknown) {
                (Some(key), _) => key,
                (None, Unknown::Dash) => Key::Unknown,
                (None, Unknown::Refuse) => return Err(format!("there is no key %({name})s")),
            };
            if !conversion.is_text() && !key.is_number() {
                return Err(format!("%({name})s is text, not a number"));
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(one_line(&std::mem::take(&mut literal))));
            }
            parts.push(Part::Field(key, conversion));
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(one_line(&literal)));
        }
        Ok(Self(parts))
    }

    /// Appends the format to `out`, with its keys replaced by their values.
    pub fn render<'v>(&self, out: &mut String, value: impl Fn(Key) -> Value<'v>) {
        for part in &self.0 {
            match part {
                Part::Literal(literal) => out.push_str(literal),
                Part::Field(key, conversion) => render(conversion, out, value(*key)),
            }
        }
    }
}

/// Reads what stands between a key and its letter, and the letter; gives back the rest.
fn conversion<'t>(name: &str, text: &'t str) -> Result<(Conversion, &'t str), String> {
    let (conversion, rest) = Conversion::parse(text, MAX_WIDTH).map_err(|problem| match problem {
        Problem::TooWide(digits) => {
            format!("%({name}) is asked for with {digits} places; {MAX_WIDTH} are the most")
        }
        Problem::Unclosed => format!("%({name}) is not closed"),
    })?;
    match conversion.letter {
        Some('s' | 'r' | 'a' | 'd' | 'i' | 'u' | 'f' | 'F') => Ok((conversion, rest)),
        _ => Err(format!("%({name}) is not followed by s, d or f")),
    }
}

fn render(conversion: &Conversion, out: &mut String, value: Value<'_>) {
    let is_float = matches!(conversion.letter, Some('f' | 'F'));
    let float = |number: f64| format!("{number:.*}", conversion.precision.unwrap_or(6));
    let text = match value {
        // Padding and cutting would tear a colour apart.
        Value::Raw(raw) => return out.push_str(raw),
        Value::Integer(number) if is_float => float(number as f64),
        Value::Float(number) if is_float => float(number),
        Value::Float(number) if !conversion.is_text() => number.trunc().to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => printable(&text),
    };
    conversion.pad(&text, out);
}

/// Escapes control and format characters, so that the text cannot start a new line, control a terminal, or look like
/// other text.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unprintable(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// The format characters of Unicode 16 (general category Cf), such as those that reverse the direction of text and those
/// without a width; also U+2028 and U+2029, which end a line for some programs.
const FORMAT: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// Whether a character is escaped in a log.
pub fn is_unprintable(character: char) -> bool {
    let is_format =
        |c: char| c >= '\u{ad}' && FORMAT.iter().any(|(first, last)| (*first..=*last).contains(&c));
    character.is_control() || is_format(character)
}

/// Replaces control characters in an operator's format, so that a record stays one line. Colours stay, because
/// DevStack's formats have them.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\u{1b}' && c != '\t' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(format: &str) -> Result<String, String> {
        let format = Format::parse(format, Unknown::Refuse)?;
        let mut out = String::new();
        format.render(&mut out, |key| match key {
            Key::Msecs => Value::Integer(7),
            Key::Created => Value::Float(12.3456789),
            Key::Color => Value::Raw("\u{1b}[1m"),
            _ => Value::Text("a\nb".into()),
        });
        Ok(out)
    }

    #[test]
    fn formats_render_as_in_python() {
        for (format, text) in [
            ("", ""),
            ("100%% of it", "100% of it"),
            ("%(message)s", "a\\nb"),
            ("[%(msecs)d]", "[7]"),
            ("[%(msecs)03d]", "[007]"),
            ("[%(msecs)-3d]", "[7  ]"),
            ("[%(msecs)s]", "[7]"),
            ("[%(msecs)5s]", "[    7]"),
            ("[%(name)-6s]", "[a\\nb  ]"),
            ("[%(name).1s]", "[a]"),
            ("%(created)d", "12"),
            ("%(created)f", "12.345679"),
            ("%(created).2f", "12.35"),
            ("%(color)s\u{1b}[0m é", "\u{1b}[1m\u{1b}[0m é"),
            // Line breaks in the format become blanks.
            ("one\ntwo\r", "one two "),
        ] {
            assert_eq!(render(format).as_deref(), Ok(text), "{format}");
        }
    }

    #[test]
    fn characters_that_control_a_terminal_or_hide_text_are_escaped() {
        for (text, shown) in [
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("\u{200b}\u{200d}\u{feff}\u{2066}", "\\u{200b}\\u{200d}\\u{feff}\\u{2066}"),
            ("\u{ad}\u{61c}\u{e0041}\u{9b}", "\\u{ad}\\u{61c}\\u{e0041}\\u{9b}"),
            ("\u{1b}[2J\r\n", "\\u{1b}[2J\\r\\n"),
            ("Jörg 日本 🦀 עברית", "Jörg 日本 🦀 עברית"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn formats_that_python_cannot_print_are_refused() {
        for (format, why) in [
            ("%", "followed by neither"),
            ("%s", "followed by neither"),
            ("%(message", "followed by neither"),
            ("%(message)", "not followed by s, d or f"),
            ("%(message) é", "not followed by s, d or f"),
            ("%(message)q", "not followed by s, d or f"),
            ("%(message)d", "is text"),
            ("%(msecs)999999999999d", "the most"),
            ("%(messsage)s", "no key %(messsage)s"),
        ] {
            let refusal = render(format).unwrap_err();
            assert!(refusal.contains(why), "{format}: {refusal}");
        }
    }

    #[test]
    fn an_unknown_key_can_become_a_dash() {
        let format = Format::parse("<%(unknown)s>", Unknown::Dash).unwrap();
        assert!(matches!(format.0[1], Part::Field(Key::Unknown, _)));
    }
}
