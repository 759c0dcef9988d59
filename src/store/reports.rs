//! Action reports, the history of runs: one row for each action of a finished run, and the reports that agents and operators
//! send.

mod history;
mod list;

use diesel::prelude::*;

use super::listing::Weight;
use super::schema::{action_attachments, action_reports};
use super::types::json::Json;
use super::types::time::Time;
use super::versioned::{bump, change, lookups, remove};
use super::{Outcome, Tx};
pub use history::{FinishedRun, write};
pub use list::{KEYS, RESULTS, list};

/// A row of `action_reports`, without the log, which may be large.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = action_reports, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct ActionReport {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub action_id: Option<String>,
    pub action_attachment_id: Option<String>,
    pub job_attachment_id: Option<String>,
    pub result: String,
    pub time_elapsed: i64,
    pub metadata: Json,
    pub job_id: Option<String>,
    pub client_id: Option<String>,
    pub report_date: Time,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

/// A report, and whether it has a log.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = action_reports)]
pub struct ReportView {
    /// The row.
    #[diesel(embed)]
    pub report: ActionReport,
    /// Whether there is a log.
    #[diesel(select_expression = action_reports::log.is_not_null())]
    pub has_log: bool,
}

impl Weight for ReportView {
    fn row_id(&self) -> &str {
        &self.report.id
    }

    fn weight(&self) -> usize {
        self.report.metadata.text().len()
    }
}

change! {
    /// A change of a report; `None` keeps a column.
    pub struct ReportChange of action_reports: ActionReport {
        result: String,
        time_elapsed: i64,
        metadata: Json,
        report_date: Time,
    }
    beside { log: Option<Vec<u8>>, }
}

/// The action and the job that a report refers to by an action attachment.
#[derive(Debug, Clone, Queryable)]
pub struct Place {
    /// The action.
    pub action_id: String,
    /// The job's definition.
    pub job_id: String,
}

lookups!(action_reports: ReportView { find });

/// The report of that id in the project, with its log.
pub fn find_log(
    tx: &mut Tx<'_>,
    project: &str,
    id: &str,
) -> Outcome<Option<(ActionReport, Option<Vec<u8>>)>> {
    Ok(action_reports::table
        .filter(action_reports::id.eq(id))
        .filter(action_reports::project_id.eq(project))
        .select((ActionReport::as_select(), action_reports::log))
        .first(tx.connection)
        .optional()?)
}

/// The action attachment of this id in the project.
pub fn place(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<Place>> {
    Ok(action_attachments::table
        .filter(action_attachments::id.eq(id))
        .filter(action_attachments::project_id.eq(project))
        .select((action_attachments::action_id, action_attachments::job_id))
        .first(tx.connection)
        .optional()?)
}

/// Inserts a report.
pub fn insert(tx: &mut Tx<'_>, report: &ActionReport, log: Option<Vec<u8>>) -> Outcome<()> {
    diesel::insert_into(action_reports::table)
        .values((report.clone(), action_reports::log.eq(log)))
        .execute(tx.connection)?;
    Ok(())
}

/// Changes a report if its version is still the same. An empty change is not written.
pub fn update(tx: &mut Tx<'_>, view: &ReportView, change: ReportChange) -> Outcome<ReportView> {
    if change.is_empty() {
        return Ok(view.clone());
    }
    let has_log = change.log.as_ref().map_or(view.has_log, Option::is_some);
    let report = change.applied_to(&view.report, tx.now);
    bump!(tx, action_reports, view.report, change)?;
    Ok(ReportView { report, has_log })
}

/// Deletes a report if its version is still the same.
pub fn delete(tx: &mut Tx<'_>, report: &ActionReport) -> Outcome<()> {
    remove!(tx, action_reports, report)
}
