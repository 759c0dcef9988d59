//! Fills the tables of the Python service, with many rows to a statement and rows such as that service writes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use freezer_api::document::clients::{ACTIONS, ENGINES, MODES, STORAGES};
use serde_json::{Value, json};

use super::Release;
use crate::Result;
use crate::database::Database;
use crate::documents;
use crate::world::{self, BLOCK, Kind, PROJECT, SESSION, Scheduler, USER};

/// Jobs that share an action.
const SHARING: usize = 5;
/// Backups of a job.
const BACKUPS: usize = 2;
/// Between one job and the next.
const STEP: TimeDelta = TimeDelta::milliseconds(7_500);
/// How long ago the first one was made.
const AGE: TimeDelta = TimeDelta::days(90);
const WRITERS: usize = 3;

struct Filler<'d> {
    database: &'d Database,
    release: Release,
    begin: DateTime<Utc>,
}

/// Makes the tables, fills them to so many jobs, and returns how many rows there are.
pub fn fill(database: &Database, release: Release, jobs: usize) -> Result<u64> {
    let tables = match release {
        Release::V18 => include_str!("18.0.0.sql"),
        Release::V19 => include_str!("19.0.0.sql"),
    };
    database.run(tables)?;
    let filler = Filler { database, release, begin: Utc::now() - AGE };
    database.run(&insert(release, "clients", &[filler.client(Scheduler::Archive, 0)]))?;
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let writers: Vec<_> =
            (0..WRITERS).map(|_| scope.spawn(|| filler.blocks(&next, jobs / BLOCK))).collect();
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|_| Err("a writer gave up".into())))
    })?;
    let mut rows = 0;
    for table in filler.tables() {
        database.run(&format!("ANALYZE TABLE {table}"))?;
        rows +=
            database.one(&format!("SELECT CAST(count(*) AS CHAR) AS value FROM {table}"))?.parse::<u64>()?;
    }
    Ok(rows)
}

impl Filler<'_> {
    fn tables(&self) -> impl Iterator<Item = &'static str> + use<> {
        let is_19 = self.release == Release::V19;
        let all = ["clients", "actions", "action_reports", "jobs", "job_actions", "sessions", "backups"];
        all.into_iter().filter(move |table| is_19 || *table != "job_actions")
    }

    fn blocks(&self, next: &AtomicUsize, end: usize) -> Result<()> {
        let mut connection = self.database.connect()?;
        connection.batch_execute("SET foreign_key_checks = 0, unique_checks = 0")?;
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= end {
                return Ok(());
            }
            connection.batch_execute("BEGIN")?;
            let jobs = block * BLOCK..(block + 1) * BLOCK;
            for table in self.tables() {
                let every = |step: usize| jobs.clone().step_by(step);
                let rows: Vec<String> = match table {
                    "clients" => every(2).map(|job| self.client(Scheduler::Regular(job / 2), job)).collect(),
                    "actions" => every(SHARING).map(|job| self.action(job)).collect(),
                    "action_reports" => every(SHARING).map(|job| self.report(job)).collect(),
                    "jobs" => every(1).map(|job| self.job(job)).collect(),
                    "job_actions" => every(1).map(|job| self.place(job)).collect(),
                    "sessions" => every(100).map(|job| self.session(job)).collect(),
                    _ => every(1).flat_map(|job| self.backups(job)).collect(),
                };
                connection.batch_execute(&insert(self.release, table, &rows))?;
            }
            connection.batch_execute("COMMIT")?;
        }
    }

    /// When a job was made.
    fn made(&self, job: usize) -> DateTime<Utc> {
        self.begin + STEP * i32::try_from(job).unwrap_or(i32::MAX)
    }

    /// What all rows have: the id, the deletion, and the times.
    fn common(&self, id: &str, job: usize) -> String {
        format!("'{id}', NULL, 0, '{}', NULL", self.made(job).format("%Y-%m-%d %H:%M:%S"))
    }

    fn client(&self, scheduler: Scheduler, job: usize) -> String {
        let id = scheduler.id();
        let [actions, modes, storages, engines] =
            [ACTIONS, MODES, STORAGES, ENGINES].map(|words| json!(words));
        format!(
            "({}, '{PROJECT}', '{USER}', '{}', '{}', '{id}', '{actions}', '{modes}', '{storages}', '{engines}')",
            self.common(&id, job),
            scheduler.client_id(),
            scheduler.hostname(),
        )
    }

    fn action(&self, job: usize) -> String {
        format!(
            "({}, '{PROJECT}', '{USER}', 'backup', 'fs', '{}', '{}', '{}', 60, 3, TRUE, '{}', '{}')",
            self.common(&action_of(job), job),
            documents::path(job),
            documents::backup_name(job),
            documents::container(job),
            documents::LOG_FILE,
            documents::freezer_action(job),
        )
    }

    /// Nearly all are empty: they are written with the action.
    fn report(&self, job: usize) -> String {
        format!("({}, '{PROJECT}', '{USER}')", self.common(&action_of(job), job))
    }

    fn job(&self, job: usize) -> String {
        let status = world::status_of(job);
        let begin = self.made(job).timestamp();
        let (started, ended, result) = match status {
            "completed" => (begin + 60, begin + 120, "success"),
            "running" => (begin + 60, -1, ""),
            _ => (-1, -1, ""),
        };
        let schedule = json!({
            "event": "", "status": status, "result": result,
            "time_created": begin, "time_started": started, "time_ended": ended,
        });
        // Attaching a job to a session gives it the session's schedule.
        let unit = documents::unit(if world::session_of(job).is_some() { 0 } else { job });
        let schedule: serde_json::Map<_, _> =
            unit.into_iter().chain(schedule.as_object().cloned().unwrap_or_default()).collect();
        let session = world::session_of(job).map(|session| world::id(Kind::Session, session));
        let inline = match self.release {
            Release::V18 => format!(", '{}'", Value::from(vec![inline(job)])),
            Release::V19 => String::new(),
        };
        format!(
            "({}, '{PROJECT}', '{USER}', '{}', '{}', '{}', 0, '{}'{inline})",
            self.common(&world::id(Kind::Job, job), job),
            Value::Object(schedule),
            world::scheduler_of(job).client_id(),
            session.unwrap_or_default(),
            documents::description(job),
        )
    }

    fn place(&self, job: usize) -> String {
        let id = world::id(Kind::Place, job);
        format!("({}, '{}', '{}', 0)", self.common(&id, job), world::id(Kind::Job, job), action_of(job))
    }

    /// The session of the jobs of a hundred in a row, with the map of them.
    fn session(&self, first: usize) -> String {
        let members = (first..first + 100).filter(|job| world::session_of(*job).is_some());
        let map: serde_json::Map<_, _> = members
            .map(|job| {
                let entry = json!({
                    "client_id": world::scheduler_of(job).client_id(),
                    "status": "", "result": "", "time_started": -1, "time_ended": -1,
                });
                (world::id(Kind::Job, job), entry)
            })
            .collect();
        debug_assert_eq!(map.len(), SESSION);
        format!(
            "({}, 0, 'Session {first}', 30, '{}', '{}', '{PROJECT}', '{USER}', -1, -1, -1, -1, 'active')",
            self.common(&world::id(Kind::Session, first / 100), first),
            Value::Object(documents::unit(0)),
            Value::Object(map),
        )
    }

    fn backups(&self, job: usize) -> impl Iterator<Item = String> + use<'_> {
        (0..BACKUPS).map(move |number| {
            let time = self.made(job) + TimeDelta::hours(i64::try_from(number).unwrap_or_default());
            let name = match self.release {
                Release::V18 => ", 'backup'",
                Release::V19 => "",
            };
            format!(
                "({}, '{}', '{PROJECT}', '{USER}', '{}'{name})",
                self.common(&world::id(Kind::Backup, job * BACKUPS + number), job),
                world::id(Kind::Job, job),
                documents::backup(job, u64::try_from(time.timestamp()).unwrap_or_default()),
            )
        })
    }
}

/// The id of the action that a job shares with its neighbours.
fn action_of(job: usize) -> String {
    world::id(Kind::Action, job / SHARING)
}

/// An action inside a job: the definition of the row at that time.
fn inline(job: usize) -> Value {
    json!({
        "action_id": action_of(job),
        "freezer_action": documents::freezer_action(job / SHARING * SHARING),
        "max_retries": 3,
        "max_retries_interval": 60,
        "mandatory": true,
        "user_id": USER,
    })
}

/// A statement that writes rows; each begins with the values of [`Filler::common`].
fn insert(release: Release, table: &str, rows: &[String]) -> String {
    let columns = match table {
        "clients" => {
            "project_id, user_id, client_id, hostname, uuid, supported_actions, supported_modes, supported_storages, \
             supported_engines"
        }
        "actions" => {
            "project_id, user_id, action, actionmode, path_to_backup, backup_name, container, max_retries_interval, \
             max_retries, mandatory, log_file, backup_metadata"
        }
        "action_reports" => "project_id, user_id",
        "jobs" => "project_id, user_id, schedule, client_id, session_id, session_tag, description",
        "job_actions" => "job_id, action_id, position",
        "sessions" => {
            "session_tag, description, hold_off, schedule, job, project_id, user_id, time_start, time_end, \
             time_started, time_ended, status"
        }
        _ => "job_id, project_id, user_id, backup_metadata",
    };
    let own = match (table, release) {
        ("jobs", Release::V18) => ", job_actions",
        ("backups", Release::V18) => ", user_name",
        _ => "",
    };
    format!(
        "INSERT INTO {table} (id, deleted_at, deleted, created_at, updated_at, {columns}{own}) VALUES {};",
        rows.join(", ")
    )
}
