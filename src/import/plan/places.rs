//! Rows of the table `job_actions`: an action's place in a job.

use std::collections::BTreeSet;

use super::draft::Draft;
use crate::import::legacy::{JobAction, Row};
use crate::import::staging::table::Head;
use crate::import::unit::TargetRow;
use crate::store::action_attachments::ActionAttachment;
use crate::store::types::time::Time;

/// The number of places of one job so far. Places come ordered by job and place.
#[derive(Debug, Default)]
pub struct Run {
    job: String,
    next: i32,
    attached: BTreeSet<String>,
}

/// The job and the action of a place.
pub struct Facts<'f> {
    /// The job that the place names.
    pub job: Option<&'f Head>,
    /// The action that the place names.
    pub action: Option<&'f Head>,
}

/// Plans a place.
pub fn plan(
    draft: &mut Draft,
    head: &Head,
    (row, place): (&Row, &JobAction),
    facts: &Facts<'_>,
    run: &mut Run,
    now: Time,
) {
    let Some(job) = facts.job.filter(|job| job.is_present()) else {
        draft.skip("job-action-dangling", format!("Its job {} is not there any more.", place.job_id));
        return;
    };
    if !job.is_usable() {
        draft.quarantine(job.reason(), format!("Its job {} is not imported: {}.", job.id, job.reason()));
        return;
    }
    let action = match facts.action {
        None => {
            draft.quarantine("job-action-dangling", format!("There is no action {}.", place.action_id));
            return;
        }
        Some(action) if !action.is_present() => {
            draft.skip(
                "action-deleted",
                format!("Action {} is deleted, and so it is not attached.", action.id),
            );
            return;
        }
        Some(action) if action.project != job.project => {
            let detail = format!("Action {} is in another project, and so it is not attached.", action.id);
            draft.skip("action-foreign-project", detail);
            return;
        }
        Some(action) if !action.is_usable() => {
            let detail = format!("Its action {} is not imported: {}.", action.id, action.reason());
            draft.quarantine(action.reason(), detail);
            return;
        }
        Some(action) => action,
    };
    if run.job != job.id {
        *run = Run { job: job.id.clone(), ..Run::default() };
    }
    if !run.attached.insert(action.id.clone()) {
        draft.note("action-twice", format!("Action {} is in job {} again.", action.id, job.id));
    }
    let times = draft.times(row, None, now);
    draft.push(TargetRow::Place(Box::new(ActionAttachment {
        id: head.target().to_owned(),
        project_id: job.project.clone().unwrap_or_default(),
        user_id: job.user.clone(),
        action_id: action.target().to_owned(),
        job_id: job.target().to_owned(),
        priority: run.next,
        retries: action.retries,
        retry_interval: action.retry_interval,
        mandatory: action.mandatory,
        created_at: times.created,
        updated_at: times.updated,
        version: 1,
    })));
    run.next += 1;
}
