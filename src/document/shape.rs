//! A shape: a JSON schema with a name, compiled when it is first used.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// The shape of a request body.
pub struct Shape {
    name: &'static str,
    schema: fn() -> Value,
    validator: OnceLock<Option<jsonschema::Validator>>,
}

impl Shape {
    /// A shape called `name` in the published schema, defined by `schema`.
    pub const fn new(name: &'static str, schema: fn() -> Value) -> Self {
        Self { name, schema, validator: OnceLock::new() }
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The schema itself. Draft 4 decides what an integer is: a number written without a fraction.
    pub fn schema(&self) -> Value {
        (self.schema)()
    }

    /// The body as the object this shape describes.
    ///
    /// # Errors
    /// 400 that says where the body is not what it should be. The value itself is not repeated: it may be
    /// large, and it may be a secret.
    pub fn check(&self, body: Value) -> Result<Map<String, Value>> {
        let validator = self.validator.get_or_init(|| jsonschema::draft4::new(&self.schema()).ok());
        let Some(validator) = validator else {
            return Err(Error::internal(format!("the schema {} does not compile", self.name)));
        };
        if let Err(error) = validator.validate(&body) {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the body" } else { place.as_str() };
            let mut what = error.masked_with("this value").to_string();
            what.truncate(what.char_indices().nth(300).map_or(what.len(), |(i, _)| i));
            return Err(Error::bad_request(format!("At {place}: {what}.")));
        }
        match body {
            Value::Object(object) => Ok(object),
            _ => Err(Error::bad_request("The body must be a JSON object.")),
        }
    }

    /// As [`Shape::check`], for a body that must not be empty.
    ///
    /// # Errors
    /// 400, also for `{}` and for no body at all.
    pub fn check_present(&self, body: Value) -> Result<Map<String, Value>> {
        if body.as_object().is_some_and(Map::is_empty) {
            return Err(Error::bad_request("Missing request body."));
        }
        self.check(body)
    }
}

/// Schema of an id that a document may bring: up to 64 of the characters `\w` and `-`.
pub fn id() -> Value {
    json!({"type": "string", "pattern": "^[A-Za-z0-9_-]*$", "maxLength": 64})
}

/// Schema of `inner`, or null.
pub fn nullable(mut inner: Value) -> Value {
    if let Some(kind) = inner.get("type").cloned() {
        inner["type"] = json!([kind, "null"]);
    }
    if let Some(Value::Array(words)) = inner.get_mut("enum") {
        words.push(Value::Null);
    }
    inner
}

/// Schema of text of at most `max` characters.
pub fn text(max: usize) -> Value {
    json!({"type": "string", "maxLength": max})
}

/// Schema of an integer that fits a 32-bit column, from `min` up.
pub fn integer(min: i64) -> Value {
    json!({"type": "integer", "minimum": min, "maximum": i32::MAX})
}

/// Schema of a point in time: seconds since the epoch up to the year 9999, or -1 for "never".
pub fn time() -> Value {
    json!({"type": "integer", "minimum": -1, "maximum": 253_402_300_799_i64})
}

/// Schema of one of some words.
pub fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// The same schema with a sentence on what it means.
pub fn about(text: &str, mut schema: Value) -> Value {
    schema["description"] = text.into();
    schema
}

/// Schema of an answer, or a part of one, that has all of these keys and no others.
pub fn closed(properties: Value) -> Value {
    let keys: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({"type": "object", "required": keys, "additionalProperties": false, "properties": properties})
}
