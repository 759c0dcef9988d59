//! Keystone trusts under which jobs run.

use super::draft::Draft;
use crate::import::legacy::Trust;
use crate::import::staging::table::Head;
use crate::import::unit::TargetRow;
use crate::store::job_trusts::JobTrust;

/// Plans a trust; `kept` is the row number of the trust that the job keeps.
pub fn plan(draft: &mut Draft, head: &Head, trust: &Trust, job: Option<&Head>, kept: Option<i64>) {
    let id = &trust.trust_id;
    let Some(job) = job.filter(|job| job.is_present()) else {
        let detail = format!(
            "Its job {} is not there any more, and trust {id} may still be in Keystone.",
            trust.job_id
        );
        draft.quarantine("trust-orphan", detail);
        return;
    };
    if !job.is_usable() {
        let detail =
            format!("Its job {} is not imported ({}), and trust {id} is still there.", job.id, job.reason());
        draft.quarantine(job.reason(), detail);
        return;
    }
    if kept != Some(head.number) {
        draft.quarantine("trust-extra", format!("Job {} has a newer trust than {id}.", job.id));
        return;
    }
    draft.push(TargetRow::Trust(Box::new(JobTrust {
        job_id: job.target().to_owned(),
        trust_id: id.clone(),
        trustor_user_id: trust.trustor_user_id.clone(),
    })));
}
