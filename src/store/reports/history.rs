//! Writes the reports of a finished run: one for each action, and once for each run.

use chrono::DateTime;
use diesel::prelude::*;
use ring::digest::{SHA256, digest};

use super::ActionReport;
use crate::hex::hex;
use crate::store::job_attachments::JobAttachment;
use crate::store::schema::{action_attachments, action_reports};
use crate::store::types::json::Json;
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx, dialect};

/// How many hex digits of a report's id identify the run.
const RUN_DIGITS: usize = 20;
/// How many identify the action attachment.
const PLACE_DIGITS: usize = 12;

/// A finished run, whose reports are not written yet.
pub struct FinishedRun<'a> {
    /// When it started, in epoch seconds.
    pub started: Option<i64>,
    /// When it ended, in epoch seconds.
    pub ended: i64,
    /// How it ended.
    pub result: &'a str,
    /// The name of the client that ran it.
    pub client_name: &'a str,
    /// The names of what the run refers to; the references become null when it is deleted.
    pub metadata: Json,
}

/// Inserts a report for each action of the job, in one statement. A run that is reported again gets no second set.
pub fn write(tx: &mut Tx<'_>, attachment: &JobAttachment, user: &str, run: &FinishedRun<'_>) -> Outcome<()> {
    let Some(ended) = DateTime::from_timestamp(run.ended, 0) else { return Ok(()) };
    let is_instant = run.started == Some(run.ended);
    let key = run_key(attachment, run, is_instant);
    // An end before the start comes from a clock that was put back, or is the end of an earlier run, reported once more
    // after the next one has begun.
    let is_odd = run.started.is_some_and(|started| started > run.ended);
    if is_written(tx, &key)? || (is_odd && is_written(tx, &run_key(attachment, run, true))?) {
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
            id: key.clone() + &digits(&[&place], PLACE_DIGITS),
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
            report_date: Time(ended.naive_utc()),
            created_at: tx.now,
            updated_at: tx.now,
            version: 1,
        })
        .collect();
    dialect::insert_reports(tx.connection, &reports)?;
    Ok(())
}

/// The prefix of the ids of a run's reports. The primary key so identifies the run, whatever happens to the other columns.
///
/// A run is identified by the attachment, its end, and whether it began in the same second: schedulers report whole
/// seconds, and an attachment has one run at a time, so that at most one run that ends in a second began before it. The
/// attachment's time of creation is part of the key, because an id can be used again after a delete.
fn run_key(attachment: &JobAttachment, run: &FinishedRun<'_>, is_instant: bool) -> String {
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

/// Whether any report of the run exists.
fn is_written(tx: &mut Tx<'_>, key: &str) -> Outcome<bool> {
    let [first, last] = ["0", "f"].map(|digit| key.to_owned() + &digit.repeat(PLACE_DIGITS));
    let its = action_reports::table.filter(action_reports::id.between(first, last));
    Ok(diesel::select(diesel::dsl::exists(its)).get_result(tx.connection)?)
}
