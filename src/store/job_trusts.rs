//! The Keystone trusts of jobs.
//!
//! A trust without a row here is either not recorded yet or about to be removed, and no further job may use it. A request
//! that reuses a trust must [`pin`] it first. So a request that finds a trust unused after its own commit can remove it
//! from Keystone, whatever other processes do.

use diesel::prelude::*;

use super::schema::{job_trusts, jobs};
use super::types::time::Time;
use super::{Outcome, Owner, Tx, expect_one_row, new_id};

/// Limit on a user's trusts that are considered for reuse. There is more than one only after a change of roles or of the
/// scheduler's user.
const CANDIDATES: usize = 5;

/// The trust of a job.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = job_trusts)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct JobTrust {
    pub job_id: String,
    pub trust_id: String,
    pub trustor_user_id: String,
}

#[derive(Insertable)]
#[diesel(table_name = job_trusts)]
struct Row {
    id: String,
    project_id: String,
    user_id: String,
    job_id: String,
    trust_id: String,
    trustor_user_id: String,
    created_at: Time,
    updated_at: Time,
}

/// Records that a job of the project runs under a trust. A trust that is not new must be pinned first ([`pin`]).
pub fn insert(tx: &mut Tx<'_>, owner: Owner<'_>, trust: JobTrust) -> Outcome<()> {
    insert_as(tx, &new_id(), owner, trust)
}

/// As [`insert`], under the given id.
pub fn insert_as(tx: &mut Tx<'_>, id: &str, owner: Owner<'_>, trust: JobTrust) -> Outcome<()> {
    let row = Row {
        id: id.to_owned(),
        project_id: owner.project.to_owned(),
        user_id: owner.user.to_owned(),
        job_id: trust.job_id,
        trust_id: trust.trust_id,
        trustor_user_id: trust.trustor_user_id,
        created_at: tx.now,
        updated_at: tx.now,
    };
    diesel::update(jobs::table.find(&row.job_id)).set(jobs::has_trust.eq(true)).execute(tx.connection)?;
    diesel::insert_into(job_trusts::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// Replaces a job's trust.
pub fn replace(tx: &mut Tx<'_>, trust: &JobTrust) -> Outcome<()> {
    diesel::update(job_trusts::table.filter(job_trusts::job_id.eq(&trust.job_id)))
        .set((
            job_trusts::trust_id.eq(&trust.trust_id),
            job_trusts::trustor_user_id.eq(&trust.trustor_user_id),
            job_trusts::updated_at.eq(tx.now),
        ))
        .execute(tx.connection)?;
    Ok(())
}

/// The latest few trusts under which jobs of the project run in this user's name, the latest first.
pub fn of_user(tx: &mut Tx<'_>, project: &str, trustor: &str) -> Outcome<Vec<String>> {
    let latest = diesel::dsl::max(job_trusts::created_at);
    let mut trusts: Vec<(String, Option<Time>)> = job_trusts::table
        .filter(job_trusts::project_id.eq(project))
        .filter(job_trusts::trustor_user_id.eq(trustor))
        .group_by(job_trusts::trust_id)
        .select((job_trusts::trust_id, latest))
        .load(tx.connection)?;
    trusts.sort_by(|(a, a_at), (b, b_at)| (b_at, b).cmp(&(a_at, a)));
    Ok(trusts.into_iter().take(CANDIDATES).map(|(id, _)| id).collect())
}

/// Keeps a trust in use until the transaction ends, by a lock on the row of a job that runs under it. False if there is no
/// such row any more.
pub fn pin(tx: &mut Tx<'_>, project: &str, trust: &str) -> Outcome<bool> {
    let row: Option<String> = job_trusts::table
        .filter(job_trusts::trust_id.eq(trust))
        .filter(job_trusts::project_id.eq(project))
        .order(job_trusts::created_at.desc())
        .select(job_trusts::id)
        .first(tx.connection)
        .optional()?;
    let Some(row) = row else { return Ok(false) };
    let row = job_trusts::table.filter(job_trusts::id.eq(row));
    // Zero rows: that job has been deleted since. The retry finds another.
    expect_one_row(diesel::update(row).set(job_trusts::updated_at.eq(tx.now)).execute(tx.connection)?)?;
    Ok(true)
}

/// Whether a job has a trust.
pub fn is_recorded(tx: &mut Tx<'_>, job: &str) -> Outcome<bool> {
    let of_job = job_trusts::table.filter(job_trusts::job_id.eq(job));
    Ok(diesel::select(diesel::dsl::exists(of_job)).get_result(tx.connection)?)
}

/// Deletes the rows of jobs that are being deleted, and returns their trusts.
pub fn delete(tx: &mut Tx<'_>, jobs: Vec<String>) -> Outcome<Vec<String>> {
    let of_jobs = || job_trusts::table.filter(job_trusts::job_id.eq_any(jobs.clone()));
    let trusts: Vec<String> = of_jobs().select(job_trusts::trust_id).load(tx.connection)?;
    if !trusts.is_empty() {
        diesel::delete(of_jobs()).execute(tx.connection)?;
    }
    Ok(trusts)
}

/// Whether a job of any project runs under a trust.
pub fn is_used(tx: &mut Tx<'_>, trust: &str) -> Outcome<bool> {
    let rows = job_trusts::table.filter(job_trusts::trust_id.eq(trust));
    Ok(diesel::select(diesel::dsl::exists(rows)).get_result(tx.connection)?)
}
