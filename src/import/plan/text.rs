//! Converts texts, words and numbers to values that the columns can hold.

use ring::digest::SHA256;

/// The most bytes of a TEXT column of MySQL.
pub const MAX_TEXT_BYTES: usize = 65_535;

/// The most characters of a column that holds a word.
const MAX_WORD: usize = 32;

/// A short digest, to find equal texts.
pub fn digest(text: &str) -> i64 {
    let digest = ring::digest::digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().take(8).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte))
}

/// The first characters of a text.
pub fn first(text: &str, characters: usize) -> &str {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// Whole characters of the first bytes of a text.
pub fn first_bytes(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or(text)
}

/// A converted word.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// The stored text.
    pub stored: String,
    /// The note on it.
    pub reason: Option<&'static str>,
}

/// A word of a column that only holds ASCII, of some that are known.
pub fn word(word: Option<&str>, known: &[&str]) -> Word {
    let word = word.unwrap_or_default();
    if known.contains(&word) || word.is_empty() {
        return Word { stored: word.to_owned(), reason: None };
    }
    let is_ascii = word.is_ascii();
    let stored = if is_ascii && word.len() <= MAX_WORD { word } else { "" };
    Word { stored: stored.to_owned(), reason: Some(if is_ascii { "unknown-value" } else { "not-ascii" }) }
}

/// An integer of a column that holds numbers from 0.
pub fn natural(number: Option<i64>) -> Option<i32> {
    number.and_then(|number| i32::try_from(number).ok()).filter(|number| *number >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_if_its_column_can_hold_it() {
        let cases = [
            (None, "", None),
            (Some(""), "", None),
            (Some("stop"), "stop", None),
            (Some("paused"), "paused", Some("unknown-value")),
            (Some("a-word-of-more-than-thirty-two-letters"), "", Some("unknown-value")),
            (Some("läuft"), "", Some("not-ascii")),
        ];
        for (given, stored, reason) in cases {
            assert_eq!(word(given, &["stop"]), Word { stored: stored.to_owned(), reason }, "{given:?}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(first("äöü", 2), "äö");
        assert_eq!(first("äöü", 3), "äöü");
        assert_eq!(first_bytes("äöü", 3), "ä");
        assert_eq!(first_bytes("äöü", 9), "äöü");
    }
}
