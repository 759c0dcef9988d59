//! Rows of a side file: converts columns in JSON back to values of the database.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::store::foreign::{Cells, Table};

/// The values of a row. Fails with a part of a sentence if it does not have each of the table's columns and no others.
pub(super) fn cells(table: &Table, raw: &Value) -> Result<Cells, String> {
    let whole = format!("row is not a whole row of the table {}", table.name);
    let Value::Object(row) = raw else { return Err(format!("{whole}: it is no object")) };
    if let Some(key) = row.keys().find(|key| !table.has(key)) {
        return Err(format!("{whole}: the table has no column {key}"));
    }
    let columns = table.columns.iter();
    columns
        .map(|column| match row.get(&column.name) {
            Some(value) => cell(value).map_err(|why| format!("{whole}: {} {why}", column.name)),
            None => Err(format!("{whole}: there is no {}", column.name)),
        })
        .collect()
}

/// JSON may also stand as such in the place of its text.
fn cell(value: &Value) -> Result<Option<Vec<u8>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone().into_bytes())),
        Value::Bool(value) => Ok(Some(u8::from(*value).to_string().into_bytes())),
        Value::Object(map) if map.len() == 1 && map.contains_key("base64") => {
            let text = map.get("base64").and_then(Value::as_str).unwrap_or_default();
            STANDARD.decode(text).map(Some).map_err(|error| format!("has no base64: {error}"))
        }
        other => Ok(Some(other.to_string().into_bytes())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_what_the_database_would_give() {
        let bytes = |value| cell(&value).unwrap().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(bytes(json!(null)), None);
        for (value, text) in [
            (json!("a"), "a"),
            (json!(0), "0"),
            (json!(true), "1"),
            (json!({"base64": "/w=="}), "\u{fffd}"),
            (json!({"a": 1}), r#"{"a":1}"#),
            (json!([]), "[]"),
        ] {
            assert_eq!(bytes(value).as_deref(), Some(text));
        }
        assert!(cell(&json!({"base64": "?"})).is_err());
    }
}
