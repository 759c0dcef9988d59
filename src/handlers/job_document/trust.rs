//! The Keystone trust of a job that a central scheduler runs. It is created before the job is put on its client, and removed
//! after its last job is gone. Keystone is never called inside a transaction: transactions are retried, and hold a
//! connection.

use front::error::{Error, Result};

use super::super::Request;
use crate::app::App;
use crate::store::clients::Client;
use crate::store::job_trusts::{self, JobTrust};
use crate::store::{Outcome, Tx};
use crate::trusts::{Grant, Trusts};

/// A trust that was prepared for a job, before the transaction that puts the job on its client.
pub struct Preparation<'t> {
    trusts: &'t Trusts,
    /// The client's row; `None` if the job needs no trust of its own on it.
    client: Option<String>,
    /// The trust; `None` if the client needs none.
    grant: Option<Grant>,
}

/// What a transaction did with the prepared trust.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrustUse {
    /// The job runs under it, or needs none.
    Used,
    /// The job does not need it after all.
    Unused,
    /// It had been removed before, so that nothing was written.
    Removed,
}

impl Preparation<'_> {
    /// Keeps a reused trust in use until the transaction ends. False if it has been removed: then the transaction must
    /// write nothing.
    pub fn still_pinned(&self, tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<bool> {
        match &self.grant {
            Some(grant) if !grant.is_new => job_trusts::pin(tx, request.project(), &grant.trust_id),
            _ => Ok(true),
        }
    }

    /// Records the trust of a job that was put on a client. A job has at most one trust on all its clients. No concurrent
    /// transaction can record another: each that puts a job on a client increments the job's version.
    pub fn record(
        &self,
        tx: &mut Tx<'_>,
        request: &Request<'_>,
        client: &Client,
        job_id: &str,
    ) -> Outcome<TrustUse> {
        // One may be central and the other not. Without its trust the job would never run.
        let changed = || Error::conflict("The job's client has just been registered anew; try again.").into();
        if self.client.as_ref().is_some_and(|id| *id != client.id) {
            return Err(changed());
        }
        if !self.trusts.are_needed(client.is_central) || job_trusts::is_recorded(tx, job_id)? {
            return Ok(TrustUse::Unused);
        }
        let Some(grant) = &self.grant else { return Err(changed()) };
        let trust = JobTrust {
            job_id: job_id.to_owned(),
            trust_id: grant.trust_id.clone(),
            trustor_user_id: grant.trustor_user_id.clone(),
        };
        job_trusts::insert(tx, request.owner(), trust)?;
        Ok(TrustUse::Used)
    }
}

/// Runs `write`, which puts a job on a client, with the trust that the job needs, if any. `check` refuses what `write` would
/// refuse, so that no trust is created in vain, and returns the client on which the job may need a trust. `write` returns
/// the outcome of [`Preparation::record`], or [`TrustUse::Removed`] if [`Preparation::still_pinned`] is false.
pub fn create(
    app: &App,
    request: &Request<'_>,
    check: impl FnMut(&mut Tx<'_>) -> Outcome<Option<Client>>,
    mut write: impl FnMut(Option<&Preparation<'_>>) -> Result<TrustUse>,
) -> Result<()> {
    let Some(trusts) = app.trusts.as_ref().filter(|trusts| trusts.is_enabled()) else {
        return write(None).map(drop);
    };
    let (client, known) = checked(app, request, check)?;
    let needed = client.as_ref().is_some_and(|client| trusts.are_needed(client.is_central));
    let mut preparation = Preparation { trusts, client: client.map(|client| client.id), grant: None };
    if !needed {
        return write(Some(&preparation)).map(drop);
    }
    // The second attempt creates a new trust, which no other request can remove.
    for known in [known.as_slice(), &[]] {
        let grant = trusts.ensure(&request.caller, request.project(), known)?;
        let made = grant.is_new.then(|| grant.trust_id.clone());
        preparation.grant = Some(grant);
        let written = write(Some(&preparation));
        match written {
            Ok(TrustUse::Used) => return Ok(()),
            Ok(TrustUse::Removed) => {}
            Ok(TrustUse::Unused) | Err(_) => {
                release(app, request, made.into_iter().collect());
                return written.map(drop);
            }
        }
    }
    Err(Error::internal("a new trust was taken for one that is gone"))
}

fn checked(
    app: &App,
    request: &Request<'_>,
    mut check: impl FnMut(&mut Tx<'_>) -> Outcome<Option<Client>>,
) -> Result<(Option<Client>, Vec<String>)> {
    app.store.read(|tx| Ok((check(tx)?, job_trusts::of_user(tx, request.project(), request.user())?)))
}

/// Removes those of these trusts from Keystone that no job uses any more. A failure is only logged, because the request's
/// change is committed.
pub fn release(app: &App, request: &Request<'_>, mut ids: Vec<String>) {
    let Some(trusts) = &app.trusts else { return };
    ids.sort();
    ids.dedup();
    for (done, id) in ids.iter().enumerate() {
        match release_one(app, trusts, request, id) {
            Ok(()) => {}
            Err(error) if error.status() == 503 => {
                // Keystone is away: the others would fail in the same way, each after its timeout.
                let left = ids[done..].join(", ");
                log::warn!("trusts that may be needed no longer stay in Keystone: {left}: {error}");
                return;
            }
            Err(error) => log::warn!("trust {id}, which is needed no longer, stays in Keystone: {error}"),
        }
    }
}

fn release_one(app: &App, trusts: &Trusts, request: &Request<'_>, id: &str) -> Result<()> {
    // After the commit: of two requests that each delete one of the trust's last two jobs, the later one finds it unused.
    if app.store.read(|tx| job_trusts::is_used(tx, id))? {
        return Ok(());
    }
    trusts.remove(&request.caller, id)
}
