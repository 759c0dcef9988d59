//! A client that writes all the time, and records every answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Answer, Line};
use crate::jobs::{ACTIONS, Job};
use crate::known::Known;

/// A writer with jobs, a session and backups that no other client touches.
pub struct Writer {
    name: String,
    line: Line,
    client: String,
    /// Source of new names, times and changes, and of random choices.
    count: u64,
    chance: u64,
    jobs: Vec<Job>,
    gone: Vec<String>,
    session: String,
    tag: Known<u64>,
    backups: Vec<(String, String)>,
    doubtful_backups: Vec<String>,
    clients: Vec<String>,
    /// The answers so far.
    pub told: Told,
}

/// The answers to all requests.
#[derive(Default)]
pub struct Told {
    pub acknowledged: u64,
    pub unanswered: u64,
    pub unavailable: u64,
    /// The longest request.
    pub longest: Duration,
    /// Answers that are always wrong.
    pub wrong: Vec<String>,
    /// Acknowledged writes that are missing or incomplete.
    pub lost: Vec<String>,
}

impl Writer {
    pub fn new(port: u16, project: &str, n: usize) -> Self {
        let (name, client) = (format!("w{n}"), format!("host-{n}"));
        let mut line = Line::new(port, project);
        line.send("POST", "/clients", Some(&json!({"client_id": client}))).expect(201);
        let job = Job::new(format!("{name}-session"), true);
        line.send("POST", "/jobs", Some(&job.document(&client))).expect(201);
        let session = line.send("POST", "/sessions", Some(&json!({"schedule": {}}))).expect(201);
        let session = session["session_id"].as_str().unwrap().to_owned();
        line.send("PUT", &format!("/sessions/{session}/jobs/{}", job.id), None).expect(204);
        Self {
            name,
            line,
            client,
            count: 0,
            chance: 0x9e37_79b9_7f4a_7c15 ^ n as u64,
            jobs: Vec::new(),
            gone: Vec::new(),
            session,
            tag: Known::new(0),
            backups: Vec::new(),
            doubtful_backups: Vec::new(),
            clients: Vec::new(),
            told: Told::default(),
        }
    }

    /// Writes until `stop` is set.
    pub fn write(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            self.count += 1;
            match self.chosen(16) {
                0..=3 => self.create_job(),
                4..=7 => self.change_job(),
                8..=9 => self.finish_run(),
                10..=11 => self.run_session(),
                12..=13 => self.create_backup(),
                14 => self.delete_job(),
                _ => self.register(),
            }
        }
        self.line.hang_up();
    }

    /// xorshift: any choice will do.
    fn chosen(&mut self, of: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance % of as u64) as usize
    }

    fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let answer = self.line.send(method, path, body);
        self.told.longest = self.told.longest.max(answer.took);
        match answer.status {
            None => {
                self.told.unanswered += 1;
                // The port has no listener.
                std::thread::sleep(Duration::from_millis(5));
            }
            Some(200..300) => self.told.acknowledged += u64::from(method != "GET"),
            Some(503) if answer.retry_after.is_some() => {
                self.told.unavailable += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            Some(_) => self.told.wrong.push(format!("{method} {path}: {answer:?}")),
        }
        answer
    }

    /// One of the jobs that certainly exist.
    fn some_job(&mut self) -> Option<usize> {
        let there: Vec<usize> =
            (0..self.jobs.len()).filter(|n| self.jobs[*n].is_there == Some(true)).collect();
        if there.is_empty() { None } else { Some(there[self.chosen(there.len())]) }
    }

    fn create_job(&mut self) {
        let mut job = Job::new(format!("{}-{}", self.name, self.count), false);
        let body = job.document(&self.client);
        job.is_there = self.send("POST", "/jobs", Some(&body)).is_done().then_some(true);
        self.jobs.push(job);
    }

    fn change_job(&mut self) {
        let Some(n) = self.some_job() else { return };
        let (_, actions) = *self.jobs[n].state.last();
        // Every other change includes the actions, and so does one after a change with an unknown outcome.
        let with_actions = self.count.is_multiple_of(2) || !self.jobs[n].state.is_certain();
        let state = (self.count, if with_actions { self.count } else { actions });
        let body = self.jobs[n].patch(state);
        let path = format!("/jobs/{}", self.jobs[n].id);
        let done = self.send("PATCH", &path, Some(&body)).is_done();
        self.jobs[n].state.sent(state, done);
    }

    fn finish_run(&mut self) {
        let Some(n) = self.some_job() else { return };
        let run = json!({"status": "completed", "result": "success",
                         "time_started": 10 * self.count, "time_ended": 10 * self.count + 3});
        let path = format!("/jobs/{}", self.jobs[n].id);
        let done = self.send("PATCH", &path, Some(&json!({"job_schedule": run}))).is_done();
        let (least, most) = self.jobs[n].runs;
        self.jobs[n].runs = (least + u64::from(done), most + 1);
    }

    fn delete_job(&mut self) {
        let Some(n) = self.some_job() else { return };
        let path = format!("/jobs/{}", self.jobs[n].id);
        if self.send("DELETE", &path, None).is_done() {
            self.gone.push(self.jobs.swap_remove(n).id);
        } else {
            self.jobs[n].is_there = None;
        }
    }

    /// Starts and ends a run of the session. Each start that is not held off moves the tag by one.
    fn run_session(&mut self) {
        let path = format!("/sessions/{}", self.session);
        if !self.see_tag() || !self.send("PATCH", &path, Some(&json!({"time_start": 1}))).is_done() {
            return;
        }
        let (act, job, tag) = (format!("{path}/action"), format!("{}-session", self.name), *self.tag.last());
        let start = json!({"start": {"job_id": job, "current_tag": tag}});
        let started = self.send("POST", &act, Some(&start));
        self.tag.sent(tag + 1, started.is_done());
        if started.is_done() {
            if started.body != json!({"result": "success", "session_tag": tag + 1}) {
                self.told.wrong.push(format!("{start}: {started:?}"));
            }
            let end = json!({"end": {"job_id": job, "current_tag": tag + 1, "result": "success"}});
            self.send("POST", &act, Some(&end));
        }
    }

    /// Reads the session's tag. Returns false if that fails.
    fn see_tag(&mut self) -> bool {
        let answer = self.send("GET", &format!("/sessions/{}", self.session), None);
        if !answer.is_done() {
            return false;
        }
        let seen = answer.body["session_tag"].as_u64().unwrap();
        let before = self.tag.clone();
        if !self.tag.settle(&seen) {
            self.told.lost.push(format!("session {}: tag {seen}, not {before:?}", self.session));
        }
        true
    }

    fn create_backup(&mut self) {
        let name = format!("{}-{}", self.name, self.count);
        let body =
            json!({"backup_name": name, "hostname": "h", "container": "c", "mode": "fs", "time_stamp": 1});
        let answer = self.send("POST", "/backups", Some(&body));
        match answer.body["backup_id"].as_str() {
            Some(id) if answer.is_done() => self.backups.push((id.to_owned(), name)),
            _ => self.doubtful_backups.push(name),
        }
    }

    fn register(&mut self) {
        let name = format!("{}-{}", self.name, self.count);
        if self.send("POST", "/clients", Some(&json!({"client_id": name}))).is_done() {
            self.clients.push(name);
        }
    }

    /// Checks that everything is as acknowledged, and settles unknown outcomes.
    pub fn verify(&mut self) {
        let mut lost = Vec::new();
        for mut job in std::mem::take(&mut self.jobs) {
            match self.verify_job(&mut job) {
                Ok(true) => self.jobs.push(job),
                Ok(false) => self.gone.push(job.id),
                Err(why) => lost.push(format!("job {}: {why}", job.id)),
            }
        }
        for id in self.gone.clone() {
            if self.look(&format!("/jobs/{id}")).is_some() {
                lost.push(format!("job {id} was deleted, and is there"));
            }
        }
        assert!(self.see_tag());
        for (id, name) in self.backups.clone() {
            let seen = self.look(&format!("/backups/{id}"));
            if seen.is_none_or(|seen| seen["backup_metadata"]["backup_name"] != json!(name)) {
                lost.push(format!("backup {id}"));
            }
        }
        for name in std::mem::take(&mut self.doubtful_backups) {
            let found = self.look(&format!("/backups?backup_name={name}")).unwrap();
            if found["backups"].as_array().unwrap().len() > 1 {
                lost.push(format!("backup {name} is there twice"));
            }
        }
        for name in self.clients.clone() {
            if self.look(&format!("/clients/{name}")).is_none() {
                lost.push(format!("client {name}"));
            }
        }
        self.told.lost.append(&mut lost);
        self.line.hang_up();
    }

    /// Whether the job exists, or an error if that is impossible.
    fn verify_job(&mut self, job: &mut Job) -> Result<bool, String> {
        let Some(document) = self.look(&format!("/jobs/{}", job.id)) else {
            return if job.is_there == Some(true) { Err("not there".to_owned()) } else { Ok(false) };
        };
        job.is_there = Some(true);
        let (seen, before) = (job.state_of(&document)?, job.state.clone());
        if !job.state.settle(&seen) {
            return Err(format!("{seen:?}, not {before:?}"));
        }
        let reports =
            self.look(&format!("/action-reports?job_id={}&with_count=true&limit=1", job.id)).unwrap();
        let (runs, rest) = (reports["count"].as_u64().unwrap(), ACTIONS as u64);
        if runs % rest != 0 || !(job.runs.0..=job.runs.1).contains(&(runs / rest)) {
            return Err(format!("{runs} reports of {:?} runs", job.runs));
        }
        job.runs = (runs / rest, runs / rest);
        Ok(true)
    }

    /// The stored document, if there is one.
    #[track_caller]
    fn look(&mut self, path: &str) -> Option<Value> {
        let answer = self.line.send("GET", path, None);
        if answer.status == Some(404) { None } else { Some(answer.expect(200)) }
    }
}
