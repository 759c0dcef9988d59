//! The error form (contract, api-v2 §2).

use serde_json::{Value, json};

use super::shape::{Shape, about, closed};

const EXAMPLE_ID: &str = "req-5b8f0d1c-6f0e-4c86-9d0a-6f7c2f0c9b1e";

fn code() -> Value {
    about("The status code.", json!({"type": "integer", "minimum": 400, "maximum": 599}))
}

fn properties() -> Value {
    let pattern = "^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
    json!({
        "title": about("What kind of error it is.", json!({"type": "string", "minLength": 1})),
        "description": about("What is wrong, for people; the clients print it.", json!({"type": "string", "minLength": 1})),
        "code": code(),
        "request_id": about(
            "The id of this request, as in x-openstack-request-id and in the service's log.",
            json!({"type": "string", "pattern": pattern}),
        ),
    })
}

/// The body of an error.
pub static ERROR: Shape = Shape::new("Error", || closed(properties())).with_example(|| {
    json!({
        "title": "Not Found",
        "description": "No backup found with ID 6512bd43d9caa6e02c990b0a82652dca",
        "code": 404,
        "request_id": EXAMPLE_ID,
    })
});

/// The body of a 401, which has keystonemiddleware's form as well.
pub static UNAUTHORIZED: Shape = Shape::new("Unauthorized", || {
    let mut properties = properties();
    let error = closed(json!({
        "code": code(),
        "title": about("As outside.", json!({"type": "string"})),
        "message": about("The description outside.", json!({"type": "string"})),
    }));
    properties["error"] = about("The same, as keystonemiddleware says it.", error);
    closed(properties)
})
.with_example(|| {
    let (title, message) = ("Unauthorized", "The request you have made requires authentication.");
    json!({
        "title": title,
        "description": message,
        "code": 401,
        "request_id": EXAMPLE_ID,
        "error": {"code": 401, "title": title, "message": message},
    })
});

/// An answer of plain text.
pub static TEXT: Shape = Shape::new("Text", || json!({"type": "string"}));
