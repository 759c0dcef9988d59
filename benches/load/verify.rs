//! Whether the filled rows are such as the service makes itself: what it shows of them has the same keys and types.

use serde_json::Value;

use crate::documents::{self, path_of};
use crate::http::{Client, Request};
use crate::world::{self, Kind, Scheduler};
use crate::{Failure, Result};

/// Compares filled jobs, actions and clients with ones that are made over the API.
///
/// # Errors
/// They differ, or are not there.
pub fn filled(client: &mut Client, jobs: usize) -> Result<()> {
    let number = 11;
    let body = documents::job(number, &world_client(number)).to_string();
    let posted = client.send(&Request::with_body("POST", &path_of("jobs/"), &body))?.json()?;
    let posted = id(&posted, "job_id")?;
    let made = show(client, &format!("jobs/{posted}"))?;
    for number in [number, jobs / 2 + 11, jobs - BLOCK_END] {
        let filled = show(client, &format!("jobs/{}", world::id(Kind::Job, number)))?;
        same("job", &made, &filled)?;
        let [made, filled] = [&made, &filled].map(|job| id(&job["job_actions"][0], "action_id"));
        let [made, filled] =
            [show(client, &format!("actions/{}", made?))?, show(client, &format!("actions/{}", filled?))?];
        same("action", &made, &filled)?;
    }
    let answer = client.send(&Request::with_body("DELETE", &path_of(&format!("jobs/{posted}")), ""))?;
    if answer.status != 204 {
        return Err(answer.text().into());
    }
    show(client, &format!("clients/{}", Scheduler::Archive.client_id())).map(drop)
}

/// A job near the end that has never run.
const BLOCK_END: usize = 4;

fn world_client(job: usize) -> String {
    world::scheduler_of(job).client_id()
}

fn show(client: &mut Client, path: &str) -> Result<Value> {
    let answer = client.send(&Request::get(&path_of(path)))?;
    if answer.status == 200 { answer.json() } else { Err(format!("GET {path}: {}", answer.text()).into()) }
}

fn id(document: &Value, key: &str) -> Result<String> {
    document[key].as_str().map(str::to_owned).ok_or_else(|| Failure::from(format!("no {key} in {document}")))
}

/// Whether two documents have the same keys, and the same types below them. Which `schedule_*` keys a job has is its
/// own matter.
fn same(noun: &str, made: &Value, filled: &Value) -> Result<()> {
    let (made, filled) = (shape(made), shape(filled));
    if made == filled {
        Ok(())
    } else {
        Err(format!("a filled {noun} is {filled}, one of the API {made}").into())
    }
}

fn shape(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let keys = object.iter().filter(|(key, _)| !key.starts_with("schedule_"));
            let keys: Vec<String> = keys.map(|(key, value)| format!("{key}: {}", shape(value))).collect();
            format!("{{{}}}", keys.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", ")),
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Null => "null".to_owned(),
    }
}
