//! What is measured one by one.

use serde_json::Value;

use crate::database::Database;
use crate::documents::{self, path_of};
use crate::http::Request;
use crate::world::{self, Kind, PROJECT, Scheduler, mixed};
use crate::{Failure, Result};

/// How many schedulers the polls are spread over, whatever the number of jobs.
const POLLING: usize = 500;

/// From how many requests the statements are taken.
const SAMPLES: u64 = 200;

type Make = Box<dyn Fn(usize, u64) -> Request + Send + Sync>;
type Expect = Box<dyn Fn(&Value) -> bool + Send + Sync>;

/// Something that clients do.
pub struct Operation {
    pub name: &'static str,
    /// The request of a thread and turn.
    pub request: Make,
    /// What must hold of an answer.
    pub expect: Expect,
    /// The status of a success.
    pub status: u16,
    /// Whether it changes anything.
    pub writes: bool,
    /// Requests whose statements are sent again without HTTP: sets of such as follow each other.
    pub samples: fn(&Operation, usize) -> Vec<Vec<Request>>,
}

/// Everything, reads first; on a database with so many jobs.
pub fn all(database: &Database, jobs: usize) -> Result<Vec<Operation>> {
    let marker = marker(database)?;
    let read = |name, request: Make, expect: Expect| Operation {
        name,
        request,
        expect,
        status: 200,
        writes: false,
        samples: alone,
    };
    let list =
        |query: String| -> Make { Box::new(move |_, _| Request::get(&path_of(&format!("jobs?{query}")))) };
    let has = |count: usize| -> Expect { Box::new(move |answer| length(answer) == Some(count)) };
    Ok(vec![
        read(
            "GET job",
            Box::new(move |thread, turn| {
                let job = random(thread, turn) as usize % jobs;
                Request::get(&path_of(&format!("jobs/{}", world::id(Kind::Job, job))))
            }),
            Box::new(|answer| answer["job_actions"].as_array().is_some_and(|actions| actions.len() == 1)),
        ),
        read("list of 10", list("limit=10".to_owned()), has(10)),
        read("list of 100", list("limit=100".to_owned()), has(100)),
        read("last page", list(format!("limit=10&marker={marker}")), has(10)),
        read(
            "poll",
            Box::new(move |thread, turn| poll(polling(random(thread, turn) as usize, jobs))),
            Box::new(|answer| length(answer).is_some_and(|length| length <= 4)),
        ),
        read("poll, archive", Box::new(|_, _| poll(Scheduler::Archive)), has(3)),
        Operation {
            name: "PATCH job_schedule",
            request: Box::new(move |thread, turn| patch(random(thread, turn), jobs)),
            expect: Box::new(|answer| answer["version"].is_number()),
            status: 200,
            writes: true,
            samples: alternating,
        },
        Operation {
            name: "POST job",
            request: Box::new(move |thread, turn| {
                let number = random(thread, turn) as usize % jobs;
                let client_id = polling(number, jobs).client_id();
                let body = documents::job(number, &client_id).to_string();
                Request::with_body("POST", &path_of("jobs/"), &body)
            }),
            expect: Box::new(|answer| answer["job_id"].is_string()),
            status: 201,
            writes: true,
            samples: alone,
        },
        Operation {
            name: "POST backup",
            request: Box::new(move |thread, turn| {
                let body = documents::backup(random(thread, turn) as usize % jobs, 1_795_338_082 + turn);
                Request::with_body("POST", &path_of("backups/"), &body.to_string())
            }),
            expect: Box::new(|answer| answer["backup_id"].is_string()),
            status: 201,
            writes: true,
            samples: alone,
        },
    ])
}

/// Lets the polling schedulers have polled just now, as they have every minute: what is measured is the poll alone. What
/// it costs to note that a scheduler is alive is part of the fleet.
pub fn seen_now(database: &Database, jobs: usize) -> Result<()> {
    let all: Vec<String> = (0..POLLING.min(Scheduler::count(jobs)))
        .map(|number| format!("'{}'", polling(number, jobs).id()))
        .chain([format!("'{}'", Scheduler::Archive.id())])
        .collect();
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S%.6f");
    database.run(&format!("UPDATE clients SET last_seen_at = '{now}' WHERE id IN ({})", all.join(", ")))
}

/// Different requests, each for itself.
fn alone(operation: &Operation, _: usize) -> Vec<Vec<Request>> {
    let requests = (0..SAMPLES).map(|turn| vec![(operation.request)(usize::MAX, turn)]);
    requests.collect()
}

/// What the schedulers of different jobs say: it runs, and it waits for its next run.
fn alternating(_: &Operation, jobs: usize) -> Vec<Vec<Request>> {
    let step = (jobs / SAMPLES as usize).max(3);
    let lone = (0..jobs).step_by(step).map(|near| world::lone_job(near as u64, jobs));
    lone.map(|job| vec![change(job, true, 4711), change(job, false, 4711)]).collect()
}

/// A scheduler's poll.
pub fn poll(scheduler: Scheduler) -> Request {
    let path = path_of("jobs/?limit=10&offset=0&all_projects=False");
    Request::with_body("GET", &path, &documents::poll(scheduler).to_string())
}

/// What a scheduler says of a run of a job near this one.
pub fn patch(near: u64, jobs: usize) -> Request {
    change(world::lone_job(near, jobs), near >> 40 & 1 == 1, (near >> 41 & 0xfffff) as u32 + 1)
}

fn change(job: usize, is_running: bool, pid: u32) -> Request {
    let body = documents::progress(job, is_running, pid);
    Request::with_body("PATCH", &path_of(&format!("jobs/{}", world::id(Kind::Job, job))), &body.to_string())
}

/// A number that looks random, of a thread and turn.
pub fn random(thread: usize, turn: u64) -> u64 {
    mixed((thread as u64) << 48 ^ turn)
}

/// One of the polling schedulers, which are spread over all.
fn polling(number: usize, jobs: usize) -> Scheduler {
    let all = Scheduler::count(jobs);
    let polling = POLLING.min(all);
    Scheduler::Regular(number % polling * (all / polling))
}

/// How many jobs a list has.
fn length(answer: &Value) -> Option<usize> {
    answer["jobs"].as_array().map(Vec::len)
}

/// The job before the last ten.
fn marker(database: &Database) -> Result<String> {
    database
        .one(&format!(
            "SELECT id AS value FROM job_attachments WHERE project_id = '{PROJECT}' \
             ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET 10"
        ))
        .map_err(|why| Failure::from(format!("no last page: {why}")))
}
