//! Writes the reports of a finished run: one for each action, and once for each run.

use chrono::DateTime;
use diesel::dsl::exists;
use diesel::prelude::*;
use front::hex::hex;
use ring::digest::{SHA256, digest};

use super::ActionReport;
use crate::store::engine::dialect;
use crate::store::job_attachments::JobAttachment;
use crate::store::schema::{action_attachments, action_reports};
use crate::store::types::json::Json;
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

/// How many hex digits of a report's id identify the run.
const RUN_DIGITS: usize = 20;
/// How many identify the action attachment.
const PLACE_DIGITS: usize = 12;

/// A finished run, about to become history.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedRun {
    /// When it started, in epoch seconds.
    pub started: Option<i64>,
    /// When it ended, in epoch seconds.
    pub ended: i64,
    /// How it ended.
    pub result: String,
    /// The name of the client that ran it.
    pub client_name: String,
    /// What else is worth keeping: the names that the references will not tell once they are null.
    pub metadata: Json,
}

/// Writes one report per action of the job, in one statement. The same run reported again makes no second set.
pub fn write(tx: &mut Tx<'_>, attachment: &JobAttachment, user: &str, run: &FinishedRun) -> Outcome<()> {
    let Some(ended) = DateTime::from_timestamp(run.ended, 0) else { return Ok(()) };
    let is_instant = run.started == Some(run.ended);
    let key = run_key(attachment, run, is_instant);
    // An end before the start comes from a clock that was put back, or is the end of an earlier run, reported once more
    // after the next one has begun.
    let is_odd = run.started.is_some_and(|started| started > run.ended);
    let other_key = if is_odd { run_key(attachment, run, true) } else { key.clone() };
    let has_key = |key: &str| {
        let [first, last] = ["0", "f"].map(|digit| key.to_owned() + &digit.repeat(PLACE_DIGITS));
        action_reports::id.between(first, last)
    };
    // Whether the run has left reports that have not been deleted, on the row of each place.
    let is_written = exists(action_reports::table.filter(has_key(&key).or(has_key(&other_key))));
    let places: Vec<(String, String, bool)> = action_attachments::table
        .filter(action_attachments::job_id.eq(&attachment.job_id))
        .order(action_attachments::priority)
        .select((action_attachments::id, action_attachments::action_id, is_written))
        .load(tx.connection)?;
    if places.iter().any(|(_, _, is_written)| *is_written) {
        return Ok(());
    }
    let reports: Vec<ActionReport> = places
        .into_iter()
        .map(|(place, action, _)| ActionReport {
            id: key.clone() + &digits(&[&place], PLACE_DIGITS),
            project_id: attachment.project_id.clone(),
            user_id: user.to_owned(),
            action_id: Some(action),
            action_attachment_id: Some(place),
            job_attachment_id: Some(attachment.id.clone()),
            result: run.result.clone(),
            time_elapsed: run.started.map_or(0, |started| (run.ended - started).max(0)),
            metadata: run.metadata.clone(),
            job_id: Some(attachment.job_id.clone()),
            client_id: Some(run.client_name.clone()),
            report_date: Time(ended.naive_utc()),
            created_at: tx.now,
            updated_at: tx.now,
            version: 1,
        })
        .collect();
    dialect::insert_rows!(tx.connection, action_reports::table, &reports)?;
    Ok(())
}

/// The prefix of the ids of a run's reports. The primary key so identifies the run, whatever happens to the other columns.
///
/// Schedulers tell whole seconds, and an attachment has one run at a time. So of those that end in one second at most
/// one has taken longer than an instant: a run is known by its end, and by whether it began in that second too. An
/// attachment's id that is given once more after a delete is another attachment.
fn run_key(attachment: &JobAttachment, run: &FinishedRun, is_instant: bool) -> String {
    let since = attachment.created_at.and_utc().timestamp_micros().to_string();
    let kind = if is_instant { "instant" } else { "run" };
    digits(&[&attachment.id, &since, &run.ended.to_string(), kind], RUN_DIGITS)
}

/// The first `count` hex digits of the SHA-256 of the words.
fn digits(words: &[&str], count: usize) -> String {
    let digest = digest(&SHA256, words.join(" ").as_bytes());
    let mut digits = hex(digest.as_ref());
    digits.truncate(count);
    digits
}
