//! Python's `%(key)03d` formats, as far as log formats use them.

use std::fmt::Write;

use super::keys::Key;
use super::value::Value;

/// The greatest width or precision of a field. More would be a mistake, and could fill the disk.
const MAX_WIDTH: usize = 256;

/// A parsed format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Key, Spec),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Spec {
    left: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    conversion: Conversion,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Conversion {
    #[default]
    Text,
    Integer,
    Float,
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
            let (name, after) = rest
                .strip_prefix('(')
                .and_then(|named| named.split_once(')'))
                .ok_or_else(|| "a % is followed by neither %, nor a key in parentheses".to_owned())?;
            let (spec, after) = spec(name, after)?;
            rest = after;
            let key = match (Key::parse(name), unknown) {
                (Some(key), _) => key,
                (None, Unknown::Dash) => Key::Unknown,
                (None, Unknown::Refuse) => return Err(format!("there is no key %({name})s")),
            };
            if spec.conversion != Conversion::Text && !key.is_number() {
                return Err(format!("%({name})s is text, not a number"));
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(one_line(&std::mem::take(&mut literal))));
            }
            parts.push(Part::Field(key, spec));
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
                Part::Field(key, spec) => spec.render(out, value(*key)),
            }
        }
    }
}

/// Parses the flags, width, precision and conversion after a key; also returns the rest of the text.
fn spec<'t>(name: &str, text: &'t str) -> Result<(Spec, &'t str), String> {
    let flags = text.len() - text.trim_start_matches(['-', '0', '+', ' ', '#']).len();
    let (flags, text) = text.split_at(flags);
    let (width, text) = number(name, text)?;
    let (precision, text) = match text.strip_prefix('.') {
        Some(text) => {
            let (precision, text) = number(name, text)?;
            (Some(precision.unwrap_or_default()), text)
        }
        None => (None, text),
    };
    let conversion = match text.bytes().next() {
        Some(b's' | b'r' | b'a') => Conversion::Text,
        Some(b'd' | b'i' | b'u') => Conversion::Integer,
        Some(b'f' | b'F') => Conversion::Float,
        _ => return Err(format!("%({name}) is not followed by s, d or f")),
    };
    let spec = Spec {
        left: flags.contains('-'),
        zero: flags.contains('0') && !flags.contains('-') && conversion != Conversion::Text,
        width: width.unwrap_or_default(),
        precision,
        conversion,
    };
    Ok((spec, &text[1..]))
}

fn number<'t>(name: &str, text: &'t str) -> Result<(Option<usize>, &'t str), String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = text.split_at(digits);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse() {
        Ok(number) if number <= MAX_WIDTH => Ok((Some(number), rest)),
        _ => Err(format!("%({name}) is asked for with {digits} places; {MAX_WIDTH} are the most")),
    }
}

impl Spec {
    fn render(self, out: &mut String, value: Value<'_>) {
        let text = match (self.conversion, value) {
            // A colour is never padded or cut.
            (_, Value::Raw(raw)) => return out.push_str(raw),
            (Conversion::Float, Value::Integer(number)) => self.float(number as f64),
            (Conversion::Float, Value::Float(number)) => self.float(number),
            (Conversion::Integer, Value::Float(number)) => number.trunc().to_string(),
            (_, Value::Integer(number)) => number.to_string(),
            (_, Value::Float(number)) => number.to_string(),
            (_, Value::Text(text)) => printable(&text),
        };
        let text = match self.precision {
            Some(most) if self.conversion == Conversion::Text => text.chars().take(most).collect(),
            _ => text,
        };
        let width = self.width;
        // Writing to a string cannot fail.
        let _ = match (self.left, self.zero) {
            (true, _) => write!(out, "{text:<width$}"),
            (_, true) => write!(out, "{text:0>width$}"),
            _ => write!(out, "{text:>width$}"),
        };
    }

    fn float(self, number: f64) -> String {
        format!("{number:.*}", self.precision.unwrap_or(6))
    }
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
        assert_eq!(format.0[1], Part::Field(Key::Unknown, Spec::default()));
    }
}
