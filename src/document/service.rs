//! The documents about the service itself: its versions, its home documents, its health and the OpenAPI document.

use serde_json::{Value, json};

use super::shape::{Shape, about, closed, titled, words};

fn link() -> Value {
    let link = json!({
        "rel": about("What the link leads to.", words(&["self", "collection"])),
        "href": about("Where it leads, as the caller can reach it.", json!({"type": "string", "format": "uri"})),
    });
    titled("Link", closed(link))
}

fn version() -> Value {
    let version = json!({
        "id": about("The version's name.", words(&["v1", "v2"])),
        "status": about("How current it is.", words(&["CURRENT", "DEPRECATED"])),
        "updated": about("When it last changed.", json!({"type": "string"})),
        "links": about("Where it is.", json!({"type": "array", "items": link()})),
    });
    titled("Version", about("A version of the API.", closed(version)))
}

fn example_version() -> Value {
    json!({
        "id": "v2",
        "status": "CURRENT",
        "updated": "2018-02-21T13:30:00",
        "links": [
            {"rel": "self", "href": "https://backup.example.com/v2/"},
            {"rel": "collection", "href": "https://backup.example.com/"},
        ],
    })
}

/// The versions of the API.
pub static VERSIONS: Shape = Shape::new("VersionList", || {
    closed(
        json!({"versions": about("Every version there is.", json!({"type": "array", "items": version()}))}),
    )
})
.with_example(|| json!({"versions": [example_version()]}));

/// The resources of a home document.
fn resources() -> Value {
    let hints = closed(json!({
        "allow": about("The methods.", json!({"type": "array", "items": {"type": "string"}})),
        "formats": about("The media types.", json!({"type": "object"})),
    }));
    let resource = closed(json!({
        "href-template": about("Its address, as a URI template.", json!({"type": "string"})),
        "href-vars": about(
            "What the template's variables are.",
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
        ),
        "hints": about("What may be done with it.", hints),
    }));
    let resources = json!({"type": "object", "additionalProperties": titled("HomeResource", resource)});
    about("Resources by their relation type.", resources)
}

/// The home document of version 1.
pub static HOME_V1: Shape = Shape::new("Home", || closed(json!({"resources": resources()})));

/// The home document of version 2.
pub static HOME: Shape = Shape::new("Home", || {
    closed(json!({"resources": resources(), "version": version()}))
})
.with_example(|| {
    json!({
        "resources": {
            "rel/job": {
                "href-template": "/v2/{project_id}/jobs/{job_id}",
                "href-vars": {"project_id": "param/project_id", "job_id": "param/job_id"},
                "hints": {"allow": ["GET", "PATCH", "POST", "DELETE"], "formats": {"application/json": {}}},
            },
        },
        "version": example_version(),
    })
});

/// The health check's response in JSON.
pub static HEALTH: Shape = Shape::new("Health", || {
    let detailed = closed(json!({
        "class": {"type": "string"},
        "details": {"type": "string"},
        "reason": {"type": "string"},
    }));
    let reason = json!({"anyOf": [{"type": "string"}, detailed]});
    let text = |what: &str| about(what, json!({"type": "string"}));
    json!({
        "type": "object",
        "required": ["detailed", "reasons"],
        "additionalProperties": false,
        "properties": {
            "detailed": about("Whether the operator wants the details told.", json!({"type": "boolean"})),
            "reasons": about("What each backend found.", json!({"type": "array", "items": reason})),
            "now": text("The time, in UTC; in the detailed form."),
            "platform": text("The operating system; in the detailed form."),
            "version": text("The service's version; in the detailed form."),
            "hostname": text("The node's name; in the detailed form."),
        },
    })
})
.with_example(|| json!({"detailed": false, "reasons": ["OK"]}));

/// The OpenAPI document.
pub static DESCRIPTION: Shape = Shape::new("OpenApi", || {
    json!({
        "type": "object",
        "required": ["openapi", "info", "servers", "paths", "components"],
        "properties": {
            "openapi": about("The version of the OpenAPI Specification.", words(&["3.1.0"])),
            "info": about("What it is about.", json!({"type": "object"})),
            "servers": about("Where the service is.", json!({"type": "array", "items": {"type": "object"}})),
            "paths": about("What there is.", json!({"type": "object"})),
            "components": about("What several operations share.", json!({"type": "object"})),
        },
    })
});
