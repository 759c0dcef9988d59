//! The parameters of paths and queries.

use serde_json::{Value, json};

use super::operation::Parameter;

/// The words for true and false (`handlers/list/query_string.rs` parses them).
pub const FLAGS: &[&str] = &[
    "true", "True", "TRUE", "t", "yes", "y", "1", "on", "false", "False", "FALSE", "f", "no", "n", "0", "off",
];

/// The names of a path's parameters, in order.
pub fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// A parameter of a path.
pub fn path_parameter(name: &str) -> Value {
    let id = json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"});
    let (description, schema) = match name {
        "project_id" => ("The project, which the token usually is for.", id),
        "client_id" => {
            ("The client's name.", json!({"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,255}$"}))
        }
        "action_id" => ("The action's id.", id),
        "job_id" => ("The job's id.", id),
        "session_id" => ("The session's id.", id),
        "backup_id" => ("The entry's id.", id),
        "action_attachment_id" => ("The action attachment's id.", id),
        "job_attachment_id" => ("The job attachment's id.", id),
        "action_report_id" => ("The report's id.", id),
        _ => ("An id.", id),
    };
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema})
}

/// A parameter of a query.
pub fn query_parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": parameter.schema,
    })
}

/// A parameter that is true or false.
pub fn flag(name: &'static str, description: &str) -> Parameter {
    let mut words = vec![json!(true), json!(false)];
    words.extend(FLAGS.iter().map(|word| Value::from(*word)));
    let schema = json!({"type": ["boolean", "string"], "enum": words, "default": false});
    Parameter { name, description: description.to_owned(), schema }
}
