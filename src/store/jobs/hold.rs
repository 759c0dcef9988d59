//! Keeping a job document as it is while a change that depends on it is made.

use diesel::prelude::*;

use crate::store::action_attachments;
use crate::store::job_attachments::JobAttachment;
use crate::store::schema::{actions, job_attachments, jobs, sessions};
use crate::store::{Outcome, Tx, expect_one_row};

/// Makes sure that what a job document is made of, read after this, stays as it is until this transaction has ended:
/// the attachment, the definition with its actions, and the session. Whatever this transaction goes on to change of
/// it is only a part, and a compare-and-swap of that part would not notice that another has changed.
///
/// The rows are changed, though in nothing that any document shows: a lock without a change holds on one node of a
/// Galera cluster only.
pub fn hold(tx: &mut Tx<'_>, attachment: &JobAttachment) -> Outcome<()> {
    // In the order in which a session's run and a change of a job take them.
    if let Some(session) = &attachment.session_id {
        diesel::update(sessions::table.filter(sessions::id.eq(session)))
            .set(sessions::updated_at.eq(tx.now))
            .execute(tx.connection)?;
    }
    diesel::update(jobs::table.filter(jobs::id.eq(&attachment.job_id)))
        .set(jobs::updated_at.eq(tx.now))
        .execute(tx.connection)?;
    // As it was read: or it may be in another session by now.
    let row = job_attachments::table.filter(job_attachments::id.eq(&attachment.id));
    let as_read = row.filter(job_attachments::version.eq(attachment.version));
    expect_one_row(
        diesel::update(as_read).set(job_attachments::updated_at.eq(tx.now)).execute(tx.connection)?,
    )?;
    // Of these rows the only one that shows when it was changed, which it was not.
    diesel::update(row).set(job_attachments::updated_at.eq(attachment.updated_at)).execute(tx.connection)?;
    // Whatever changes the places changes the definition's row first.
    let its: Vec<String> = action_attachments::of_job(tx, &attachment.job_id)?
        .into_iter()
        .map(|place| place.action_id)
        .collect();
    if !its.is_empty() {
        diesel::update(actions::table.filter(actions::id.eq_any(its)))
            .set(actions::updated_at.eq(tx.now))
            .execute(tx.connection)?;
    }
    Ok(())
}
