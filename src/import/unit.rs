//! One row of the source and its outcome.

use serde::Serialize;
use serde_json::Value;

use super::legacy::Table;
use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::Action;
use crate::store::backups::Backup;
use crate::store::clients::Client;
use crate::store::job_attachments::JobAttachment;
use crate::store::job_trusts::JobTrust;
use crate::store::jobs::Job;
use crate::store::reports::ActionReport;
use crate::store::sessions::Session;

/// The outcome of a row of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The row is in the target, perhaps changed as its notes say.
    Imported,
    /// The row is merged into another one, of the source (a duplicate) or of the target (`unchanged`).
    Merged,
    /// The row is skipped on purpose: it is deleted, or has no content.
    Skipped,
    /// The row is not imported; the side file has it unchanged.
    Quarantined,
}

/// A note of the report on a row, or on an entry inside it.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// The table, or `jobs.job_actions` or `sessions.job` for an entry inside a row.
    pub table: &'static str,
    /// The row's id in the source; an entry's is `<row>/<index or job id>`.
    pub id: String,
    /// The project, as far as it is known.
    pub project_id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The reason, of the closed list in docs/MIGRATING.md.
    pub reason: &'static str,
    /// The id of the row that stands for it, if that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// A sentence.
    pub detail: String,
}

/// A line of the side file: data that has no place in the target, verbatim.
#[derive(Debug, Clone, Serialize)]
pub struct Remainder {
    /// As [`Note::table`].
    pub table: &'static str,
    /// As [`Note::id`].
    pub id: String,
    /// As [`Note::reason`].
    pub reason: &'static str,
    /// The whole row, or the part of it that has no place.
    pub row: Value,
}

/// A row to write into the target.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // the tables
pub enum TargetRow {
    Client(Box<Client>),
    Action(Box<Action>),
    Session(Box<Session>),
    Job(Box<Job>),
    Attachment(Box<JobAttachment>),
    Place(Box<ActionAttachment>),
    Trust(Box<JobTrust>),
    Report(Box<ActionReport>, Option<Vec<u8>>),
    Backup(Box<Backup>),
}

impl TargetRow {
    /// Its project; a trust has its job's.
    pub fn project(&self) -> Option<String> {
        let project = match self {
            Self::Client(row) => &row.project_id,
            Self::Action(row) => &row.project_id,
            Self::Session(row) => &row.project_id,
            Self::Job(row) => &row.project_id,
            Self::Attachment(row) => &row.project_id,
            Self::Place(row) => &row.project_id,
            Self::Report(row, _) => &row.project_id,
            Self::Backup(row) => &row.project_id,
            Self::Trust(_) => return None,
        };
        Some(project.clone())
    }
}

/// A row of the source, planned. Its rows are written together or not at all.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The table of the source.
    pub table: Table,
    /// The row's number in the staging file. That of a client which a job names, and which no row of the source stands for,
    /// is negative: it is written and settled as the others, and not counted.
    pub number: i64,
    /// The row's id in the source.
    pub id: String,
    /// The outcome; the target may turn `Imported` into `Merged` (`unchanged`) or `Quarantined` (`exists`).
    pub outcome: Outcome,
    /// The notes on the row and its entries.
    pub notes: Vec<Note>,
    /// Entries inside the row, counted by themselves: the table, how many, and what became of them.
    pub entries: Vec<(&'static str, Outcome)>,
    /// Lines for the side file.
    pub remainders: Vec<Remainder>,
    /// The rows to write, parents first; empty unless `outcome` is `Imported`. The first one corresponds to the source row.
    pub rows: Vec<TargetRow>,
    /// Whether the creation time is made up, so that it may differ between two runs.
    pub is_time_made_up: bool,
    /// The id of the target row to delete, because the source has deleted it (`--delete-missing`).
    pub deleted_id: Option<String>,
}

impl Unit {
    /// The project of the row that stands for it.
    pub fn project(&self) -> Option<String> {
        self.rows.first().and_then(TargetRow::project)
    }

    /// Whether no row of the source stands for it.
    pub fn is_made_up(&self) -> bool {
        self.number < 0
    }
}

/// The target's verdict on a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The rows were missing and are written.
    Written,
    /// The target already has the rows.
    Unchanged,
    /// The target had the rows with other content from an earlier import; they are updated.
    Updated,
    /// They are there with other content, and stay. Whether other rows may refer to the one that is there: it is in the
    /// same project.
    Exists {
        /// Which columns differ, or that the version is not an import's.
        detail: String,
        /// Whether other rows may refer to it.
        is_usable: bool,
    },
    /// The target has a client of that name under another id, which jobs are to run on.
    Named {
        /// That client's id.
        id: String,
    },
    /// The target row was deleted, because the source has deleted it.
    Deleted,
}
