//! Parsing JSON without repeated keys. RFC 8259 (4) does not define the meaning of a repeated key, and two programs
//! that choose different values for one body are a security hole.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The maximum number of characters of a key in an error.
const SHOWN: usize = 64;

/// Parses JSON.
///
/// # Errors
/// The fault and its place.
pub fn parse(text: &[u8]) -> Result<Value, String> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = Unique.deserialize(&mut parser).map_err(|error| error.to_string())?;
    parser.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Builds a [`Value`] as serde_json does, but refuses repeated keys.
#[derive(Clone, Copy)]
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                let shown: String = key.chars().take(SHOWN).collect();
                return Err(A::Error::custom(format_args!("the key {shown:?} is there twice")));
            }
            let value = entries.next_value_seed(self)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_serde_json() {
        for text in [
            "null",
            "true",
            "0",
            "-1",
            "18446744073709551615",
            "1.5",
            "-0.0",
            "1e300",
            "123456789012345678901234567890",
            r#""a\u00e9\n""#,
            "[]",
            "{}",
            r#" [1, [2, {"a": {"a": null}}], "x"] "#,
            r#"{"b": 1, "a": [{"b": 2}, {"b": 2}]}"#,
        ] {
            assert_eq!(
                parse(text.as_bytes()).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
        for text in ["", " ", "{", "{} {}", "nul", "NaN", "1e999", "[1,]", "{\"a\" 1}", "'a'", "\u{feff}{}"] {
            let expected = serde_json::from_str::<Value>(text).unwrap_err().to_string();
            assert_eq!(parse(text.as_bytes()).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn the_error_names_a_repeated_key() {
        for text in [
            r#"{"key": 1, "key": 1}"#,
            r#"{"key": 1, "b": 2, "key": 3}"#,
            r#"{"a": [0, {"b": {"key": 1, "\u006bey": 2}}]}"#,
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.starts_with("the key \"key\" is there twice at line 1 column "), "{error}");
        }
        let long = format!("{{\"{0}\": 1, \"{0}\": 2}}", "x".repeat(10_000));
        assert!(parse(long.as_bytes()).unwrap_err().len() < 200);
    }
}
