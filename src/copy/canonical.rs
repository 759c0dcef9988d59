//! The canonical form of a row, the same for all backends, and its digest. Rows and copies are compared by it.
//!
//! Each backend returns the members of a JSON object in its own order, and numbers in its own form.

use std::collections::BTreeMap;

use front::hex::hex;
use ring::digest::{Context, SHA256};
use serde_json::value::RawValue;

use crate::store::copy::{Copied, Value};

/// The deepest nesting of JSON that the service can read.
const DEEPEST: usize = 128;

/// How numbers inside JSON are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// With all their digits.
    Exact,
    /// As MySQL stores them: as 64-bit integers, or else as doubles.
    Doubles,
}

/// The properties that decide whether a backend can store a JSON text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// A string or a name has the character U+0000.
    pub has_zero: bool,
    /// A number has more digits than a double can hold.
    pub is_beyond_double: bool,
    /// The depth of nested arrays and objects.
    pub depth: usize,
}

/// Writes a JSON text in canonical form.
///
/// # Errors
/// The service cannot read the text as JSON.
pub fn canonical(text: &str, numbers: Numbers) -> Result<(String, Facts), String> {
    let mut writer = Writer { out: String::with_capacity(text.len()), numbers, facts: Facts::default() };
    writer.value(text, 0)?;
    Ok((writer.out, writer.facts))
}

struct Writer {
    out: String,
    numbers: Numbers,
    facts: Facts,
}

impl Writer {
    fn value(&mut self, text: &str, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err(format!("is nested more than {DEEPEST} deep"));
        }
        let text = text.trim();
        match text.as_bytes().first() {
            Some(b'{') => {
                self.facts.depth = self.facts.depth.max(depth + 1);
                // If a name occurs twice, all backends but MariaDB and SQLite keep the last member.
                let members: BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).map_err(not_readable)?;
                self.out.push('{');
                for (name, value) in members {
                    self.string(&name)?;
                    self.out.push(':');
                    self.value(value.get(), depth + 1)?;
                    self.out.push(',');
                }
                self.out.push('}');
            }
            Some(b'[') => {
                self.facts.depth = self.facts.depth.max(depth + 1);
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(not_readable)?;
                self.out.push('[');
                for item in items {
                    self.value(item.get(), depth + 1)?;
                    self.out.push(',');
                }
                self.out.push(']');
            }
            Some(b'"') => self.string(&serde_json::from_str::<String>(text).map_err(not_readable)?)?,
            Some(b'-' | b'0'..=b'9') => self.number(text)?,
            _ => {
                serde_json::from_str::<serde_json::Value>(text).map_err(not_readable)?;
                self.out.push_str(text);
            }
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<(), String> {
        self.facts.has_zero |= text.contains('\0');
        self.out.push_str(&serde_json::to_string(text).map_err(not_readable)?);
        Ok(())
    }

    fn number(&mut self, text: &str) -> Result<(), String> {
        // Refuses text that is not a number, and numbers beyond the range of a double.
        let double: f64 = serde_json::from_str(text).map_err(not_readable)?;
        let exact = decimal(text);
        let is_integer = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
        let kept = if is_integer { exact.clone() } else { decimal(&format!("{double:e}")) };
        self.facts.is_beyond_double |= kept != exact;
        self.out.push_str(match self.numbers {
            Numbers::Exact => &exact,
            Numbers::Doubles => &kept,
        });
        Ok(())
    }
}

fn not_readable(error: serde_json::Error) -> String {
    format!("is no JSON that the service can read ({error})")
}

/// A number as digits without leading and trailing zeros, and a power of ten.
fn decimal(text: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let zeros = digits.len() - kept.len();
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        return "0".to_owned();
    }
    // An exponent beyond i64 belongs to a number that is 0 as a double, or was refused.
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MIN / 2);
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX / 2);
    let power = exponent - places + i64::try_from(zeros).unwrap_or(0);
    format!("{sign}{kept}e{power}")
}

/// The SHA-256 of a row in canonical form.
pub type Digest = [u8; 32];

/// The digest of a row.
///
/// # Errors
/// The column with JSON that the service cannot read, and why.
pub fn digest<T: Copied>(row: &T, numbers: Numbers) -> Result<Digest, (&'static str, String)> {
    let mut context = Context::new(&SHA256);
    let mut add = |tag: u8, bytes: &[u8]| {
        context.update(&[tag]);
        context.update(&bytes.len().to_le_bytes());
        context.update(bytes);
    };
    for (column, value) in T::COLUMNS.iter().zip(row.values()) {
        match value {
            Value::Null => add(b'n', b""),
            Value::Bool(value) => add(b'b', &[u8::from(value)]),
            Value::Integer(number) => add(b'i', &number.to_le_bytes()),
            Value::Time(time) => add(b't', &time.and_utc().timestamp_micros().to_le_bytes()),
            Value::Text(text) => add(b's', text.as_bytes()),
            Value::Bytes(bytes) => add(b'x', bytes),
            Value::Json(text) => {
                let (text, _) = canonical(text, numbers).map_err(|why| (column.name, why))?;
                add(b'j', text.as_bytes());
            }
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// A checksum of rows that does not depend on their order: the exclusive or of their digests. Each digest includes the
/// row's key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checksum {
    /// How many rows.
    pub rows: u64,
    sum: Digest,
}

impl Checksum {
    /// Adds a row.
    pub fn add(&mut self, digest: &Digest) {
        self.rows += 1;
        self.sum.iter_mut().zip(digest).for_each(|(sum, byte)| *sum ^= byte);
    }

    /// The checksum as hex digits.
    pub fn hex(&self) -> String {
        hex(&self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, numbers: Numbers) -> String {
        canonical(text, numbers).unwrap().0
    }

    #[test]
    fn equal_values_have_the_same_form() {
        let exact = |json| text(json, Numbers::Exact);
        assert_eq!(exact(r#"{"b": [1.50, "\u00e9\/"], "a": null}"#), exact(r#"{"a":null,"b":[15e-1,"é/"]}"#));
        assert_eq!(exact("[100, 1E2, 100.0, 1000e-1]"), exact("[1e2,1e2,1e2,1e2]"));
        assert_eq!(exact("[-0, 0.000, 0e9]"), exact("[0,0,0]"));
        assert_ne!(exact("[12345678901234567890123]"), exact("[12345678901234567890124]"));
        assert_eq!(exact("[12345678901234567890123]"), "[12345678901234567890123e0,]");
        assert_ne!(exact("[-1]"), exact("[1]"));
        assert_ne!(exact("[[1],2]"), exact("[[1,2]]"));
    }

    #[test]
    fn numbers_can_be_compared_as_mysql_stores_them() {
        let doubles = |json| text(json, Numbers::Doubles);
        assert_eq!(doubles("[12345678901234567890123]"), doubles("[1.2345678901234568e22]"));
        assert_eq!(doubles("[1.0]"), doubles("[1]"));
        assert_ne!(doubles("[18446744073709551615]"), doubles("[18446744073709551614]"));
        let is_beyond = |json| canonical(json, Numbers::Exact).unwrap().1.is_beyond_double;
        assert!(is_beyond("[12345678901234567890123]") && is_beyond("[0.12345678901234567890123]"));
        assert!(!is_beyond("[18446744073709551615, -9223372036854775808, 0.1, 1e300]"));
    }

    #[test]
    fn the_properties_of_a_text_are_found() {
        let facts = |json| canonical(json, Numbers::Exact).unwrap().1;
        assert!(facts(r#"{"a": ["\u0000"]}"#).has_zero && facts(r#"{"\u0000": 1}"#).has_zero);
        assert!(!facts(r#"["\\u0000"]"#).has_zero);
        assert_eq!(facts(r#"{"a": [[], {}], "b": 1}"#).depth, 3);
        for wrong in ["", "{", "[1,]", "[nul]", "[1e999]", r#"["\ud800"]"#, "[01]"] {
            assert!(canonical(wrong, Numbers::Exact).is_err(), "{wrong}");
        }
        assert!(canonical(&("[".repeat(5000) + &"]".repeat(5000)), Numbers::Exact).is_err());
    }

    #[test]
    fn a_checksum_does_not_depend_on_the_order() {
        let (mut one, mut other) = (Checksum::default(), Checksum::default());
        for byte in [1, 2, 3] {
            one.add(&[byte; 32]);
            other.add(&[4 - byte; 32]);
        }
        assert_eq!(one, other);
        other.add(&[9; 32]);
        assert_ne!(one.hex(), other.hex());
    }
}
