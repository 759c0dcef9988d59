//! The components that operations share: schemas, responses, headers and parameters.

use serde_json::{Map, Value, json};

use super::operation::{Content, JSON, List, PLAIN};
use crate::document::errors::{ERROR, TEXT, UNAUTHORIZED};
use crate::document::shape::{Shape, about, closed, partial, titled, words};

/// The published schemas by name.
#[derive(Default)]
pub struct Schemas(Map<String, Value>);

impl Schemas {
    /// Publishes a shape, and returns a reference to it.
    pub fn publish(&mut self, shape: &Shape) -> Value {
        let mut schema = shape.schema();
        if let Some(example) = shape.example() {
            schema["examples"] = json!([example]);
        }
        self.extract_titled(schema)
    }

    /// Publishes the content of a response, and returns a reference to it.
    pub fn publish_content(&mut self, content: Content) -> Value {
        match content {
            Content::One(shape) => self.publish(shape),
            Content::Page(list) => {
                self.publish(list.document);
                self.extract_titled(page(list))
            }
        }
    }

    /// All published schemas.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// Publishes a schema, and those inside it, that have a title, and replaces them by references.
    fn extract_titled(&mut self, mut schema: Value) -> Value {
        let Value::Object(object) = &mut schema else { return schema };
        for (keyword, part) in object.iter_mut() {
            match (keyword.as_str(), part) {
                ("items" | "additionalProperties" | "not", part) => *part = self.extract_titled(part.take()),
                ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                    parts.iter_mut().for_each(|part| *part = self.extract_titled(part.take()));
                }
                ("properties", Value::Object(parts)) => {
                    parts.values_mut().for_each(|part| *part = self.extract_titled(part.take()));
                }
                _ => {}
            }
        }
        let Some(Value::String(name)) = object.remove("title") else { return schema };
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        // A schema with an example replaces the same one without.
        if schema.get("examples").is_some() || !self.0.contains_key(&name) {
            self.0.insert(name, schema);
        }
        reference
    }
}

/// Schema of a page of a list.
fn page(list: List) -> Value {
    let document = list.document.schema();
    let either = json!({"anyOf": [document.clone(), partial(document)]});
    let link = closed(json!({
        "rel": about("What the link leads to.", words(&["next"])),
        "href": about("Where it leads.", json!({"type": "string", "format": "uri"})),
    }));
    let links = json!({"type": "array", "items": titled("NextLink", link)});
    let mut page = closed(json!({
        list.collection.noun: about(
            "What was found, in the list's order; of each only some members, if `fields` names them.",
            json!({"type": "array", "items": either}),
        ),
    }));
    page["properties"][format!("{}_links", list.collection.noun)] =
        about("Where it goes on, when there are more.", links);
    page["properties"]["count"] = about(
        "How many there are on all pages, if `with_count` asks for it.",
        json!({"type": "integer", "minimum": 0}),
    );
    titled(&format!("{}List", list.document.name()), page)
}

/// The errors: status, name and meaning.
const ERRORS: &[(u16, &str, &str)] = &[
    (400, "BadRequest", "The body, a parameter or a header is not what it should be; nothing was changed."),
    (401, "Unauthorized", "There is no token, or no valid one."),
    (403, "Forbidden", "The roles do not allow it, the token is not for a project, or a quota is used up."),
    (404, "NotFound", "There is no such resource in this project."),
    (406, "NotAcceptable", "`Accept` excludes what would be answered."),
    (
        409,
        "Conflict",
        "The id is taken, or the resource is in use, or has just been changed by another request.",
    ),
    (412, "PreconditionFailed", "The resource is not, or no longer, what the request's condition demands."),
    (413, "TooLarge", "The body is too large, or what would be stored is."),
    (
        415,
        "UnsupportedMediaType",
        "The body is of a type that is not taken here, or has a `Content-Encoding`.",
    ),
    (422, "Unprocessable", "The body refers to something that is not there, or cannot do what is asked."),
    (
        503,
        "Unavailable",
        "The database is away or too busy; or the token cannot be validated (in plain text).",
    ),
];

/// A reference to the response for an error.
pub fn error(status: u16) -> Option<Value> {
    let (_, name, _) = ERRORS.iter().find(|(code, ..)| *code == status)?;
    Some(json!({"$ref": format!("#/components/responses/{name}")}))
}

/// The responses for all errors.
pub fn responses(schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for (status, name, description) in ERRORS {
        let mut headers = vec!["Vary", "x-openstack-request-id"];
        let mut content = json!({JSON: {"schema": schemas.publish(&ERROR)}});
        match status {
            401 => {
                content = json!({JSON: {"schema": schemas.publish(&UNAUTHORIZED)}});
                headers.push("WWW-Authenticate");
            }
            406 => content = Value::Null,
            503 => {
                content[PLAIN] = json!({"schema": schemas.publish(&TEXT)});
                headers.push("Retry-After");
            }
            _ => {}
        }
        let mut response = json!({"description": description, "headers": references(&headers)});
        if !content.is_null() {
            response["content"] = content;
        }
        responses.insert((*name).to_owned(), response);
    }
    responses.insert(
        "NotModified".to_owned(),
        json!({
            "description": "The caller has it as it is.",
            "headers": references(&["ETag", "x-openstack-request-id"]),
        }),
    );
    Value::Object(responses)
}

/// A reference to the 304 response.
pub fn not_modified() -> Value {
    json!({"$ref": "#/components/responses/NotModified"})
}

/// An example of an entity tag.
const EXAMPLE: &str = "\"015abd7f5cc57a2dd94b7590f04ad808\"";

/// The parameters of conditional requests.
pub fn parameters() -> Value {
    let tag = "(W/)?\"[!#-~]*\"";
    let pattern = format!("^(\\*|({tag}( *, *{tag})*)?)$");
    let header = |name: &str, example: &str, description: &str| {
        let schema = json!({"type": "string", "pattern": pattern, "examples": [example]});
        json!({"name": name, "in": "header", "description": description, "schema": schema})
    };
    json!({
        "IfMatch": header(
            "If-Match",
            "*",
            "Do it only if the resource still has one of these entity tags, or with `*` if there is one at all; else 412.",
        ),
        "IfNoneMatch": header(
            "If-None-Match",
            EXAMPLE,
            "Do it only if the resource has none of these entity tags, or with `*` if there is none; else 412, and 304 for \
             a GET.",
        ),
    })
}

/// References to the parameters of conditional requests.
pub fn conditions() -> [Value; 2] {
    ["IfMatch", "IfNoneMatch"].map(|name| json!({"$ref": format!("#/components/parameters/{name}")}))
}

/// References to some headers.
pub fn references(names: &[&str]) -> Value {
    let reference =
        |name: &&str| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    Value::Object(names.iter().map(reference).collect())
}

/// All response headers.
pub fn headers() -> Value {
    let request_id = "^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
    let header = |description: &str, schema: Value| json!({"description": description, "required": true, "schema": schema});
    let text = || json!({"type": "string"});
    json!({
        "ETag": header("The state of the resource, for `If-Match` and `If-None-Match`.", text()),
        "Location": header("Where it is.", json!({"type": "string", "format": "uri"})),
        "Retry-After": header("After how many seconds to ask again.", json!({"type": "integer", "minimum": 0})),
        "Vary": header("The request's headers that make a difference.", text()),
        "WWW-Authenticate": header("Where a token is to be had.", text()),
        "x-openstack-request-id":
            header("The request's id, under which the service's log has it.", json!({"type": "string", "pattern": request_id})),
    })
}
