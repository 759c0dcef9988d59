//! Locks on a job document. A lock is an UPDATE that no document shows, because a lock without a change (SELECT FOR
//! UPDATE) holds on one node of a Galera cluster only.

use diesel::prelude::*;

use crate::store::action_attachments;
use crate::store::job_attachments::JobAttachment;
use crate::store::schema::{actions, job_attachments, jobs, sessions};
use crate::store::{Outcome, Tx, expect_one_row};

/// Locks a definition until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, job_id: &str) -> Outcome<()> {
    diesel::update(jobs::table.filter(jobs::id.eq(job_id)))
        .set(jobs::updated_at.eq(tx.now))
        .execute(tx.connection)?;
    Ok(())
}

/// Locks every row of a job document until the transaction ends: the session, the definition with its actions, and the
/// attachment. What is read after this stays as it is. A request with conditions needs that, because the compare-and-set
/// of the row that it changes would not notice a change of the other rows.
pub fn lock_document(tx: &mut Tx<'_>, attachment: &JobAttachment) -> Outcome<()> {
    // The order in which a session's run and a change of a job lock the rows.
    if let Some(session) = &attachment.session_id {
        diesel::update(sessions::table.filter(sessions::id.eq(session)))
            .set(sessions::updated_at.eq(tx.now))
            .execute(tx.connection)?;
    }
    lock(tx, &attachment.job_id)?;
    // Only as it was read: otherwise it may be in another session by now.
    let row = job_attachments::table.filter(job_attachments::id.eq(&attachment.id));
    let as_read = row.filter(job_attachments::version.eq(attachment.version));
    expect_one_row(
        diesel::update(as_read).set(job_attachments::updated_at.eq(tx.now)).execute(tx.connection)?,
    )?;
    // An attachment's own document shows when it was changed. It was not: put the old time back.
    diesel::update(row).set(job_attachments::updated_at.eq(attachment.updated_at)).execute(tx.connection)?;
    // Every change of the places changes the definition's row first, which is locked.
    let action_ids: Vec<String> = action_attachments::of_job(tx, &attachment.job_id)?
        .into_iter()
        .map(|place| place.action_id)
        .collect();
    if !action_ids.is_empty() {
        diesel::update(actions::table.filter(actions::id.eq_any(action_ids)))
            .set(actions::updated_at.eq(tx.now))
            .execute(tx.connection)?;
    }
    Ok(())
}
