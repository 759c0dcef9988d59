//! Action reports: how actions ended.

use serde_json::json;

use super::draft::{Draft, Times};
use crate::document::action_reports::RESULTS;
use crate::import::ids;
use crate::import::legacy::{Report, Row};
use crate::import::staging::table::Head;
use crate::import::unit::TargetRow;
use crate::store::reports::ActionReport;
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// The result without a log.
const SUCCESS: &str = "success";

/// Whether a report has no content, as nearly all.
pub fn is_empty(report: &Report) -> bool {
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let has_log = report.log.as_ref().is_some_and(|log| !log.is_empty());
    !(is_set(&report.result) || is_set(&report.time_elapsed) || report.report_date.is_some() || has_log)
}

/// What a report's row is made of, beside the report.
pub struct Parts {
    /// Its id.
    pub id: String,
    /// The action, if it is there.
    pub action_id: Option<String>,
    /// When it was made.
    pub times: Times,
}

/// Plans a row of `action_reports`; `action` is the action that it names.
pub fn plan(draft: &mut Draft, head: &Head, row: &Row, report: &Report, action: Option<&Head>, now: Time) {
    if is_empty(report) {
        draft.skip("empty-report", "It was made with the action, and nothing was ever written into it.");
        return;
    }
    let Some(project) = head.project.as_deref() else {
        draft.quarantine("no-project", "Neither it nor its action has a project.");
        return;
    };
    let action = action.filter(|action| action.is_usable() && action.project == head.project);
    if action.is_none() {
        draft.note(
            "report-orphan",
            format!("Its action {} is not there; it stays without one.", report.action_id),
        );
    }
    let times = draft.times(row, None, now);
    let parts = Parts {
        id: ids::made("report", &[&row.id]),
        action_id: action.map(|action| action.target().to_owned()),
        times,
    };
    push(draft, (project, &row.user), report, parts);
}

/// Adds the row of a report.
pub fn push(draft: &mut Draft, (project, user): (&str, &str), report: &Report, parts: Parts) {
    let result = draft.word("result", report.result.as_deref(), RESULTS);
    let elapsed = report.time_elapsed.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let seconds = elapsed.and_then(|text| text.parse::<i64>().ok()).filter(|seconds| *seconds >= 0);
    let metadata = match (elapsed, seconds) {
        (Some(text), None) => json!({ "time_elapsed": text }),
        _ => json!({}),
    };
    let mut log = report.log.clone().filter(|log| !log.is_empty());
    if result == SUCCESS
        && let Some(log) = log.take()
    {
        draft.note("other-key", "A report of a success has no log; it is in the side file.");
        draft.remainder("other-key", json!({ "log": String::from_utf8_lossy(&log) }));
    }
    let whole = |time: chrono::NaiveDateTime| Time(chrono::SubsecRound::trunc_subsecs(time, 0));
    let target = ActionReport {
        id: parts.id,
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        action_id: parts.action_id,
        action_attachment_id: None,
        job_attachment_id: None,
        result,
        time_elapsed: seconds.unwrap_or(0),
        metadata: Json::from(metadata),
        job_id: None,
        client_id: None,
        report_date: report.report_date.map_or(parts.times.created, whole),
        created_at: parts.times.created,
        updated_at: parts.times.updated,
        version: 1,
    };
    draft.push(TargetRow::Report(Box::new(target), log));
}
