//! The trust of a job that a central scheduler runs: made before the job is put on its client, removed after the last job that
//! needs it is gone. Never inside a transaction: those are tried again, and hold a connection.

use super::super::Request;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::clients::Client;
use crate::store::job_trusts::{self, JobTrust};
use crate::store::{Outcome, Tx};
use crate::trusts::{Grant, Trusts};

/// What a job needs to run on a client, as far as was known before it was put there.
pub struct Need<'t> {
    trusts: &'t Trusts,
    /// The client; none where nothing was needed.
    client: Option<String>,
    grant: Option<Grant>,
}

/// What became of the trust that was made ready for a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// The job runs under it, or needed none.
    Done,
    /// The job needs it no more.
    Spare,
    /// It was gone before the job could be written, and nothing was.
    Gone,
}

impl Need<'_> {
    /// Before anything is written: makes sure that the trust is there until then. False when it no longer is, and
    /// nothing must be written.
    pub fn hold(&self, tx: &mut Tx<'_>, request: &Request<'_>) -> Outcome<bool> {
        match &self.grant {
            Some(grant) if !grant.is_new => job_trusts::hold(tx, request.project(), &grant.trust_id),
            _ => Ok(true),
        }
    }

    /// Notes the trust of a job that was put on a client; a job has one, whatever number of clients it is on. Nobody
    /// can give it another at the same moment: who puts a job on a client swaps the job's version.
    pub fn note(
        &self,
        tx: &mut Tx<'_>,
        request: &Request<'_>,
        client: &Client,
        job_id: &str,
    ) -> Outcome<Trusted> {
        // Perhaps one is central and the other is not; a job without its trust would never run.
        let changed = || Error::conflict("The job's client has just been registered anew; try again.").into();
        if self.client.as_ref().is_some_and(|id| *id != client.id) {
            return Err(changed());
        }
        if !self.trusts.are_needed(client.is_central) || job_trusts::is_noted(tx, job_id)? {
            return Ok(Trusted::Spare);
        }
        let Some(grant) = &self.grant else { return Err(changed()) };
        let trust = JobTrust {
            job_id: job_id.to_owned(),
            trust_id: grant.trust_id.clone(),
            trustor_user_id: grant.trustor_user_id.clone(),
        };
        job_trusts::insert(tx, (request.project(), request.user()), trust)?;
        Ok(Trusted::Done)
    }
}

/// Puts a job on a client with the trust that it needs, if it needs one. `check` refuses what cannot be written, so that
/// no trust is made for it, and returns the client that the job may need a trust on; `write` writes it, and says what
/// [`Need::note`] said, or that [`Need::hold`] was false.
pub fn create(
    app: &App,
    request: &Request<'_>,
    check: impl FnMut(&mut Tx<'_>) -> Outcome<Option<Client>>,
    mut write: impl FnMut(Option<&Need<'_>>) -> Result<Trusted>,
) -> Result<()> {
    let Some(trusts) = app.trusts.as_ref().filter(|trusts| trusts.is_enabled()) else {
        return write(None).map(drop);
    };
    let (client, known) = checked(app, request, check)?;
    let needed = client.as_ref().is_some_and(|client| trusts.are_needed(client.is_central));
    let mut need = Need { trusts, client: client.map(|client| client.id), grant: None };
    if !needed {
        return write(Some(&need)).map(drop);
    }
    // The second time with a trust of its own, which nobody can take away.
    for known in [known.as_slice(), &[]] {
        let grant = trusts.ensure(&request.caller, request.project(), known)?;
        let made = grant.is_new.then(|| grant.trust_id.clone());
        need.grant = Some(grant);
        let written = write(Some(&need));
        match written {
            Ok(Trusted::Done) => return Ok(()),
            Ok(Trusted::Gone) => {}
            Ok(Trusted::Spare) | Err(_) => {
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

/// Removes from Keystone those of some trusts that no job needs any more. A failure is logged and nothing else: what
/// was asked for is done.
pub fn release(app: &App, request: &Request<'_>, mut ids: Vec<String>) {
    let Some(trusts) = &app.trusts else { return };
    ids.sort();
    ids.dedup();
    for (done, id) in ids.iter().enumerate() {
        match release_one(app, trusts, request, id) {
            Ok(()) => {}
            Err(error) if error.status() == 503 => {
                // It would be the same for every one of them, and each would wait its time.
                let left = ids[done..].join(", ");
                log::warn!("trusts that may be needed no longer stay in Keystone: {left}: {error}");
                return;
            }
            Err(error) => log::warn!("trust {id}, which is needed no longer, stays in Keystone: {error}"),
        }
    }
}

fn release_one(app: &App, trusts: &Trusts, request: &Request<'_>, id: &str) -> Result<()> {
    // After the commit: of two requests that each take away one of the last two, the later one sees that.
    if app.store.read(|tx| job_trusts::is_used(tx, id))? {
        return Ok(());
    }
    trusts.remove(&request.caller, id)
}
