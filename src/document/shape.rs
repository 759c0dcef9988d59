//! A shape: a JSON schema with a name, compiled on first use.

use std::sync::OnceLock;

use front::error::{Error, Result};
use serde_json::{Map, Value, json};

use super::validator::{MUST_BE, Validator};

/// The shape of a request body, which it validates, or of a response body. The OpenAPI document (`openapi.rs`)
/// publishes all of them.
pub struct Shape {
    name: &'static str,
    schema: fn() -> Value,
    example: Option<fn() -> Value>,
    validator: OnceLock<Option<Validator>>,
}

impl Shape {
    /// A shape that the OpenAPI document publishes as `name`.
    pub const fn new(name: &'static str, schema: fn() -> Value) -> Self {
        Self { name, schema, example: None, validator: OnceLock::new() }
    }

    /// The same shape with an example.
    pub const fn with_example(mut self, example: fn() -> Value) -> Self {
        self.example = Some(example);
        self
    }

    /// The name in the OpenAPI document.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The schema with its name as the title. A schema with a title is published once, and referenced from the schemas
    /// that it is part of. Its dialect is draft 4, in which an integer is a number written without a fraction.
    pub fn schema(&self) -> Value {
        titled(self.name, (self.schema)())
    }

    /// The example, if there is one.
    pub fn example(&self) -> Option<Value> {
        self.example.map(|example| example())
    }

    /// Validates a body, and returns it as an object.
    ///
    /// # Errors
    /// 400 with the place of the fault. The faulty value is not repeated: it may be large, or a secret.
    pub fn check(&self, body: Value) -> Result<Map<String, Value>> {
        let validator = self.validator.get_or_init(|| Validator::new(&self.schema()).ok());
        let Some(validator) = validator else {
            return Err(Error::internal(format!("the schema {} does not compile", self.name)));
        };
        if let Some((place, mut what)) = validator.find_fault(&body) {
            if body.as_object().is_some_and(Map::is_empty) {
                return Err(Error::bad_request("Missing request body."));
            }
            let place = if place.is_empty() { "the body" } else { &place };
            what.truncate(what.char_indices().nth(1000).map_or(what.len(), |(i, _)| i));
            return Err(Error::bad_request(format!("At {place}: {}.", what.trim_end_matches('.'))));
        }
        match body {
            Value::Object(object) => Ok(object),
            _ => Err(Error::bad_request("The body must be a JSON object.")),
        }
    }
}

/// Adds a text on what a value must be ([`MUST_BE`]).
pub fn must_be(what: &str, mut schema: Value) -> Value {
    schema[MUST_BE] = what.into();
    schema
}

/// An element of a schema's `allOf`: at least one alternative must hold. The text is the rule in words, for the error.
pub fn rule(text: &str, alternatives: &[Value]) -> Value {
    json!({"description": text, "anyOf": alternatives})
}

/// Adds a title, under which the OpenAPI document publishes the schema by itself.
pub fn titled(name: &str, mut schema: Value) -> Value {
    schema["title"] = name.into();
    schema
}

/// Adds a description.
pub fn about(text: &str, mut schema: Value) -> Value {
    schema["description"] = text.into();
    schema
}

/// Schema of an object that has all of these keys and no others.
pub fn closed(properties: Value) -> Value {
    let keys: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({"type": "object", "required": keys, "additionalProperties": false, "properties": properties})
}

/// The schema of a document reduced by `fields`: every member may be missing, at any depth.
pub fn partial(mut schema: Value) -> Value {
    let Value::Object(object) = &mut schema else { return schema };
    object.remove("required");
    if let Some(Value::String(name)) = object.get_mut("title") {
        name.push_str("Part");
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(|property| *property = partial(property.take()));
    }
    if let Some(more) = object.get_mut("additionalProperties") {
        *more = partial(more.take());
    }
    schema
}

/// Schema of an id in a request, which may be empty: up to 64 of the characters `\w` and `-`.
pub fn id() -> Value {
    let id = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]*$", "maxLength": 64});
    must_be("an id: up to 64 letters, digits, - and _", id)
}

/// Schema of `inner`, or null.
pub fn nullable(mut inner: Value) -> Value {
    if let Some(name) = inner.get("title").and_then(Value::as_str).map(|name| format!("{name}OrNull")) {
        inner["title"] = name.into();
    }
    if let Some(kind) = inner.get("type").cloned() {
        inner["type"] = json!([kind, "null"]);
    }
    if let Some(Value::Array(words)) = inner.get_mut("enum") {
        words.push(Value::Null);
    }
    inner
}

/// Schema of the id of an existing resource, which is never empty.
pub fn resource_id(what: &str) -> Value {
    let id = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"});
    about(what, must_be("an id: 1 to 64 letters, digits, - and _", id))
}

/// Schema of a document's project.
pub fn project_id() -> Value {
    resource_id("The project it belongs to.")
}

/// Schema of the user who created a document.
pub fn user_id() -> Value {
    about("The user who created it.", json!({"type": "string"}))
}

/// Schema of a document's version.
pub fn version() -> Value {
    about("Begins at 1 and rises with every change.", json!({"type": "integer", "minimum": 1}))
}

/// Schema of text of at most `max` characters.
pub fn text(max: usize) -> Value {
    json!({"type": "string", "maxLength": max})
}

/// Schema of an integer of at least `min` that fits a 32-bit column.
pub fn integer(min: i64) -> Value {
    json!({"type": "integer", "minimum": min, "maximum": i32::MAX})
}

/// Schema of a time: seconds since the epoch up to the year 9999, or -1 for "never".
pub fn time() -> Value {
    json!({"type": "integer", "minimum": -1, "maximum": 253_402_300_799_i64})
}

/// Schema of a string that is one of these words.
pub fn words(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// Defines a document by its members: of each the name, the schema, an example, and the value that a row has for it. It makes
/// the shape, and the function that renders a row. The members are in alphabetical order in JSON, in any order here.
///
/// ```ignore
/// document! {
///     /// A house as [`render`] shows it.
///     HOUSE: "House";
///     /// The JSON of a house.
///     render(house: &House);
///     "id": resource_id("The house's id."), "8f14e45fceea167a5a36dedd4bea2543" => house.id;
///     "rooms": integer(0), 3 => house.rooms;
/// }
/// ```
macro_rules! document {
    (
        $(#[$shape_doc:meta])* $shape:ident: $name:literal;
        $(#[$doc:meta])* $render:ident($($argument:ident: $type:ty),+);
        $($member:literal: $schema:expr, $example:expr => $value:expr;)+
    ) => {
        $(#[$shape_doc])*
        pub static $shape: Shape = Shape::new($name, || closed(json!({$($member: $schema),+})))
            .with_example(|| json!({$($member: $example),+}));

        $(#[$doc])*
        pub fn $render($($argument: $type),+) -> Value {
            json!({$($member: $value),+})
        }
    };
}
pub(crate) use document;

#[cfg(test)]
mod tests {
    use super::*;

    static PAIR: Shape = Shape::new("Pair", || {
        let named = json!({"required": ["name"], "properties": {"name": {"type": "string"}}});
        json!({
            "type": "object",
            "required": ["items"],
            "properties": {"items": {"type": "array", "items": {"type": "object"}}},
            "allOf": [rule("an item needs a name", &[json!({"properties": {"items": {"items": named}}})])],
        })
    });

    fn refusal(body: Value) -> String {
        PAIR.check(body).unwrap_err().description
    }

    #[test]
    fn an_error_has_the_place_and_the_reason_but_not_the_value() {
        assert_eq!(refusal(json!({})), "Missing request body.");
        assert_eq!(refusal(json!([])), "At the body: this value is not of type \"object\".");
        assert_eq!(refusal(json!({"items": "hunter2"})), "At /items: this value is not of type \"array\".");
    }

    #[test]
    fn the_error_of_a_broken_rule_is_the_text_of_the_rule() {
        let items = json!({"items": [{"name": "a"}, {"name": 1}]});
        assert_eq!(refusal(items), "At /items/1/name: an item needs a name.");
        assert!(PAIR.check(json!({"items": [{"name": "a"}]})).is_ok());
    }

    #[test]
    fn a_partial_schema_requires_nothing_at_any_depth() {
        let inner = titled("Inner", closed(json!({"a": {"type": "string"}})));
        let whole = closed(json!({"inner": inner, "map": {"type": "object", "additionalProperties": inner}}));
        let part = partial(titled("Whole", whole));
        assert_eq!((&part["title"], part.get("required")), (&json!("WholePart"), None));
        for inner in [&part["properties"]["inner"], &part["properties"]["map"]["additionalProperties"]] {
            assert_eq!((&inner["title"], inner.get("required")), (&json!("InnerPart"), None));
            assert_eq!(inner["additionalProperties"], json!(false));
        }
        assert_eq!(nullable(titled("Inner", json!({"type": "object"})))["title"], "InnerOrNull");
    }
}
