//! Clients (contract, api-v2 §5).

use serde_json::json;

use crate::api::Api;
use crate::documents::client;

on_every_backend! {
    a_scheduler_registers_and_is_shown,
}

fn a_scheduler_registers_and_is_shown(api: &Api) {
    let alice = api.project();
    let answer = alice.post("/clients/", client("web1"));
    assert_eq!(answer.expect(201), json!({"client_id": "web1"}));
    let here = format!("{}/v2/{}/clients/web1", api.url(), alice.project);
    assert_eq!(answer.header("Location"), Some(here.as_str()));
}
