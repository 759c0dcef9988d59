//! One row of an old table, by the names of its columns.
//!
//! Reading a value never fails: one that cannot be read is empty, and a [`Problem`] says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDateTime;
use serde_json::{Map, Number, Value, json};

use super::super::legacy::Problem;
use super::json::{Content, content, imprecise_numbers};
use super::value;
use crate::store::foreign::{Cells, Table};

/// A row, and what was wrong with it so far.
pub(super) struct Record<'t> {
    table: &'t Table,
    cells: Cells,
    problems: Vec<Problem>,
}

impl<'t> Record<'t> {
    pub(super) fn new(table: &'t Table, cells: Cells) -> Self {
        Self { table, cells, problems: Vec::new() }
    }

    /// Whether the table has a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.table.has(column)
    }

    /// The bytes of a value; `None` for NULL, and for a column that the table does not have.
    pub(super) fn bytes(&self, column: &str) -> Option<&[u8]> {
        let index = self.table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(column))?;
        self.cells.get(index)?.as_deref()
    }

    pub(super) fn text(&mut self, column: &str) -> Option<String> {
        let text = std::str::from_utf8(self.bytes(column)?).map(str::to_owned);
        match text {
            Ok(text) => Some(text),
            Err(error) => {
                let detail = format!("{column} is not UTF-8: {error}");
                self.bad_value(column, detail);
                None
            }
        }
    }

    /// A text that is not ''.
    pub(super) fn some_text(&mut self, column: &str) -> Option<String> {
        self.text(column).filter(|text| !text.is_empty())
    }

    /// An id or a reference to one: bytes that are not UTF-8 are replaced in it, so that what refers to the row still does.
    pub(super) fn id(&mut self, column: &str) -> String {
        let bytes = self.bytes(column).unwrap_or_default();
        let (text, is_valid) =
            (String::from_utf8_lossy(bytes).into_owned(), std::str::from_utf8(bytes).is_ok());
        if !is_valid {
            self.bad_value(column, format!("{column} is not UTF-8"));
        }
        text
    }

    pub(super) fn number(&mut self, column: &str) -> Option<i64> {
        self.parsed(column, "a whole number", value::number)
    }

    pub(super) fn boolean(&mut self, column: &str) -> Option<bool> {
        self.parsed(column, "a boolean", value::boolean)
    }

    pub(super) fn time(&mut self, column: &str) -> Option<NaiveDateTime> {
        self.parsed(column, "a date", value::time)
    }

    fn parsed<T>(&mut self, column: &str, what: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
        let text = self.some_text(column)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.bad_value(column, format!("{column} is not {what}: `{text}`"));
        }
        parsed
    }

    /// A JSON object, and whether the value could be read; empty where there is none.
    pub(super) fn object(&mut self, column: &str) -> (Map<String, Value>, bool) {
        match self.json(column, "an object", Value::is_object) {
            Ok(Some(Value::Object(map))) => (map, true),
            other => (Map::new(), other.is_ok()),
        }
    }

    /// A JSON list, and empty where there is none.
    pub(super) fn list(&mut self, column: &str) -> Vec<Value> {
        match self.json(column, "a list", Value::is_array) {
            Ok(Some(Value::Array(list))) => list,
            _ => Vec::new(),
        }
    }

    /// A JSON list of texts.
    pub(super) fn texts(&mut self, column: &str) -> Option<Vec<String>> {
        let is_texts = |value: &Value| value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        match self.json(column, "a list of texts", is_texts) {
            Ok(Some(Value::Array(list))) => {
                Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            _ => None,
        }
    }

    fn json(&mut self, column: &str, what: &str, fits: fn(&Value) -> bool) -> Result<Option<Value>, ()> {
        let why = match content(self.bytes(column)) {
            Content::None => return Ok(None),
            Content::Value(value) if fits(&value) => {
                self.note_imprecise_numbers(column);
                return Ok(Some(value));
            }
            Content::Replaced(value) if fits(&value) => {
                self.note_imprecise_numbers(column);
                let detail = "has halves of characters, which were replaced: a name that was not UTF-8";
                self.bad_value(column, format!("{column} {detail}"));
                return Ok(Some(value));
            }
            Content::Value(_) | Content::Replaced(_) => format!("{column} is JSON, and not {what}"),
            Content::Bad(error) => format!("{column} is not JSON: {error}"),
        };
        self.problem("bad-json", why, self.cell(column));
        Err(())
    }

    fn note_imprecise_numbers(&mut self, column: &str) {
        let numbers = imprecise_numbers(self.bytes(column).unwrap_or_default());
        if !numbers.is_empty() {
            let detail =
                format!("{column} has numbers that no 64-bit number holds exactly: {}", numbers.join(", "));
            self.problem("number-precision", detail, Some(json!(numbers)));
        }
    }

    /// Notes that a value has no place.
    pub(super) fn problem(&mut self, reason: &str, detail: String, value: Option<Value>) {
        self.problems.push(Problem { reason: reason.to_owned(), detail, value });
    }

    fn bad_value(&mut self, column: &str, detail: String) {
        self.problem("bad-value", detail, self.cell(column));
    }

    /// One value, verbatim.
    pub(super) fn cell(&self, column: &str) -> Option<Value> {
        let index = self.table.columns.iter().position(|c| c.name.eq_ignore_ascii_case(column))?;
        Some(self.value_at(index))
    }

    /// All values, verbatim, and the problems.
    pub(super) fn finish(self) -> (Value, Vec<Problem>) {
        let names = self.table.columns.iter().map(|column| column.name.clone());
        let raw = names.enumerate().map(|(index, name)| (name, self.value_at(index))).collect();
        (Value::Object(raw), self.problems)
    }

    fn value_at(&self, index: usize) -> Value {
        let Some(bytes) = self.cells.get(index).and_then(Option::as_deref) else { return Value::Null };
        let Ok(text) = std::str::from_utf8(bytes) else { return json!({"base64": STANDARD.encode(bytes)}) };
        let is_number = self.table.columns.get(index).is_some_and(|column| column.is_number);
        let number =
            is_number.then(|| text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<Number>()));
        match number {
            Some(Ok(number)) => Value::Number(number),
            _ => Value::from(text),
        }
    }
}
