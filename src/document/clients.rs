//! The client document (contract, api-v2 §5).

use serde_json::{Map, Value, json};

use super::search::Fields;
use super::shape::{Shape, id, nullable, text};
use crate::error::Result;
use crate::store::clients::{Capabilities, Client, ClientSpec};

/// What an action can be.
pub const ACTIONS: &[&str] = &["backup", "restore", "info", "admin", "exec"];
/// What it can work on.
pub const MODES: &[&str] = &["fs", "mongo", "mysql", "sqlserver", "cinder", "glance", "cindernative", "nova"];
/// Where backups can go.
pub const STORAGES: &[&str] = &["local", "swift", "ssh", "s3", "ftp", "ftps"];
/// How they are made.
pub const ENGINES: &[&str] = &["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"];

/// Where the well-known keys of a client document are.
pub const FIELDS: Fields = &[
    ("client_id", "/client/client_id"),
    ("client.client_id", "/client/client_id"),
    ("uuid", "/client/uuid"),
    ("client.uuid", "/client/uuid"),
    ("hostname", "/client/hostname"),
    ("client.hostname", "/client/hostname"),
    ("description", "/client/description"),
    ("is_central", "/client/is_central"),
    ("project_id", "/project_id"),
    ("user_id", "/user_id"),
];

/// An optional project prefix, then a host name or FQDN (contract, api-v2 §4).
pub fn client_id() -> Value {
    const LABEL: &str = "([a-zA-Z\\d]|[a-zA-Z\\d][a-zA-Z\\d\\-]{0,61}[a-zA-Z\\d])";
    let ascii = LABEL.replace("\\d", "0-9");
    json!({
        "type": "string",
        "maxLength": 255,
        "pattern": format!("^(?:([A-Za-z0-9_\\-]+)_)?{ascii}(\\.{ascii})*$"),
    })
}

/// The body of `POST /clients`.
pub static CLIENT: Shape = Shape::new("Client", || {
    let list =
        |words: &[&str]| json!({"type": "array", "items": {"type": "string", "enum": words}, "maxItems": 64});
    json!({
        "type": "object",
        "required": ["client_id"],
        "properties": {
            "client_id": client_id(),
            "hostname": nullable(json!({"type": "string", "pattern": "[a-zA-Z0-9]", "maxLength": 255})),
            "description": nullable(text(255)),
            "uuid": nullable(id()),
            "config_id": nullable(text(255)),
            "is_central": {"type": ["boolean", "null"]},
            "supported_actions": list(ACTIONS),
            "supported_modes": list(MODES),
            "supported_storages": list(STORAGES),
            "supported_engines": list(ENGINES),
        },
    })
});

/// Reads a registration.
///
/// # Errors
/// 400 when the body is not a client.
pub fn parse(body: Value) -> Result<ClientSpec> {
    let body = CLIENT.check_present(body)?;
    let owned = |key| super::text(&body, key).map(str::to_owned);
    Ok(ClientSpec {
        client_id: owned("client_id").unwrap_or_default(),
        hostname: owned("hostname"),
        description: owned("description"),
        config_id: owned("config_id"),
        uuid: owned("uuid").filter(|uuid| !uuid.is_empty()),
        is_central: body.get("is_central").and_then(Value::as_bool).unwrap_or(false),
        capabilities: Capabilities {
            actions: list(&body, "supported_actions", ACTIONS),
            modes: list(&body, "supported_modes", MODES),
            storages: list(&body, "supported_storages", STORAGES),
            engines: list(&body, "supported_engines", ENGINES),
        },
    })
}

/// A list of capabilities; a scheduler too old to send one can do everything.
fn list(body: &Map<String, Value>, key: &str, all: &[&str]) -> Vec<String> {
    match body.get(key) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => all.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// A client as the API shows it.
pub fn render(client: &Client) -> Value {
    json!({
        "project_id": client.project_id,
        "user_id": client.user_id,
        "client": {
            "uuid": client.uuid,
            "hostname": client.hostname,
            "client_id": client.client_id,
            "is_central": client.is_central,
            "description": client.description,
            "supported_actions": client.supported_actions.0,
            "supported_modes": client.supported_modes.0,
            "supported_storages": client.supported_storages.0,
            "supported_engines": client.supported_engines.0,
        },
        "_version": client.version,
    })
}

/// What of a client's document its entity tag is made of: all but whether it has been seen of late. Nobody changes a
/// client by that, and a scheduler polls every minute.
pub fn lasting(document: &Value) -> Value {
    let mut lasting = document.clone();
    if let Some(Value::Object(client)) = lasting.get_mut("client") {
        client.retain(|key, _| key != "state" && key != "last_seen_at");
    }
    lasting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_no_change_of_a_client() {
        let shown = |state: &str, description: &str| {
            json!({
                "client": {"client_id": "a", "description": description, "state": state, "last_seen_at": state},
                "_version": 1,
            })
        };
        assert_eq!(lasting(&shown("up", "x")), lasting(&shown("down", "x")));
        assert_ne!(lasting(&shown("up", "x")), lasting(&shown("up", "y")));
    }
}
