//! Schedulers that all start one session: every start that is acknowledged must be in the session afterwards.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::daemon::Daemon;
use crate::documents::{self, path_of};
use crate::http::{Client, Request};
use crate::load::{Taken, closed_loop};
use crate::world::{self, Kind, Scheduler};

pub const NAME: &str = "session start";
/// The status of a start that was taken.
pub const STATUS: u16 = 202;
/// The first job that is in a session.
const FIRST_MEMBER: usize = 3;

/// A session, and a job of another scheduler in it for each connection.
pub struct Hot {
    id: String,
    jobs: Vec<String>,
}

/// Has each connection start the session for its job, again and again: the first start moves the tag, all others join
/// that run, each of them a change of the session and of its own job.
///
/// # Errors
/// As well when an acknowledged start is not in what the session says afterwards.
pub fn measure(daemon: &Daemon, connections: usize, time: Duration) -> Result<Taken> {
    let mut client = Client::connect(daemon.address)?;
    let hot = Hot::prepare(daemon.address, connections)?;
    let before = show(&mut client, &hot)?;
    let (begun, joined) = (AtomicU64::new(0), AtomicU64::new(0));
    let taken = closed_loop(
        connections,
        time,
        0,
        |_| Client::connect(daemon.address),
        |client, thread, _| {
            let answer = start(client, &hot, thread)?;
            match (answer["result"].as_str(), answer["session_tag"].as_i64()) {
                (Some("success"), Some(1)) => joined.fetch_add(1, Ordering::Relaxed),
                (Some("hold-off"), Some(1)) => begun.fetch_add(1, Ordering::Relaxed),
                _ => return Err(format!("the answer to a start: {answer}").into()),
            };
            Ok(())
        },
    )?;
    let after = show(&mut client, &hot)?;
    let (joined, begun) = (joined.into_inner(), begun.into_inner());
    check(&hot, (&before, &after), joined, begun)?;
    Ok(taken)
}

/// One run was begun, every job is in it, and the session's version has counted every start.
fn check(hot: &Hot, (before, after): (&Value, &Value), joined: u64, held_off: u64) -> Result<()> {
    if after["session_tag"] != 1 {
        return Err(format!("the tag is {} after one run", after["session_tag"]).into());
    }
    if held_off > 0 {
        return Err(format!("{held_off} starts of an older tag were held off").into());
    }
    let is_running = |job: &String| after["jobs"][job]["status"] == "running";
    if let Some(lost) = hot.jobs.iter().find(|job| !is_running(job)) {
        return Err(format!("the start of {lost} is lost: {after}").into());
    }
    let version = |document: &Value| document["_version"].as_u64().ok_or("no version of the session");
    let counted = version(after)? - version(before)?;
    if counted == joined {
        Ok(())
    } else {
        Err(format!("of {joined} starts the session counted {counted}").into())
    }
}

impl Hot {
    /// Makes one by the API.
    pub fn prepare(address: SocketAddr, connections: usize) -> Result<Self> {
        let mut client = Client::connect(address)?;
        let mut create = |noun: &str, body: Value| -> Result<String> {
            let answer = client.send(&Request::with_body("POST", &path_of(noun), &body.to_string()))?;
            let text = answer.text();
            let id = answer.json()?[format!("{}_id", noun.trim_end_matches('s'))].as_str().map(str::to_owned);
            id.ok_or_else(|| text.into())
        };
        let id = create("sessions", documents::session())?;
        let jobs = (0..connections)
            .map(|number| create("jobs", documents::job(number, &Scheduler::Regular(number).client_id())))
            .collect::<Result<Vec<_>>>()?;
        for job in &jobs {
            let path = path_of(&format!("sessions/{id}/jobs/{job}"));
            // The Python service hangs up after an answer without a body.
            let mut client = Client::connect(address)?;
            let answer = client.send(&Request::with_body("PUT", &path, ""))?;
            if answer.status != 204 {
                return Err(answer.text().into());
            }
        }
        Ok(Hot { id, jobs })
    }

    /// The request to start it for the job of that connection.
    pub fn start(&self, thread: usize) -> Request {
        asked(&self.id, &self.jobs[thread])
    }
}

/// A start that joins a run, of one of the filled sessions.
pub fn joining(client: &mut Client) -> Result<Request> {
    let (session, job) = (world::id(Kind::Session, 0), world::id(Kind::Job, FIRST_MEMBER));
    let held_off = json!({"hold_off": 3600}).to_string();
    for request in [
        Request::with_body("PATCH", &path_of(&format!("sessions/{session}")), &held_off),
        asked(&session, &job),
    ] {
        let answer = client.send(&request)?;
        if !answer.is_success() {
            return Err(answer.text().into());
        }
    }
    Ok(asked(&session, &job))
}

/// The request to start a session for a job that knows of no run yet.
pub fn asked(session: &str, job: &str) -> Request {
    let body = json!({"start": {"job_id": job, "current_tag": 0}}).to_string();
    Request::with_body("POST", &path_of(&format!("sessions/{session}/action")), &body)
}

fn start(client: &mut Client, hot: &Hot, thread: usize) -> Result<Value> {
    let answer = client.send(&hot.start(thread))?;
    if answer.status == STATUS { answer.json() } else { Err(answer.text().into()) }
}

fn show(client: &mut Client, hot: &Hot) -> Result<Value> {
    client.send(&Request::get(&path_of(&format!("sessions/{}", hot.id))))?.json()
}
