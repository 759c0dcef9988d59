//! JSON in the columns of the old tables: bytes, in which there may be anything.

use serde_json::Value;

/// What a column holds.
#[derive(Debug, PartialEq)]
pub(super) enum Content {
    /// NULL, '', `null`, or `""`, which the old service writes where there is nothing.
    None,
    /// A value.
    Value(Value),
    /// A value in whose texts halves of characters were replaced.
    Replaced(Value),
    /// No JSON; the reason.
    Bad(String),
}

/// Reads a column.
pub(super) fn content(bytes: Option<&[u8]>) -> Content {
    let Some(bytes) = bytes else { return Content::None };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Content::None;
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Null) => Content::None,
        Ok(Value::String(text)) if text.is_empty() => Content::None,
        Ok(value) => Content::Value(value),
        Err(error) => {
            match without_lone_surrogates(bytes).and_then(|text| serde_json::from_slice(&text).ok()) {
                Some(value) => Content::Replaced(value),
                None => Content::Bad(error.to_string()),
            }
        }
    }
}

/// Replaces escapes of half a character (`\udce9`) by that of the replacement character. Python has such halves in the
/// place of bytes of a file name that are not UTF-8, and writes them into JSON. `None` if there is no such escape.
fn without_lone_surrogates(text: &[u8]) -> Option<Vec<u8>> {
    let escape = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let is_high = |code: u32| (0xd800..0xdc00).contains(&code);
    let is_low = |code: u32| (0xdc00..0xe000).contains(&code);
    let mut replaced = text.to_vec();
    let mut is_any = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let length = match escape(at) {
            Some(code) if is_high(code) && escape(at + 6).is_some_and(is_low) => 12,
            Some(code) => {
                if is_high(code) || is_low(code) {
                    replaced.get_mut(at..at + 6)?.copy_from_slice(b"\\ufffd");
                    is_any = true;
                }
                6
            }
            None if *byte == b'\\' => 2,
            None => 1,
        };
        at += length;
    }
    is_any.then_some(replaced)
}

/// The numbers of a JSON text that a 64-bit integer or a double cannot hold as they are written.
pub(super) fn imprecise_numbers(text: &[u8]) -> Vec<&str> {
    let mut numbers = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                while let Some(byte) = text.get(at) {
                    at += if *byte == b'\\' { 2 } else { 1 };
                    if *byte == b'"' {
                        break;
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                while text.get(at).is_some_and(is_part) {
                    at += 1;
                }
                let number = text.get(start..at).and_then(|number| std::str::from_utf8(number).ok());
                numbers.extend(number.filter(|number| !is_precise(number)));
            }
            _ => {}
        }
    }
    numbers
}

fn is_precise(number: &str) -> bool {
    /// As many decimal digits as every double keeps.
    const DIGITS: usize = 17;
    if number.parse::<i64>().is_ok() {
        return true;
    }
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    number.contains(['.', 'e', 'E']) && digits.trim_matches('0').len() <= DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_old_service_writes_for_nothing_is_none() {
        for text in ["", " ", "null", r#""""#] {
            assert_eq!(content(Some(text.as_bytes())), Content::None, "{text}");
        }
        assert_eq!(content(None), Content::None);
        assert_eq!(content(Some(b"{}")), Content::Value(serde_json::json!({})));
        assert!(matches!(content(Some(br#"{"a": "b"#)), Content::Bad(_)));
        assert!(matches!(content(Some(b"\xff")), Content::Bad(_)));
    }

    #[test]
    fn halves_of_characters_are_replaced_and_whole_ones_are_not() {
        let read = |text: &str| content(Some(text.as_bytes()));
        let expected =
            Content::Replaced(serde_json::json!(["caf\u{fffd}", "\u{1f600}", "\\udce9", "\u{fffd}a"]));
        assert_eq!(read(r#"["caf\udce9", "\ud83d\ude00", "\\udce9", "\ud83da"]"#), expected);
        assert!(matches!(read(r#"["caf\udce9"#), Content::Bad(_)));
    }

    #[test]
    fn numbers_that_lose_digits_are_found_and_those_in_texts_are_not() {
        let text =
            br#"{"a": 12345678901234567890123, "b": "98765432109876543210987 \" 1", "c": [1.5, -3, 1e5],
                        "d": 9223372036854775808, "e": 0.1234567890123456789, "f": 9223372036854775807}"#;
        let expected = ["12345678901234567890123", "9223372036854775808", "0.1234567890123456789"];
        assert_eq!(imprecise_numbers(text), expected);
        assert!(imprecise_numbers(br#""open \"#).is_empty());
    }
}
