//! A read through one API process right after a write through the other.

use serde_json::{Value, json};

use crate::http::Caller;
use crate::load::new_id;

/// The numbers of reads and writes that did not see the write before them.
#[derive(Debug, Default)]
pub struct Stale {
    pub reads: u32,
    pub lists: u32,
    /// Writes that found an older state than the one just acknowledged.
    pub writes: u32,
}

/// Writes through `one`, reads through `other`.
pub fn after_writes(one: u16, other: u16, rounds: u32) -> Stale {
    let caller = Caller::of(&new_id());
    let mut stale = Stale::default();
    for round in 0..rounds {
        let (one, other) = if round % 2 == 0 { (one, other) } else { (other, one) };
        let name = format!("client-{round}");
        caller.post(one, "/clients", &json!({"client_id": name, "hostname": "h"})).expect(201);
        let list = caller.get(other, "/clients?limit=1&sort=created_at:desc").expect(200);
        stale.lists += u32::from(list["clients"][0]["client"]["client_id"] != json!(name));
        let changed = caller.patch(one, &format!("/clients/{name}"), &json!({"description": "new"}), None);
        // The other node may not even have the client yet.
        stale.writes += u32::from(changed.status != 200);
        let seen = caller.get(other, &format!("/clients/{name}"));
        stale.reads += u32::from(seen.status != 200 || described(&seen.body) != "new");
        let gone = caller.delete(other, &format!("/clients/{name}"));
        stale.writes += u32::from(gone.status != 204);
    }
    stale
}

fn described(body: &Value) -> &str {
    body["description"].as_str().or_else(|| body["client"]["description"].as_str()).unwrap_or_default()
}
