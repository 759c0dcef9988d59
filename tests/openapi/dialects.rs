//! The schemas are read by the service in draft 4, and published in OpenAPI 3.1's dialect: they must say the same in both.

use freezer_api::openapi::{DEFAULT_SERVER, Settings, document};
use serde_json::{Value, json};

/// Keywords that mean something else, or nothing, in one of the two.
const FOREIGN: &[&str] = &[
    "$defs",
    "$dynamicRef",
    "$id",
    "const",
    "contains",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "id",
    "if",
    "nullable",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

fn published() -> Value {
    document(&Settings::default(), DEFAULT_SERVER)
}

/// Calls `look` with every schema within a schema, itself included.
fn each(schema: &Value, look: &mut impl FnMut(&Value)) {
    look(schema);
    for keyword in ["items", "additionalProperties", "not"] {
        schema.get(keyword).into_iter().for_each(|part| each(part, look));
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        schema[keyword].as_array().into_iter().flatten().for_each(|part| each(part, look));
    }
    schema["properties"].as_object().into_iter().flatten().for_each(|(_, part)| each(part, look));
}

#[test]
fn no_schema_has_a_keyword_of_one_dialect_only() {
    for (name, schema) in published()["components"]["schemas"].as_object().unwrap() {
        each(schema, &mut |schema| {
            for keyword in FOREIGN {
                assert!(schema.get(keyword).is_none(), "{name} has {keyword}");
            }
            assert!(!schema["items"].is_array(), "{name} has a list of items");
        });
    }
}

#[test]
fn every_property_of_a_body_has_a_description() {
    for (name, schema) in published()["components"]["schemas"].as_object().unwrap() {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_said = property.get("description").is_some() || property.get("$ref").is_some();
            assert!(is_said, "{name} does not say what {key} is");
        }
    }
}

#[test]
fn every_example_is_valid_in_both_dialects() {
    let document = published();
    let mut examples = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let whole =
            json!({"$ref": format!("#/components/schemas/{name}"), "components": document["components"]});
        let both = [jsonschema::draft4::new(&whole).unwrap(), jsonschema::draft202012::new(&whole).unwrap()];
        for example in schema["examples"].as_array().into_iter().flatten() {
            examples += 1;
            for validator in &both {
                let errors: Vec<_> = validator.iter_errors(example).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{name}: {errors:?}");
            }
        }
    }
    assert!(examples > 20, "{examples}");
}

#[test]
fn every_body_of_a_request_has_an_example() {
    let document = published();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            if let Some(reference) = schema.as_str() {
                let schema = document.pointer(&reference[1..]).unwrap();
                assert!(schema.get("examples").is_some(), "{method} {path} takes {reference}");
            }
        }
    }
}

#[test]
fn every_reference_resolves() {
    fn look(document: &Value, value: &Value) {
        match value {
            Value::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
                }
                object.values().for_each(|value| look(document, value));
            }
            Value::Array(values) => values.iter().for_each(|value| look(document, value)),
            _ => {}
        }
    }
    let document = published();
    look(&document, &document);
}
