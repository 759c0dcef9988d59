//! Action reports: the history. One row per action and finished run, and what agents and operators report themselves.

use chrono::DateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::dialect;
use super::document_type::Json;
use super::job_attachments::JobAttachment;
use super::moment_type::Time;
use super::schema::{action_attachments, action_reports};
use super::{Outcome, Tx, swapped};

/// How many hex digits of a report's id tell of which run it is; the other twelve tell of which action's place.
const RUN_DIGITS: usize = 20;

/// A row of `action_reports`, without the log, which may be large.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = action_reports, treat_none_as_default_value = false)]
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

/// A change of a report; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = action_reports)]
#[allow(missing_docs)] // the columns
pub struct ReportChange {
    pub result: Option<String>,
    pub time_elapsed: Option<i64>,
    pub metadata: Option<Json>,
    pub report_date: Option<Time>,
    pub log: Option<Option<Vec<u8>>>,
}

/// An action's place in a job, as far as a report is about it.
#[derive(Debug, Clone, Queryable)]
pub struct Place {
    /// The action.
    pub action_id: String,
    /// The job's definition.
    pub job_id: String,
}

/// A finished run, about to become history.
pub struct FinishedRun<'a> {
    /// When it started, in epoch seconds.
    pub started: Option<i64>,
    /// When it ended, in epoch seconds.
    pub ended: i64,
    /// How it ended.
    pub result: &'a str,
    /// The name of the client that ran it.
    pub client_name: &'a str,
    /// What else is worth keeping: the names that the references will not tell once they are null.
    pub metadata: Json,
}

/// The report of that id in the project.
pub fn find(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<ReportView>> {
    Ok(action_reports::table
        .filter(action_reports::id.eq(id))
        .filter(action_reports::project_id.eq(project))
        .select(ReportView::as_select())
        .first(tx.connection)
        .optional()?)
}

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

/// The action's place of that id in the project.
pub fn place(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<Place>> {
    Ok(action_attachments::table
        .filter(action_attachments::id.eq(id))
        .filter(action_attachments::project_id.eq(project))
        .select((action_attachments::action_id, action_attachments::job_id))
        .first(tx.connection)
        .optional()?)
}

/// Writes a new report.
pub fn insert(tx: &mut Tx<'_>, report: &ActionReport, log: Option<Vec<u8>>) -> Outcome<()> {
    diesel::insert_into(action_reports::table)
        .values((report.clone(), action_reports::log.eq(log)))
        .execute(tx.connection)?;
    Ok(())
}

/// Changes a report that nobody else has changed meanwhile. An empty change is none.
pub fn update(tx: &mut Tx<'_>, view: &ReportView, change: ReportChange) -> Outcome<ReportView> {
    if change == ReportChange::default() {
        return Ok(view.clone());
    }
    let stored = &view.report;
    let has_log = change.log.as_ref().map_or(view.has_log, Option::is_some);
    let report = ActionReport {
        result: change.result.clone().unwrap_or_else(|| stored.result.clone()),
        time_elapsed: change.time_elapsed.unwrap_or(stored.time_elapsed),
        metadata: change.metadata.clone().unwrap_or_else(|| stored.metadata.clone()),
        report_date: change.report_date.unwrap_or(stored.report_date),
        updated_at: tx.now,
        version: stored.version + 1,
        ..stored.clone()
    };
    swapped(
        diesel::update(
            action_reports::table
                .filter(action_reports::id.eq(&stored.id))
                .filter(action_reports::version.eq(stored.version)),
        )
        .set((
            change,
            action_reports::updated_at.eq(report.updated_at),
            action_reports::version.eq(report.version),
        ))
        .execute(tx.connection)?,
    )?;
    Ok(ReportView { report, has_log })
}

/// Deletes a report that nobody else has changed meanwhile.
pub fn delete(tx: &mut Tx<'_>, report: &ActionReport) -> Outcome<()> {
    swapped(
        diesel::delete(
            action_reports::table
                .filter(action_reports::id.eq(&report.id))
                .filter(action_reports::version.eq(report.version)),
        )
        .execute(tx.connection)?,
    )
}

/// Writes one report per action of the job, in one statement. The same run reported again makes no second set.
pub fn write(tx: &mut Tx<'_>, attachment: &JobAttachment, user: &str, run: &FinishedRun<'_>) -> Outcome<()> {
    let Some(ended) = DateTime::from_timestamp(run.ended, 0) else { return Ok(()) };
    let report_date = Time(ended.naive_utc());
    let key = run_key(attachment, run);
    if is_written(tx, attachment, run, &key, report_date)? {
        return Ok(());
    }
    let places: Vec<(String, String)> = action_attachments::table
        .filter(action_attachments::job_id.eq(&attachment.job_id))
        .order(action_attachments::priority)
        .select((action_attachments::id, action_attachments::action_id))
        .load(tx.connection)?;
    let reports: Vec<ActionReport> = places
        .into_iter()
        .map(|(place, action)| ActionReport {
            id: key.clone() + &digits(&[&place], 32 - RUN_DIGITS),
            project_id: attachment.project_id.clone(),
            user_id: user.to_owned(),
            action_id: Some(action),
            action_attachment_id: Some(place),
            job_attachment_id: Some(attachment.id.clone()),
            result: run.result.to_owned(),
            time_elapsed: run.started.map_or(0, |started| (run.ended - started).max(0)),
            metadata: run.metadata.clone(),
            job_id: Some(attachment.job_id.clone()),
            client_id: Some(run.client_name.to_owned()),
            report_date,
            created_at: tx.now,
            updated_at: tx.now,
            version: 1,
        })
        .collect();
    dialect::insert_reports(tx.connection, &reports)?;
    Ok(())
}

/// What the ids of a run's reports begin with. A run is known by its attachment and by when it started and ended, in
/// the whole seconds that schedulers tell; not by its reports' columns, which can be corrected. An id that is given once
/// more after a delete is another attachment.
fn run_key(attachment: &JobAttachment, run: &FinishedRun<'_>) -> String {
    let since = attachment.created_at.and_utc().timestamp_micros().to_string();
    let started = run.started.map(|started| started.to_string()).unwrap_or_default();
    digits(&[&attachment.id, &since, &started, &run.ended.to_string()], RUN_DIGITS)
}

/// So many hex digits out of a digest of some texts.
fn digits(texts: &[&str], count: usize) -> String {
    let digest = Sha256::digest(texts.join(" "));
    digest.iter().take(count / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the run has left its reports already.
fn is_written(
    tx: &mut Tx<'_>,
    attachment: &JobAttachment,
    run: &FinishedRun<'_>,
    key: &str,
    report_date: Time,
) -> Outcome<bool> {
    let first = key.to_owned() + &"0".repeat(32 - RUN_DIGITS);
    let last = key.to_owned() + &"f".repeat(32 - RUN_DIGITS);
    let its = action_reports::table.filter(action_reports::id.between(first, last));
    if diesel::select(diesel::dsl::exists(its)).get_result(tx.connection)? {
        return Ok(true);
    }
    // An end before the start is a clock that was put back, or else the end of the last run, told once more after the
    // next one has begun.
    if run.started.is_none_or(|started| started <= run.ended) {
        return Ok(false);
    }
    let of_that_end = action_reports::table
        .filter(action_reports::project_id.eq(&attachment.project_id))
        .filter(action_reports::job_attachment_id.eq(&attachment.id))
        .filter(action_reports::report_date.eq(report_date));
    Ok(diesel::select(diesel::dsl::exists(of_that_end)).get_result(tx.connection)?)
}
