//! Replays requests of old clients to old services: every answer is the recorded one, except for the [`DIFFERENCES`].
//!
//! A transcript holds the requests of one real client in their order, and the answers of the old service. Steps in
//! between that were not recorded (another client's requests, the rows of an earlier run) are in a file beside it,
//! with the ids of the old service. A session's hold-off is over there because of an earlier start. Ids, uuids and
//! creation times differ between the services: the replay learns which of ours stands for which of the old ones as
//! they appear, and replaces them in the requests that follow. Lists are compared by id, since the old services
//! promised no order (contract, api-v1 §6).

mod compare;
mod names;

use freezer_api::scope::Scope;
use serde::Deserialize;
use serde_json::Value;

use self::names::Names;
use super::differences::{DIFFERENCES, Seen};
use super::{fresh, offering};
use crate::api::Api;
use crate::http;

on_every_backend! {
    old_clients_are_answered_as_recorded_but_for_the_differences,
}

macro_rules! transcript {
    ($name:literal) => {
        Transcript {
            name: $name,
            recorded: include_str!(concat!("transcripts/", $name, ".jsonl")),
            unrecorded: include_str!(concat!("transcripts/", $name, ".unrecorded.jsonl")),
        }
    };
}

const TRANSCRIPTS: [Transcript; 3] = [
    transcript!("cli-6.3.0-on-api-18.0.0-sql"),
    transcript!("scheduler-12.0.0-on-api-15.0.0-es"),
    transcript!("scheduler-18.0.0-on-api-15.0.0-es"),
];

struct Transcript {
    name: &'static str,
    recorded: &'static str,
    unrecorded: &'static str,
}

/// A request and the old service's answer.
#[derive(Deserialize)]
struct Exchange {
    /// The index of the recorded exchange that an unrecorded one precedes.
    before: Option<usize>,
    method: String,
    path: String,
    #[serde(default)]
    query: String,
    request_body: Option<Value>,
    status: u16,
    response_body: Option<Value>,
}

fn exchanges(lines: &str) -> impl Iterator<Item = Exchange> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// The caller of one transcript, in a new project.
struct Replay {
    node: std::sync::Arc<crate::api::Node>,
    user: String,
    project: String,
    names: Names,
}

impl Replay {
    fn new(api: &Api) -> Self {
        Self {
            node: offering(api, Scope::Own),
            user: fresh("user"),
            project: fresh("project"),
            names: Names::default(),
        }
    }

    fn send(&self, exchange: &Exchange) -> http::Answer {
        let token = [
            ("X-User-Id", &*self.user),
            ("X-User-Name", "demo"),
            ("X-Project-Id", &*self.project),
            ("X-Roles", "member,reader"),
        ];
        let path = self.names.in_path(&exchange.path);
        let target = if exchange.query.is_empty() { path } else { format!("{path}?{}", exchange.query) };
        let body = exchange.request_body.as_ref().map(|body| self.names.in_document(body).to_string());
        http::send(self.node.address, &exchange.method, &target, &token, body.as_deref().map(str::as_bytes))
    }

    /// Sends an unrecorded step, and learns its ids.
    fn prepare(&mut self, exchange: &Exchange) {
        let ours = self.send(exchange).expect(exchange.status);
        if let Some(old) = &exchange.response_body {
            let found = compare::documents(old, &ours, &mut self.names);
            assert!(found.is_empty(), "{} {}: {found:?}", exchange.method, exchange.path);
        }
    }

    /// Sends a recorded request, and returns the differences in the answer.
    fn repeat(&mut self, exchange: &Exchange) -> Vec<Seen> {
        let answer = self.send(exchange);
        let ours = if answer.body.is_empty() { Value::Null } else { answer.json() };
        let old = exchange.response_body.as_ref().unwrap_or(&Value::Null);
        let seen = |(field, old, ours)| Seen::new(&exchange.method, &exchange.path, field, old, ours);
        if answer.status != exchange.status {
            let ours = format!("{} {}", answer.status, compare::summary(&ours));
            return vec![seen(("answer".to_owned(), exchange.status.to_string(), ours))];
        }
        compare::documents(old, &ours, &mut self.names).into_iter().map(seen).collect()
    }
}

fn old_clients_are_answered_as_recorded_but_for_the_differences(api: &Api) {
    let unreasoned = DIFFERENCES.iter().find(|difference| !difference.reason.contains("(contract, api-v1 §"));
    assert!(unreasoned.is_none(), "a reason names no section of the contract: {unreasoned:?}");
    let mut used = vec![false; DIFFERENCES.len()];
    let mut unexplained = Vec::new();
    for transcript in TRANSCRIPTS {
        let mut replay = Replay::new(api);
        let mut unrecorded = exchanges(transcript.unrecorded).peekable();
        for (index, exchange) in exchanges(transcript.recorded).enumerate() {
            while let Some(step) = unrecorded.next_if(|step| step.before == Some(index)) {
                replay.prepare(&step);
            }
            for seen in replay.repeat(&exchange) {
                match DIFFERENCES.iter().position(|difference| difference.explains(&seen)) {
                    Some(at) => used[at] = true,
                    None => unexplained.push(format!("{} #{index}: {seen}", transcript.name)),
                }
            }
        }
        assert!(unrecorded.next().is_none(), "{}: a step belongs to no exchange", transcript.name);
    }
    assert!(unexplained.is_empty(), "not in the table of differences:\n{}", unexplained.join("\n"));
    let unused: Vec<_> =
        DIFFERENCES.iter().zip(used).filter(|(_, used)| !used).map(|(entry, _)| entry).collect();
    assert!(unused.is_empty(), "in the table of differences, but in no transcript: {unused:#?}");
}
