//! A job, as its writer expects it. Every change touches several rows and writes its number into each of them.

use serde_json::{Value, json};

use crate::known::Known;

/// The number of actions of each job.
pub const ACTIONS: usize = 3;

/// One job.
pub struct Job {
    pub id: String,
    /// The number of the last change of its description, schedule and process id, and that of the last change of its
    /// actions.
    pub state: Known<(u64, u64)>,
    /// Bounds on the number of finished runs.
    pub runs: (u64, u64),
    /// Whether it exists. `None`: unknown.
    pub is_there: Option<bool>,
}

impl Job {
    pub fn new(id: String, acknowledged: bool) -> Self {
        let is_there = acknowledged.then_some(true);
        Self { id, state: Known::new((0, 0)), runs: (0, 0), is_there }
    }

    fn actions(&self, change: u64) -> Value {
        let one = |n: usize| {
            let name = format!("{}/{change}/{n}", self.id);
            json!({"freezer_action": {"action": "backup", "mode": "fs", "backup_name": name,
                                      "path_to_backup": "/etc", "container": "/var/backups", "storage": "local"}})
        };
        (0..ACTIONS).map(one).collect()
    }

    fn marked(change: u64) -> Value {
        json!({
            "description": format!("change {change}"),
            "job_schedule": {"schedule_interval": format!("{} days", change + 1), "current_pid": change},
        })
    }

    /// The body that creates it.
    pub fn document(&self, client: &str) -> Value {
        let mut body = Self::marked(0);
        body["job_id"] = json!(self.id);
        body["client_id"] = json!(client);
        body["job_actions"] = self.actions(0);
        body
    }

    /// The body of a PATCH to this state, which differs from the current one.
    pub fn patch(&self, (change, actions): (u64, u64)) -> Value {
        let mut body = Self::marked(change);
        if change == actions {
            body["job_actions"] = self.actions(actions);
        }
        body
    }

    /// The state that a document shows, or an error if it mixes several states.
    pub fn state_of(&self, document: &Value) -> Result<(u64, u64), String> {
        let change = document["job_schedule"]["current_pid"].as_u64().ok_or("no process id")?;
        let marked = Self::marked(change);
        let schedule = "/job_schedule/schedule_interval";
        if document["description"] != marked["description"]
            || document.pointer(schedule) != marked.pointer(schedule)
        {
            return Err("half of a change".to_owned());
        }
        let entries = document["job_actions"].as_array().ok_or("no actions")?;
        let name = |entry: &Value| entry["freezer_action"]["backup_name"].as_str().map(str::to_owned);
        let first = entries.first().and_then(name).unwrap_or_default();
        let of = first.split('/').nth(1).and_then(|of| of.parse().ok()).ok_or("no first action")?;
        let expected = self.actions(of);
        let expected: Vec<_> = expected.as_array().into_iter().flatten().map(name).collect();
        if entries.iter().map(name).collect::<Vec<_>>() != expected {
            return Err("not its actions, or not in their order".to_owned());
        }
        Ok((change, of))
    }
}
