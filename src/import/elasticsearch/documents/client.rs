//! Documents of the type `clients`.

use super::{Content, Unreadable, unreadable};
use crate::import::elasticsearch::fields::Fields;
use crate::import::ids;
use crate::import::legacy::{Body, Client};

/// The old driver never gave a client's document an id: the client's own is its `uuid`, which was beside `client` up to
/// release 4.0, and is in it since.
pub fn read(
    fields: &mut Fields,
    id: Option<&str>,
    user: &str,
    project: Option<&str>,
) -> Result<Content, Unreadable> {
    let Some(inner) = fields.object("client") else {
        return unreadable(fields, "bad-json", "There is no object `client`.");
    };
    let mut inner = Fields::new("client.", inner);
    let Some(name) = inner.word("client_id") else {
        return unreadable(fields, "no-id", "There is no `client.client_id`.");
    };
    let own = inner.word("uuid");
    // The one beside `client` is left to be reported if there are two that differ.
    let beside = match &own {
        Some(uuid) if fields.map.get("uuid").is_some_and(|value| value != uuid.as_str()) => None,
        _ => fields.word("uuid"),
    };
    let made = || match id {
        Some(id) => ids::made("clients", &[id]),
        None => ids::made("clients", &[project.unwrap_or_default(), user, &name]),
    };
    let uuid = own.or(beside).unwrap_or_else(made);
    let client = Client {
        hostname: inner.text("hostname"),
        description: inner.text("description"),
        uuid: None,
        config_id: inner.text("config_id"),
        supported: ["supported_actions", "supported_modes", "supported_storages", "supported_engines"]
            .map(|key| inner.texts(key)),
        is_central: inner.flag("is_central").unwrap_or_default(),
        name,
    };
    fields.problems.extend(inner.into_problems());
    Ok(Content { id: uuid, created: None, body: Body::Client(client) })
}
