//! Action reports: the history. One row per action and finished run.

use chrono::DateTime;
use diesel::prelude::*;

use super::document_type::Json;
use super::job_attachments::JobAttachment;
use super::moment_type::Time;
use super::schema::{action_attachments, action_reports};
use super::{Outcome, Tx, new_id};

/// A row of `action_reports`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
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
    pub log: Option<Vec<u8>>,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
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

/// Writes one report per action of the job. The same run reported twice makes no second set: a run of an
/// attachment is known by when it ended.
pub fn write(tx: &mut Tx<'_>, attachment: &JobAttachment, user: &str, run: &FinishedRun<'_>) -> Outcome<()> {
    let Some(ended) = DateTime::from_timestamp(run.ended, 0) else { return Ok(()) };
    let report_date = Time(ended.naive_utc());
    let known = action_reports::table
        .filter(action_reports::project_id.eq(&attachment.project_id))
        .filter(action_reports::job_attachment_id.eq(&attachment.id))
        .filter(action_reports::report_date.eq(report_date));
    if diesel::select(diesel::dsl::exists(known)).get_result(tx.connection)? {
        return Ok(());
    }
    let places: Vec<(String, String)> = action_attachments::table
        .filter(action_attachments::job_id.eq(&attachment.job_id))
        .order(action_attachments::priority)
        .select((action_attachments::id, action_attachments::action_id))
        .load(tx.connection)?;
    for (place, action) in places {
        let report = ActionReport {
            id: new_id(),
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
            log: None,
            created_at: tx.now,
            updated_at: tx.now,
            version: 1,
        };
        diesel::insert_into(action_reports::table).values(report).execute(tx.connection)?;
    }
    Ok(())
}
