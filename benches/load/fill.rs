//! Fills the tables, with many rows to a statement and rows such as the service itself writes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use freezer_api::document::clients::{ACTIONS, ENGINES, MODES, STORAGES};
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;
use serde_json::{Value, json};

use crate::Result;
use crate::documents;
use crate::world::{self, BLOCK, Kind, PROJECT, SESSION, Scheduler, USER};

/// The tables, parents before children.
const TABLES: [&str; 6] = ["clients", "actions", "jobs", "sessions", "action_attachments", "job_attachments"];
/// Between one job and the next: a million of them within the last 90 days.
const STEP: TimeDelta = TimeDelta::milliseconds(7_500);
/// How long ago the first one was made.
const AGE: TimeDelta = TimeDelta::days(90);
/// What all rows begin with.
const COMMON: &str = "id, project_id, user_id, created_at, updated_at, version";

/// Adds jobs and what belongs to them.
pub struct Filler {
    url: DatabaseUrl,
    begin: DateTime<Utc>,
    jobs: usize,
}

impl Filler {
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url, begin: Utc::now() - AGE, jobs: 0 }
    }

    /// Fills up to so many jobs, and lets the database look at what is there.
    pub fn fill(&mut self, jobs: usize) -> Result<()> {
        if self.jobs == 0 {
            self.archive()?;
        }
        let next = AtomicUsize::new(self.jobs / BLOCK);
        // SQLite has one writer; on the others one waits for the disk while another works.
        let writers = if matches!(self.connect()?, AnyConnection::Sqlite(_)) { 1 } else { 3 };
        thread::scope(|scope| {
            let writers: Vec<_> =
                (0..writers).map(|_| scope.spawn(|| self.blocks(&next, jobs / BLOCK))).collect();
            writers
                .into_iter()
                .try_for_each(|writer| writer.join().unwrap_or_else(|_| Err("a writer gave up".into())))
        })?;
        self.jobs = jobs;
        analyze(&mut establish(&self.url)?)
    }

    fn connect(&self) -> Result<AnyConnection> {
        let mut connection = establish(&self.url)?;
        let faster = match &connection {
            // The rows are known to be sound; what is checked row by row is checked by the service's answers.
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql(_) => "SET foreign_key_checks = 0, unique_checks = 0",
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(_) => "SET synchronous_commit = off",
            AnyConnection::Sqlite(_) => "PRAGMA synchronous = OFF",
        };
        connection.batch_execute(faster)?;
        Ok(connection)
    }

    fn blocks(&self, next: &AtomicUsize, end: usize) -> Result<()> {
        let mut connection = self.connect()?;
        loop {
            let block = next.fetch_add(1, Ordering::Relaxed);
            if block >= end {
                return Ok(());
            }
            let jobs = block * BLOCK..(block + 1) * BLOCK;
            let mut statements = String::from("BEGIN;");
            for table in TABLES {
                let rows: Vec<String> = match table {
                    "clients" => (jobs.start / 2..jobs.end / 2)
                        .map(|number| self.client(Scheduler::Regular(number), number * 2))
                        .collect(),
                    "actions" => {
                        let own = jobs.clone().filter(|job| world::has_own_action(*job));
                        let own = own.map(|job| self.action(&world::id(Kind::Action, job), job));
                        own.chain([self.action(&world::id(Kind::SharedAction, block), jobs.start)]).collect()
                    }
                    "jobs" => jobs.clone().map(|job| self.job(job)).collect(),
                    "sessions" => jobs.clone().step_by(100).map(|job| self.session(job)).collect(),
                    "action_attachments" => jobs.clone().map(|job| self.place(job)).collect(),
                    _ => jobs.clone().map(|job| self.attachment(job)).collect(),
                };
                statements.push_str(&insert(table, &rows));
            }
            statements.push_str("COMMIT;");
            connection.batch_execute(&statements)?;
        }
    }

    fn archive(&self) -> Result<()> {
        let row = self.client(Scheduler::Archive, 0);
        Ok(self.connect()?.batch_execute(&insert("clients", &[row]))?)
    }

    /// The values of [`COMMON`].
    fn common(&self, id: &str, job: usize) -> String {
        let at = self.begin + STEP * i32::try_from(job).unwrap_or(i32::MAX);
        let at = at.format("%Y-%m-%d %H:%M:%S%.6f");
        format!("'{id}', '{PROJECT}', '{USER}', '{at}', '{at}', 1")
    }

    fn client(&self, scheduler: Scheduler, job: usize) -> String {
        let id = scheduler.id();
        let [actions, modes, storages, engines] =
            [ACTIONS, MODES, STORAGES, ENGINES].map(|words| json!(words));
        format!(
            "({}, '{}', '{id}', '{}', '{actions}', '{modes}', '{storages}', '{engines}', FALSE)",
            self.common(&id, job),
            scheduler.client_id(),
            scheduler.hostname(),
        )
    }

    fn action(&self, id: &str, job: usize) -> String {
        format!(
            "({}, 'backup', 'fs', '{}', '{}', '{}', 3, 60, TRUE, '{}', '{}')",
            self.common(id, job),
            documents::path(job),
            documents::backup_name(job),
            documents::container(job),
            documents::LOG_FILE,
            documents::metadata(),
        )
    }

    fn job(&self, job: usize) -> String {
        let (unit, description) = (Value::Object(documents::unit(job)), documents::description(job));
        format!("({}, '{unit}', '{description}')", self.common(&world::id(Kind::Job, job), job))
    }

    fn session(&self, job: usize) -> String {
        let unit = Value::Object(documents::unit(0));
        format!(
            "({}, '{unit}', 'all', 'Session {job}', 30, 0, 'active', '', '{{}}')",
            self.common(&world::id(Kind::Session, job / 100), job)
        )
    }

    fn place(&self, job: usize) -> String {
        format!(
            "({}, '{}', '{}', 0, 3, 60, TRUE)",
            self.common(&world::id(Kind::Place, job), job),
            world::action_of(job),
            world::id(Kind::Job, job),
        )
    }

    fn attachment(&self, job: usize) -> String {
        let status = world::status_of(job);
        let begin = self.begin.timestamp() + 7 * i64::try_from(job).unwrap_or_default();
        let (started, ended, result) = match status {
            "completed" => (begin.to_string(), (begin + 60).to_string(), "success"),
            "running" => (begin.to_string(), "NULL".to_owned(), ""),
            _ => ("NULL".to_owned(), "NULL".to_owned(), ""),
        };
        let session = match world::session_of(job) {
            Some(session) => format!("'{}'", world::id(Kind::Session, session)),
            None => "NULL".to_owned(),
        };
        let id = world::id(Kind::Job, job);
        format!(
            "({}, '{}', '{id}', {session}, '', '{status}', '{result}', {started}, {ended}, 0, '', '', TRUE)",
            self.common(&id, job),
            world::scheduler_of(job).id(),
        )
    }
}

fn insert(table: &str, rows: &[String]) -> String {
    let columns = match table {
        "clients" => {
            "client_id, uuid, hostname, supported_actions, supported_modes, supported_storages, supported_engines, \
             is_central"
        }
        "actions" => {
            "action, mode, src_file, backup_name, container, max_retries, max_retries_interval, mandatory, log_file, \
             metadata"
        }
        "jobs" => "scheduling, description",
        "sessions" => "scheduling, policy, description, hold_off, session_tag, status, result, metadata",
        "action_attachments" => "action_id, job_id, priority, retries, retry_interval, mandatory",
        _ => {
            "client_id, job_id, session_id, event, status, result, time_started, time_ended, session_tag, \
             session_status, session_result, event_delivered"
        }
    };
    format!("INSERT INTO {table} ({COMMON}, {columns}) VALUES {};", rows.join(", "))
}

fn analyze(connection: &mut AnyConnection) -> Result<()> {
    let analyze = match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => "ANALYZE TABLE",
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => "VACUUM ANALYZE",
        AnyConnection::Sqlite(_) => "ANALYZE",
    };
    for table in TABLES {
        connection.batch_execute(&format!("{analyze} {table}"))?;
    }
    Ok(())
}

// A session's jobs come from one hundred jobs in a row.
const _: () = assert!(100_usize.is_multiple_of(SESSION) && BLOCK.is_multiple_of(100));
