//! The client document (contract, api-v2 §5).

use chrono::TimeDelta;
use front::error::Result;
use serde_json::{Map, Value, json};

use super::shape::{
    Shape, about, closed, id, must_be, nullable, project_id, resource_id, rule, text, user_id, version, words,
};
use super::time::{self, iso};
use crate::document::collection::Collection;
use crate::lifecycle;
use crate::store;
use crate::store::clients::{Capabilities, Client, ClientChange, ClientSpec, STATES};
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// The actions that an agent can run.
pub const ACTIONS: &[&str] = &["backup", "restore", "info", "admin", "exec"];
/// The modes: what an action works on.
pub const MODES: &[&str] = &["fs", "mongo", "mysql", "sqlserver", "cinder", "glance", "cindernative", "nova"];
/// The storages: where backups are kept.
pub const STORAGES: &[&str] = &["local", "swift", "ssh", "s3", "ftp", "ftps"];
/// The engines: how backups are made.
pub const ENGINES: &[&str] = &["tar", "rsync", "rsyncv2", "nova", "osbrick", "glance"];

/// The keys that lists of clients filter and sort by. The marker is the `uuid`: a list can have a name twice, once
/// for a client of the project and once for a central client.
pub static COLLECTION: Collection = Collection {
    noun: "clients",
    path: "clients",
    keys: store::clients::KEYS.keys,
    places: &[("description", "/client/description"), ("project_id", "/project_id"), ("user_id", "/user_id")],
    extras: &[],
    is_strict: false,
    document: Some(&CLIENT_DOCUMENT),
};

/// Schema of a client's name: an optional project prefix, then a host name or FQDN (contract, api-v2 §4).
pub fn client_id() -> Value {
    const LABEL: &str = "([a-zA-Z\\d]|[a-zA-Z\\d][a-zA-Z\\d\\-]{0,61}[a-zA-Z\\d])";
    let ascii = LABEL.replace("\\d", "0-9");
    let name = json!({
        "type": "string",
        "maxLength": 255,
        "pattern": format!("^(?:([A-Za-z0-9_\\-]+)_)?{ascii}(\\.{ascii})*$"),
    });
    must_be(
        "a host's name, as web1.example.com, with a project's id and _ before it if wanted: letters, digits, - and dots, \
         each part of 1 to 63 characters that begins and ends with a letter or digit, 255 in all",
        name,
    )
}

/// Schema of a host name: any text with a letter or a digit in it (contract, api-v2 §4).
fn hostname() -> Value {
    let name = json!({"type": "string", "pattern": "[a-zA-Z0-9]", "maxLength": 255});
    must_be("a name of up to 255 characters with a letter or a digit in it", name)
}

/// Schema of a list of capabilities.
fn capabilities(words: &[&str]) -> Value {
    json!({"type": "array", "items": {"type": "string", "enum": words}, "maxItems": 64})
}

const NAME: &str = "The name that the scheduler gives itself; unique in the project.";
const IS_CENTRAL: &str = "Whether it serves every project.";

/// The body of `POST /clients`.
pub static CLIENT: Shape = Shape::new("ClientCreate", || {
    let mut properties: Map<String, Value> = changeable()
        .into_iter()
        .map(|(key, schema, description)| (key.to_owned(), about(description, schema)))
        .collect();
    for (key, schema, description) in [
        ("client_id", client_id(), NAME),
        ("uuid", nullable(id()), "An id to give it. Empty or missing: the server makes one."),
        ("is_central", json!({"type": ["boolean", "null"]}), IS_CENTRAL),
    ] {
        properties.insert(key.to_owned(), about(description, schema));
    }
    let what = "A list of capabilities that is missing means that it can do everything.";
    about(what, json!({"type": "object", "required": ["client_id"], "properties": properties}))
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
    })
});

/// The keys that a change can set, with their schemas and descriptions.
fn changeable() -> [(&'static str, Value, &'static str); 7] {
    [
        ("description", nullable(text(255)), "Free text; the client's next registration replaces it."),
        (
            "config_id",
            nullable(text(255)),
            "The id of the client's configuration, for a program that manages it.",
        ),
        ("hostname", nullable(hostname()), "The host it runs on; a central client's name is unique there."),
        ("supported_actions", capabilities(ACTIONS), "The actions it can run."),
        ("supported_modes", capabilities(MODES), "What its actions can work on."),
        ("supported_storages", capabilities(STORAGES), "Where its backups can go."),
        ("supported_engines", capabilities(ENGINES), "How its backups can be made."),
    ]
}

/// The keys of a client document that no change sets.
const READ_ONLY: &[&str] = &["client_id", "uuid", "is_central", "last_seen_at", "state"];

/// Schemas of the properties of a change: the changeable keys, and `read_only` ones, which are ignored.
fn change_properties(read_only: &[&str]) -> Map<String, Value> {
    let mut properties = Map::new();
    for (key, mut schema, description) in changeable() {
        schema["description"] = description.into();
        properties.insert(key.to_owned(), schema);
    }
    for key in read_only {
        let taken = json!({"description": "Of the document; taken and ignored.", "readOnly": true});
        properties.insert((*key).to_owned(), taken);
    }
    properties
}

/// The body of `PATCH /clients/{client_id}`: the keys to change, at the top level or inside `client`, where the
/// document has them.
pub static CLIENT_PATCH: Shape = Shape::new("ClientPatch", || {
    let outer = [READ_ONLY, &["project_id", "user_id", "_version", "version"]].concat();
    let mut properties = change_properties(&outer);
    let nested = json!({
        "type": "object",
        "additionalProperties": false,
        "description": "The same inside `client`, where the document has it; then nothing of it stands beside that.",
        "properties": change_properties(READ_ONLY),
    });
    properties.insert("client".to_owned(), nested);
    let beside: Vec<Value> = changeable().iter().map(|(key, ..)| json!({"required": [key]})).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "allOf": [rule(
            "what is to change stands inside client or beside it, not both",
            &[json!({"not": {"required": ["client"]}}), json!({"not": {"anyOf": beside}})],
        )],
    })
})
.with_example(|| json!({"description": "Moved to the second data centre", "supported_storages": ["swift"]}));

/// A client as [`render`] shows it.
pub static CLIENT_DOCUMENT: Shape = Shape::new("Client", || {
    let mut client: Map<String, Value> = changeable()
        .into_iter()
        .map(|(key, schema, description)| (key.to_owned(), about(description, schema)))
        .collect();
    for (key, schema, description) in [
        ("client_id", client_id(), NAME),
        ("uuid", resource_id(""), "The id of the row."),
        ("is_central", json!({"type": "boolean"}), IS_CENTRAL),
        ("last_seen_at", nullable(time::output_schema()), "When it polled last, to 30 seconds; null: never."),
        (
            "state",
            words(STATES),
            "`up` while the last poll is at most `[DEFAULT] client_down_time` seconds old.",
        ),
    ] {
        client.insert(key.to_owned(), about(description, schema));
    }
    let what = "What the client says of itself, and what is known of it.";
    closed(json!({
        "project_id": project_id(),
        "user_id": user_id(),
        "client": about(what, closed(Value::Object(client))),
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
            "config_id": null,
            "is_central": false,
            "description": "The shop's first web server",
            "supported_actions": ["backup", "restore", "info", "admin", "exec"],
            "supported_modes": ["fs", "mysql"],
            "supported_storages": ["swift", "local", "ssh"],
            "supported_engines": ["tar", "rsync"],
            "last_seen_at": "2026-11-22T19:55:23.123456Z",
            "state": "up",
        },
        "_version": 1,
    })
});

/// The response to a registration.
pub static CLIENT_CREATED: Shape =
    Shape::new("ClientId", || closed(json!({"client_id": about(NAME, client_id())})))
        .with_example(|| json!({"client_id": "web1.example.com"}));

/// Parses a registration.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse(body: Value) -> Result<ClientSpec> {
    let body = CLIENT.check(body)?;
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

/// The capabilities in a body. A missing list means all of them: the scheduler is too old to send it.
fn list(body: &Map<String, Value>, key: &str, all: &[&str]) -> Vec<String> {
    match body.get(key) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => all.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// Parses a change.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse_patch(body: Value) -> Result<ClientChange> {
    let mut body = CLIENT_PATCH.check(body)?;
    if let Some(Value::Object(client)) = body.remove("client") {
        body = client;
    }
    let nullable = |key: &str| body.get(key).map(|value| value.as_str().map(str::to_owned));
    let list = |key: &str| body.get(key).cloned().map(Json::from);
    Ok(ClientChange {
        config_id: nullable("config_id"),
        description: nullable("description"),
        hostname: nullable("hostname"),
        supported_actions: list("supported_actions"),
        supported_modes: list("supported_modes"),
        supported_storages: list("supported_storages"),
        supported_engines: list("supported_engines"),
    })
}

/// What decides whether a client is up: the current time and the maximum age of its last poll.
#[derive(Debug, Clone, Copy)]
pub struct Liveness {
    /// The current time.
    pub now: Time,
    /// The maximum age of the last poll of a client that is up (`[DEFAULT] client_down_time`).
    pub down_time: TimeDelta,
}

impl Liveness {
    /// The range, with both ends, in which the last poll of a client that is up lies.
    pub fn up_between(self) -> (Time, Time) {
        (self.now - self.down_time, self.now)
    }

    /// Whether a client with this last poll is up; `None` means that it has never polled.
    fn is_up(self, last_seen_at: Option<Time>) -> bool {
        last_seen_at.is_some_and(|seen| lifecycle::is_recent(self.now - seen, self.down_time))
    }
}

/// The JSON of a client.
pub fn render(client: &Client, liveness: Liveness) -> Value {
    json!({
        "project_id": client.project_id,
        "user_id": client.user_id,
        "client": {
            "uuid": client.uuid,
            "hostname": client.hostname,
            "client_id": client.client_id,
            "config_id": client.config_id,
            "is_central": client.is_central,
            "description": client.description,
            "supported_actions": client.supported_actions,
            "supported_modes": client.supported_modes,
            "supported_storages": client.supported_storages,
            "supported_engines": client.supported_engines,
            "last_seen_at": client.last_seen_at.map(iso),
            "state": if liveness.is_up(client.last_seen_at) { "up" } else { "down" },
        },
        "_version": client.version,
    })
}

/// The part of a client's document that its entity tag covers: everything but its liveness. A poll changes the liveness
/// every minute, and is not a change of the client.
pub fn stable_part(document: &Value) -> Value {
    let mut part = document.clone();
    if let Some(Value::Object(client)) = part.get_mut("client") {
        client.retain(|key, _| key != "state" && key != "last_seen_at");
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_up_until_its_last_poll_is_too_old() {
        let now = crate::store::now();
        let liveness = Liveness { now, down_time: TimeDelta::seconds(180) };
        for (age, up) in
            [(-86_400, false), (-5, false), (0, true), (180, true), (181, false), (86_400, false)]
        {
            assert_eq!(liveness.is_up(Some(now - TimeDelta::seconds(age))), up, "{age}");
        }
        assert!(!liveness.is_up(None));
    }

    #[test]
    fn a_change_is_at_the_top_level_or_inside_the_client() {
        let flat = parse_patch(json!({"hostname": null, "client_id": "x", "_version": 3})).unwrap();
        assert_eq!(flat, ClientChange { hostname: Some(None), ..ClientChange::default() });
        let nested = json!({"project_id": "p", "client": {"supported_modes": ["fs"], "state": "up"}});
        let modes = Some(Json::from(json!(["fs"])));
        assert_eq!(
            parse_patch(nested).unwrap(),
            ClientChange { supported_modes: modes, ..ClientChange::default() }
        );
        for bad in [
            json!({"description": "a", "client": {"description": "b"}}),
            json!({"client": null}),
            json!({"client": {"client": {}}}),
            json!({"client": {"colour": "red"}}),
            json!({"colour": "red"}),
            json!({"supported_modes": null}),
            json!([]),
        ] {
            assert_eq!(parse_patch(bad.clone()).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn a_poll_does_not_change_the_stable_part() {
        let shown = |state: &str, description: &str| {
            json!({
                "client": {"client_id": "a", "description": description, "state": state, "last_seen_at": state},
                "_version": 1,
            })
        };
        assert_eq!(stable_part(&shown("up", "x")), stable_part(&shown("down", "x")));
        assert_ne!(stable_part(&shown("up", "x")), stable_part(&shown("up", "y")));
    }
}
