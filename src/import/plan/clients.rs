//! Clients.

use super::draft::Draft;
use crate::document::clients::{ACTIONS, ENGINES, MODES, STORAGES};
use crate::import::legacy::{Client, Row};
use crate::import::staging::table::{Head, state};
use crate::import::unit::TargetRow;
use crate::store::clients::Client as TargetClient;
use crate::store::owners::is_client_name;
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// Plans a client; `others` are merged into it.
pub fn plan(draft: &mut Draft, head: &Head, row: &Row, client: &Client, others: &[Client], now: Time) {
    match head.state {
        state::REVIVED => draft.note("deleted", "It is deleted, and comes back because a job names it."),
        state::MADE => {}
        _ => {
            if !is_client_name(&client.name) {
                draft.note("bad-client-id", "The API takes no such client_id any more.");
            }
            if let Some(uuid) = client.uuid.as_deref().filter(|uuid| *uuid != row.id && !uuid.is_empty()) {
                draft.note("uuid-differs", format!("Its uuid {uuid} is not its id, which is kept."));
                draft.remainder("uuid-differs", serde_json::json!({ "uuid": uuid }));
            }
        }
    }
    let filled = |value: fn(&Client) -> Option<&String>| {
        let filled = |client| value(client).filter(|text| !text.is_empty());
        filled(client).or_else(|| others.iter().find_map(filled)).or_else(|| value(client)).cloned()
    };
    // The host is part of the key of a central client.
    let hostname =
        if client.is_central { client.hostname.clone() } else { filled(|client| client.hostname.as_ref()) };
    let description = filled(|client| client.description.as_ref());
    let config_id = filled(|client| client.config_id.as_ref());
    let supported = |index: usize, all: &[&str]| {
        let list = |client: &Client| client.supported.get(index).cloned().flatten();
        let list = list(client).or_else(|| others.iter().find_map(list));
        Json::from(list.unwrap_or_else(|| all.iter().map(|word| (*word).to_owned()).collect()))
    };
    let times = draft.times(row, None, now);
    let id = head.target().to_owned();
    let target = TargetClient {
        uuid: id.clone(),
        id,
        project_id: head.project.clone().unwrap_or_default(),
        user_id: row.user.clone(),
        client_id: client.name.trim_end_matches(' ').to_owned(),
        config_id: draft.text("config_id", config_id.as_deref(), 255),
        description: draft.text("description", description.as_deref(), 255),
        hostname: draft.text("hostname", hostname.as_deref(), 255),
        supported_actions: supported(0, ACTIONS),
        supported_modes: supported(1, MODES),
        supported_storages: supported(2, STORAGES),
        supported_engines: supported(3, ENGINES),
        is_central: client.is_central,
        last_seen_at: None,
        created_at: times.created,
        updated_at: times.updated,
        version: 1,
    };
    draft.push(TargetRow::Client(Box::new(target)));
}
