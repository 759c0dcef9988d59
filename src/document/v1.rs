//! Documents of version 1: those of version 2, but `_version` is only in the response for one action, job or session.
//! Lists and clients have none (contract, api-v1 §4).

use serde_json::Value;

use super::actions::ACTION_DOCUMENT;
use super::clients::CLIENT_DOCUMENT;
use super::jobs::JOB_DOCUMENT;
use super::sessions::SESSION_DOCUMENT;
use super::shape::Shape;

/// A client, which has no version.
pub static CLIENT_DOCUMENT_V1: Shape = Shape::new("Client", || {
    let mut schema = with_optional_version(&CLIENT_DOCUMENT);
    remove_version(&mut schema["properties"]);
    schema
});

/// An action by itself or in a list.
pub static ACTION_DOCUMENT_V1: Shape = Shape::new("Action", || with_optional_version(&ACTION_DOCUMENT));

/// A job by itself or in a list.
pub static JOB_DOCUMENT_V1: Shape = Shape::new("Job", || with_optional_version(&JOB_DOCUMENT));

/// A session by itself or in a list.
pub static SESSION_DOCUMENT_V1: Shape = Shape::new("Session", || with_optional_version(&SESSION_DOCUMENT));

const VERSION: &str = "_version";

fn with_optional_version(shape: &Shape) -> Value {
    let mut schema = shape.schema();
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|member| member != VERSION);
    }
    schema
}

/// Removes the version from a document.
pub fn remove_version(document: &mut Value) {
    if let Value::Object(members) = document {
        members.remove(VERSION);
    }
}
