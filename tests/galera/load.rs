//! A mixed load: writers that compete for the same rows, through both API processes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Answer, Caller};
use crate::ledger::Ledger;

pub const WRITERS: u64 = 8;
/// The number of documents that the writers add keys to; several, so that each stays of a moderate size.
const HOT: u64 = 24;
/// The number of clients that all writers register, give jobs and delete.
const PARENTS: u64 = 4;

/// The shared targets of the writers.
pub struct Load {
    pub project: String,
    /// The port of HAProxy, before both API processes.
    pub port: u16,
    pub counter: String,
    pub session: String,
    hot: Vec<String>,
    jobs: Vec<String>,
    keys: AtomicU64,
    pub ledger: Ledger,
}

pub fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn action(more: Value) -> Value {
    let mut freezer_action = json!({
        "action": "backup", "mode": "fs", "backup_name": "etc", "container": "/var/backups", "path_to_backup": "/etc"
    });
    freezer_action.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"freezer_action": freezer_action})
}

fn job(id: Option<&str>, client: &str) -> Value {
    let mut job = json!({"client_id": client, "description": "nightly", "job_actions": [action(json!({}))]});
    if let Some(id) = id {
        job["job_id"] = json!(id);
    }
    job
}

fn backup(time: u64) -> Value {
    json!({
        "backup_name": "etc", "container": "/var/backups", "hostname": "web1", "mode": "fs", "action": "backup",
        "time_stamp": time, "curr_backup_level": 0, "path_to_backup": "/etc"
    })
}

impl Load {
    /// Creates the shared documents.
    pub fn prepare(port: u16) -> Self {
        let project = new_id();
        let caller = Caller::of(&project);
        let create = |noun: &str, body: &Value| {
            let answer = caller.post(port, &format!("/{noun}s"), body).expect(201);
            answer[format!("{noun}_id")].as_str().unwrap().to_owned()
        };
        let counter = create("action", &action(json!({"hot": true, "count": 0})));
        let hot = (0..HOT).map(|_| create("action", &action(json!({"hot": true})))).collect();
        for n in 0..WRITERS {
            create("client", &json!({"client_id": format!("host-{n}"), "hostname": "h"}));
        }
        let schedule = json!({"schedule_interval": "7 days"});
        let session = create("session", &json!({"schedule": schedule, "hold_off": 0}));
        let jobs: Vec<String> =
            (0..WRITERS).map(|n| create("job", &job(None, &format!("host-{n}")))).collect();
        for job in &jobs {
            caller.send(port, "PUT", &format!("/sessions/{session}/jobs/{job}"), None, None).expect(204);
        }
        let ledger = Ledger::default();
        Self { project, port, counter, session, hot, jobs, keys: AtomicU64::new(0), ledger }
    }

    /// Runs all writers until `done` returns.
    pub fn during(&self, done: impl FnOnce()) {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for n in 0..WRITERS {
                let stop = &stop;
                scope.spawn(move || {
                    Writer { load: self, caller: Caller::of(&self.project), n, own: Vec::new() }.run(stop)
                });
            }
            done();
            stop.store(true, Ordering::SeqCst);
        });
    }
}

struct Writer<'l> {
    load: &'l Load,
    caller: Caller,
    n: u64,
    /// Jobs that no other thread deletes.
    own: Vec<String>,
}

impl Writer<'_> {
    fn run(mut self, stop: &AtomicBool) {
        for round in 0.. {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            match (round + self.n) % 8 {
                0 => self.create_job(),
                1 | 5 => self.add_key(),
                2 => self.increment(),
                3 => self.session(round),
                4 => self.create("backups", "backup_id", &backup(round)),
                6 => self.parent(round),
                _ => self.delete_job(),
            }
        }
    }

    /// Counts an answer; after one that is of no use the thread waits a moment, as clients do.
    fn counted(&self, answer: Answer) -> Answer {
        let ledger = &self.load.ledger;
        match &answer {
            Answer { status: 0, .. } => ledger.count("no answer"),
            answer if answer.status >= 500 => ledger.count(&format!("5xx: {}", answer.status)),
            _ => ledger.count("answered"),
        }
        if answer.status == 0 || answer.status >= 500 {
            thread::sleep(Duration::from_millis(100));
        }
        answer
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.counted(self.caller.post(self.load.port, path, body))
    }

    /// Creates a job with a new id: a conflict means that an earlier try of this request succeeded.
    fn create_job(&mut self) {
        let id = new_id();
        let answer = self.post("/jobs", &job(Some(&id), &format!("host-{}", self.n)));
        match answer.status {
            201 => {
                self.load.ledger.created("job_attachments", &id);
                self.own.push(id);
            }
            409 => self.load.ledger.count("refused although done: POST"),
            _ => self.unless_away("POST job", &answer),
        }
    }

    fn create(&self, noun: &'static str, key: &str, body: &Value) {
        let answer = self.post(&format!("/{noun}"), body);
        match answer.body[key].as_str() {
            Some(id) if answer.status == 201 => self.load.ledger.created(noun, id),
            _ => self.unless_away(noun, &answer),
        }
    }

    /// Adds a new key to a shared document, without a precondition: no such change may undo another.
    fn add_key(&self) {
        let number = self.load.keys.fetch_add(1, Ordering::Relaxed);
        let document = &self.load.hot[usize::try_from(number / 32 % HOT).unwrap()];
        let key = format!("key-{number}");
        let body = json!({"freezer_action": {&key: 1}});
        let answer =
            self.counted(self.caller.patch(self.load.port, &format!("/actions/{document}"), &body, None));
        match answer.is_done() {
            true => self.load.ledger.added(document, &key),
            false => self.unless_away("PATCH key", &answer),
        }
    }

    /// Adds one, exactly once: the entity tag makes sure that no other request has counted in between.
    fn increment(&self) {
        let path = format!("/actions/{}", self.load.counter);
        let signature = format!("by-{}", self.n);
        let mut mine = None;
        for _ in 0..50 {
            let seen = self.counted(self.caller.get(self.load.port, &path));
            if seen.status != 200 {
                continue;
            }
            let document = &seen.body["freezer_action"];
            // The last request had no clear answer, or was refused: it may have been carried out all the same.
            if let Some((token, refused)) = mine.take()
                && document[&signature] == token
            {
                self.load.ledger.incremented();
                self.load.ledger.count(if refused {
                    "refused although done: PATCH"
                } else {
                    "done without an answer"
                });
                return;
            }
            let token = json!(new_id());
            let count = document["count"].as_u64().unwrap() + 1;
            let body = json!({"freezer_action": {"count": count, &signature: token}});
            let answer = self.counted(self.caller.patch(self.load.port, &path, &body, seen.tag.as_deref()));
            match answer.status {
                200 => return self.load.ledger.incremented(),
                412 => mine = Some((token, true)),
                _ => {
                    self.unless_away("PATCH counter", &answer);
                    mine = Some((token, false));
                }
            }
        }
        if mine.is_some() {
            self.load.ledger.count("never learnt");
        }
    }

    fn session(&self, round: u64) {
        let path = format!("/sessions/{}", self.load.session);
        let seen = self.counted(self.caller.get(self.load.port, &path));
        let Some(tag) = seen.body["session_tag"].as_i64() else { return };
        self.load.ledger.tag(tag);
        let job = &self.load.jobs[usize::try_from(self.n).unwrap()];
        let body = match round % 16 < 8 {
            true => json!({"start": {"job_id": job, "current_tag": tag}}),
            false => json!({"end": {"job_id": job, "current_tag": tag, "result": "success"}}),
        };
        let answer = self.post(&format!("{path}/action"), &body);
        match answer.body["session_tag"].as_i64() {
            Some(tag) if answer.is_done() => self.load.ledger.tag(tag),
            _ => self.unless_away("session", &answer),
        }
    }

    /// Creates children of a parent while another writer, perhaps on another node, deletes it.
    fn parent(&self, round: u64) {
        let name = format!("parent-{}", (round / 8) % PARENTS);
        let answer = match self.n % 4 {
            0 => self.post("/clients", &json!({"client_id": name, "hostname": "h"})),
            1 => {
                let path = format!("/clients/{name}?cascade=true");
                self.counted(self.caller.delete(self.load.port, &path))
            }
            _ => self.post("/jobs", &job(None, &name)),
        };
        if !answer.is_done() && !answer.is_refused() {
            self.unless_away("parent", &answer);
        }
    }

    fn delete_job(&mut self) {
        if self.own.len() < 3 {
            return;
        }
        let id = self.own.remove(0);
        self.load.ledger.uncertain("job_attachments", &id);
        let answer = self.counted(self.caller.delete(self.load.port, &format!("/jobs/{id}")));
        match answer.status {
            204 => self.load.ledger.deleted("job_attachments", &id),
            404 => {
                self.load.ledger.deleted("job_attachments", &id);
                self.load.ledger.count("refused although done: DELETE");
            }
            _ => self.unless_away("DELETE job", &answer),
        }
    }

    /// Counts an answer that only an outage explains as such, and any other as an error.
    fn unless_away(&self, what: &str, answer: &Answer) {
        if answer.is_done() || answer.is_refused() {
            self.load
                .ledger
                .count(&format!("unexpected: {what} {} {}", answer.status, answer.body["description"]));
        }
    }
}
