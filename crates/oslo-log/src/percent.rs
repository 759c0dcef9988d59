//! Python's conversions, such as `%(key)03d`, for log formats and policy rules.

use std::fmt::Write;

/// A conversion, taken apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conversion {
    left: bool,
    zero: bool,
    width: usize,
    /// The digits after the point of a float; the most characters of a text.
    pub precision: Option<usize>,
    /// The character that says which kind of value is converted; `None` at the end of the format.
    pub letter: Option<char>,
}

/// The reason why a text is not a conversion.
#[derive(Debug, PartialEq, Eq)]
pub enum Problem<'t> {
    /// The parenthesis before a key is not closed.
    Unclosed,
    /// The width or the precision is more than the limit; these are its digits.
    TooWide(&'t str),
}

/// Splits off the key in parentheses, if there is one. Parentheses inside the key must match.
pub fn key(text: &str) -> Result<(Option<&str>, &str), Problem<'_>> {
    let Some(inner) = text.strip_prefix('(') else { return Ok((None, text)) };
    let mut open = 1;
    for (at, character) in inner.char_indices() {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((Some(&inner[..at]), &inner[at + 1..]));
        }
    }
    Err(Problem::Unclosed)
}

impl Conversion {
    /// Parses what follows a `%` and its key. `widest` bounds width and precision, so that a format does not fill the
    /// memory with blanks. The second value is the rest of the text.
    pub fn parse(text: &str, widest: usize) -> Result<(Self, &str), Problem<'_>> {
        let rest = text.trim_start_matches(['-', '+', ' ', '#', '0']);
        let flags = &text[..text.len() - rest.len()];
        let (width, rest) = number(rest, widest)?;
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => number(rest, widest).map(|(precision, rest)| (Some(precision), rest))?,
            None => (None, rest),
        };
        // Python ignores a length.
        let mut characters = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest).chars();
        let letter = characters.next();
        let left = flags.contains('-');
        let conversion = Self { left, zero: !left && flags.contains('0'), width, precision, letter };
        Ok((conversion, characters.as_str()))
    }

    /// Whether it converts a value to text.
    pub fn is_text(&self) -> bool {
        matches!(self.letter, Some('s' | 'r' | 'a'))
    }

    /// Appends a converted value: text is cut to the precision, and all is padded to the width.
    pub fn pad(&self, text: &str, out: &mut String) {
        let most = self.precision.filter(|_| self.is_text()).unwrap_or(usize::MAX);
        let text = text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]);
        let width = self.width;
        // Writing to a string does not fail.
        let _ = match (self.left, self.zero && !self.is_text()) {
            (true, _) => write!(out, "{text:<width$}"),
            (_, true) => write!(out, "{text:0>width$}"),
            _ => write!(out, "{text:>width$}"),
        };
    }
}

/// Splits off the digits at the beginning; none stand for 0.
fn number(text: &str, widest: usize) -> Result<(usize, &str), Problem<'_>> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    match if digits.is_empty() { Ok(0) } else { digits.parse() } {
        Ok(number) if number <= widest => Ok((number, rest)),
        _ => Err(Problem::TooWide(digits)),
    }
}
