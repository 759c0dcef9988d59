//! A row of the Python service's database, or a document of its Elasticsearch index, in one form.
//!
//! A source fills this in and decides nothing: a value that it cannot read becomes empty, with an entry in
//! [`Row::problems`]. The plan decides about projects, duplicates and new ids.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A table of the old service. An Elasticsearch type has the name of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the tables' names
pub enum Table {
    Clients,
    Actions,
    ActionReports,
    Sessions,
    Jobs,
    JobActions,
    UserCredentials,
    Backups,
    /// Something in the source that does not belong to the old service.
    Unknown,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 9] = [
        Self::Clients,
        Self::Actions,
        Self::ActionReports,
        Self::Sessions,
        Self::Jobs,
        Self::JobActions,
        Self::UserCredentials,
        Self::Backups,
        Self::Unknown,
    ];

    /// The name in accounts and reports: the one it has in the old database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Actions => "actions",
            Self::ActionReports => "action_reports",
            Self::Sessions => "sessions",
            Self::Jobs => "jobs",
            Self::JobActions => "job_actions",
            Self::UserCredentials => "user_credentials",
            Self::Backups => "backups",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether the old service showed a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It did.
    Live,
    /// `deleted` is true.
    Deleted,
    /// `deleted` is NULL, which the old service does not find either.
    Null,
}

/// One row or document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Its table. That of [`Row::body`], unless that is [`Body::Broken`].
    pub table: Table,
    /// Its id in the source, as it is there: the API's id of the object, else the row's.
    pub id: String,
    /// Whether it is deleted.
    pub state: State,
    /// `project_id`; `None` also for an empty one.
    pub project: Option<String>,
    /// `user_id`; empty if there is none.
    pub user: String,
    /// `created_at`, and for Elasticsearch what stands for it (`time_created`, `time_stamp`, `time_start`).
    pub created: Option<NaiveDateTime>,
    /// `updated_at`.
    pub updated: Option<NaiveDateTime>,
    /// Elasticsearch's `_version`, if it was asked for; decides between duplicates.
    pub version: Option<i64>,
    /// The content.
    pub body: Body,
    /// Values that could not be read or have no place in `body`, for the report and the side file.
    pub problems: Vec<Problem>,
    /// The row verbatim, for the side file: all columns (a BLOB as base64), or Elasticsearch's whole hit.
    pub raw: Value,
}

/// A problem that the source found in a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    /// The reason, as in reports: `bad-json`, `bad-value`, `number-precision`, `bad-line`, `unknown-kind`, `no-id`,
    /// `legacy-backup-id`, `other-key`.
    pub reason: String,
    /// A sentence: which column or key, and what is wrong with it.
    pub detail: String,
    /// The value that has no place here, for the side file.
    pub value: Option<Value>,
}

/// The content of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A scheduler.
    Client(Client),
    /// An action.
    Action(Action),
    /// A row of `action_reports`.
    Report(Report),
    /// A job.
    Job(Job),
    /// A row of the table `job_actions`.
    JobAction(JobAction),
    /// A session.
    Session(Session),
    /// A backup.
    Backup(Backup),
    /// A row of `user_credentials`.
    Trust(Trust),
    /// Nothing that could be imported; `problems` says why, and the row is quarantined for the first of them.
    Broken,
}

/// A registered scheduler.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`, the name that it gave itself.
    pub name: String,
    /// `hostname`.
    pub hostname: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `uuid`, if it is another one than the row's id.
    pub uuid: Option<String>,
    /// `config_id`, which Elasticsearch has.
    pub config_id: Option<String>,
    /// `supported_actions`, `_modes`, `_storages`, `_engines`; `None` for one that is missing, empty or unreadable.
    pub supported: [Option<Vec<String>>; 4],
    /// `is_central`.
    pub is_central: bool,
}

/// An action.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Action {
    /// `freezer_action` as the old API showed it: the stored JSON, with the table's columns over it. A column that is
    /// NULL gives way to the JSON. Names are the API's (`path_to_backup`, `mode`), whatever the column was called.
    pub definition: Map<String, Value>,
    /// `max_retries`.
    pub max_retries: Option<i64>,
    /// `max_retries_interval`, in seconds.
    pub max_retries_interval: Option<i64>,
    /// `mandatory`.
    pub mandatory: Option<bool>,
    /// The outcome that Elasticsearch keeps inside `freezer_action`, taken out of `definition`.
    pub report: Option<Report>,
}

/// How an action ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The action.
    pub action_id: String,
    /// `result`.
    pub result: Option<String>,
    /// `time_elapsed`: text in the old tables.
    pub time_elapsed: Option<String>,
    /// `report_date`.
    pub report_date: Option<NaiveDateTime>,
    /// `log`.
    pub log: Option<Vec<u8>>,
}

/// A job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Job {
    /// `client_id`: the name of the client, not its row.
    pub client: String,
    /// `session_id`; `None` also for an empty one.
    pub session_id: Option<String>,
    /// `session_tag`.
    pub session_tag: Option<i64>,
    /// `description`.
    pub description: Option<String>,
    /// `job_schedule`, with the keys as they are there.
    pub schedule: Map<String, Value>,
    /// `job_actions` where the job has them inside itself, in order, each as it is there; `None` where there is a table of
    /// them.
    pub entries: Option<Vec<Value>>,
}

/// A row of the table `job_actions`: an action's place in a job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct JobAction {
    /// The job.
    pub job_id: String,
    /// The action.
    pub action_id: String,
    /// The place; the order is by it and the row's id.
    pub position: Option<i64>,
}

/// A session.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Session {
    /// `schedule`.
    pub schedule: Map<String, Value>,
    /// `jobs` or `job`: what the session knows of its jobs, by job id.
    pub jobs: Map<String, Value>,
    /// `description`.
    pub description: Option<String>,
    /// `hold_off`, in seconds.
    pub hold_off: Option<i64>,
    /// `session_tag`.
    pub session_tag: Option<i64>,
    /// `status`.
    pub status: Option<String>,
    /// `result`.
    pub result: Option<String>,
    /// `time_start`, `time_end`, `time_started`, `time_ended`; `None` for −1, '' and missing ones.
    pub times: [Option<i64>; 4],
    /// Other keys of the document, which Elasticsearch kept; empty for a table.
    pub other: Map<String, Value>,
}

/// A backup.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Backup {
    /// The column `job_id`, or the key of the document beside the metadata.
    pub job_id: Option<String>,
    /// `status`, if there is one outside of the metadata.
    pub status: Option<String>,
    /// `user_name`.
    pub user_name: Option<String>,
    /// The id in the form `container_host_name_time_level`, where that is the one of the document.
    pub legacy_id: Option<String>,
    /// `backup_metadata`.
    pub metadata: Map<String, Value>,
}

/// A Keystone trust.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Trust {
    /// The job.
    pub job_id: String,
    /// The trust's id in Keystone.
    pub trust_id: String,
    /// The user that delegated its roles.
    pub trustor_user_id: String,
}
