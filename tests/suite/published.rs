//! Checks every answer of every test against the published description of the API: the status must be documented
//! for the operation, and so must the content type; the promised headers must be present, and the body must match
//! its schema.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use freezer_api::openapi::{self, DEFAULT_SERVER, Settings};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::http::Answer;

/// Statuses of requests that match no operation, because the path, the method or the request itself is invalid.
const NO_ROUTE: &[u16] = &[400, 401, 404, 413, 415];
const NO_METHOD: &[u16] = &[400, 401, 405, 413, 415];

/// The document that a server without tokens publishes.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        openapi::document(&Settings { has_tokens: false, ..Settings::default() }, DEFAULT_SERVER)
    })
}

/// The document of version 1, which has some schemas of its own under the same names.
fn document_v1() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        openapi::document_v1(&Settings { has_tokens: false, ..Settings::default() }, DEFAULT_SERVER)
    })
}

/// The document that describes a path.
fn describing(path: &str) -> &'static Value {
    let is_v1 = path.split('/').find(|segment| !segment.is_empty()) == Some("v1");
    if is_v1 { document_v1() } else { document() }
}

/// Checks an answer, and returns an error that says what is wrong.
pub fn check(method: &str, target: &str, answer: &Answer) -> Result<(), String> {
    // A browser's preflight is answered before routing.
    if method == "OPTIONS" && answer.status == 200 {
        return Ok(());
    }
    let path = target.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/backup/").unwrap_or(path);
    let document = describing(path);
    // Version 1 may be off.
    if std::ptr::eq(document, document_v1()) && answer.status == 404 {
        return Ok(());
    }
    let Some((template, item)) = path_item(document, path) else {
        // The health check may be elsewhere.
        return match path.contains("/healthcheck") || NO_ROUTE.contains(&answer.status) {
            true => Ok(()),
            false => Err(format!("{} is undocumented where there is no path", answer.status)),
        };
    };
    let Some(operation) = operation(template, item, method) else {
        return match NO_METHOD.contains(&answer.status) {
            true => Ok(()),
            false => {
                Err(format!("{template}: {} is undocumented where there is no such method", answer.status))
            }
        };
    };
    let name = operation["operationId"].as_str().unwrap();
    let status = answer.status;
    // To addresses that are not allowed, the health check does not exist.
    if template == "/healthcheck" && status == 404 {
        return Ok(());
    }
    let response = operation["responses"].get(status.to_string()).map(|reply| resolved(document, reply));
    let response = response.ok_or_else(|| format!("{name}: the status {status} is undocumented"))?;
    for (header, definition) in response["headers"].as_object().into_iter().flatten() {
        let is_promised = resolved(document, definition)["required"] == json!(true);
        // An outage of Keystone is answered as its middleware does.
        if is_promised && answer.header(header).is_none() {
            return Err(format!("{name}: {status} promises the header {header}"));
        }
    }
    if method == "HEAD" {
        return Ok(());
    }
    let Some(content) = response.get("content") else {
        return match (answer.body.is_empty(), answer.header("Content-Type")) {
            (true, None) => Ok(()),
            _ => Err(format!("{name}: {status} is documented without a body")),
        };
    };
    let kind = answer.header("Content-Type").unwrap_or_default();
    let media =
        content.get(kind).ok_or_else(|| format!("{name}: {status} is undocumented in the form {kind:?}"))?;
    if !kind.contains("json") {
        return Ok(());
    }
    let reference = media["schema"]["$ref"].as_str().unwrap();
    let errors = complaints(document, reference, &answer.json());
    let errors = match errors.is_empty() && !target.contains("fields") {
        true => complaints_in_lists(document, reference, &answer.json()),
        false => errors,
    };
    match errors.is_empty() {
        true => Ok(()),
        false => Err(format!("{name}: the body of {status} breaks {reference}: {}", errors.join("; "))),
    }
}

/// Checks each document of a list against its complete schema, for requests that name no fields.
fn complaints_in_lists(document: &'static Value, reference: &'static str, body: &Value) -> Vec<String> {
    let lists = document.pointer(&reference[1..]).unwrap()["properties"].as_object().into_iter().flatten();
    let documents =
        lists.filter_map(|(noun, list)| Some((noun, list["items"]["anyOf"][0]["$ref"].as_str()?)));
    let described = document;
    let found = documents.flat_map(|(noun, reference)| {
        let documents = body[noun].as_array().into_iter().flatten();
        documents.flat_map(move |document| complaints(described, reference, document))
    });
    found.collect()
}

fn complaints(document: &'static Value, reference: &str, body: &Value) -> Vec<String> {
    let validator = validator(document, reference);
    let errors = validator.iter_errors(body);
    errors.map(|error| format!("at {:?}: {error}", error.instance_path().as_str())).collect()
}

/// The path template of the document that matches a path.
fn path_item(document: &'static Value, path: &str) -> Option<(&'static str, &'static Value)> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let is_match = |template: &str| {
        let parts: Vec<&str> = template.split('/').filter(|part| !part.is_empty()).collect();
        parts.len() == segments.len()
            && parts.iter().zip(&segments).all(|(part, segment)| part.starts_with('{') || part == segment)
    };
    if segments.first() == Some(&"healthcheck") {
        return Some(("/healthcheck", &document["paths"]["/healthcheck"]));
    }
    let mut paths = document["paths"].as_object().unwrap().iter();
    paths.find(|(template, _)| is_match(template)).map(|(template, item)| (template.as_str(), item))
}

fn operation(template: &str, item: &'static Value, method: &str) -> Option<&'static Value> {
    let method = method.to_lowercase();
    item.get(&method).or_else(|| match (template, method.as_str()) {
        // The health check answers every method.
        ("/healthcheck", _) | (_, "head") => item.get("get"),
        _ => None,
    })
}

/// Follows a reference.
fn resolved(document: &'static Value, value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => value,
    }
}

/// Checks bodies against a schema of the document, in OpenAPI 3.1's dialect. Compiled once.
fn validator(document: &'static Value, reference: &str) -> Arc<Validator> {
    static VALIDATORS: OnceLock<Mutex<HashMap<String, Arc<Validator>>>> = OnceLock::new();
    let mut validators = VALIDATORS.get_or_init(Mutex::default).lock().unwrap();
    let compile = || {
        let schema = json!({"$ref": reference, "components": document["components"]});
        Arc::new(jsonschema::draft202012::new(&schema).unwrap())
    };
    Arc::clone(validators.entry(format!("{:p} {reference}", document)).or_insert_with(compile))
}
