//! The client document (contract, api-v2 §5).

use serde_json::{Map, Value, json};

use super::search::Fields;
use super::shape::{Shape, about, closed, id, listing, nullable, own_id, project_id, text, user_id, version};
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

const NAME: &str =
    "The name that the scheduler gives itself, usually `<project>_<host>`; unique in the project.";
const HOSTNAME: &str = "The host that it runs on.";
const DESCRIPTION: &str = "Free text.";
const UUID: &str = "The client's id. Made by the server where none is given.";
const IS_CENTRAL: &str = "Whether it runs the jobs of all projects.";

/// What a client can do, as its four lists.
fn capabilities() -> Value {
    let list = |what: &str, words: &[&str]| {
        let list = json!({"type": "array", "items": {"type": "string", "enum": words}, "maxItems": 64});
        about(what, list)
    };
    json!({
        "supported_actions": list("The actions that it can run.", ACTIONS),
        "supported_modes": list("What it can work on.", MODES),
        "supported_storages": list("Where it can put backups.", STORAGES),
        "supported_engines": list("How it can make them.", ENGINES),
    })
}

/// The body of `POST /clients`. A list that is missing means that the client can do everything.
pub static CLIENT: Shape = Shape::new("ClientCreate", || {
    let mut properties = capabilities();
    properties["client_id"] = about(NAME, client_id());
    let hostname = json!({"type": "string", "pattern": "[a-zA-Z0-9]", "maxLength": 255});
    properties["hostname"] = about(HOSTNAME, nullable(hostname));
    properties["description"] = about(DESCRIPTION, nullable(text(255)));
    properties["uuid"] = about(UUID, nullable(id()));
    properties["config_id"] = about("The configuration that it was set up with.", nullable(text(255)));
    properties["is_central"] = about(IS_CENTRAL, json!({"type": ["boolean", "null"]}));
    json!({"type": "object", "required": ["client_id"], "properties": properties})
})
.with_example(|| {
    json!({
        "client_id": "web1.example.com",
        "hostname": "web1.example.com",
        "description": "The shop's first web server",
        "supported_actions": ["backup", "restore", "info", "admin", "exec"],
        "supported_modes": ["fs", "mysql"],
        "supported_storages": ["swift", "local", "ssh"],
        "supported_engines": ["tar", "rsync"],
        "is_central": false,
    })
});

/// A client as [`render`] shows it.
pub static CLIENT_DOCUMENT: Shape = Shape::new("Client", || {
    let mut client = capabilities();
    client["uuid"] = own_id(UUID);
    client["client_id"] = about(NAME, client_id());
    client["hostname"] = about(HOSTNAME, nullable(text(255)));
    client["description"] = about(DESCRIPTION, nullable(text(255)));
    client["is_central"] = about(IS_CENTRAL, json!({"type": "boolean"}));
    let client = about("What the client says of itself.", closed(client));
    closed(json!({
        "project_id": project_id(),
        "user_id": user_id(),
        "client": client,
        "_version": version(),
    }))
})
.with_example(|| {
    json!({
        "project_id": "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47",
        "user_id": "c0ffee254729296a45a3885639ac7e10",
        "client": {
            "uuid": "5d41402abc4b2a76b9719d911017c592",
            "hostname": "web1.example.com",
            "client_id": "web1.example.com",
            "is_central": false,
            "description": "The shop's first web server",
            "supported_actions": ["backup", "restore", "info", "admin", "exec"],
            "supported_modes": ["fs", "mysql"],
            "supported_storages": ["swift", "local", "ssh"],
            "supported_engines": ["tar", "rsync"],
        },
        "_version": 1,
    })
});

/// The answer to a list of clients.
pub static CLIENT_LIST: Shape = Shape::new("ClientList", || listing("clients", &CLIENT_DOCUMENT));

/// The answer to a registration.
pub static CLIENT_CREATED: Shape =
    Shape::new("ClientId", || closed(json!({"client_id": about(NAME, client_id())})))
        .with_example(|| json!({"client_id": "web1.example.com"}));

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
