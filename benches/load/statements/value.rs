//! What placeholders stand for, read out of what Diesel tells of a statement: Rust's way of writing values.

use freezer_api::store::types::json::Json;
use freezer_api::store::types::time::Time;

use crate::{Failure, Result};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    Moment(Time),
    Document(Json),
    /// PostgreSQL has lists.
    Texts(Vec<String>),
}

/// Reads `["a", Some(1), Time(2026-11-22T00:00:00), Json(Object {"b": Null})]`.
pub fn list(text: &str) -> Result<Vec<Value>> {
    let mut reader = Reader(text);
    let values = reader.sequence('[', ']', Reader::value)?;
    if reader.0.is_empty() { Ok(values) } else { Err(reader.unexpected()) }
}

/// The rest of the text.
struct Reader<'t>(&'t str);

impl<'t> Reader<'t> {
    fn value(&mut self) -> Result<Value> {
        Ok(if self.takes("None") {
            Value::Null
        } else if self.takes("Some(") {
            self.closed(Self::value)?
        } else if self.takes("Time(") {
            self.closed(|reader| Ok(Value::Moment(Time(reader.word().parse()?))))?
        } else if self.takes("Json(") {
            self.closed(|reader| Ok(Value::Document(Json::from(reader.json()?))))?
        } else if self.0.starts_with('[') {
            let texts = self.sequence('[', ']', Self::text)?;
            Value::Texts(texts)
        } else if self.0.starts_with('"') {
            Value::Text(self.text()?)
        } else {
            match self.word() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                number => Value::Integer(number.parse()?),
            }
        })
    }

    fn json(&mut self) -> Result<serde_json::Value> {
        use serde_json::Value as Json;
        Ok(if self.takes("Null") {
            Json::Null
        } else if self.takes("Bool(") {
            self.closed(|reader| Ok(Json::Bool(reader.word().parse()?)))?
        } else if self.takes("Number(") {
            self.closed(|reader| Ok(Json::Number(reader.word().parse()?)))?
        } else if self.takes("String(") {
            self.closed(|reader| Ok(Json::String(reader.text()?)))?
        } else if self.takes("Array ") {
            Json::Array(self.sequence('[', ']', Self::json)?)
        } else if self.takes("Object ") {
            let members = self.sequence('{', '}', |reader| {
                let key = reader.text()?;
                reader.needs(": ")?;
                Ok((key, reader.json()?))
            })?;
            Json::Object(members.into_iter().collect())
        } else {
            return Err(self.unexpected());
        })
    }

    /// What comes between an opening and a closing mark, separated by commas.
    fn sequence<T>(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        self.needs(&open.to_string())?;
        while !self.takes(&close.to_string()) {
            if !items.is_empty() {
                self.needs(", ")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A value and the parenthesis after it.
    fn closed<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let value = inner(self)?;
        self.needs(")")?;
        Ok(value)
    }

    fn text(&mut self) -> Result<String> {
        self.needs("\"")?;
        let mut text = String::new();
        let mut rest = self.0.char_indices();
        while let Some((at, c)) = rest.next() {
            match c {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Ok(text);
                }
                '\\' => match rest.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('"' | '\\' | '\''))) => text.push(c),
                    _ => return Err(self.unexpected()),
                },
                c => text.push(c),
            }
        }
        Err(self.unexpected())
    }

    /// Up to the next mark.
    fn word(&mut self) -> &'t str {
        let (word, rest) = self.0.split_at(self.0.find([',', ')', ']', '}']).unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn needs(&mut self, text: &str) -> Result<()> {
        if self.takes(text) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Failure {
        format!("cannot read the values of a statement from here on: {}", self.0).into()
    }
}
